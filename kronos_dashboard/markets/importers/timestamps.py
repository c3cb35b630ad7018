"""Parse columns of dates and times in any spelling to UTC and a session timezone.

Shapes: n rows. Times are int64 [n], nanoseconds since 1970; NAT marks unreadable times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.day_numbers import parse_compact_dates, parse_day_counts
from kronos_dashboard.markets.importers.numbers import is_numeric_type
from kronos_dashboard.markets.importers.table import sample_rows, to_text
from kronos_dashboard.markets.importers.timestamp_text import NAT, parse_timestamp_texts
from kronos_dashboard.markets.importers.timezones import choose_session_timezone, localize_times
from kronos_dashboard.messages import join_messages, msg
from kronos_dashboard.notes import Note

__all__ = ["ParsedTimes", "RawTimes", "parse_times", "resolve_session_timezone"]

_EPOCH_UNITS = ((1e11, "s", 10**9), (1e14, "ms", 10**6), (1e17, "us", 10**3), (np.inf, "ns", 1))
"""(bound, unit, nanoseconds per unit): smaller numbers have this unit. 1e11 s is the year 5138, 1e11 ms is 1973."""
_MIN_EPOCH = 1e8
"""Smaller numbers are not epochs: as seconds, this is March 1973, before the data of electronic markets."""
_YEAR_RANGE = (1700, 2200)
"""Years of plausible times; nanoseconds in int64 reach from 1677 to 2262."""
_DAY_NS = 86_400 * 10**9
_DOTNET_DATE = r"^\\?/Date\((-?\d+)(?:[+-]\d{4})?\)\\?/$"
"""Milliseconds since 1970 as .NET serializes them."""


@dataclass(frozen=True, kw_only=True)
class RawTimes:
    """Times as written."""

    ns: np.ndarray
    """int64 [n], UTC when ``is_aware``, else on the clock of the file."""
    is_aware: bool
    offsets: np.ndarray | None = None
    """Minutes east of UTC of each timestamp, int64 [n]."""
    timezone: str | None = None
    """Timezone that the column names."""
    notes: tuple[Note, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class ParsedTimes:
    """Bar times in file order, and the assumptions."""

    ns: np.ndarray
    """int64 [n], UTC, in file order."""
    session_tz: str
    notes: tuple[Note, ...]


def parse_times(columns: Sequence[Any], *, day_first: bool | None = None, prefer_day_first: bool = False) -> RawTimes:
    """Parse one column of times, or a column of dates and one of times of day.

    Args:
        columns: the one column, or the two.
        day_first: whether days stand before months; inferred from the whole column by default.
        prefer_day_first: the order where the column does not decide.
    """
    column = columns[0]
    if len(columns) == 2:
        return _join_date_and_time(column, columns[1], day_first, prefer_day_first=prefer_day_first)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        ns = _timestamps_to_ns(column.cast(pa.timestamp("us", tz=getattr(kind, "tz", None)), safe=False))
        if getattr(kind, "tz", None) is None:
            return RawTimes(ns=ns, is_aware=False)
        timezone = None if str(kind.tz).upper() in ("UTC", "GMT", "Z", "+00:00") else str(kind.tz)
        return RawTimes(ns=ns, is_aware=True, timezone=timezone)
    if is_numeric_type(column):
        return _parse_number_column(column, day_first)
    sample = to_text(sample_rows(column))
    if len(sample) and _fraction(pc.match_substring_regex(sample, _DOTNET_DATE)) > 0.5:
        return _parse_number_column(_to_number_column(pc.replace_substring_regex(to_text(column), _DOTNET_DATE, r"\1")))
    if len(sample) and _fraction(pc.match_substring_regex(sample, r"^\d{5,20}(?:\.\d+)?(?:[eE]\+?\d+)?$")) > 0.5:
        return _parse_number_column(_to_number_column(column), day_first)
    return _parse_texts(column, day_first, prefer_day_first=prefer_day_first)


def resolve_session_timezone(raw: RawTimes, session_tz: str | None) -> ParsedTimes:
    """Bar times in UTC and the session timezone.

    Timestamps without an offset keep their hours: they are taken as local times of ``session_tz`` (UTC by default).
    Epochs
    count in UTC; timestamps with an offset are converted to UTC, and shown in their own timezone where the market has
    hours.

    Raises:
        ImportFileError: the timezone is unknown, or does not have these local times.
    """
    timezone, notes = choose_session_timezone(raw.ns, raw.offsets, raw.timezone, session_tz, is_aware=raw.is_aware)
    ns = raw.ns
    if not raw.is_aware and timezone != "UTC":
        ns, dst_notes = localize_times(ns, timezone)
        notes = (*notes, *dst_notes)
    parsed = ParsedTimes(ns=_clip_to_years(ns), session_tz=timezone, notes=(*raw.notes, *notes))
    if (parsed.ns == NAT).all() and (ns != NAT).any():
        raise ImportFileError(
            msg("all times are outside the years {years} to {last}.", years=_YEAR_RANGE[0], last=_YEAR_RANGE[1]),
            msg(
                "Check the time column; numbers are interpreted as seconds to nanoseconds since 1970, "
                "depending on their size."
            ),
        )
    return parsed


def _join_date_and_time(dates: Any, times: Any, day_first: bool | None, *, prefer_day_first: bool) -> RawTimes:
    """Join a column of dates and a column of times of day."""
    notes: tuple[Note, ...] = ()
    if pa.types.is_timestamp(dates.type) or pa.types.is_date(dates.type):
        day = parse_times([dates])
        date_texts = pc.strftime(pa.array(day.ns, type=pa.timestamp("ns")), format="%Y-%m-%d")
    elif _fraction(pc.match_substring_regex(to_text(dates), r"^\d{6,7}$")) > 0.9:
        day = _parse_number_column(_to_number_column(dates))
        notes = day.notes
        date_texts = pc.strftime(pa.array(day.ns, type=pa.timestamp("ns")), format="%Y-%m-%d")
    else:
        date_texts = pc.replace_substring_regex(to_text(dates), r"\.0+$", "")
        date_texts = pc.replace_substring_regex(date_texts, r"[ T]+0{1,2}:00(?::00(?:\.0+)?)?$", "")
    if pa.types.is_time(times.type):
        times = times.cast(pa.string())
    elif pa.types.is_timestamp(times.type):
        times = pc.strftime(times, format="%H:%M:%S")
    time_texts = pc.replace_substring_regex(to_text(times), r"^(\d+)\.0+$", r"\1")
    digits = pc.match_substring_regex(time_texts, r"^\d{1,9}$")
    if _fraction(digits) > 0.5:
        longest = pc.max(pc.utf8_length(pc.if_else(digits, time_texts, ""))).as_py()
        width = 4 if longest <= 4 else 6 if longest <= 6 else 9
        if width == 4 and pc.max(pc.if_else(digits, time_texts, "0").cast(pa.int64())).as_py() > 2_400:
            width = 6  # 3900 is 39 minutes past midnight
        if longest <= 2:
            time_texts = pc.binary_join_element_wise(time_texts, "00", "")
        time_texts = pc.utf8_lpad(time_texts, width, "0")
    else:
        time_texts = pc.replace_substring_regex(time_texts, r"^.*\d{4}[-/.]\d\d?[-/.]\d\d?[ T]+", "")
        time_texts = pc.replace_substring_regex(time_texts, r"^0 days ", "")
    raw = _parse_texts(
        pc.binary_join_element_wise(date_texts, time_texts, " "), day_first, prefer_day_first=prefer_day_first
    )
    return replace(raw, notes=(*notes, *raw.notes))


def _parse_texts(text: Any, day_first: bool | None, *, prefer_day_first: bool) -> RawTimes:
    parsed = parse_timestamp_texts(text, day_first, prefer_day_first=prefer_day_first)
    aware = parsed.offsets is not None or parsed.timezone is not None
    ns, offsets = parsed.ns, parsed.offsets
    if offsets is not None:
        ns = np.where(ns == NAT, NAT, ns - offsets * 60 * 10**9)
    elif parsed.timezone is not None and parsed.timezone != "UTC":
        ns, _ = localize_times(ns, parsed.timezone)
    return RawTimes(ns=ns, is_aware=aware, offsets=offsets, timezone=parsed.timezone, notes=parsed.notes)


def _parse_number_column(column: Any, day_first: bool | None = None) -> RawTimes:
    """Epochs by their size, dates such as 20240131 (also with a time), or days as spreadsheets count them."""
    values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    is_known = np.isfinite(values)
    if not is_known.any():
        return RawTimes(ns=np.full(len(values), NAT), is_aware=False)
    is_whole = bool((values[is_known] == np.round(values[is_known])).all())
    if is_whole and bool((values[is_known] < 1e18).all()):
        integers = pc.cast(column, pa.int64(), safe=False)
        compact = parse_compact_dates(integers, values, is_known, day_first)
        if compact is not None:
            ns, notes = compact
            return RawTimes(ns=ns, is_aware=False, notes=notes)
    day_counts = parse_day_counts(values, is_known)
    if day_counts is not None:
        return RawTimes(ns=day_counts[0], is_aware=False, notes=(day_counts[1],))
    return _parse_epochs(column, values, is_known, is_whole=is_whole)


def _parse_epochs(column: Any, values: np.ndarray, is_known: np.ndarray, *, is_whole: bool) -> RawTimes:
    """Seconds to nanoseconds since 1970, by the size of each number."""
    ns = np.full(len(values), NAT)
    size = np.abs(np.where(is_known, values, 0.0))
    integers = (
        pc.fill_null(pc.cast(column, pa.int64(), safe=False), 0).to_numpy(zero_copy_only=False) if is_whole else None
    )
    units, below = [], 0.0
    if float(np.median(size[is_known])) < _MIN_EPOCH:
        return RawTimes(ns=ns, is_aware=True)
    common_unit = _common_unit(values[is_known])
    for bound, unit, ns_per_unit in _EPOCH_UNITS:
        if common_unit not in ("", unit):
            continue
        in_unit = (
            is_known & (size >= below) & (size < min(bound, 9.2e18))
            if not common_unit
            else is_known & (size < 9.2e18 / ns_per_unit)
        )
        if in_unit.any():
            units.append(unit)
            if integers is not None:
                ns[in_unit] = integers[in_unit] * ns_per_unit
            else:  # float seconds may carry fractions; microseconds are all that a float64 holds of them
                ns[in_unit] = np.round(values[in_unit] * (ns_per_unit / 1e3)).astype("int64") * 1_000
        below = bound
    read_as = join_messages(units, "{left} and {right}")
    notes = (Note("info", msg("The times are numbers, interpreted as {units} since 1970 (UTC).", units=read_as)),)
    if len(units) > 1:
        notes = (
            Note(
                "warning",
                msg("The times are numbers in different units, interpreted as {units} since 1970.", units=read_as),
            ),
        )
    return RawTimes(ns=ns, is_aware=True, notes=notes)


def _common_unit(values: np.ndarray) -> str:
    """The one unit of numbers around 1970, which are small in every unit; empty when each number decides."""
    sizes = np.abs(values)
    units = [next(unit for bound, unit, _ in _EPOCH_UNITS if size < bound) for size in (sizes.min(), sizes.max())]
    steps = np.abs(np.diff(values[np.argsort(values, kind="stable")]))
    steps = steps[steps > 0]
    if units[0] == units[1] or len(steps) < 2:
        return ""
    is_even = (steps < 20 * np.median(steps)).mean() > 0.95  # of two units in a column one has far smaller steps
    return units[1] if is_even and steps.max() < 1e3 * np.median(steps) else ""


def _to_number_column(column: Any) -> Any:
    """Text as whole numbers, or as floats where some have decimals; null for anything else."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        text = pc.replace_substring_regex(to_text(column), r"\.0+$", "")
    good = pc.match_substring_regex(text, r"^\d{5,18}$")
    rest = pc.and_(pc.invert(good), pc.match_substring_regex(text, r"^\d+(?:\.\d+)?(?:[eE]\+?\d{1,2})?$"))
    nothing = pa.scalar(None, pa.string())
    if not pc.any(rest).as_py():
        return pc.if_else(good, text, nothing).cast(pa.int64())
    return pc.if_else(pc.or_(good, rest), text, nothing).cast(pa.float64())


def _fraction(mask: Any) -> float:
    return float(pc.mean(pc.cast(mask, pa.float64())).as_py() or 0.0)


def _timestamps_to_ns(column: Any) -> np.ndarray:
    """A column in microseconds as nanoseconds; NAT where int64 nanoseconds do not reach."""
    us = pc.fill_null(column.cast(pa.int64()), NAT).to_numpy(zero_copy_only=False)
    in_range = np.abs(us.astype("float64")) < 9.2e15
    return np.where(in_range, np.where(in_range, us, 0) * 1_000, NAT)


def _clip_to_years(ns: np.ndarray) -> np.ndarray:
    low, high = (pd.Timestamp(year, 1, 1).value for year in _YEAR_RANGE)
    return np.where((ns < low) | (ns > high), NAT, ns)
