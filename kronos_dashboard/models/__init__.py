"""Models: which can be chosen, and the loaded ones."""
