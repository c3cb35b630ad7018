"""Columns of dates and times, in whatever spelling, as UTC bar times and the session clock they were read on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.notes import Note

__all__ = ["ParsedTimes", "check_zone", "parse_times"]

_OFFSET = r"\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:[Zz]|[+-]\d\d:?\d\d)$"
"""A time of day followed by an offset from UTC."""
_PARTS = r"^(\d{1,2})[./-](\d{1,2})[./-]\d{4}"
"""A date that begins with day and month, in either order."""
_EPOCH_UNITS = ((1e11, "s"), (1e14, "ms"), (1e17, "us"), (np.inf, "ns"))
"""Numbers below the bound count this unit since 1970."""
_YEARS = (1700, 2200)


@dataclass(frozen=True)
class ParsedTimes:
    """Bar times in the order of the file, and what was assumed to read them."""

    index: pd.DatetimeIndex
    """UTC [n], in file order."""
    session_tz: str
    notes: tuple[Note, ...]


def check_zone(zone: str) -> str:
    """``zone`` itself, when it is the name of a time zone.

    Raises:
        ImportFailed: it is not.
    """
    try:
        pd.Timestamp(0, tz=zone)
    except (KeyError, ValueError, OSError) as error:
        raise ImportFailed(
            f"the text {zone!r} is not the name of a time zone.",
            "Use a name such as America/New_York, Asia/Shanghai or UTC.",
        ) from error
    return zone


def parse_times(column: pd.Series, session_tz: str | None) -> ParsedTimes:
    """Read a column of times.

    Stamps without a zone keep their hours: they are taken to stand on the session clock (``session_tz``, or UTC
    when it is not given). Epochs count from 1970 in UTC; stamps with an offset are moved to UTC.

    Raises:
        ImportFailed: a stamp cannot be read.
    """
    found = _parse_column(column, session_tz)
    first, last = found.index.min(), found.index.max()
    if first.year < _YEARS[0] or last.year > _YEARS[1]:
        raise ImportFailed(
            f"the times run from {first:%Y-%m-%d} to {last:%Y-%m-%d}, beyond the years {_YEARS[0]} to {_YEARS[1]}.",
            "Check the time column; numbers are read as seconds to nanoseconds since 1970, by their size.",
        )
    return found


def _parse_column(column: pd.Series, session_tz: str | None) -> ParsedTimes:
    zone = check_zone(session_tz or "UTC")
    if pd.api.types.is_numeric_dtype(column):
        return _from_numbers(column, zone)
    text = column.astype("str").str.strip()
    _refuse_empty(column.isna() | (text == ""))
    if bool(text.str.contains(_OFFSET, regex=True).all()):
        index = pd.DatetimeIndex(_parse(text, utc=True))
        note = Note("info", f"The times carry their offset from UTC; they are shown on the clock of {zone}.")
        return ParsedTimes(index, zone, () if session_tz else (note,))
    stamps, notes = _parse_naive(text)
    return ParsedTimes(_localize(stamps, zone), zone, notes)


def _from_numbers(column: pd.Series, zone: str) -> ParsedTimes:
    """Epochs by their size, or dates written as 20240131."""
    values = column.to_numpy(dtype="float64")
    _refuse_empty(pd.Series(~np.isfinite(values)))
    if bool(((values >= 19_000_101) & (values <= 21_001_231)).all()):
        stamps = pd.to_datetime(column.astype("int64").astype("str"), format="%Y%m%d", errors="coerce")
        _refuse_unread(stamps, column)
        return ParsedTimes(_localize(pd.DatetimeIndex(stamps), zone), zone, ())
    unit = next(name for bound, name in _EPOCH_UNITS if np.abs(values).max() < bound)
    if unit in ("s", "ms"):
        per_second = 1 if unit == "s" else 1_000
        whole = np.round(values / per_second * 1_000_000).astype("int64")  # float seconds may carry fractions
        index = pd.to_datetime(whole, unit="us", utc=True)
    else:
        index = pd.to_datetime(column.astype("int64").to_numpy(), unit=unit, utc=True)
    note = Note("info", f"The times are numbers, read as {unit} since 1970 (UTC).")
    return ParsedTimes(pd.DatetimeIndex(index), zone, (note,))


def _parse_naive(text: pd.Series) -> tuple[pd.DatetimeIndex, tuple[Note, ...]]:
    """ISO dates as they stand; 01/02/2024 by looking at the whole column."""
    parts = text.str.extract(_PARTS)
    if parts[0].isna().all():
        return pd.DatetimeIndex(_parse(text, utc=False)), ()
    first, second = (pd.to_numeric(parts[i]).max() for i in (0, 1))
    day_first = bool(first > 12 or (second <= 12 and text.str.contains(r"^\d+\.", regex=True).all()))
    notes: tuple[Note, ...] = ()
    if first <= 12 and second <= 12:
        order = "day first" if day_first else "month first"
        notes = (Note("warning", f"The dates could be read day first or month first; {order} was assumed."),)
    stamps = pd.to_datetime(text, format="mixed", dayfirst=day_first, errors="coerce")
    _refuse_unread(stamps, text)
    return pd.DatetimeIndex(stamps), notes


def _parse(text: pd.Series, *, utc: bool) -> pd.Series:
    """ISO 8601, else whatever pandas understands row by row."""
    try:
        stamps = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=utc)
        if stamps.isna().any():
            stamps = pd.to_datetime(text, format="mixed", errors="coerce", utc=utc)
    except ValueError as error:  # raised in spite of "coerce" where some stamps have an offset and others have none
        raise ImportFailed(
            f"the times cannot be read alike: {error}",
            "Write all of them with an offset from UTC, or all without.",
        ) from error
    _refuse_unread(stamps, text)
    return stamps


def _localize(naive: pd.DatetimeIndex, zone: str) -> pd.DatetimeIndex:
    """Stamps on the clock of ``zone`` as UTC; stamps that name their own zone keep it."""
    if naive.tz is not None:
        return naive.tz_convert("UTC")
    try:
        return naive.tz_localize(zone, ambiguous="infer").tz_convert("UTC")
    except ValueError as error:
        raise ImportFailed(
            f"the times cannot all stand on the clock of {zone}: {error}",
            "Choose the zone of the file; UTC keeps the hours as they are.",
        ) from error


def _refuse_empty(empty: pd.Series) -> None:
    if empty.any():
        row = int(np.flatnonzero(empty.to_numpy())[0]) + 1
        raise ImportFailed(f"row {row} has no time.", "Every row needs a time; correct or remove it.")


def _refuse_unread(stamps: pd.Series, text: pd.Series) -> None:
    lost = stamps.isna().to_numpy()
    if lost.any():
        row = int(np.flatnonzero(lost)[0])
        raise ImportFailed(
            f"the time {str(text.iloc[row])[:40]!r} in row {row + 1} cannot be read.",
            "Write times as 2024-01-31 09:30, or as seconds or milliseconds since 1970.",
        )
