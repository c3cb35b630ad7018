"""The table that every reader returns, before the meaning of its columns is known, and helpers for columns.

Shapes: n rows; a column is a pyarrow array [n] of text, numbers or times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.notes import Note

__all__ = ["MAX_COLUMNS", "MAX_SAMPLED_ROWS", "Table", "columns_from_cells", "note_rows", "sample_rows", "to_text"]

MAX_COLUMNS = 512
"""Columns that are read from workbooks, JSON, Parquet and Feather. Panels of some hundred instruments fit; every column
costs memory and is searched for its meaning."""
_NAMED_ROWS = 20
"""Row numbers that a note lists: enough to find the place in the file."""
MAX_SAMPLED_ROWS = 240
"""Rows that decide what a column holds. Three blocks of 80 (first, middle, last) show changes of format within the
file, and keep the search for columns at milliseconds for any length."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns as read from a file."""

    columns: tuple[Any, ...]
    """pyarrow arrays, all of the same length."""
    names: tuple[str, ...] | None
    """Names in the header; None without a header. May be one shorter or longer than the columns."""
    groups: tuple[str, ...] = ()
    """Instrument of each column, where the header has a second line with these."""
    source_rows: np.ndarray | None = None
    """int64 [n], the number of each row below the header, where rows were skipped; None for 1, 2, 3, ..."""
    name: str = ""
    """Sheet, member or key of the table."""
    symbol: str = ""
    """Name of the instrument, where it stands outside of the table."""
    notes: tuple[Note, ...] = field(default=())

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.columns[0]) if self.columns else 0

    @property
    def row_numbers(self) -> np.ndarray:
        """Row numbers for notes, int64 [n]."""
        return np.arange(1, len(self) + 1) if self.source_rows is None else self.source_rows


def columns_from_cells(cells: Sequence[Sequence[Any]], width: int) -> tuple[Any, ...]:
    """Text columns from rows of cells; short rows are filled with blanks, cells beyond ``width`` dropped."""
    columns = []
    for at in range(width):
        column = [row[at] if at < len(row) else "" for row in cells]
        columns.append(pa.array(column, type=pa.string()))
    return tuple(columns)


def to_text(column: Any) -> Any:
    """The column as text without surrounding blanks; missing values are empty."""
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    return pc.fill_null(pc.utf8_trim_whitespace(column), "")


def sample_rows(column: Any, max_rows: int = MAX_SAMPLED_ROWS) -> Any:
    """A sample of at most ``max_rows`` rows, in order: the first, some in the middle, the last."""
    n = len(column)
    if n <= max_rows:
        return column
    part = max_rows // 3
    middle = np.linspace(part, n - part - 1, part).astype("int64")
    return column.take(pa.array(np.unique(np.r_[np.arange(part), middle, np.arange(n - part, n)])))


def note_rows(numbers: np.ndarray) -> tuple[int, ...]:
    """The first row numbers, for a note."""
    return tuple(int(number) for number in numbers[:_NAMED_ROWS])
