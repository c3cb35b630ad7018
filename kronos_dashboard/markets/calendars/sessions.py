"""Sessions of markets as instants, with holidays, half days, lunch breaks and changes of clocks.

Shapes: S sessions; all arrays int64 [S]. Labels count days since 1970; everything else is UTC seconds.
``exchange_calendars`` is imported with the first exchange.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, find_market
from kronos_dashboard.markets.calendars.timezones import DAY, from_local, to_local
from kronos_dashboard.messages import msg

__all__ = ["NO_BREAK", "Sessions", "TradingSpans", "load_sessions"]

NO_BREAK = np.iinfo(np.int64).min
_STARTS, _ENDS = ("1990-01-01", "1991-01-01", "1998-01-01", None), ("2035-12-31", None)
"""Bounds requested from exchange_calendars; the first pair that it supports is used. None: its own bounds. Outside of
them every weekday is a session."""
_LABEL_RANGE = (np.datetime64("1950-01-01").astype(int), np.datetime64("2120-12-31").astype(int))
_SATURDAY = 5
"""Monday is 0."""
_LOAD_LOCK = threading.Lock()
"""``exchange_calendars`` caches calendars without a lock of its own."""


@dataclass(frozen=True)
class TradingSpans:
    """Spans of trading without a pause, as instants."""

    opens: np.ndarray
    closes: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Sessions:
    """Sessions of one market in chronological order."""

    labels: np.ndarray
    """The date of each session, in days since 1970."""
    opens: np.ndarray
    closes: np.ndarray
    break_starts: np.ndarray
    """Start of the lunch break, or NO_BREAK."""
    break_ends: np.ndarray
    zone: str
    """Timezone of the market."""
    known: tuple[int, int]
    """First and last label with known holidays; outside of them every weekday is open."""

    def __len__(self) -> int:
        """Number of sessions."""
        return len(self.labels)

    def rows(self, start: int, stop: int) -> Sessions:
        """Sessions ``start`` up to but not including ``stop``."""
        return self.where(slice(max(0, start), max(0, stop)))

    def where(self, selected: slice | np.ndarray) -> Sessions:
        """The sessions that a slice or a mask [S] selects."""
        return Sessions(
            labels=self.labels[selected],
            opens=self.opens[selected],
            closes=self.closes[selected],
            break_starts=self.break_starts[selected],
            break_ends=self.break_ends[selected],
            zone=self.zone,
            known=self.known,
        )

    def around(self, first: int, last: int, days: int = 3) -> Sessions:
        """The sessions with labels within ``days`` of the instants ``first`` and ``last``."""
        low, high = first // DAY - days, last // DAY + days
        return self.rows(int(self.labels.searchsorted(low)), int(self.labels.searchsorted(high, side="right")))

    @property
    def midnights(self) -> np.ndarray:
        """Local seconds at which the date of each session begins."""
        return self.labels * DAY

    @property
    def paused(self) -> np.ndarray:
        """Bool [S]: whether each session has a lunch break."""
        return self.break_starts != NO_BREAK

    def spans(self) -> TradingSpans:
        """Spans of trading without a pause: two for a session with a lunch break."""
        paused = self.paused
        opens = np.concatenate([self.opens, self.break_ends[paused]])
        closes = np.concatenate([np.where(paused, self.break_starts, self.closes), self.closes[paused]])
        order = np.argsort(opens, kind="stable")
        return TradingSpans(opens[order], closes[order])


@lru_cache(maxsize=64)
def load_sessions(code: str) -> Sessions:
    """Load all sessions of a market from 1950 to 2120. Cached by code for the life of the process.

    Raises:
        WindowError: there is no such calendar.
    """
    market = find_market(code)
    if market is not None and market.code == ALWAYS:
        return _always_open_sessions()
    if market is not None and market.code == FX:
        return _fx_sessions()
    return _extend_with_weekdays(_exchange_sessions(market.code if market else code.strip()))


def _always_open_sessions() -> Sessions:
    labels = np.arange(*_LABEL_RANGE)
    none = np.full(len(labels), NO_BREAK)
    known = (int(labels[0]), int(labels[-1]))
    opens = labels * DAY
    return Sessions(
        labels=labels, opens=opens, closes=opens + DAY, break_starts=none, break_ends=none, zone="UTC", known=known
    )


def _fx_sessions() -> Sessions:
    """Monday to Friday, each from 17:00 of the day before to 17:00 in New York."""
    labels = _weekday_labels(*_LABEL_RANGE)
    zone = "America/New_York"
    at_five = labels * DAY + 17 * 3_600
    none = np.full(len(labels), NO_BREAK)
    return Sessions(
        labels=labels,
        opens=from_local(at_five - DAY, zone),
        closes=from_local(at_five, zone),
        break_starts=none,
        break_ends=none,
        zone=zone,
        known=(int(labels[0]), int(labels[-1])),
    )


def _weekday_labels(first: int, stop: int) -> np.ndarray:
    """Mondays to Fridays as days since 1970 (which was a Thursday)."""
    days = np.arange(first, stop)
    return days[(days + 3) % 7 < _SATURDAY]


def _exchange_sessions(code: str) -> Sessions:
    calendar = _load_exchange_calendar(code)
    labels = np.asarray(calendar.sessions_nanos) // (DAY * 10**9)
    starts, ends = np.asarray(calendar.break_starts_nanos), np.asarray(calendar.break_ends_nanos)
    paused = starts != NO_BREAK
    return Sessions(
        labels=labels,
        opens=np.asarray(calendar.opens_nanos) // 10**9,
        closes=np.asarray(calendar.closes_nanos) // 10**9,
        break_starts=np.where(paused, starts // 10**9, NO_BREAK),
        break_ends=np.where(paused, ends // 10**9, NO_BREAK),
        zone=str(calendar.tz),
        known=(int(labels[0]), int(labels[-1])),
    )


def _load_exchange_calendar(code: str) -> Any:
    """Load a calendar for as much of 1990 to 2035 as its holidays are recorded.

    Warnings of the package about deprecations of pandas are suppressed.
    """
    import exchange_calendars

    with _LOAD_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if code.upper() not in {name.upper() for name in exchange_calendars.get_calendar_names()}:
            raise WindowError(
                msg("unknown calendar {code}.", code=repr(code)),
                msg("Use auto, 24/7, fx, learned, or the code of an exchange such as XNYS, XLON, XSHG."),
            )
        for end, start in product(_ENDS, _STARTS):
            try:
                return exchange_calendars.get_calendar(code.upper(), start=start, end=end)
            except (ValueError, NotImplementedError):
                continue
    raise WindowError(
        msg("calendar {code} cannot be built.", code=repr(code)), msg("Choose another calendar, or learned.")
    )


def _extend_with_weekdays(known: Sessions) -> Sessions:
    """Add weekdays before and after the known sessions, with the hours of the nearest ones."""
    before = _weekday_labels(_LABEL_RANGE[0], int(known.labels[0]))
    after = _weekday_labels(int(known.labels[-1]) + 1, _LABEL_RANGE[1])
    parts = (
        _sessions_with_typical_hours(known, 0, before),
        known,
        _sessions_with_typical_hours(known, len(known) - 1, after),
    )
    names = ("labels", "opens", "closes", "break_starts", "break_ends")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Sessions(**joined, zone=known.zone, known=known.known)


def _sessions_with_typical_hours(known: Sessions, near: int, labels: np.ndarray) -> Sessions:
    """Sessions on ``labels`` with the most common hours among the 240 sessions around row ``near``."""
    nearby = known.rows(near - 120, near + 120)
    opens, closes = (to_local(values, known.zone) - nearby.midnights for values in (nearby.opens, nearby.closes))
    pairs, counts = np.unique(np.column_stack([opens, closes]), axis=0, return_counts=True)
    modal = int(np.flatnonzero((opens == pairs[counts.argmax(), 0]) & (closes == pairs[counts.argmax(), 1]))[0])
    midnights = labels * DAY

    def at(values: np.ndarray) -> np.ndarray:
        offset = to_local(values[modal : modal + 1], known.zone)[0] - nearby.midnights[modal]
        return from_local(midnights + offset, known.zone)

    none = np.full(len(labels), NO_BREAK)
    has_break = bool(nearby.paused[modal])
    return Sessions(
        labels=labels,
        opens=at(nearby.opens),
        closes=at(nearby.closes),
        break_starts=at(nearby.break_starts) if has_break else none,
        break_ends=at(nearby.break_ends) if has_break else none,
        zone=known.zone,
        known=known.known,
    )
