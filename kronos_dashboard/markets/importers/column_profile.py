"""A first look at each column: whether it holds numbers, stamps, times of day or words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.numbers import is_plain_type, read_numbers, style_of
from kronos_dashboard.markets.importers.table import Table, sample_of, texts
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.markets.importers.timestamps import raw_times

__all__ = ["Look", "look_at"]

_CLOCK = r"^\s*(?:\d{1,2}:\d{1,2}(?::\d{1,2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?|0 days \d\d:\d\d:\d\d)\s*$"
_BLANK = r"^(?:|-+|nan|null|none|n/a|nat)$"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the sampled cells of a column say."""

    sample: Any
    values: np.ndarray
    """float64 [n]; NaN where the cell is no number."""
    ns: np.ndarray
    """int64 [n]; NAT where the cell is no stamp with a date."""
    numeric: bool
    stamps: bool
    """Whether the cells can be nothing but dates (words, marks between the parts, or a type that says so)."""
    dated: bool
    """Whether the cells can be dates, also as plain numbers."""
    clock: bool
    """Whether the cells are times of day."""
    compact_clock: bool
    """Whether the cells can be times of day written as numbers, 930, 093000 or 093000000."""
    blank: bool
    distinct: int


def look_at(table: Table) -> list[Look]:
    """A look at each column of the table."""
    samples = [sample_of(column) for column in table.columns]
    style = style_of(sample for sample in samples if not _stamped(sample))
    return [_look(sample, style) for sample in samples]


def _stamped(sample: Any) -> bool:
    cells = [cell for cell in sample.to_pylist() if cell] if pa.types.is_string(sample.type) else []
    return (
        bool(cells)
        and sum(c.count(".") == 2 or (c.count(",") == 2 and not c[:1].isdigit()) for c in cells) > 0.9 * len(cells)
        and bool((raw_times([sample]).ns != NAT).mean() > 0.5)
    )


def _look(sample: Any, style: Any) -> Look:
    n = len(sample)
    typed = is_plain_type(sample)
    temporal = pa.types.is_temporal(sample.type)
    text = texts(sample)
    filled = pc.invert(pc.match_substring_regex(text, _BLANK, ignore_case=True)).to_numpy(zero_copy_only=False)
    used = max(1, int(filled.sum()))
    read = read_numbers(sample, style)
    numeric = not temporal and bool(filled.any()) and int((~read.text & filled).sum()) >= 0.6 * used
    clock = pa.types.is_time(sample.type) or _share(text, _CLOCK, used) > 0.8
    dated, ns = False, np.full(n, NAT)
    if not clock:
        try:
            ns = raw_times([sample]).ns
        except ImportFailed:  # dates, but not alike; the error is raised when they are read in earnest
            ns = np.arange(n, dtype="int64") * 86_400 * 10**9
        except pa.ArrowInvalid:
            ns = np.full(n, NAT)
        dated = int((ns != NAT).sum()) >= 0.6 * used and bool(filled.any())
    digits = not clock and _share(text, r"^\d{1,9}(?:\.0)?$", used) > 0.99
    return Look(
        sample=sample, values=read.values, ns=ns, numeric=numeric, dated=dated, clock=clock,
        stamps=dated and (temporal or (not typed and not _plain_numbers(text, used))),
        compact_clock=digits and _hours(read.values), blank=not filled.any(),
        distinct=len(pc.unique(text.filter(pa.array(filled)))),
    )  # fmt: skip


def _plain_numbers(text: Any, used: int) -> bool:
    return _share(text, r"^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$", used) > 0.5


def _share(text: Any, pattern: str, used: int) -> float:
    return float(pc.sum(pc.match_substring_regex(text, pattern)).as_py() or 0) / used


def _hours(values: np.ndarray) -> bool:
    """HHMM, HHMMSS or HHMMSS with milliseconds."""
    known = values[np.isfinite(values)]
    if len(known) == 0 or known.max() > 240_000_000 or known.min() < 0:
        return False
    good = known.astype("int64")
    if good.max() > 240_000:
        good = good // 1_000
    if good.max() <= 2_400:
        return bool((good % 100 < 60).all())
    return bool(((good % 100 < 60) & (good // 100 % 100 < 60)).all())
