"""The roles of the columns of a table, and columns that the user assigns."""

from __future__ import annotations

from dataclasses import dataclass, field

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.column_names import normalize_name
from kronos_dashboard.markets.importers.numbers import DecimalMark
from kronos_dashboard.markets.importers.time_columns import TimeColumns
from kronos_dashboard.messages import msg, term
from kronos_dashboard.notes import Note

__all__ = ["ColumnRoles", "resolve_user_columns"]


@dataclass(frozen=True, kw_only=True)
class ColumnRoles:
    """The columns that hold time, prices and volume, by position."""

    time: TimeColumns
    prices: dict[str, int]
    """open, high, low, close -> column; for ticks: price, or bid and ask."""
    volume: int | None = None
    amount: int | None = None
    symbol: int | None = None
    group: str = ""
    """The selected instrument (or side, "bid" and "ask") of a header that names several."""
    groups: tuple[str, ...] = ()
    has_header: bool = True
    decimal_mark: DecimalMark = "unknown"
    """The decimal mark of the file."""
    notes: tuple[Note, ...] = field(default=())

    @property
    def are_ticks(self) -> bool:
        """Whether the rows are single trades or quotes."""
        return "open" not in self.prices


def resolve_user_columns(columns: dict[str, str], names: tuple[str, ...], filename: str) -> dict[str, int]:
    """Field -> column position, from names or numbers that the user gave.

    Raises:
        ImportFileError: there is no such column.
    """
    resolved = {}
    for name, requested in columns.items():
        hits = [
            i
            for i, column_name in enumerate(names)
            if column_name == requested or (column_name and normalize_name(column_name) == normalize_name(requested))
        ]
        if not hits and requested.isdigit() and 1 <= int(requested) <= len(names):
            hits = [int(requested) - 1]
        if not hits:
            has = ", ".join(column_name[:40] for column_name in names[:12])
            raise ImportFileError(
                msg(
                    "the file {filename} has no column {expected} for {name}; its columns: {names}.",
                    filename=filename,
                    expected=repr(requested[:40]),
                    name=term(name),
                    names=has,
                ),
                msg("Correct the file."),
            )
        resolved[name] = hits[0]
    return resolved
