"""Kizu core: see `kizu_core.plugins` for what plugins use."""
