"""Models: their weights, the choice among them, and the loaded ones."""
