"""The worker: a parent that claims jobs and stores results, a child process that does them."""
