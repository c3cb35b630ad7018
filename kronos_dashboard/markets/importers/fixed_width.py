"""Read quotes in lines of fixed width, the COTAHIST files of the Brazilian exchange B3.

A line begins with its kind; lines of kind 01 are quotes: date, ticker, prices in hundredths, volume and amount at fixed
positions. Layout: B3, "Historical Quotes", SeriesHistoricas_Layout.pdf.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from kronos_dashboard.markets.importers.read_errors import too_many_rows_error
from kronos_dashboard.markets.importers.table import Table

__all__ = ["looks_fixed_width", "read_fixed_width"]

_FIRST_LINE = re.compile(rb"^(?:00COTAHIST[^\n]*\n)?01(?:19|20)\d{6}[^\n]{2}[A-Z0-9 ]{12}\d{3}[^\n]{25}[^\n]{4}\d{80}")
_LINE_WIDTH = 188
"""End of the last field that is read; the lines are longer."""
_FIELD_SPANS = {"date": (2, 10), "symbol": (12, 24), "open": (56, 69), "high": (69, 82), "low": (82, 95),
           "close": (108, 121), "volume": (152, 170), "amount": (170, 188)}  # fmt: skip
"""Field -> start and end within the line, counted from 0."""
_HUNDREDTHS = ("open", "high", "low", "close", "amount")


def looks_fixed_width(data: bytes) -> bool:
    """Whether the text begins like a COTAHIST file."""
    return bool(_FIRST_LINE.match(data[:1_000]))


def read_fixed_width(data: bytes, filename: str, max_rows: int) -> Table:
    """Read the quotes in file order.

    Raises:
        ImportFileError: there are too many rows.
    """
    lines = [line for line in data.splitlines() if line.startswith(b"01") and len(line) >= _LINE_WIDTH]
    if len(lines) > max_rows:
        raise too_many_rows_error(filename, max_rows)
    trimmed = np.array([_as_latin_1(line)[:_LINE_WIDTH] for line in lines], dtype=f"S{_LINE_WIDTH}")  # [n]
    characters = trimmed.view("S1").reshape(len(lines), _LINE_WIDTH)  # [n, width]
    columns = []
    for name, (start, end) in _FIELD_SPANS.items():
        cells = np.ascontiguousarray(characters[:, start:end]).view(f"S{end - start}")[:, 0]  # [n]
        stripped = np.char.strip(cells)
        if name in ("date", "symbol"):
            columns.append(pa.array(np.char.decode(stripped, "latin-1"), type=pa.string()))
            continue
        is_number = np.char.isdigit(stripped)
        values = np.where(is_number, stripped, b"0").astype("float64") / (100 if name in _HUNDREDTHS else 1)
        columns.append(pa.array(np.where(is_number, values, np.nan)))
    return Table(columns=tuple(columns), names=tuple(_FIELD_SPANS))


def _as_latin_1(line: bytes) -> bytes:
    """The line with one byte per character: the exchange writes Latin-1, editors save UTF-8."""
    if line.isascii():
        return line
    try:
        return line.decode("utf-8").encode("latin-1", errors="replace")
    except UnicodeDecodeError:
        return line
