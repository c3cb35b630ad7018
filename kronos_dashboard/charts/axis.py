"""Axes: bar numbers on x with dates as tick labels, prices on y with the decimals they need.

The x axis counts bars, so closed hours leave no gaps. A ``Clock`` has the times of the bars. Tick labels are placed
where a year, a month, a day or an hour starts. ``client/core.js`` has the same algorithm, for the part of the chart in
view. Shapes: n bars.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kronos_dashboard.charts.labels import ENGLISH, ChartLabels

__all__ = ["Clock", "Ticks", "build_clock", "date_labels", "date_ticks", "pack_prices", "price_decimals", "ticks"]

TARGET_LABELS = 9
"""Tick labels on a chart of typical width: about 100 pixels for each."""
_DAY_S = 86_400
_STEPS_S = (43_200, 21_600, 10_800, 3_600, 1_800, 900, 300, 60, 15, 1)
"""Within a day, labels are placed at multiples of one of these, in seconds."""
_LAST_YEAR_LEVEL, _LAST_MONTH_LEVEL, _LAST_DAY_LEVEL = 3, 5, 9
"""The finest levels of ``_levels`` that count years, months, and days."""
_MAX_CROWDING = 1.25
"""A level that brings the number of labels above this multiple of the target is not used."""
_MIN_LABELS = 3
"""With fewer labels an axis is hard to read, so the next level is used even if it is crowded or incomplete."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Clock:
    """Positions of n bars on the axis, and their local times."""

    positions: np.ndarray
    """int32 [n], increasing."""
    seconds: np.ndarray
    """float64 [n], local times as seconds since 1970-01-01 00:00 local time."""

    @property
    def times(self) -> pd.DatetimeIndex:
        """The local times as timestamps without a time zone [n]."""
        return pd.DatetimeIndex((self.seconds * 1_000).astype("datetime64[ms]"))


@dataclass(frozen=True, kw_only=True)
class Ticks:
    """Tick labels of an axis that counts bars."""

    positions: list[int]
    labels: list[str]


def build_clock(times: pd.DatetimeIndex, positions: np.ndarray | None = None) -> Clock:
    """The clock of bars at local ``times``; a time zone is dropped. ``positions`` None: the bars are consecutive."""
    local = times.tz_localize(None) if times.tz is not None else times
    return Clock(
        positions=np.arange(len(times), dtype=np.int32) if positions is None else positions.astype(np.int32),
        seconds=local.as_unit("ms").asi8 / 1_000.0,
    )


def date_ticks(
    times: pd.DatetimeIndex, target: int = TARGET_LABELS, labels: ChartLabels = ENGLISH
) -> tuple[list[int], list[str]]:
    """Positions and labels of about ``target`` ticks or fewer, on an axis that counts bars."""
    axis_ticks = ticks(build_clock(times), target, labels)
    return axis_ticks.positions, axis_ticks.labels


def ticks(clock: Clock, target: int = TARGET_LABELS, labels: ChartLabels = ENGLISH) -> Ticks:
    """Ticks where a year, a month, a day or an hour starts, at least 0.6 times the width over ``target`` apart."""
    if len(clock.positions) == 0:
        return Ticks(positions=[], labels=[])
    levels = _levels(clock)
    rows = _select_rows(clock.positions, levels, target)
    texts = [_label(clock.times[row], int(levels[row]), labels, is_first=row == rows[0]) for row in rows]
    return Ticks(positions=[int(clock.positions[row]) for row in rows], labels=texts)


def date_labels(times: pd.DatetimeIndex, labels: ChartLabels = ENGLISH) -> list[str]:
    """Local bar times in full; without the time of day if every bar is at midnight."""
    is_daily = bool((times == times.normalize()).all())
    hours = [""] * len(times) if is_daily else list(times.strftime("  %H:%M"))
    return [
        labels.date.format(
            weekday=labels.weekdays[time.day_of_week], day=time.day, month=labels.months[time.month - 1], year=time.year
        )
        + hour
        for time, hour in zip(times, hours, strict=True)
    ]


def price_decimals(values: np.ndarray) -> int:
    """Decimals that distinguish prices: as many as the source has if it rounds, else for six digits."""
    sample = np.asarray(values, dtype=np.float64).ravel()[-400:]  # enough to see the rounding of the source
    if len(sample) == 0:
        return 2
    size = float(np.median(np.abs(sample))) or 1.0
    six_digits = int(np.clip(5 - np.floor(np.log10(size)), 0, 10))
    for places in range(six_digits + 3):
        if np.allclose(sample, np.round(sample, places), rtol=0, atol=size * 1e-9):
            return places
    return six_digits


def pack_prices(values: np.ndarray | pd.Series, decimals: int) -> np.ndarray:
    """Prices for the browser: float32 if that preserves ``decimals``, else float64."""
    exact = np.asarray(values, dtype=np.float64)
    single = exact.astype(np.float32)
    finite = np.isfinite(exact)
    is_exact = np.abs(single[finite].astype(np.float64) - exact[finite]) < 0.5 * 10.0**-decimals
    return single if bool(is_exact.all()) else exact


def _levels(clock: Clock) -> np.ndarray:
    """int64 [n], the coarsest unit that starts at each bar: 0 is a decade, then 5 years, 2 years, year, ... second."""
    times, seconds = clock.times, clock.seconds
    years, months = np.asarray(times.year), np.asarray(times.year * 12 + times.month - 1)
    day = np.asarray(times.day) - 1  # [n], from 0
    keys = (
        *(years // step for step in (10, 5, 2, 1)),
        *(months // step for step in (3, 1)),
        months * 2 + (day >= 14),  # half months: days 1, 15
        months * 4 + np.minimum(day // 7, 3),  # weeks of a month: days 1, 8, 15, 22
        months * 16 + np.minimum(day // 2, 14),  # every other day; 31 belongs to 29
        np.floor(seconds / _DAY_S),
        *(np.floor(seconds / step) for step in _STEPS_S),
    )
    levels = np.full(len(times), len(keys) - 1, dtype=np.int64)
    for level in range(len(keys) - 1, -1, -1):
        levels[1:][np.diff(keys[level]) != 0] = level
    return levels


def _select_rows(positions: np.ndarray, levels: np.ndarray, target: int) -> list[int]:
    """Rows that get a label: coarse levels first, until there are enough; none too close to one of a coarser level."""
    min_gap = 0.6 * (positions[-1] - positions[0]) / max(1, target)
    selected: list[int] = []
    for level in range(int(levels.max()) + 1):
        rows = [int(row) for row in np.flatnonzero(levels == level) if row > 0]
        fits: list[int] = []
        for row in rows:
            if all(abs(positions[row] - positions[other]) >= min_gap for other in (*selected, *fits[-1:])):
                fits.append(row)
        is_crowded = len(selected) + len(fits) > _MAX_CROWDING * target
        is_incomplete = len(fits) < 0.4 * len(rows)
        if len(selected) >= _MIN_LABELS and (is_crowded or is_incomplete):
            break
        if is_crowded:
            fits = fits[:: -(-len(fits) // target)]
        selected = sorted([*selected, *fits])
    return selected or [0]


def _label(time: pd.Timestamp, level: int, labels: ChartLabels, *, is_first: bool) -> str:
    """The unit that starts at a bar; the first label of an axis also has the larger unit."""
    month = labels.months[time.month - 1]
    if level <= _LAST_YEAR_LEVEL:
        return f"<b>{time.year}</b>"
    if level <= _LAST_MONTH_LEVEL:
        return f"{month}<br>{time.year}" if is_first else f"<b>{month}</b>"
    day = labels.day.format(day=time.day, month=month)
    if level <= _LAST_DAY_LEVEL:
        return f"{day}<br>{time.year}" if is_first else day
    hour = f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"
    return f"{hour}<br>{day} {time.year}" if is_first else hour
