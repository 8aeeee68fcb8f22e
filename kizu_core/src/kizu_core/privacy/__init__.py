"""What leaves the machine: only what the user named, and nothing secret in the logs."""
