"""The axes: bars counted on x, with dates as labels; prices on y with as many decimals as they need.

The axis counts bars, so closed hours leave no holes. A ``Clock`` says when the bars on it stand; labels are put where a
year, a month, a day or an hour begins, the coarser the fewer bars there are between them. ``client/core.js`` does the
same for the part of the chart that is in view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kronos_dashboard.charts.labels import ENGLISH, Words

__all__ = ["Clock", "Ticks", "clock_of", "date_labels", "date_ticks", "decimals_of", "prices", "ticks"]

TARGET = 9
"""Labels on a chart of usual width."""
_DAY = 86_400
_SECONDS = (43_200, 21_600, 10_800, 3_600, 1_800, 900, 300, 60, 15, 1)
"""Within a day labels stand at multiples of one of these."""
_YEAR, _MONTH, _DATE = 3, 5, 9
"""The last levels that are counted in years, in months, and in days."""
_CROWDED, _FEW = 1.25, 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Clock:
    """When bars stand: n bars of the axis, and the session clock at each."""

    positions: np.ndarray
    """int32 [n], increasing."""
    seconds: np.ndarray
    """float64 [n], seconds since 1970 as the wall clock of the session shows them."""

    @property
    def times(self) -> pd.DatetimeIndex:
        """The same as timestamps without a zone [n]."""
        return pd.DatetimeIndex((self.seconds * 1_000).astype("datetime64[ms]"))


@dataclass(frozen=True, kw_only=True)
class Ticks:
    """Labels of an axis that counts bars."""

    positions: list[int]
    labels: list[str]


def clock_of(times: pd.DatetimeIndex, positions: np.ndarray | None = None) -> Clock:
    """The clock of bars at ``times`` (with or without a zone; its wall clock counts)."""
    wall = times.tz_localize(None) if times.tz is not None else times
    return Clock(
        positions=np.arange(len(times), dtype=np.int32) if positions is None else positions.astype(np.int32),
        seconds=wall.as_unit("ms").asi8 / 1_000.0,
    )


def date_ticks(times: pd.DatetimeIndex, target: int = TARGET, words: Words = ENGLISH) -> tuple[list[int], list[str]]:
    """Positions and labels of at most about ``target`` ticks on an axis that counts bars."""
    found = ticks(clock_of(times), target, words)
    return found.positions, found.labels


def ticks(clock: Clock, target: int = TARGET, words: Words = ENGLISH) -> Ticks:
    """Labels where a year, a month, a day or an hour begins, never closer than the width divided by ``target``."""
    if len(clock.positions) == 0:
        return Ticks(positions=[], labels=[])
    levels = _levels(clock)
    chosen = _spread(clock.positions, levels, target)
    labels = [_label(clock.times[at], int(levels[at]), words, first=at == chosen[0]) for at in chosen]
    return Ticks(positions=[int(clock.positions[at]) for at in chosen], labels=labels)


def date_labels(times: pd.DatetimeIndex, words: Words = ENGLISH) -> list[str]:
    """Bar times on the session clock in full; without the hour where every bar stands at midnight."""
    midnight = bool((times == times.normalize()).all())
    hours = [""] * len(times) if midnight else list(times.strftime("  %H:%M"))
    return [
        words.date.format(
            weekday=words.weekdays[time.day_of_week], day=time.day, month=words.months[time.month - 1], year=time.year
        )
        + hour
        for time, hour in zip(times, hours, strict=True)
    ]


def decimals_of(values: np.ndarray) -> int:
    """Decimals that tell prices apart: the source's own where it rounds, else enough for six digits."""
    sample = np.asarray(values, dtype=np.float64).ravel()[-400:]
    if len(sample) == 0:
        return 2
    size = float(np.median(np.abs(sample))) or 1.0
    enough = int(np.clip(5 - np.floor(np.log10(size)), 0, 10))
    for places in range(enough + 3):
        if np.allclose(sample, np.round(sample, places), rtol=0, atol=size * 1e-9):
            return places
    return enough


def prices(values: np.ndarray | pd.Series, decimals: int) -> np.ndarray:
    """Values as they travel: float32 where that keeps ``decimals``, else float64."""
    exact = np.asarray(values, dtype=np.float64)
    single = exact.astype(np.float32)
    finite = np.isfinite(exact)
    kept = np.abs(single[finite].astype(np.float64) - exact[finite]) < 0.5 * 10.0**-decimals
    return single if bool(kept.all()) else exact


def _levels(clock: Clock) -> np.ndarray:
    """Int [n]: 0 where a decade begins, then 5 and 2 years, year, quarter, month..., up to a second; coarse is low."""
    times, seconds = clock.times, clock.seconds
    years, months = np.asarray(times.year), np.asarray(times.year * 12 + times.month - 1)
    day = np.asarray(times.day) - 1
    keys = (
        *(years // step for step in (10, 5, 2, 1)),
        *(months // step for step in (3, 1)),
        months * 2 + (day >= 14),
        months * 4 + np.minimum(day // 7, 3),
        months * 16 + np.minimum(day // 2, 14),
        np.floor(seconds / _DAY),
        *(np.floor(seconds / step) for step in _SECONDS),
    )
    levels = np.full(len(times), len(keys) - 1, dtype=np.int64)
    for level in range(len(keys) - 1, -1, -1):
        levels[1:][np.diff(keys[level]) != 0] = level
    return levels


def _spread(positions: np.ndarray, levels: np.ndarray, target: int) -> list[int]:
    """Rows that get a label: level by level, as long as not too many come; none too close to a coarser one."""
    gap = 0.6 * (positions[-1] - positions[0]) / max(1, target)
    chosen: list[int] = []
    for level in range(int(levels.max()) + 1):
        rows = [int(row) for row in np.flatnonzero(levels == level) if row > 0]
        fits: list[int] = []
        for row in rows:
            if all(abs(positions[row] - positions[at]) >= gap for at in (*chosen, *fits[-1:])):
                fits.append(row)
        too_many = len(chosen) + len(fits) > _CROWDED * target
        patchy = len(fits) < 0.4 * len(rows)
        if len(chosen) >= _FEW and (too_many or patchy):
            break
        if too_many:
            fits = fits[:: -(-len(fits) // target)]
        chosen = sorted([*chosen, *fits])
    return chosen or [0]


def _label(time: pd.Timestamp, level: int, words: Words, *, first: bool) -> str:
    """What begins here; the first label of an axis also says what it is part of."""
    month = words.months[time.month - 1]
    if level <= _YEAR:
        return f"<b>{time.year}</b>"
    if level <= _MONTH:
        return f"{month}<br>{time.year}" if first else f"<b>{month}</b>"
    day = words.day.format(day=time.day, month=month)
    if level <= _DATE:
        return f"{day}<br>{time.year}" if first else day
    hour = f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"
    return f"{hour}<br>{day} {time.year}" if first else hour
