"""People: faces grouped into them, and what their owner corrected."""
