"""Quotes of a whole exchange in lines of fixed width, without any separator, as the exchange of Brazil keeps them.

Every line begins with its kind; those of kind 01 are quotes: day, ticker, prices in hundredths, volume and amount, each
at its own places of the line.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.table import Table

__all__ = ["looks_fixed_width", "read_fixed_width"]

_FIRST = re.compile(rb"^(?:00COTAHIST[^\n]*\n)?01(?:19|20)\d{6}[^\n]{2}[A-Z0-9 ]{12}\d{3}[^\n]{25}[^\n]{4}\d{80}")
_WIDTH = 188
_PLACES = {"date": (2, 10), "symbol": (12, 24), "open": (56, 69), "high": (69, 82), "low": (82, 95),
           "close": (108, 121), "volume": (152, 170), "amount": (170, 188)}  # fmt: skip
_HUNDREDTHS = ("open", "high", "low", "close", "amount")


def looks_fixed_width(data: bytes) -> bool:
    """Whether the text begins like such lines."""
    return bool(_FIRST.match(data[:1_000]))


def read_fixed_width(data: bytes, filename: str, max_rows: int) -> Table:
    """The quotes, in their order.

    Raises:
        ImportFailed: there are too many.
    """
    lines = [line for line in data.split(b"\n") if line.startswith(b"01") and len(line) >= _WIDTH]
    if len(lines) > max_rows:
        raise ImportFailed(f"the file {filename} has more than {max_rows:,} rows.", "Cut the file.")
    cut = np.array([line[:_WIDTH] for line in lines], dtype=f"S{_WIDTH}")
    letters = cut.view("S1").reshape(len(lines), _WIDTH)
    columns = []
    for name, (first, end) in _PLACES.items():
        cells = np.ascontiguousarray(letters[:, first:end]).view(f"S{end - first}")[:, 0]
        told = np.char.strip(cells.astype(str))
        if name in ("date", "symbol"):
            columns.append(pa.array(told, type=pa.string()))
            continue
        good = np.char.isdigit(told)
        values = np.where(good, told, "0").astype("float64") / (100 if name in _HUNDREDTHS else 1)
        columns.append(pa.array(np.where(good, values, np.nan)))
    return Table(columns=tuple(columns), names=tuple(_PLACES))
