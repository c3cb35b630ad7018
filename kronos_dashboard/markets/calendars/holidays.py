"""Holidays that most of the world keeps, for calendars that know none: closed where the series shows it.

Arrays are int64 [n]; labels count days since 1970.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from kronos_dashboard.markets.calendars.bar_grids import assign
from kronos_dashboard.markets.calendars.sessions import Sessions

__all__ = ["FEASTS", "closed_feasts", "quiet_dates", "without_feasts"]

FEASTS = ("Good Friday", "Easter Monday", "Christmas", "New Year")
_QUIET = 0.25
"""A session with less than this share of the usual bars counts as closed."""
_YEARS = (1950, 2121)


def closed_feasts(stamps: np.ndarray, sessions: Sessions) -> tuple[str, ...]:
    """The feasts that fell on sessions of the series, and on which it had (nearly) no bars each time."""
    inside = sessions.rows(
        int(sessions.closes.searchsorted(stamps[0], side="right")), int(sessions.opens.searchsorted(stamps[-1]))
    )
    if len(inside) < 3:
        return ()
    counts = np.bincount(assign(stamps, inside), minlength=len(inside))
    usual = float(np.median(counts[counts > 0])) if counts.any() else 0.0
    weekdays = (inside.labels + 3) % 7
    works = np.array([np.median(counts[weekdays == day]) if (weekdays == day).any() else 0.0 for day in range(7)])
    closed = []
    for feast in FEASTS:
        fell = np.isin(inside.labels, _labels(feast)) & (works[weekdays] > _QUIET * usual)
        if fell.any() and bool((counts[fell] <= _QUIET * usual).all()):
            closed.append(feast)
    return tuple(closed)


def quiet_dates(labels: np.ndarray) -> np.ndarray:
    """Bool [n]: whether each date is a feast or beside Christmas or New Year, when markets close early or open late."""
    near = [_labels(feast) for feast in FEASTS]
    near += [near[2] - 1, near[2] + 1, near[3] - 1, near[3] + 1]
    return np.isin(labels, np.concatenate(near))


def without_feasts(sessions: Sessions, feasts: tuple[str, ...]) -> Sessions:
    """The sessions that fall on none of these feasts."""
    if not feasts:
        return sessions
    return sessions.where(~np.isin(sessions.labels, np.concatenate([_labels(feast) for feast in feasts])))


@lru_cache(maxsize=len(FEASTS))
def _labels(feast: str) -> np.ndarray:
    """All dates of a feast."""
    years = np.arange(*_YEARS)
    if feast in ("Christmas", "New Year"):
        date = "12-25" if feast == "Christmas" else "01-01"
        return np.array([f"{year}-{date}" for year in years], dtype="datetime64[D]").astype(np.int64)
    shift = -2 if feast == "Good Friday" else 1
    return np.array([_easter(int(year)) + shift for year in years], dtype=np.int64)


def _easter(year: int) -> int:
    """Easter Sunday of the western churches, in days since 1970."""
    from dateutil.easter import easter  # type: ignore[import-untyped]

    date = easter(year)
    return int(np.datetime64(date.isoformat(), "D").astype(np.int64))
