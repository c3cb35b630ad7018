"""Rules that turn the sessions of a market into bar times.

Arrays are int64 [n], UTC seconds; offsets are seconds after midnight of a session's date in the market's timezone.
S sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from kronos_dashboard.markets.calendars.sessions import Sessions, TradingSpans
from kronos_dashboard.markets.calendars.timezones import DAY, from_local, to_local

__all__ = [
    "BarRule",
    "BarSlots",
    "ClockGrid",
    "EvenBars",
    "SessionGrid",
    "TimestampAt",
    "assign_sessions",
    "learn_slots",
    "modal_remainder",
]

TimestampAt = Literal["open", "close"]

_MIN_SLOT_FRACTION = 0.5
"""Fraction of the recent sessions in which a slot must have a bar: illiquid instruments miss some of theirs."""
_NUM_RECENT_SESSIONS = 60
"""Sessions from which slots are learned: a quarter of a year, short enough to follow a change of hours."""


class BarRule(Protocol):
    """How bar times follow from sessions."""

    @property
    def timestamp_at(self) -> TimestampAt:
        """Whether the bar times are opens or closes."""
        ...

    def times(self, sessions: Sessions) -> np.ndarray:
        """The bar times of these sessions, strictly increasing."""
        ...


@dataclass(frozen=True, kw_only=True)
class EvenBars:
    """Bars at a fixed interval without any pause."""

    interval: int
    phase: int
    """Bar times modulo the interval."""
    timestamp_at: TimestampAt = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """All multiples of the interval within the sessions."""
        if not len(sessions):
            return sessions.labels
        low = -((self.phase - int(sessions.opens[0])) // self.interval)
        high = -((self.phase - int(sessions.closes[-1])) // self.interval)
        return np.arange(low, high) * self.interval + self.phase


@dataclass(frozen=True, kw_only=True)
class ClockGrid:
    """Bars at round times of a clock wherever they overlap with trading: the bar of 09:00 covers 09:30 to 10:00."""

    interval: int
    zone: str
    """Timezone of that clock."""
    phase: int
    """Opens modulo the interval, on that clock."""
    timestamp_at: TimestampAt

    def times(self, sessions: Sessions) -> np.ndarray:
        """Timestamps of all bars that overlap with trading."""
        spans = sessions.spans()
        opens, closes = to_local(spans.opens, self.zone), to_local(spans.closes, self.zone)
        first = (opens - self.phase) // self.interval * self.interval + self.phase
        bars = _arange_each(first, -((first - closes) // self.interval), self.interval)
        shift = self.interval if self.timestamp_at == "close" else 0
        return np.unique(from_local(bars + shift, self.zone))


@dataclass(frozen=True, kw_only=True)
class SessionGrid:
    """Bars counted from the open of the market (09:30, 10:30, ...); the last one may be shorter."""

    interval: int
    through_break: bool
    """Count through the lunch break instead of starting again after it."""
    timestamp_at: TimestampAt
    capped_at_close: bool = False
    """The last bar closes with the market, even where it is shorter."""

    def times(self, sessions: Sessions) -> np.ndarray:
        """Timestamps of all bars of the sessions."""
        spans = TradingSpans(sessions.opens, sessions.closes) if self.through_break else sessions.spans()
        counts = -((spans.opens - spans.closes) // self.interval)
        bars = _arange_each(spans.opens, counts, self.interval)
        if self.through_break and sessions.paused.any():
            starts, ends = np.repeat(sessions.break_starts, counts), np.repeat(sessions.break_ends, counts)
            bars = bars[~((bars >= starts) & (bars + self.interval <= ends))]
            counts = None  # no longer aligned with the bars
        if self.timestamp_at == "open":
            return np.unique(bars)
        ends = bars + self.interval
        if self.capped_at_close and counts is not None:
            ends = np.minimum(ends, np.repeat(spans.closes, counts))
        return np.unique(ends)


@dataclass(frozen=True, kw_only=True)
class BarSlots:
    """Bars at learned times of day in the market's timezone, before and after the official hours as well."""

    interval: int
    offsets: tuple[int, ...]
    """Seconds after midnight of the session's date; negative for the evening before."""
    hours: tuple[int, int, int, int]
    """Offsets of open, break start, break end and close of the sessions from which the slots were learned."""
    timestamp_at: TimestampAt = "open"

    @property
    def filled_fraction(self) -> float:
        """Fraction of the official hours that the slots fill."""
        shift = self.interval if self.timestamp_at == "close" else 0
        inside = sum(self.hours[0] - self.interval < at - shift < self.hours[3] for at in self.offsets)
        trading = self.hours[3] - self.hours[0] - (self.hours[2] - self.hours[1])
        return inside * self.interval / trading

    def times(self, sessions: Sessions) -> np.ndarray:
        """All slots of regular sessions; on others the slots with trading, and evening slots moved with the close."""
        if not len(sessions):
            return sessions.labels
        hours = _session_hours(sessions)
        offsets = np.asarray(self.offsets)
        regular = (hours == np.asarray(self.hours)).all(axis=1)  # bool [S]
        parts = [(sessions.midnights[regular][:, None] + offsets).ravel()]
        parts += [sessions.midnights[i] + self._adapt(offsets, hours[i]) for i in np.flatnonzero(~regular)]
        return np.unique(from_local(np.concatenate(parts), sessions.zone))

    def _adapt(self, offsets: np.ndarray, hours: np.ndarray) -> np.ndarray:
        """The offsets on a session with other hours [4], such as a half day."""
        before = self.interval if self.timestamp_at == "open" else 0
        opens = offsets if self.timestamp_at == "open" else offsets - self.interval
        inside = (opens >= self.hours[0] - before) & (opens < self.hours[3])
        with_trading = inside & (opens + self.interval > hours[0]) & (opens < hours[3])
        early, late = offsets[~inside & (opens < self.hours[0])], offsets[opens >= self.hours[3]]
        regular = offsets[with_trading]
        if hours[3] > self.hours[3] and len(regular):  # a longer session: go on at the interval
            added = np.arange(regular[-1] + self.interval, hours[3] + 1 - before, self.interval)
            regular = np.concatenate([regular, added])
        return np.concatenate([early, regular, late + hours[3] - self.hours[3]])


def learn_slots(timestamps: np.ndarray, sessions: Sessions, interval: int, timestamp_at: TimestampAt) -> BarSlots:
    """Learn the offsets at which recent sessions with the most common hours have bars.

    Args:
        timestamps: instants of the bar times.
        sessions: the sessions that the timestamps cover.
        interval: seconds.
        timestamp_at: whether the timestamps are opens or closes.
    """
    hours = _session_hours(sessions)  # [S, 4]
    owner = assign_sessions(timestamps, sessions)
    with_bars = np.unique(owner)
    kinds, counts = np.unique(hours[with_bars[-_NUM_RECENT_SESSIONS:]], axis=0, return_counts=True)
    modal = kinds[counts.argmax()]
    learned = with_bars[(hours[with_bars] == modal).all(axis=1)][-_NUM_RECENT_SESSIONS:]
    in_learned = np.isin(owner, learned)
    offsets = to_local(timestamps[in_learned], sessions.zone) - sessions.midnights[owner[in_learned]]
    candidates, num_bars = np.unique(offsets, return_counts=True)
    slots = candidates[num_bars >= max(1.0, _MIN_SLOT_FRACTION * len(learned))]
    return BarSlots(
        interval=interval,
        offsets=tuple(int(offset) for offset in slots),
        hours=(int(modal[0]), int(modal[1]), int(modal[2]), int(modal[3])),
        timestamp_at=timestamp_at,
    )


def assign_sessions(timestamps: np.ndarray, sessions: Sessions) -> np.ndarray:
    """The row of the session nearest to each timestamp."""
    borders = (sessions.closes[:-1] + sessions.opens[1:]) // 2
    return np.searchsorted(borders, timestamps, side="right")


def _session_hours(sessions: Sessions) -> np.ndarray:
    """Offsets of open, break start, break end and close, int64 [S, 4]; 0 where there is no break."""
    midnights, zone, paused = sessions.midnights, sessions.zone, sessions.paused
    columns = [to_local(sessions.opens, zone) - midnights]
    for values in (sessions.break_starts, sessions.break_ends):
        columns.append(np.where(paused, to_local(np.where(paused, values, 0), zone) - midnights, 0))
    columns.append(to_local(sessions.closes, zone) - midnights)
    return np.column_stack(columns)


def _arange_each(first: np.ndarray, counts: np.ndarray, step: int) -> np.ndarray:
    """Concatenated ranges: ``counts`` values from each of ``first``, ``step`` apart."""
    counts = np.maximum(counts, 0)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(first, counts) + (np.arange(int(counts.sum())) - starts) * step


def modal_remainder(local_seconds: np.ndarray, interval: int) -> tuple[int, float]:
    """The most common remainder of local seconds modulo an interval (at most a day), and its frequency."""
    rest = local_seconds % min(interval, DAY)
    values, counts = np.unique(rest, return_counts=True)
    return int(values[counts.argmax()]), float(counts.max() / len(rest))
