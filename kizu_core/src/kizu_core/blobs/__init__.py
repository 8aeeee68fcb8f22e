"""Where derivatives are kept."""
