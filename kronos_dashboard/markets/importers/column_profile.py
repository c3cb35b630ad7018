"""Profile the columns of a table by sampled cells: numbers, dates, times of day or words.

Thresholds are fractions of the sampled cells that are not blank. Exports contain footers, "n/a" and stray words, so a
column counts as numeric or as dates from 60 % on; a format that excludes another meaning must hold for nearly all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.numbers import detect_decimal_mark, is_numeric_type, parse_numbers
from kronos_dashboard.markets.importers.table import Table, sample_rows, to_text
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.markets.importers.timestamps import parse_times

__all__ = ["ColumnProfile", "profile_columns"]

_TIME_OF_DAY = r"^\s*(?:\d{1,2}:\d{1,2}(?::\d{1,2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?|0 days \d\d:\d\d:\d\d)\s*$"
_BLANK = r"^(?:|-+|nan|null|none|n/a|nat)$"


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """Contents of the sampled cells of a column."""

    sample: Any
    values: np.ndarray
    """float64 [n]; NaN where the cell is not a number."""
    ns: np.ndarray
    """int64 [n], nanoseconds since 1970; NAT where the cell is not a date."""
    is_numeric: bool
    is_timestamp: bool
    """Whether the cells can only be dates: by words, by separators, or by the type of the column."""
    is_date_like: bool
    """Whether the cells can be read as dates, also as plain numbers."""
    is_time_of_day: bool
    """Whether the cells are times of day."""
    is_compact_time: bool
    """Whether the cells can be times of day written as numbers: 930, 093000 or 093000000."""
    is_blank: bool
    num_distinct: int


def profile_columns(table: Table) -> list[ColumnProfile]:
    """Profile each column of the table."""
    samples = [sample_rows(column) for column in table.columns]
    style = detect_decimal_mark(sample for sample in samples if not _is_dates(sample))
    return [_profile(sample, style) for sample in samples]


def _is_dates(sample: Any) -> bool:
    """Whether text cells are dates such as 31.01.2024, whose points are not decimal marks."""
    cells = [cell for cell in sample.to_pylist() if cell] if pa.types.is_string(sample.type) else []
    return (
        bool(cells)
        and sum(c.count(".") == 2 or (c.count(",") == 2 and not c[:1].isdigit()) for c in cells) > 0.9 * len(cells)
        and bool((parse_times([sample]).ns != NAT).mean() > 0.5)
    )


def _profile(sample: Any, style: Any) -> ColumnProfile:
    n = len(sample)
    is_typed = is_numeric_type(sample)
    temporal = pa.types.is_temporal(sample.type)
    text = to_text(sample)
    filled = pc.invert(pc.match_substring_regex(text, _BLANK, ignore_case=True)).to_numpy(zero_copy_only=False)
    num_filled = max(1, int(filled.sum()))
    parsed = parse_numbers(sample, style)
    numeric = not temporal and bool(filled.any()) and int((~parsed.is_text & filled).sum()) >= 0.6 * num_filled
    is_clock = pa.types.is_time(sample.type) or _match_fraction(text, _TIME_OF_DAY, num_filled) > 0.8
    is_dated, ns = False, np.full(n, NAT)
    if not is_clock:
        try:
            ns = parse_times([sample]).ns
        except ImportFileError:  # dates, but not alike; the error is raised when they are read in earnest
            ns = np.arange(n, dtype="int64") * 86_400 * 10**9
        except pa.ArrowInvalid:
            ns = np.full(n, NAT)
        is_dated = int((ns != NAT).sum()) >= 0.6 * num_filled and bool(filled.any())
    all_digits = not is_clock and _match_fraction(text, r"^\d{1,9}(?:\.0)?$", num_filled) > 0.99
    return ColumnProfile(
        sample=sample, values=parsed.values, ns=ns, is_numeric=numeric, is_date_like=is_dated, is_time_of_day=is_clock,
        is_timestamp=is_dated and (temporal or (not is_typed and not _is_numeric_text(text, num_filled))),
        is_compact_time=all_digits and _is_compact_time(parsed.values), is_blank=not filled.any(),
        num_distinct=len(pc.unique(text.filter(pa.array(filled)))),
    )  # fmt: skip


def _is_numeric_text(text: Any, num_filled: int) -> bool:
    return _match_fraction(text, r"^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$", num_filled) > 0.5


def _match_fraction(text: Any, pattern: str, num_filled: int) -> float:
    return float(pc.sum(pc.match_substring_regex(text, pattern)).as_py() or 0) / num_filled


def _is_compact_time(values: np.ndarray) -> bool:
    """Whether whole numbers read as HHMM, HHMMSS or HHMMSS with milliseconds."""
    finite = values[np.isfinite(values)]
    if len(finite) == 0 or finite.max() > 240_000_000 or finite.min() < 0:
        return False
    digits = finite.astype("int64")
    if digits.max() > 240_000:
        digits = digits // 1_000
    if digits.max() <= 2_400:
        return bool((digits % 100 < 60).all())
    return bool(((digits % 100 < 60) & (digits // 100 % 100 < 60)).all())
