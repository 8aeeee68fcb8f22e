"""What this distribution brings."""
