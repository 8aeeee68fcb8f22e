"""Folders of photos: what is in them, what changed, and the small library that Kizu draws for its demo."""
