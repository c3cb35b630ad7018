"""What every reader gives: a table of columns whose meaning is not known yet, and helpers to look into it.

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

__all__ = ["Table", "from_cells", "named_rows", "plural", "sample_of", "texts"]

_NAMED = 20
_SAMPLED = 240


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns as a reader found them."""

    columns: tuple[Any, ...]
    """pyarrow arrays, all of the same length."""
    names: tuple[str, ...] | None
    """What the header calls them; None without a header. May be one shorter or longer than the columns."""
    groups: tuple[str, ...] = ()
    """Where the header has a second line that names the instrument of each column: that name."""
    rows: np.ndarray | None = None
    """int64 [n], the number of each row below the header, where some were left out; None: 1, 2, 3, ..."""
    name: str = ""
    """Sheet, member or key that it was found under."""
    symbol: str = ""
    """What the file calls the instrument, outside of the table."""
    notes: tuple[Note, ...] = field(default=())

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.columns[0]) if self.columns else 0

    @property
    def numbers(self) -> np.ndarray:
        """What to call each row in a note, int64 [n]."""
        return np.arange(1, len(self) + 1) if self.rows is None else self.rows


def from_cells(cells: Sequence[Sequence[Any]], width: int) -> tuple[Any, ...]:
    """Text columns from rows of cells; short rows are filled with blanks, further cells than ``width`` left out."""
    columns = []
    for at in range(width):
        column = [row[at] if at < len(row) else "" for row in cells]
        columns.append(pa.array(column, type=pa.string()))
    return tuple(columns)


def texts(column: Any) -> Any:
    """The column as text without blanks around it; what is absent becomes an empty text."""
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    return pc.fill_null(pc.utf8_trim_whitespace(column), "")


def sample_of(column: Any, most: int = _SAMPLED) -> Any:
    """Some of the rows: the first, the last and a few from between, in order."""
    n = len(column)
    if n <= most:
        return column
    part = most // 3
    middle = np.linspace(part, n - part - 1, part).astype("int64")
    return column.take(pa.array(np.unique(np.r_[np.arange(part), middle, np.arange(n - part, n)])))


def named_rows(numbers: np.ndarray) -> tuple[int, ...]:
    """The first few of these row numbers, for a note."""
    return tuple(int(number) for number in numbers[:_NAMED])


def plural(number: int, noun: str) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
