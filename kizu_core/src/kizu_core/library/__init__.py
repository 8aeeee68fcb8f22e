"""Folders of photos and the rows about them: scan, compare, import; originals are only read."""
