"""The commands of ``python -m kronos_dashboard``: each module adds its options to a parser and does what they say."""
