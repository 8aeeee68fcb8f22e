"""Plugins: what they declare, how they are found, and what may be used of them."""
