"""Columns of dates and times, in whatever spelling, as UTC bar times and the session clock they were read on.

Shapes: n rows. Times are int64 [n], nanoseconds since 1970; NAT marks those that cannot be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.day_numbers import compact_dates, count_of_days
from kronos_dashboard.markets.importers.numbers import is_plain_type
from kronos_dashboard.markets.importers.table import sample_of, texts
from kronos_dashboard.markets.importers.timestamp_text import NAT, read_texts
from kronos_dashboard.markets.importers.timezones import clock_of, localize
from kronos_dashboard.notes import Note

__all__ = ["NAT", "ParsedTimes", "RawTimes", "on_the_clock", "raw_times"]

_EPOCH_UNITS = ((1e11, "s", 10**9), (1e14, "ms", 10**6), (1e17, "us", 10**3), (np.inf, "ns", 1))
"""Numbers below the bound count this unit since 1970; so many nanoseconds are in one."""
_FIRST_EPOCH = 1e8
"""Smaller numbers are no seconds since 1970 that a market would have (this is March 1973)."""
_YEARS = (1700, 2200)
_DAY = 86_400 * 10**9
_NET = r"^\\?/Date\((-?\d+)(?:[+-]\d{4})?\)\\?/$"
"""Milliseconds since 1970, as .NET writes them."""


@dataclass(frozen=True, kw_only=True)
class RawTimes:
    """Times as they are written."""

    ns: np.ndarray
    """int64 [n]: UTC when ``aware``, else hours as written."""
    aware: bool
    kind: str
    """"epoch", "offset", "date" or "text"."""
    offsets: np.ndarray | None = None
    """Minutes east of UTC that each stamp was written with, int64 [n]."""
    zone: str | None = None
    """Time zone that the column itself names."""
    notes: tuple[Note, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class ParsedTimes:
    """Bar times in the order of the file, and what was assumed to read them."""

    ns: np.ndarray
    """int64 [n], UTC, in file order."""
    session_tz: str
    notes: tuple[Note, ...]


def raw_times(columns: Sequence[Any], *, day_first: bool | None = None, likely: bool = False) -> RawTimes:
    """Read one column of times, or a column of dates and one of times of day.

    Args:
        columns: the one column, or the two.
        day_first: whether days stand before months; by default the whole column decides.
        likely: whether they do where the column does not decide.
    """
    column = columns[0]
    if len(columns) == 2:
        return _joined(column, columns[1], day_first, likely=likely)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        ns = _sane(column.cast(pa.timestamp("us", tz=getattr(kind, "tz", None)), safe=False))
        if getattr(kind, "tz", None) is None:
            return RawTimes(ns=ns, aware=False, kind="date" if pa.types.is_date(kind) else "text")
        named = None if str(kind.tz).upper() in ("UTC", "GMT", "Z", "+00:00") else str(kind.tz)
        return RawTimes(ns=ns, aware=True, kind="epoch", zone=named)
    if is_plain_type(column):
        return _from_numbers(column, day_first)
    few = texts(sample_of(column))
    if len(few) and _share(pc.match_substring_regex(few, _NET)) > 0.5:
        return _from_numbers(_cast(pc.replace_substring_regex(texts(column), _NET, r"\1")))
    if len(few) and _share(pc.match_substring_regex(few, r"^\d{5,20}(?:\.\d+)?(?:[eE]\+?\d+)?$")) > 0.5:
        return _from_numbers(_cast(column), day_first)
    return _from_texts(column, day_first, likely=likely)


def on_the_clock(raw: RawTimes, session_tz: str | None) -> ParsedTimes:
    """Bar times in UTC and the clock they stand on.

    Stamps without a zone keep their hours: they are taken to stand on the session clock (``session_tz``, or UTC when it
    is not given). Epochs count in UTC; stamps with an offset are moved to UTC, and shown on their own clock where the
    market has hours.

    Raises:
        ImportFailed: the zone is unknown, or the stamps cannot stand on it.
    """
    zone, notes = clock_of(raw.ns, raw.offsets, raw.zone, session_tz, aware=raw.aware)
    ns = raw.ns
    if not raw.aware and zone != "UTC":
        ns, more = localize(ns, zone)
        notes = (*notes, *more)
    found = ParsedTimes(ns=_within_years(ns), session_tz=zone, notes=(*raw.notes, *notes))
    if (found.ns == NAT).all() and (ns != NAT).any():
        raise ImportFailed(
            f"all times lie beyond the years {_YEARS[0]} to {_YEARS[1]}.",
            "Check the time column; numbers are read as seconds to nanoseconds since 1970, by their size.",
        )
    return found


def _joined(dates: Any, times: Any, day_first: bool | None, *, likely: bool) -> RawTimes:
    """A column of dates and a column of times of day."""
    notes: tuple[Note, ...] = ()
    if pa.types.is_timestamp(dates.type) or pa.types.is_date(dates.type):
        day = raw_times([dates])
        written = pc.strftime(pa.array(day.ns, type=pa.timestamp("ns")), format="%Y-%m-%d")
    elif _share(pc.match_substring_regex(texts(dates), r"^\d{6,7}$")) > 0.9:
        day = _from_numbers(_cast(dates))
        notes = day.notes
        written = pc.strftime(pa.array(day.ns, type=pa.timestamp("ns")), format="%Y-%m-%d")
    else:
        written = pc.replace_substring_regex(texts(dates), r"\.0+$", "")
        written = pc.replace_substring_regex(written, r"[ T]+0{1,2}:00(?::00(?:\.0+)?)?$", "")
    if pa.types.is_time(times.type):
        times = times.cast(pa.string())
    elif pa.types.is_timestamp(times.type):
        times = pc.strftime(times, format="%H:%M:%S")
    clock = pc.replace_substring_regex(texts(times), r"^(\d+)\.0+$", r"\1")
    digits = pc.match_substring_regex(clock, r"^\d{1,9}$")
    if _share(digits) > 0.5:
        longest = pc.max(pc.utf8_length(pc.if_else(digits, clock, ""))).as_py()
        width = 4 if longest <= 4 else 6 if longest <= 6 else 9
        if width == 4 and pc.max(pc.if_else(digits, clock, "0").cast(pa.int64())).as_py() > 2_400:
            width = 6  # 3900 is 39 minutes past midnight
        if longest <= 2:
            clock = pc.binary_join_element_wise(clock, "00", "")
        clock = pc.utf8_lpad(clock, width, "0")
    else:
        clock = pc.replace_substring_regex(clock, r"^.*\d{4}[-/.]\d\d?[-/.]\d\d?[ T]+", "")
        clock = pc.replace_substring_regex(clock, r"^0 days ", "")
    found = _from_texts(pc.binary_join_element_wise(written, clock, " "), day_first, likely=likely)
    return replace(found, notes=(*notes, *found.notes))


def _from_texts(text: Any, day_first: bool | None, *, likely: bool) -> RawTimes:
    found = read_texts(text, day_first, likely=likely)
    aware = found.offsets is not None or found.zone is not None
    ns, offsets = found.ns, found.offsets
    if offsets is not None:
        ns = np.where(ns == NAT, NAT, ns - offsets * 60 * 10**9)
    elif found.zone is not None and found.zone != "UTC":
        ns, _ = localize(ns, found.zone)
    kind = "offset" if aware else "date" if bool((ns[ns != NAT] % _DAY == 0).all()) else "text"
    return RawTimes(ns=ns, aware=aware, kind=kind, offsets=offsets, zone=found.zone, notes=found.notes)


def _from_numbers(column: Any, day_first: bool | None = None) -> RawTimes:
    """Epochs by their size, dates written as 20240131 (also with a time behind), or days as spreadsheets count."""
    values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    known = np.isfinite(values)
    if not known.any():
        return RawTimes(ns=np.full(len(values), NAT), aware=False, kind="text")
    whole = bool((values[known] == np.round(values[known])).all())
    if whole and bool((values[known] < 1e18).all()):
        written = pc.cast(column, pa.int64(), safe=False)
        compact = compact_dates(written, values, known, day_first)
        if compact is not None:
            ns, kind, notes = compact
            return RawTimes(ns=ns, aware=False, kind=kind, notes=notes)
    counted = count_of_days(values, known)
    if counted is not None:
        return RawTimes(ns=counted[0], aware=False, kind="text", notes=(counted[1],))
    return _from_epochs(column, values, known, whole=whole)


def _from_epochs(column: Any, values: np.ndarray, known: np.ndarray, *, whole: bool) -> RawTimes:
    ns = np.full(len(values), NAT)
    size = np.abs(np.where(known, values, 0.0))
    exact = pc.fill_null(pc.cast(column, pa.int64(), safe=False), 0).to_numpy(zero_copy_only=False) if whole else None
    used, below = [], 0.0
    if float(np.median(size[known])) < _FIRST_EPOCH:
        return RawTimes(ns=ns, aware=True, kind="epoch")
    one = _one_unit(values[known])
    for bound, unit, per in _EPOCH_UNITS:
        if one not in ("", unit):
            continue
        here = known & (size >= below) & (size < min(bound, 9.2e18)) if not one else known & (size < 9.2e18 / per)
        if here.any():
            used.append(unit)
            if exact is not None:
                ns[here] = exact[here] * per
            else:  # float seconds may carry fractions; microseconds are all that a float64 holds of them
                ns[here] = np.round(values[here] * (per / 1e3)).astype("int64") * 1_000
        below = bound
    notes = (Note("info", f"The times are numbers, read as {' and '.join(used)} since 1970 (UTC)."),)
    if len(used) > 1:
        notes = (
            Note("warning", f"The times are numbers in different units, read as {' and '.join(used)} since 1970."),
        )
    return RawTimes(ns=ns, aware=True, kind="epoch", notes=notes)


def _one_unit(values: np.ndarray) -> str:
    """The unit of numbers that pass through 1970, where they are small in any unit; empty: each tells its own."""
    sizes = np.abs(values)
    units = [next(unit for bound, unit, _ in _EPOCH_UNITS if size < bound) for size in (sizes.min(), sizes.max())]
    steps = np.abs(np.diff(values[np.argsort(values, kind="stable")]))
    steps = steps[steps > 0]
    if units[0] == units[1] or len(steps) < 2:
        return ""
    even = (steps < 20 * np.median(steps)).mean() > 0.95  # of two units in a column one has far smaller steps
    return units[1] if even and steps.max() < 1e3 * np.median(steps) else ""


def _cast(column: Any) -> Any:
    """Text of numbers as whole numbers, or as floats where some have decimals; null for anything else."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        text = pc.replace_substring_regex(texts(column), r"\.0+$", "")
    good = pc.match_substring_regex(text, r"^\d{5,18}$")
    rest = pc.and_(pc.invert(good), pc.match_substring_regex(text, r"^\d+(?:\.\d+)?(?:[eE]\+?\d{1,2})?$"))
    nothing = pa.scalar(None, pa.string())
    if not pc.any(rest).as_py():
        return pc.if_else(good, text, nothing).cast(pa.int64())
    return pc.if_else(pc.or_(good, rest), text, nothing).cast(pa.float64())


def _share(mask: Any) -> float:
    return float(pc.mean(pc.cast(mask, pa.float64())).as_py() or 0.0)


def _sane(column: Any) -> np.ndarray:
    """A timestamp column in microseconds as nanoseconds; what no nanosecond reaches becomes NAT."""
    us = pc.fill_null(column.cast(pa.int64()), NAT).to_numpy(zero_copy_only=False)
    fine = np.abs(us.astype("float64")) < 9.2e15
    return np.where(fine, np.where(fine, us, 0) * 1_000, NAT)


def _within_years(ns: np.ndarray) -> np.ndarray:
    low, high = (pd.Timestamp(year, 1, 1).value for year in _YEARS)
    return np.where((ns < low) | (ns > high), NAT, ns)


def without_notes(raw: RawTimes) -> RawTimes:
    """The same times, told nothing about."""
    return replace(raw, notes=())
