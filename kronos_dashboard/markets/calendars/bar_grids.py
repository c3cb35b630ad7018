"""Where bars stand inside the hours of a market: each rule turns sessions into bar times.

Arrays are int64 [n], UTC seconds; offsets are seconds after midnight of a session's date on the market's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from kronos_dashboard.markets.calendars.sessions import Sessions, Spans
from kronos_dashboard.markets.calendars.timezones import DAY, unwall, wall

__all__ = ["ClockGrid", "Rule", "SessionGrid", "Slots", "Stamped", "Steps", "assign", "learn_slots", "remainder"]

Stamped = Literal["open", "close"]

_USUAL = 0.5
"""Share of the recent sessions in which an offset must hold a bar to count."""
_RECENT = 60
"""Sessions that slots are learned from."""


class Rule(Protocol):
    """How bar times follow from sessions."""

    @property
    def stamped(self) -> Stamped:
        """Whether the bar times are opens or closes."""
        ...

    def times(self, sessions: Sessions) -> np.ndarray:
        """The bar times of these sessions, strictly increasing."""
        ...


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Bars that follow each other at the interval and never stop."""

    interval: int
    phase: int
    """Remainder of every bar time."""
    stamped: Stamped = "open"

    def times(self, sessions: Sessions) -> np.ndarray:
        """All multiples of the interval within the sessions."""
        if not len(sessions):
            return sessions.labels
        low = -((self.phase - int(sessions.opens[0])) // self.interval)
        high = -((self.phase - int(sessions.closes[-1])) // self.interval)
        return np.arange(low, high) * self.interval + self.phase


@dataclass(frozen=True, kw_only=True)
class ClockGrid:
    """Bars at round times of a clock, wherever they overlap with trading: 09:00 holds 09:30 to 10:00."""

    interval: int
    zone: str
    """The clock whose round times count."""
    phase: int
    """Remainder of every bar's open on that clock."""
    stamped: Stamped

    def times(self, sessions: Sessions) -> np.ndarray:
        """Stamps of all bars that overlap with a stretch of trading."""
        spans = sessions.spans()
        opens, closes = wall(spans.opens, self.zone), wall(spans.closes, self.zone)
        first = (opens - self.phase) // self.interval * self.interval + self.phase
        bars = _repeat(first, -((first - closes) // self.interval), self.interval)
        ahead = self.interval if self.stamped == "close" else 0
        return np.unique(unwall(bars + ahead, self.zone))


@dataclass(frozen=True, kw_only=True)
class SessionGrid:
    """Bars counted from the open of the market: 09:30, 10:30, ... ; the last one may be shorter."""

    interval: int
    through: bool
    """Counted through the lunch break, and not anew after it."""
    stamped: Stamped
    capped: bool = False
    """The close of the last bar is that of the market, also where it is shorter."""

    def times(self, sessions: Sessions) -> np.ndarray:
        """Stamps of all bars of the sessions."""
        spans = Spans(sessions.opens, sessions.closes) if self.through else sessions.spans()
        counts = -((spans.opens - spans.closes) // self.interval)
        bars = _repeat(spans.opens, counts, self.interval)
        if self.through and sessions.paused.any():
            starts, ends = np.repeat(sessions.break_starts, counts), np.repeat(sessions.break_ends, counts)
            bars = bars[~((bars >= starts) & (bars + self.interval <= ends))]
            counts = None
        if self.stamped == "open":
            return np.unique(bars)
        ends = bars + self.interval
        if self.capped and counts is not None:
            ends = np.minimum(ends, np.repeat(spans.closes, counts))
        return np.unique(ends)


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Bars at learned times of day on the market's clock, before and after the official hours too."""

    interval: int
    offsets: tuple[int, ...]
    """Seconds after midnight of the session's date; may be negative (an evening before)."""
    hours: tuple[int, int, int, int]
    """Offsets of open, break start, break end and close of the sessions they were learned from."""
    stamped: Stamped = "open"

    @property
    def fullness(self) -> float:
        """Share of the official hours that the slots fill."""
        ahead = self.interval if self.stamped == "close" else 0
        inside = sum(self.hours[0] - self.interval < at - ahead < self.hours[3] for at in self.offsets)
        trading = self.hours[3] - self.hours[0] - (self.hours[2] - self.hours[1])
        return inside * self.interval / trading

    def times(self, sessions: Sessions) -> np.ndarray:
        """The slots of regular sessions; on others those with trading, and evening slots moved with the close."""
        if not len(sessions):
            return sessions.labels
        hours = _hours(sessions)
        offsets = np.asarray(self.offsets)
        usual = (hours == np.asarray(self.hours)).all(axis=1)
        parts = [(sessions.midnights[usual][:, None] + offsets).ravel()]
        parts += [sessions.midnights[i] + self._on(offsets, hours[i]) for i in np.flatnonzero(~usual)]
        return np.unique(unwall(np.concatenate(parts), sessions.zone))

    def _on(self, offsets: np.ndarray, hours: np.ndarray) -> np.ndarray:
        """Offsets on a session with other hours."""
        before = self.interval if self.stamped == "open" else 0
        begins = offsets if self.stamped == "open" else offsets - self.interval
        inside = (begins >= self.hours[0] - before) & (begins < self.hours[3])
        open_now = inside & (begins + self.interval > hours[0]) & (begins < hours[3])
        early, late = offsets[~inside & (begins < self.hours[0])], offsets[begins >= self.hours[3]]
        kept = offsets[open_now]
        if hours[3] > self.hours[3] and len(kept):
            kept = np.concatenate([kept, np.arange(kept[-1] + self.interval, hours[3] + 1 - before, self.interval)])
        return np.concatenate([early, kept, late + hours[3] - self.hours[3]])


def learn_slots(stamps: np.ndarray, sessions: Sessions, interval: int, stamped: Stamped) -> Slots:
    """The offsets at which recent sessions with the usual hours have bars.

    Args:
        stamps: instants of the bar times.
        sessions: those that the stamps cover.
        interval: seconds.
        stamped: whether the stamps are opens or closes.
    """
    hours = _hours(sessions)
    owner = assign(stamps, sessions)
    with_bars = np.unique(owner)
    kinds, counts = np.unique(hours[with_bars[-_RECENT:]], axis=0, return_counts=True)
    usual = kinds[counts.argmax()]
    learned = with_bars[(hours[with_bars] == usual).all(axis=1)][-_RECENT:]
    mine = np.isin(owner, learned)
    offsets = wall(stamps[mine], sessions.zone) - sessions.midnights[owner[mine]]
    found, times = np.unique(offsets, return_counts=True)
    kept = found[times >= max(1.0, _USUAL * len(learned))]
    return Slots(
        interval=interval,
        offsets=tuple(int(offset) for offset in kept),
        hours=(int(usual[0]), int(usual[1]), int(usual[2]), int(usual[3])),
        stamped=stamped,
    )


def assign(stamps: np.ndarray, sessions: Sessions) -> np.ndarray:
    """The row of the session that each stamp belongs to: the one whose hours are nearest."""
    borders = (sessions.closes[:-1] + sessions.opens[1:]) // 2
    return np.searchsorted(borders, stamps, side="right")


def _hours(sessions: Sessions) -> np.ndarray:
    """Offsets of open, break start, break end and close, int64 [S, 4]; 0 where there is no break."""
    midnights, zone, paused = sessions.midnights, sessions.zone, sessions.paused
    columns = [wall(sessions.opens, zone) - midnights]
    for values in (sessions.break_starts, sessions.break_ends):
        columns.append(np.where(paused, wall(np.where(paused, values, 0), zone) - midnights, 0))
    columns.append(wall(sessions.closes, zone) - midnights)
    return np.column_stack(columns)


def _repeat(first: np.ndarray, counts: np.ndarray, step: int) -> np.ndarray:
    """``counts`` values from each of ``first`` on, ``step`` apart."""
    counts = np.maximum(counts, 0)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(first, counts) + (np.arange(int(counts.sum())) - starts) * step


def remainder(walls: np.ndarray, interval: int) -> tuple[int, float]:
    """The commonest remainder of wall seconds within an interval (at most a day), and the share that has it."""
    rest = walls % min(interval, DAY)
    found, counts = np.unique(rest, return_counts=True)
    return int(found[counts.argmax()]), float(counts.max() / len(rest))
