"""One module a command: a function whose parameters are its options and whose docstring is its help."""
