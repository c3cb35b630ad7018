"""Dates as plain numbers: digits in a row (20240131), or a count of days.

Shapes: n rows; ``known`` is a bool [n] mask of the rows with a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.markets.importers.timestamp_text import NAT, parse_timestamp_texts
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["parse_compact_dates", "parse_day_counts"]

_DAY_COUNTS = (
    (20_000.0, 80_000.0, "1899-12-30", 0.0, msg("30 December 1899 (spreadsheet dates)")),
    (690_000.0, 780_000.0, "1970-01-01", 719_529.0, msg("the year 0 (MATLAB dates)")),
    (2_400_000.0, 2_500_000.0, "1970-01-01", 2_440_587.5, msg("4713 BC (Julian days)")),
)
"""Smallest and largest number, reference day, number of the reference day's midnight, description. The ranges cover
1954 to 2119 (spreadsheets), 1889 to 2135 (MATLAB) and 1858 to 2132 (Julian days); they do not overlap."""
_UNIX_DAY_RANGE = (7_000.0, 22_000.0)
"""Days since 1970 from 1989 to 2030. Spreadsheet dates from 1919 to 1960 have the same numbers and are not expected."""
_HALF_DAY = 0.5

ParsedDates = tuple[np.ndarray, tuple[Note, ...]]
"""Nanoseconds since 1970, int64 [n], and the assumptions."""


def parse_day_counts(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, Note] | None:
    """int64 [n] nanoseconds and a note; None when the numbers [n] do not count days."""
    low, high = values[known].min(), values[known].max()
    for smallest, largest, day, midnight, description in _DAY_COUNTS:
        if smallest <= low and high <= largest and not _are_unix_weekdays(values[known]):
            shift = midnight
            if midnight % 1 == _HALF_DAY and bool((values[known] == np.round(values[known])).all()):
                shift = midnight + _HALF_DAY  # whole Julian days are dates, though they begin at noon
            return _days_to_ns(values, known, day, shift), _day_count_note(description)
    if _are_unix_weekdays(values[known]):
        return _days_to_ns(values, known, "1970-01-01", 0.0), _day_count_note(msg("1 January 1970"))
    return None


def _day_count_note(description: str) -> Note:
    return Note("warning", msg("The times are numbers, interpreted as days since {epoch}.", epoch=description))


def _days_to_ns(values: np.ndarray, known: np.ndarray, day: str, number: float) -> np.ndarray:
    since = np.where(known, values - number, 0.0)
    ns = np.round(since * 86_400_000).astype("int64") * 10**6 + np.datetime64(day, "ns").astype("int64")
    return np.where(known, ns, NAT)


def _are_unix_weekdays(values: np.ndarray) -> bool:
    """Whether whole numbers are days since 1970 without Saturdays and Sundays."""
    if values.min() < _UNIX_DAY_RANGE[0] or values.max() > _UNIX_DAY_RANGE[1] or (values != np.round(values)).any():
        return False
    return len(values) > 6 and bool(((values.astype("int64") + 3) % 7 < 5).all())  # 1 January 1970 was a Thursday


def parse_compact_dates(
    written: Any, values: np.ndarray, known: np.ndarray, day_first: bool | None
) -> ParsedDates | None:
    """20240131, 202401310930, 20240131093000, 20240131093000000, 202401 or 31012024; None when these are not dates.

    Args:
        written: the numbers as int64 [n].
        values: the same as float64 [n].
        known: mask of the rows with a number [n].
        day_first: whether days stand before months; inferred from the whole column by default.
    """
    low, high = values[known].min(), values[known].max()
    if low >= 190_001 and high <= 210_012 and bool(((values[known] % 100 >= 1) & (values[known] % 100 <= 12)).all()):
        months = ((values // 100 - 1970) * 12 + values % 100 - 1)[known].astype("int64").astype("datetime64[M]")
        ns = np.full(len(values), NAT)
        ns[known] = months.astype("datetime64[ns]").astype("int64")
        return ns, ()
    short = _parse_two_digit_years(values, known, low, high)
    if short is not None:
        return short
    for digits in (8, 12, 14, 17):
        scale = 10.0 ** (digits - 8)
        if 17_000_101 * scale <= low and high <= 22_001_231 * scale + scale:
            text = pc.replace_substring_regex(written.cast(pa.string()), r"^(\d{8})(\d+)$", r"\1 \2")
            ns = parse_timestamp_texts(pc.fill_null(text, ""), None).ns
            if (ns[known] != NAT).mean() > 0.98:
                return ns, ()
    return _parse_year_last(written, values[known], day_first)


def _parse_year_last(written: Any, values: np.ndarray, day_first: bool | None) -> ParsedDates | None:
    """31012024 or 01312024, also without the leading zero; None when the digits are not dates."""
    years = values % 10_000
    if values.min() < 1_011_900 or values.max() > 31_122_100 or (years < 1_900).any() or (years > 2_100).any():
        return None
    text = pc.fill_null(pc.utf8_lpad(written.cast(pa.string()), 8, "0"), "")
    parsed = parse_timestamp_texts(pc.replace_substring_regex(text, r"^(\d\d)(\d\d)(\d{4})$", r"\1-\2-\3"), day_first)
    return (parsed.ns, parsed.notes) if (parsed.ns != NAT).mean() > 0.6 else None


def _parse_two_digit_years(values: np.ndarray, known: np.ndarray, low: float, high: float) -> ParsedDates | None:
    """240131, or 1240131 with a leading century counted from 1900; None when the digits are not dates."""
    digits = values[known].astype("int64")
    century = 1900 if high >= 1_000_101 else 2000
    if not (low >= 10_101 and high <= 991_231) and not (low >= 1_000_101 and high <= 1_991_231):
        return None
    written = pa.array([f"{century + d // 10_000}-{d // 100 % 100:02d}-{d % 100:02d}" for d in digits.tolist()])
    ns = np.full(len(values), NAT)
    ns[known] = parse_timestamp_texts(written, None).ns
    steps = np.diff(ns[known])
    if (ns[known] == NAT).any() or not ((steps >= 0).all() or (steps <= 0).all()):
        return None
    note = Note(
        "warning",
        msg(
            "The dates were interpreted as two-digit year, month and day: {digits} is {date}.",
            digits=digits[0],
            date=written[0],
        ),
    )
    return ns, (note,)
