"""Readers of files: the bytes of an export become checked candles, once, and every change is told in a note."""

from __future__ import annotations

from kronos_dashboard.importers.reading import Imported, ImportOptions, read, read_file

__all__ = ["ImportOptions", "Imported", "read", "read_file"]
