"""Readers of files: the bytes of an export become checked candles, once, and every change is told in a note."""

from __future__ import annotations

from kronos_dashboard.markets.importers.options import ChoiceNeeded, Choices, Imported, ImportOptions
from kronos_dashboard.markets.importers.own_exports import ExportedForecast
from kronos_dashboard.markets.importers.reading import read, read_file

__all__ = ["ChoiceNeeded", "Choices", "ExportedForecast", "ImportOptions", "Imported", "read", "read_file"]
