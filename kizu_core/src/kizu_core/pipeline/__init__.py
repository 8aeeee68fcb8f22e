"""One picture through the models: operations -> outputs -> result rows."""
