"""Names of candle intervals: text such as ``5m`` to a length of time, and back.

An interval is a number and a unit: ``s``, ``m`` (minutes), ``h``, ``d``, ``w``, ``M`` (months). Longer spellings that
files, exchanges and vendors use (``5min``, ``1wk``, ``1mo``, ``1H``, ``15T``) are read as well. Months differ in
length; as a length of time one counts 30 days.
"""

from __future__ import annotations

import re

import pandas as pd

from kronos_dashboard.errors import InvalidCandlesError, InvalidFeedRequestError
from kronos_dashboard.messages import msg

__all__ = ["MONTH", "interval_label", "min_interval_length", "normalize_interval", "parse_interval"]

MONTH = "1M"
"""The one interval of the feeds whose bars differ in length."""

_MONTH_DAYS = (28, 30, 31)
"""Shortest, nominal and longest month."""
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400, "M": _MONTH_DAYS[1] * 86_400}
_SPELLINGS = {"sec": "s", "min": "m", "t": "m", "wk": "w", "mo": "M"}
"""Other spellings of the units, in lower case; ``T`` is the minute of pandas."""
_TEXT = re.compile(r"\s*(\d{1,5})\s*([a-zA-Z]{1,3})\s*")
"""Five digits: a day has 86,400 seconds."""
_MAX_SECONDS = 9_223_372_036
"""Longest Timedelta in nanoseconds, 292 years."""


def parse_interval(text: str) -> pd.Timedelta:
    """``15m``, ``4h``, ``1d``, ``1w`` or ``1M`` as a length of time; months count 30 days.

    Capitals do not matter but for ``m`` (minutes) and ``M`` (months).

    Raises:
        InvalidCandlesError: the text is not an interval.
    """
    parts = _split(text)
    if parts is None:
        raise InvalidCandlesError(
            msg("interval {text} is not recognized.", text=repr(text)),
            msg("Use a name such as 5m, 4h, 1d, 1w, or 1M for a month."),
        )
    number, unit = parts
    return pd.Timedelta(seconds=number * _SECONDS[unit])


def normalize_interval(text: str) -> str:
    """The dashboard's own spelling of an interval that a feed may serve: ``60m`` and ``1H`` are ``1h``.

    The number is kept: a feed that names ``90m`` or ``7d`` is asked for that name.

    Raises:
        InvalidFeedRequestError: the text is not an interval, or several months.
    """
    parts = _split(text)
    if parts is None or (parts[1] == "M" and parts[0] != 1):
        raise InvalidFeedRequestError(
            msg("{text} is not a valid interval.", text=repr(text[:20])),
            msg("Use a number and a unit: 5m, 1h, 1d, 1w, or 1M."),
        )
    return "1h" if parts == (60, "m") else f"{parts[0]}{parts[1]}"


def min_interval_length(interval: str) -> pd.Timedelta:
    """Shortest time between two bar times of an interval: 28 days for a month, the interval itself otherwise."""
    return pd.Timedelta(days=_MONTH_DAYS[0]) if interval == MONTH else parse_interval(interval)


def interval_label(interval: pd.Timedelta) -> str:
    """A short name: ``5m``, ``1h``, ``1d``, ``1w``, ``1M``. Every length of a month (28 to 31 days) is ``1M``."""
    seconds = int(interval.total_seconds())
    if _MONTH_DAYS[0] * 86_400 <= seconds <= _MONTH_DAYS[2] * 86_400:
        return MONTH
    for unit in ("w", "d", "h", "m", "s"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return str(interval)


def _split(text: str) -> tuple[int, str] | None:
    """Number and canonical unit; None when the text is not an interval."""
    match = _TEXT.fullmatch(text)
    if match is None or int(match[1]) == 0:
        return None
    unit = match[2] if match[2] == "M" else match[2].lower()
    unit = _SPELLINGS.get(unit, unit)
    number = int(match[1])
    return (number, unit) if unit in _SECONDS and number * _SECONDS[unit] <= _MAX_SECONDS else None
