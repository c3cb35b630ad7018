"""Checkpoints: where they come from (hub, folder, bundled), how they are read, checked and written."""
