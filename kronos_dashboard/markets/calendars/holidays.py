"""Holidays of most Western markets, for calendars without holidays: applied where the series shows them.

Arrays are int64 [n]; labels count days since 1970.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from dateutil.easter import easter  # type: ignore[import-untyped]

from kronos_dashboard.markets.calendars.bar_grids import assign_sessions
from kronos_dashboard.markets.calendars.sessions import Sessions
from kronos_dashboard.messages import msg

__all__ = ["HOLIDAYS", "is_near_holiday", "observed_holidays", "without_holidays"]

HOLIDAYS = (msg("Good Friday"), msg("Easter Monday"), msg("Christmas"), msg("New Year"))
_MAX_CLOSED_FRACTION = 0.25
"""Fraction of the typical number of bars below which a session counts as closed: quotes may trickle in on holidays."""
_YEARS = (1950, 2121)
"""The range of all calendars (``sessions.load_sessions``)."""


def observed_holidays(timestamps: np.ndarray, sessions: Sessions) -> tuple[str, ...]:
    """The holidays that fell on sessions of the series, and on which it had (nearly) no bars each time."""
    inside = sessions.rows(
        int(sessions.closes.searchsorted(timestamps[0], side="right")), int(sessions.opens.searchsorted(timestamps[-1]))
    )
    if len(inside) < 3:
        return ()
    counts = np.bincount(assign_sessions(timestamps, inside), minlength=len(inside))
    typical = float(np.median(counts[counts > 0])) if counts.any() else 0.0
    weekdays = (inside.labels + 3) % 7
    typical_by_day = np.array(
        [np.median(counts[weekdays == day]) if (weekdays == day).any() else 0.0 for day in range(7)]
    )
    closed = []
    for holiday in HOLIDAYS:
        on_holiday = np.isin(inside.labels, _holiday_labels(holiday)) & (
            typical_by_day[weekdays] > _MAX_CLOSED_FRACTION * typical
        )
        if on_holiday.any() and bool((counts[on_holiday] <= _MAX_CLOSED_FRACTION * typical).all()):
            closed.append(holiday)
    return tuple(closed)


def is_near_holiday(labels: np.ndarray) -> np.ndarray:
    """Bool [n]: whether each date is a holiday, or next to Christmas or New Year, when trading hours are short."""
    labels_near = [_holiday_labels(holiday) for holiday in HOLIDAYS]
    christmas, new_year = labels_near[2:]
    labels_near += [christmas - 1, christmas + 1, new_year - 1, new_year + 1]
    return np.isin(labels, np.concatenate(labels_near))


def without_holidays(sessions: Sessions, holidays: tuple[str, ...]) -> Sessions:
    """The sessions on none of these holidays."""
    if not holidays:
        return sessions
    return sessions.where(~np.isin(sessions.labels, np.concatenate([_holiday_labels(holiday) for holiday in holidays])))


@lru_cache(maxsize=len(HOLIDAYS))
def _holiday_labels(holiday: str) -> np.ndarray:
    """All dates of a holiday, in days since 1970."""
    years = np.arange(*_YEARS)
    if holiday in ("Christmas", "New Year"):
        date = "12-25" if holiday == "Christmas" else "01-01"
        return np.array([f"{year}-{date}" for year in years], dtype="datetime64[D]").astype(np.int64)
    shift = -2 if holiday == "Good Friday" else 1
    return np.array([easter(int(year)) for year in years], dtype="datetime64[D]").astype(np.int64) + shift
