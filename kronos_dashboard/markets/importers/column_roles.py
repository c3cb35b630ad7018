"""What is known about a table once its columns have been found: a small type, and the way to name columns by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.column_names import plain
from kronos_dashboard.markets.importers.numbers import Style
from kronos_dashboard.markets.importers.time_columns import Timing
from kronos_dashboard.notes import Note

__all__ = ["Roles", "forced_columns"]


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns of a table that matter, by their place."""

    time: Timing
    prices: dict[str, int]
    """open, high, low, close -> column; for ticks: price, or bid and ask."""
    volume: int | None = None
    amount: int | None = None
    symbol: int | None = None
    group: str = ""
    """Which of several instruments (or sides, "bid" and "ask") in the header was taken."""
    groups: tuple[str, ...] = ()
    headed: bool = True
    style: Style = "unknown"
    """Decimal mark of the file."""
    notes: tuple[Note, ...] = field(default=())

    @property
    def ticks(self) -> bool:
        """Whether the rows are single trades or quotes."""
        return "open" not in self.prices


def forced_columns(columns: dict[str, str], names: tuple[str, ...], filename: str) -> dict[str, int]:
    """Field -> column, from what the user said.

    Raises:
        ImportFailed: there is no such column.
    """
    found = {}
    for name, wanted in columns.items():
        hits = [i for i, told in enumerate(names) if told == wanted or (told and plain(told) == plain(wanted))]
        if not hits and wanted.isdigit() and 1 <= int(wanted) <= len(names):
            hits = [int(wanted) - 1]
        if not hits:
            has = ", ".join(told[:40] for told in names[:12])
            raise ImportFailed(
                f"the file {filename} has no column {wanted[:40]!r} for {name}; it has {has}.", "Correct it."
            )
        found[name] = hits[0]
    return found
