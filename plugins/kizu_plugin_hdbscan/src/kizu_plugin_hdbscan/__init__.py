"""Faces grouped by HDBSCAN, for Kizu."""
