"""Import candles from files: read, check and convert an export, with a note for every change."""

from __future__ import annotations

from kronos_dashboard.markets.importers.options import ChoiceRequiredError, ImportChoice, ImportedCandles, ImportOptions
from kronos_dashboard.markets.importers.own_exports import ExportedForecastError
from kronos_dashboard.markets.importers.reading import read, read_file

__all__ = [
    "ChoiceRequiredError",
    "ExportedForecastError",
    "ImportChoice",
    "ImportOptions",
    "ImportedCandles",
    "read",
    "read_file",
]
