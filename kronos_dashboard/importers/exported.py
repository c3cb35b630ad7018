"""Files that this app exports are told from candles: a forecast has prices and times too, but they did not happen."""

from __future__ import annotations

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.importers.meanings import plain
from kronos_dashboard.importers.table import Table
from kronos_dashboard.notes import Note

__all__ = ["forecast_notes", "refuse_paths"]

_ALL_PATHS = {"path", "step", "time", "open", "close"}
_BY_STEP = {"step", "time", "closemedian"}


def refuse_paths(table: Table, filename: str) -> None:
    """Refuse an exported forecast with all its paths, which would pass for several instruments.

    Raises:
        ImportFailed: the columns are those of such a file.
    """
    if _names(table) >= _ALL_PATHS:
        raise ImportFailed(
            f"the file {filename} is an exported forecast with all its paths, and no history of candles.",
            "Open it on the Forecast page: Take away, open an exported forecast.",
        )


def forecast_notes(table: Table) -> list[Note]:
    """What must be known of the table of an exported forecast, whose candles are one sampled path."""
    if not _names(table) >= _BY_STEP:
        return []
    text = "This is an exported forecast: its candles are one sampled path, not history. The file with all paths opens"
    return [Note("warning", f"{text} on the Forecast page: Take away, open an exported forecast.")]


def _names(table: Table) -> set[str]:
    return {plain(name) for name in table.names or ()}
