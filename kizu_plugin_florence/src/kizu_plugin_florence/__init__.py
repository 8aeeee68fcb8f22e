"""Captions with Florence-2, by the implementation in transformers."""
