"""Rules for bars of a day or longer: one per session, week or month.

Arrays are int64 [n], UTC seconds; labels count days since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.markets.calendars.bar_grids import BarRule
from kronos_dashboard.markets.calendars.sessions import Sessions
from kronos_dashboard.markets.calendars.timezones import DAY, from_local, to_local

__all__ = ["DailyBars", "MonthlyBars", "WeeklyBars", "daily_rules", "monthly_rules", "weekly_rules"]

PeriodDay = Literal["date", "first session", "last session"]
_MIN_SAME_TIME = 0.9
"""Fraction of the timestamps at one time of day from which a timezone explains them; the rest may be half days."""
_MAX_MONTH_DAY = 31


@dataclass(frozen=True, kw_only=True)
class DailyBars:
    """One bar per session, at a time of day."""

    zone: str
    time_of_day: int
    """Seconds after midnight of the session's date in that timezone; may be negative or beyond 24 hours."""
    timestamp_at: Literal["open", "close"] = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """One timestamp per session."""
        return np.unique(from_local(sessions.labels * DAY + self.time_of_day, self.zone))


@dataclass(frozen=True, kw_only=True)
class WeeklyBars:
    """One bar per week, or per ``every`` weeks: on a weekday, or on the week's first or last session."""

    zone: str
    time_of_day: int
    period_day: PeriodDay
    weekday: int
    """Monday is 0; used where ``period_day`` is "date"."""
    every: int
    phase: int
    timestamp_at: Literal["open", "close"] = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """One timestamp per week that has a session."""
        periods, first, last = _group_labels(sessions.labels, _week_number(sessions.labels))
        days = {"first session": first, "last session": last}.get(self.period_day, periods * 7 - 3 + self.weekday)
        selected = periods % self.every == self.phase
        return np.unique(from_local(days[selected] * DAY + self.time_of_day, self.zone))


@dataclass(frozen=True, kw_only=True)
class MonthlyBars:
    """One bar per month, or per ``every`` months: on a day of the month, or on its first or last session."""

    zone: str
    time_of_day: int
    period_day: PeriodDay
    day: int
    """Day of the month, 31 for the last; used where ``period_day`` is "date"."""
    every: int
    phase: int
    timestamp_at: Literal["open", "close"] = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """One timestamp per month that has a session."""
        periods, first, last = _group_labels(sessions.labels, _month_number(sessions.labels))
        month = periods.astype("datetime64[M]")
        length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
        dates = month.astype("datetime64[D]").astype(np.int64) + np.minimum(self.day, length) - 1
        days = {"first session": first, "last session": last}.get(self.period_day, dates)
        selected = periods % self.every == self.phase
        return np.unique(from_local(days[selected] * DAY + self.time_of_day, self.zone))


def daily_rules(timestamps: np.ndarray, zones: tuple[str, ...]) -> Iterator[BarRule]:
    """Candidate rules for one bar per session: on the session's date, the day before or the day after."""
    for zone, time in _modal_times_of_day(timestamps, zones):
        for shift in (0, -DAY, DAY):
            yield DailyBars(zone=zone, time_of_day=time + shift)


def weekly_rules(timestamps: np.ndarray, zones: tuple[str, ...], every: int) -> Iterator[BarRule]:
    """Candidate rules for one bar per ``every`` weeks."""
    for zone, time in _modal_times_of_day(timestamps, zones):
        days = to_local(timestamps, zone) // DAY
        weekday = _mode((days + 3) % 7)
        phase = int(_week_number(days)[-1] % every)
        yield WeeklyBars(zone=zone, time_of_day=time, period_day="date", weekday=weekday, every=every, phase=phase)
        yield WeeklyBars(
            zone=zone, time_of_day=time, period_day="last session", weekday=weekday, every=every, phase=phase
        )
        yield WeeklyBars(
            zone=zone, time_of_day=time, period_day="first session", weekday=weekday, every=every, phase=phase
        )


def monthly_rules(timestamps: np.ndarray, zones: tuple[str, ...], every: int) -> Iterator[BarRule]:
    """Candidate rules for one bar per ``every`` months."""
    for zone, time in _modal_times_of_day(timestamps, zones):
        days = to_local(timestamps, zone) // DAY
        dates = days.astype("datetime64[D]")
        days_of_month = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
        at_month_end = (dates + 1).astype("datetime64[M]") != dates.astype("datetime64[M]")
        day = _MAX_MONTH_DAY if at_month_end.mean() > _MIN_SAME_TIME else _mode(days_of_month)
        phase = int(_month_number(days)[-1] % every)
        yield MonthlyBars(zone=zone, time_of_day=time, period_day="date", day=day, every=every, phase=phase)
        yield MonthlyBars(zone=zone, time_of_day=time, period_day="last session", day=day, every=every, phase=phase)
        yield MonthlyBars(zone=zone, time_of_day=time, period_day="first session", day=day, every=every, phase=phase)


def _modal_times_of_day(timestamps: np.ndarray, zones: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The timezones in which most timestamps have the same time of day, and that time; best first."""
    candidates = []
    for zone in dict.fromkeys(zones):
        times, counts = np.unique(to_local(timestamps, zone) % DAY, return_counts=True)
        candidates.append((counts.max() / len(timestamps), zone, int(times[counts.argmax()])))
    best = max(fraction for fraction, _, _ in candidates)
    for fraction, zone, time in sorted(candidates, key=lambda entry: -entry[0]):
        if fraction >= min(best, _MIN_SAME_TIME):
            yield zone, time


def _group_labels(labels: np.ndarray, periods: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The periods with sessions, and the first and the last session of each."""
    values, first = np.unique(periods, return_index=True)
    return values, labels[first], labels[np.r_[first[1:], len(periods)] - 1]


def _week_number(days: np.ndarray) -> np.ndarray:
    """Number of the week of each day since 1970, weeks from Monday."""
    return np.asarray((days + 3) // 7)


def _month_number(days: np.ndarray) -> np.ndarray:
    """Number of the month of each day since January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _mode(values: np.ndarray) -> int:
    candidates, counts = np.unique(values, return_counts=True)
    return int(candidates[counts.argmax()])
