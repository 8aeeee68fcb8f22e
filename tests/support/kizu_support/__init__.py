"""Things that the tests of several distributions make: fake plugins, pictures, libraries."""
