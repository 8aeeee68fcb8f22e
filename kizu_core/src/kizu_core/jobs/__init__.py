"""Job handlers that come with the core; they arrive through the core's own entry point, like any plugin's."""
