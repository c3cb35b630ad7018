"""When markets are open: sessions as instants, with holidays, half days, lunch breaks and changes of clocks.

Shapes: S sessions; all arrays int64 [S]. Labels count days since 1970; everything else is UTC seconds.
``exchange_calendars`` is imported when the first exchange is asked for.
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
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, by_code
from kronos_dashboard.markets.calendars.timezones import DAY, unwall, wall

__all__ = ["NO_BREAK", "Sessions", "Spans", "sessions_of"]

NO_BREAK = np.iinfo(np.int64).min
_FIRST, _LAST = ("1990-01-01", "1991-01-01", "1998-01-01", None), ("2035-12-31", None)
"""What is asked of exchange_calendars, the first that it can give; beyond, weekdays stand in. None: its own bounds."""
_REACH = (np.datetime64("1950-01-01").astype(int), np.datetime64("2120-12-31").astype(int))
_BUSINESS_WEEK = 5
_loading = threading.Lock()


@dataclass(frozen=True)
class Spans:
    """Stretches of trading without a pause, as instants."""

    opens: np.ndarray
    closes: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Sessions:
    """Sessions of one market in order."""

    labels: np.ndarray
    """The date of each session, in days since 1970."""
    opens: np.ndarray
    closes: np.ndarray
    break_starts: np.ndarray
    """Start of the lunch break, or NO_BREAK."""
    break_ends: np.ndarray
    zone: str
    """The market's clock."""
    known: tuple[int, int]
    """First and last label with known holidays; outside of them every weekday counts as open."""

    def __len__(self) -> int:
        """Number of sessions."""
        return len(self.labels)

    def rows(self, start: int, stop: int) -> Sessions:
        """Sessions ``start`` up to but not including ``stop``."""
        return self.where(slice(max(0, start), max(0, stop)))

    def where(self, kept: slice | np.ndarray) -> Sessions:
        """The sessions that a slice or a mask [S] picks."""
        return Sessions(
            labels=self.labels[kept],
            opens=self.opens[kept],
            closes=self.closes[kept],
            break_starts=self.break_starts[kept],
            break_ends=self.break_ends[kept],
            zone=self.zone,
            known=self.known,
        )

    def around(self, first: int, last: int, days: int = 3) -> Sessions:
        """Those with labels within ``days`` of the instants ``first`` and ``last``."""
        low, high = first // DAY - days, last // DAY + days
        return self.rows(int(self.labels.searchsorted(low)), int(self.labels.searchsorted(high, side="right")))

    @property
    def midnights(self) -> np.ndarray:
        """Wall seconds at which each session's date begins on the market's clock."""
        return self.labels * DAY

    @property
    def paused(self) -> np.ndarray:
        """Bool [S]: has a lunch break."""
        return self.break_starts != NO_BREAK

    def spans(self) -> Spans:
        """Trading without a pause: two stretches for a session with a lunch break."""
        paused = self.paused
        opens = np.concatenate([self.opens, self.break_ends[paused]])
        closes = np.concatenate([np.where(paused, self.break_starts, self.closes), self.closes[paused]])
        order = np.argsort(opens, kind="stable")
        return Spans(opens[order], closes[order])


@lru_cache(maxsize=64)
def sessions_of(code: str) -> Sessions:
    """All sessions of a market, from 1950 to 2120. Cached by code for the life of the process.

    Raises:
        WindowError: there is no such calendar.
    """
    market = by_code(code)
    if market is not None and market.code == ALWAYS:
        return _every_day()
    if market is not None and market.code == FX:
        return _currency_week()
    return _extended(_exchange(market.code if market else code.strip()))


def _every_day() -> Sessions:
    labels = np.arange(*_REACH)
    none = np.full(len(labels), NO_BREAK)
    known = (int(labels[0]), int(labels[-1]))
    opens = labels * DAY
    return Sessions(
        labels=labels, opens=opens, closes=opens + DAY, break_starts=none, break_ends=none, zone="UTC", known=known
    )


def _currency_week() -> Sessions:
    """Monday to Friday, each from 17:00 in New York on the day before to 17:00."""
    labels = _weekdays(*_REACH)
    zone = "America/New_York"
    at_five = labels * DAY + 17 * 3_600
    none = np.full(len(labels), NO_BREAK)
    return Sessions(
        labels=labels,
        opens=unwall(at_five - DAY, zone),
        closes=unwall(at_five, zone),
        break_starts=none,
        break_ends=none,
        zone=zone,
        known=(int(labels[0]), int(labels[-1])),
    )


def _weekdays(first: int, stop: int) -> np.ndarray:
    """Mondays to Fridays as days since 1970 (which was a Thursday)."""
    days = np.arange(first, stop)
    return days[(days + 3) % 7 < _BUSINESS_WEEK]


def _exchange(code: str) -> Sessions:
    calendar = _load(code)
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


def _load(code: str) -> Any:
    """The calendar with as much of 1990 to 2035 as its holidays are recorded for.

    The package warns about names that pandas is giving up; none of that concerns what is computed.
    """
    import exchange_calendars

    with _loading, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if code.upper() not in {name.upper() for name in exchange_calendars.get_calendar_names()}:
            raise WindowError(
                f"there is no calendar {code!r}.",
                "Use auto, 24/7, fx, learned, or the code of an exchange such as XNYS, XLON, XSHG.",
            )
        for end, start in product(_LAST, _FIRST):
            try:
                return exchange_calendars.get_calendar(code.upper(), start=start, end=end)
            except (ValueError, NotImplementedError):
                continue
    raise WindowError(f"the calendar {code!r} cannot be built.", "Choose another calendar, or learned.")


def _extended(known: Sessions) -> Sessions:
    """Weekdays with the hours of the nearest known sessions before and after what is known."""
    before = _weekdays(_REACH[0], int(known.labels[0]))
    after = _weekdays(int(known.labels[-1]) + 1, _REACH[1])
    parts = (_like(known, 0, before), known, _like(known, len(known) - 1, after))
    names = ("labels", "opens", "closes", "break_starts", "break_ends")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Sessions(**joined, zone=known.zone, known=known.known)


def _like(known: Sessions, near: int, labels: np.ndarray) -> Sessions:
    """Sessions on ``labels`` with the commonest hours around session ``near``."""
    nearby = known.rows(near - 120, near + 120)
    opens, closes = (wall(values, known.zone) - nearby.midnights for values in (nearby.opens, nearby.closes))
    pairs, counts = np.unique(np.column_stack([opens, closes]), axis=0, return_counts=True)
    usual = int(np.flatnonzero((opens == pairs[counts.argmax(), 0]) & (closes == pairs[counts.argmax(), 1]))[0])
    midnights = labels * DAY

    def at(values: np.ndarray) -> np.ndarray:
        offset = wall(values[usual : usual + 1], known.zone)[0] - nearby.midnights[usual]
        return unwall(midnights + offset, known.zone)

    none = np.full(len(labels), NO_BREAK)
    lunch = bool(nearby.paused[usual])
    return Sessions(
        labels=labels,
        opens=at(nearby.opens),
        closes=at(nearby.closes),
        break_starts=at(nearby.break_starts) if lunch else none,
        break_ends=at(nearby.break_ends) if lunch else none,
        zone=known.zone,
        known=known.known,
    )
