"""What this distribution brings. Data only: the libraries are imported by `model`."""
