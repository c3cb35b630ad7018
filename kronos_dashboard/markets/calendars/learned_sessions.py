"""A session template learned from the bar times a series already has, for markets that no calendar knows.

Words: a *slot* is a time of day on the session clock (seconds after midnight) at which a bar may stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from kronos_dashboard.markets.calendars.sessions import Sessions
from kronos_dashboard.markets.calendars.timezones import DAY as DAY_SECONDS
from kronos_dashboard.markets.calendars.timezones import unwall

__all__ = ["SessionTemplate", "WeekSlots", "learn"]

DAY = pd.Timedelta(days=1)
_RECENT_DAYS = 90
"""Days before the last candle that the template is learned from: long enough for habits, short enough for DST."""
_USUAL = 0.5
"""Share of a weekday's dates on which a slot must hold a bar to count as open."""
_ENOUGH = 3
"""Dates of a weekday without any bar before that weekday counts as closed (one may be a holiday)."""
_WEEKEND = (5, 6)
_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class SessionTemplate:
    """The slots at which bars stand on each weekday, Monday first."""

    slots: tuple[tuple[int, ...], ...]
    """Seven tuples of seconds after midnight on the session clock, increasing."""
    always_open: bool
    """True: bars follow each other at the interval, day and night, all week."""

    def describe(self) -> str:
        """In words: ``around the clock``, or ``Mon-Fri, 09:30-16:00``."""
        if self.always_open:
            return "around the clock, seven days a week"
        days = [day for day in (6, 0, 1, 2, 3, 4, 5) if self.slots[day]]
        names = ", ".join(_DAY_NAMES[day] for day in days)
        if len(days) > 2 and all((b - a) % 7 == 1 for a, b in pairwise(days)):
            names = f"{_DAY_NAMES[days[0]]}–{_DAY_NAMES[days[-1]]}"
        usual = max((self.slots[day] for day in days), key=len)
        return names if len(usual) == 1 else f"{names}, {_clock(usual[0])}–{_clock(usual[-1])}"


@dataclass(frozen=True, kw_only=True)
class WeekSlots:
    """The rule behind a template: its slots on the weekdays of the sessions, on one clock."""

    slots: tuple[tuple[int, ...], ...]
    zone: str
    stamped: Literal["open", "close"] = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """UTC seconds of all slots, strictly increasing."""
        weekdays = (sessions.labels + 3) % 7
        parts = [
            (sessions.labels[weekdays == day][:, None] * DAY_SECONDS + np.asarray(slots, dtype=np.int64)).ravel()
            for day, slots in enumerate(self.slots)
            if slots
        ]
        return np.unique(unwall(np.concatenate(parts), self.zone)) if parts else sessions.labels[:0]


def learn(local: pd.DatetimeIndex, interval: pd.Timedelta) -> SessionTemplate:
    """Which slots of each weekday are usually open, from bar times on the session clock.

    Bar times that show no pause and cover less than two days are taken to go on around the clock.
    """
    if local[-1] - local[0] < 2 * DAY and bool((local[1:] - local[:-1] <= interval).all()):
        return SessionTemplate(((),) * 7, always_open=True)
    recent = local[local > local[-1] - _RECENT_DAYS * DAY].tz_localize(None)
    dates = recent.normalize()
    seconds = ((recent - dates) // pd.Timedelta(seconds=1)).to_numpy()
    seen = {day: _usual_slots(dates, seconds, day) for day in range(7)}
    pooled = _most_slots(seen)
    slots = tuple(_weekday_slots(seen, pooled, day, intraday=interval < DAY) for day in range(7))
    per_day = round(DAY / interval) if interval < DAY else 1
    return SessionTemplate(slots, always_open=all(len(of_day) >= per_day for of_day in slots))


def _usual_slots(dates: pd.DatetimeIndex, seconds: np.ndarray, day: int) -> tuple[int, ...] | None:
    """Slots open on at least half of the weekday's dates; None when the bar times say too little about it."""
    days = pd.date_range(dates[0], dates[-1], freq="D")
    whole = days[1:-1] if len(days) > 2 else days
    covered = int((whole.day_of_week == day).sum())
    inside = (dates.day_of_week == day) & (dates >= whole[0]) & (dates <= whole[-1])
    if covered == 0 or (not inside.any() and covered < _ENOUGH and day not in _WEEKEND):
        return None
    found, counts = np.unique(seconds[inside], return_counts=True)
    return tuple(int(slot) for slot in found[counts >= _USUAL * covered])


def _most_slots(seen: dict[int, tuple[int, ...] | None]) -> tuple[int, ...]:
    """The fullest weekday: what a weekday without evidence is taken to look like."""
    return max((slots for slots in seen.values() if slots), key=len, default=())


def _weekday_slots(
    seen: dict[int, tuple[int, ...] | None], pooled: tuple[int, ...], day: int, *, intraday: bool
) -> tuple[int, ...]:
    known = seen[day]
    if known is not None:
        return known
    closes_at_night = intraday and bool(pooled) and pooled[-1] - pooled[0] < 0.8 * DAY.total_seconds()
    return () if day in _WEEKEND and closes_at_night else pooled


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"
