"""Sessions learned from the bar times of a series, for markets without a known calendar.

Words: a *slot* is a time of day in the session timezone (seconds after midnight) at which there may be a bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from kronos_dashboard.markets.calendars.sessions import Sessions
from kronos_dashboard.markets.calendars.timezones import DAY as DAY_SECONDS
from kronos_dashboard.markets.calendars.timezones import from_local
from kronos_dashboard.messages import Message, join_messages, msg

__all__ = ["SessionTemplate", "WeekSlots", "learn_sessions"]

DAY = pd.Timedelta(days=1)
_NUM_RECENT_DAYS = 90
"""Days from which sessions are learned: a dozen of each weekday, and at most one change of clocks."""
_MIN_SLOT_FRACTION = 0.5
"""Fraction of a weekday's dates on which a slot must have a bar to count as open."""
_MIN_EMPTY_DATES = 3
"""Dates of a weekday without any bar from which that weekday counts as closed: one or two may be holidays."""
_WEEKEND = (5, 6)
_MAX_SESSION_FRACTION = 0.8
"""Fraction of the day that the slots of a market with nightly closes span at most."""
_DAY_NAMES = (msg("Mon"), msg("Tue"), msg("Wed"), msg("Thu"), msg("Fri"), msg("Sat"), msg("Sun"))


@dataclass(frozen=True)
class SessionTemplate:
    """The slots of each weekday, Monday first."""

    slots: tuple[tuple[int, ...], ...]
    """Seven tuples of seconds after midnight in the session timezone, increasing."""
    always_open: bool
    """Bars follow each other at the interval without any pause."""

    def describe(self) -> Message:
        """Description such as ``around the clock, seven days a week`` or ``Mon–Fri, 09:30–16:00``."""
        if self.always_open:
            return msg("around the clock, seven days a week")
        days = [day for day in (6, 0, 1, 2, 3, 4, 5) if self.slots[day]]
        names = join_messages([_DAY_NAMES[day] for day in days])
        if len(days) > 2 and all((b - a) % 7 == 1 for a, b in pairwise(days)):
            names = msg("{first}–{last}", first=_DAY_NAMES[days[0]], last=_DAY_NAMES[days[-1]])
        fullest = max((self.slots[day] for day in days), key=len)
        if len(fullest) == 1:
            return names
        return msg("{days}, {start}–{end}", days=names, start=_format_time(fullest[0]), end=_format_time(fullest[-1]))


@dataclass(frozen=True, kw_only=True)
class WeekSlots:
    """The bar rule of a template: its slots on the weekdays of the sessions, in one timezone."""

    slots: tuple[tuple[int, ...], ...]
    zone: str
    timestamp_at: Literal["open", "close"] = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """UTC seconds of all slots, strictly increasing."""
        weekdays = (sessions.labels + 3) % 7
        parts = [
            (sessions.labels[weekdays == day][:, None] * DAY_SECONDS + np.asarray(slots, dtype=np.int64)).ravel()
            for day, slots in enumerate(self.slots)
            if slots
        ]
        return np.unique(from_local(np.concatenate(parts), self.zone)) if parts else sessions.labels[:0]


def learn_sessions(local: pd.DatetimeIndex, interval: pd.Timedelta) -> SessionTemplate:
    """Learn the regular slots of each weekday from bar times in the session timezone.

    Bar times without a pause that cover less than two days count as around the clock.
    """
    if local[-1] - local[0] < 2 * DAY and bool((local[1:] - local[:-1] <= interval).all()):
        return SessionTemplate(((),) * 7, always_open=True)
    recent = local[local > local[-1] - _NUM_RECENT_DAYS * DAY].tz_localize(None)
    dates = recent.normalize()
    seconds = ((recent - dates) // pd.Timedelta(seconds=1)).to_numpy()
    slots_by_day = {day: _regular_slots(dates, seconds, day) for day in range(7)}
    pooled = _fullest_weekday(slots_by_day)
    slots = tuple(_weekday_slots(slots_by_day[day], pooled, day, intraday=interval < DAY) for day in range(7))
    per_day = round(DAY / interval) if interval < DAY else 1
    return SessionTemplate(slots, always_open=all(len(of_day) >= per_day for of_day in slots))


def _regular_slots(dates: pd.DatetimeIndex, seconds: np.ndarray, day: int) -> tuple[int, ...] | None:
    """Slots with bars on at least half of the weekday's dates; None when the bar times say too little."""
    days = pd.date_range(dates[0], dates[-1], freq="D")
    whole = days[1:-1] if len(days) > 2 else days
    covered = int((whole.day_of_week == day).sum())
    inside = (dates.day_of_week == day) & (dates >= whole[0]) & (dates <= whole[-1])
    if covered == 0 or (not inside.any() and covered < _MIN_EMPTY_DATES and day not in _WEEKEND):
        return None
    candidates, counts = np.unique(seconds[inside], return_counts=True)
    return tuple(int(slot) for slot in candidates[counts >= _MIN_SLOT_FRACTION * covered])


def _fullest_weekday(slots_by_day: dict[int, tuple[int, ...] | None]) -> tuple[int, ...]:
    """Slots of the fullest weekday, the default for weekdays without evidence."""
    return max((slots for slots in slots_by_day.values() if slots), key=len, default=())


def _weekday_slots(
    known: tuple[int, ...] | None, pooled: tuple[int, ...], day: int, *, intraday: bool
) -> tuple[int, ...]:
    """Slots of a weekday: the known ones, else the default, but none at weekends where markets close at night."""
    if known is not None:
        return known
    closes_at_night = intraday and bool(pooled) and pooled[-1] - pooled[0] < _MAX_SESSION_FRACTION * DAY.total_seconds()
    return () if day in _WEEKEND and closes_at_night else pooled


def _format_time(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"
