"""Which column of a table is which: one table of names, matched without regard to case, spaces and punctuation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kronos_dashboard.errors import ImportFailed

__all__ = ["ALIASES", "find_columns"]

ALIASES: dict[str, tuple[str, ...]] = {
    "time": ("timestamp", "timestamps", "datetime", "date", "time", "opentime"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume",),
    "amount": ("amount",),
}
"""What a column may be called, likeliest first. The importer issue grows this table; there are no branches by brand."""

REQUIRED = ("time", "open", "high", "low", "close")


def find_columns(header: Sequence[str], filename: str) -> dict[str, str]:
    """Column of the table for each of time, open, high, low, close and, where present, volume and amount.

    Raises:
        ImportFailed: a required column is not there.
    """
    plain: dict[str, str] = {}
    for name in header:
        plain.setdefault(re.sub(r"[\W_]+", "", str(name)).lower(), name)
    found = {}
    for meaning, names in ALIASES.items():
        hit = next((plain[name] for name in names if name in plain), None)
        if hit is not None:
            found[meaning] = hit
    missing = [meaning for meaning in REQUIRED if meaning not in found]
    if missing:
        wanted = ", ".join("time (or date, timestamp)" if name == "time" else name for name in missing)
        has = ", ".join(str(name)[:40] for name in list(header)[:12])
        raise ImportFailed(
            f"the file {filename} lacks {'the column' if len(missing) == 1 else 'the columns'} {wanted}; it has {has}.",
            "The first line must name a time column and open, high, low and close; volume and amount are optional.",
        )
    return found
