"""Dates written as plain numbers: with all their digits in a row, or as a count of days.

Shapes: n rows; ``known`` is a bool [n] of those that hold a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.markets.importers.timestamp_text import NAT, read_texts
from kronos_dashboard.notes import Note

__all__ = ["compact_dates", "count_of_days"]

_COUNTS = (
    (20_000.0, 80_000.0, "1899-12-30", 0.0, "30 December 1899, as spreadsheets count"),
    (690_000.0, 780_000.0, "1970-01-01", 719_529.0, "the year 0, as MATLAB counts"),
    (2_400_000.0, 2_500_000.0, "1970-01-01", 2_440_587.5, "4713 BC, as Julian days count"),
)
"""Smallest and largest number, a day, the number of its midnight, and what to call the count."""
_SINCE_1970 = (7_000.0, 22_000.0)
"""1989 to 2030; spreadsheets of 1954 to 1960 have the same numbers, and are not to be expected."""
_MIDDAY = 0.5

Dates = tuple[np.ndarray, str, tuple[Note, ...]]
"""Nanoseconds, int64 [n]; "date" or "text"; what was assumed."""


def count_of_days(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, Note] | None:
    """int64 [n] nanoseconds and what was assumed; None when the numbers [n] count no days."""
    low, high = values[known].min(), values[known].max()
    for first, last, day, number, told in _COUNTS:
        if first <= low and high <= last and not _leaves_out_weekends(values[known]):
            shift = number
            if number % 1 == _MIDDAY and bool((values[known] == np.round(values[known])).all()):
                shift = number + _MIDDAY  # whole Julian days are dates, though they begin at noon
            return _days(values, known, day, shift), _counted(told)
    if _leaves_out_weekends(values[known]):
        return _days(values, known, "1970-01-01", 0.0), _counted("1 January 1970")
    return None


def _counted(told: str) -> Note:
    return Note("warning", f"The times are numbers, read as days since {told}.")


def _days(values: np.ndarray, known: np.ndarray, day: str, number: float) -> np.ndarray:
    since = np.where(known, values - number, 0.0)
    ns = np.round(since * 86_400_000).astype("int64") * 10**6 + np.datetime64(day, "ns").astype("int64")
    return np.where(known, ns, NAT)


def _leaves_out_weekends(values: np.ndarray) -> bool:
    """Whether whole numbers are days since 1970, from Monday to Friday alone."""
    if values.min() < _SINCE_1970[0] or values.max() > _SINCE_1970[1] or (values != np.round(values)).any():
        return False
    return len(values) > 6 and bool(((values.astype("int64") + 3) % 7 < 5).all())  # 1 January 1970 was a Thursday


def compact_dates(written: Any, values: np.ndarray, known: np.ndarray, day_first: bool | None) -> Dates | None:
    """20240131, 202401310930, 20240131093000, 20240131093000000, 202401, 31012024; None when these are no dates.

    Args:
        written: the numbers as int64 [n].
        values: the same as float64 [n].
        known: which rows hold a number.
        day_first: whether days stand before months; by default the whole column decides.
    """
    low, high = values[known].min(), values[known].max()
    if low >= 190_001 and high <= 210_012 and bool(((values[known] % 100 >= 1) & (values[known] % 100 <= 12)).all()):
        months = ((values // 100 - 1970) * 12 + values % 100 - 1)[known].astype("int64").astype("datetime64[M]")
        ns = np.full(len(values), NAT)
        ns[known] = months.astype("datetime64[ns]").astype("int64")
        return ns, "date", ()
    short = _short_dates(values, known, low, high)
    if short is not None:
        return short
    for digits in (8, 12, 14, 17):
        scale = 10.0 ** (digits - 8)
        if 17_000_101 * scale <= low and high <= 22_001_231 * scale + scale:
            text = pc.replace_substring_regex(written.cast(pa.string()), r"^(\d{8})(\d+)$", r"\1 \2")
            ns = read_texts(pc.fill_null(text, ""), None).ns
            if (ns[known] != NAT).mean() > 0.98:
                return ns, "date" if digits == 8 else "text", ()
    return _year_last(written, values[known], day_first)


def _year_last(written: Any, values: np.ndarray, day_first: bool | None) -> Dates | None:
    """31012024 or 01312024, perhaps without the nought in front; None when the digits are no dates."""
    years = values % 10_000
    if values.min() < 1_011_900 or values.max() > 31_122_100 or (years < 1_900).any() or (years > 2_100).any():
        return None
    text = pc.fill_null(pc.utf8_lpad(written.cast(pa.string()), 8, "0"), "")
    found = read_texts(pc.replace_substring_regex(text, r"^(\d\d)(\d\d)(\d{4})$", r"\1-\2-\3"), day_first)
    return (found.ns, "date", found.notes) if (found.ns != NAT).mean() > 0.6 else None


def _short_dates(values: np.ndarray, known: np.ndarray, low: float, high: float) -> Dates | None:
    """240131 and 1240131 (a century counted from 1900 in front); None when the digits are no dates."""
    digits = values[known].astype("int64")
    century = 1900 if high >= 1_000_101 else 2000
    if not (low >= 10_101 and high <= 991_231) and not (low >= 1_000_101 and high <= 1_991_231):
        return None
    written = pa.array([f"{century + d // 10_000}-{d // 100 % 100:02d}-{d % 100:02d}" for d in digits.tolist()])
    ns = np.full(len(values), NAT)
    ns[known] = read_texts(written, None).ns
    steps = np.diff(ns[known])
    if (ns[known] == NAT).any() or not ((steps >= 0).all() or (steps <= 0).all()):
        return None
    note = Note("warning", f"The dates were read as years of two digits, months and days: {digits[0]} is {written[0]}.")
    return ns, "date", (note,)
