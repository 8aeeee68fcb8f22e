"""The PostgreSQL that comes with pip: its programs, its data folder, and the processes that share it."""
