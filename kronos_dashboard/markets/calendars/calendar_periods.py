"""Bars of a day or longer: one per session, week or month, stamped as the series stamps them.

Arrays are int64 [n], UTC seconds; labels count days since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.markets.calendars.bar_grids import Rule
from kronos_dashboard.markets.calendars.sessions import Sessions
from kronos_dashboard.markets.calendars.timezones import DAY, unwall, wall

__all__ = ["Daily", "Monthly", "Weekly", "daily_rules", "monthly_rules", "weekly_rules"]

Place = Literal["date", "first session", "last session"]
_ALIKE = 0.9
"""Share of the stamps that must show the same time of day for a clock to count as the one they are made on."""
_LONGEST_MONTH = 31


@dataclass(frozen=True, kw_only=True)
class Daily:
    """One bar per session, at a time of day on a clock."""

    zone: str
    time: int
    """Seconds after midnight of the session's date on that clock; may be negative or beyond 24 hours."""
    stamped: Literal["open", "close"] = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """One stamp per session."""
        return np.unique(unwall(sessions.labels * DAY + self.time, self.zone))


@dataclass(frozen=True, kw_only=True)
class Weekly:
    """One bar per week, or per ``every`` weeks: on a weekday, or on the week's first or last session."""

    zone: str
    time: int
    place: Place
    weekday: int
    """Monday 0; counts where the place is a date."""
    every: int
    phase: int
    stamped: Literal["open", "close"] = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """One stamp per week that has a session."""
        found, first, last = _grouped(sessions.labels, _week(sessions.labels))
        days = {"first session": first, "last session": last}.get(self.place, found * 7 - 3 + self.weekday)
        kept = found % self.every == self.phase
        return np.unique(unwall(days[kept] * DAY + self.time, self.zone))


@dataclass(frozen=True, kw_only=True)
class Monthly:
    """One bar per month, or per ``every`` months: on a day of the month, or on its first or last session."""

    zone: str
    time: int
    place: Place
    day: int
    """Day of the month, 31 for its last one; counts where the place is a date."""
    every: int
    phase: int
    stamped: Literal["open", "close"] = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """One stamp per month that has a session."""
        found, first, last = _grouped(sessions.labels, _month(sessions.labels))
        begin = found.astype("datetime64[M]")
        length = ((begin + 1).astype("datetime64[D]") - begin.astype("datetime64[D]")).astype(np.int64)
        dates = begin.astype("datetime64[D]").astype(np.int64) + np.minimum(self.day, length) - 1
        days = {"first session": first, "last session": last}.get(self.place, dates)
        kept = found % self.every == self.phase
        return np.unique(unwall(days[kept] * DAY + self.time, self.zone))


def daily_rules(stamps: np.ndarray, zones: tuple[str, ...]) -> Iterator[Rule]:
    """Rules for one bar per session that these instants may follow: on the session's date, the day before or after."""
    for zone, time in _times_of_day(stamps, zones):
        for shift in (0, -DAY, DAY):
            yield Daily(zone=zone, time=time + shift)


def weekly_rules(stamps: np.ndarray, zones: tuple[str, ...], every: int) -> Iterator[Rule]:
    """Rules for one bar per week that these instants may follow."""
    for zone, time in _times_of_day(stamps, zones):
        days = wall(stamps, zone) // DAY
        weekday = _commonest((days + 3) % 7)
        phase = int(_week(days)[-1] % every)
        yield Weekly(zone=zone, time=time, place="date", weekday=weekday, every=every, phase=phase)
        yield Weekly(zone=zone, time=time, place="last session", weekday=weekday, every=every, phase=phase)
        yield Weekly(zone=zone, time=time, place="first session", weekday=weekday, every=every, phase=phase)


def monthly_rules(stamps: np.ndarray, zones: tuple[str, ...], every: int) -> Iterator[Rule]:
    """Rules for one bar per month that these instants may follow."""
    for zone, time in _times_of_day(stamps, zones):
        days = wall(stamps, zone) // DAY
        dates = days.astype("datetime64[D]")
        of_month = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
        at_end = (dates + 1).astype("datetime64[M]") != dates.astype("datetime64[M]")
        day = _LONGEST_MONTH if at_end.mean() > _ALIKE else _commonest(of_month)
        phase = int(_month(days)[-1] % every)
        yield Monthly(zone=zone, time=time, place="date", day=day, every=every, phase=phase)
        yield Monthly(zone=zone, time=time, place="last session", day=day, every=every, phase=phase)
        yield Monthly(zone=zone, time=time, place="first session", day=day, every=every, phase=phase)


def _times_of_day(stamps: np.ndarray, zones: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The clocks on which most stamps show the same time, and that time; the best one first, alike ones once."""
    found = []
    for zone in dict.fromkeys(zones):
        times, counts = np.unique(wall(stamps, zone) % DAY, return_counts=True)
        found.append((counts.max() / len(stamps), zone, int(times[counts.argmax()])))
    best = max(share for share, _, _ in found)
    for share, zone, time in sorted(found, key=lambda one: -one[0]):
        if share >= min(best, _ALIKE):
            yield zone, time


def _grouped(labels: np.ndarray, periods: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The periods that have sessions, and the first and the last session of each."""
    found, first = np.unique(periods, return_index=True)
    return found, labels[first], labels[np.r_[first[1:], len(periods)] - 1]


def _week(days: np.ndarray) -> np.ndarray:
    """The number of the week of each day, Monday first."""
    return np.asarray((days + 3) // 7)


def _month(days: np.ndarray) -> np.ndarray:
    """The number of the month of each day, since January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _commonest(values: np.ndarray) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])
