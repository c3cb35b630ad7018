"""Findings about bar times: gaps against the calendar, mixed intervals, stamps outside the sessions, clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kronos_dashboard.markets.calendars import Detection, expected_times
from kronos_dashboard.markets.calendars.holidays import quiet_dates
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED
from kronos_dashboard.markets.calendars.timezones import DAY, seconds_of, times_of
from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.markets.doctor.findings import Finding, rows_of
from kronos_dashboard.markets.doctor.fixes import fix
from kronos_dashboard.markets.doctor.patterns import CONTEXT

__all__ = ["clocks", "gaps", "mixed_intervals", "outside"]

_FITS = 0.9
"""Containment and coverage below which a calendar explains a series too badly to find gaps by it."""
_SPARSE = 0.8
"""Coverage of a quarter year below which its bars followed other hours, or are traded rarely: no gaps are counted."""
_MANY = 0.005
"""Share of missing bars from which the finding is a warning."""
_LONG = 10
"""Missing bars in a row, within the usual context, from which the finding is a warning."""
_FILLABLE = 0.2
"""Share of missing bars up to which filling them is offered."""
_NAMED = 3


@dataclass(frozen=True)
class _Runs:
    """Stretches of missing bars."""

    firsts: np.ndarray
    lengths: np.ndarray
    rows: np.ndarray
    """Row (from 0) of the candle after each."""


def gaps(candles: CandleFrame, found: Detection, calendar: str) -> Iterator[Finding]:
    """Bars that the calendar expects and the series lacks."""
    if min(found.fit.containment, found.fit.coverage) < _FITS:
        return
    stamps = seconds_of(candles.index)
    expected = seconds_of(expected_times(candles, found))
    there = np.isin(expected, stamps, assume_unique=True)
    counted = _counted(expected, there, candles, found)
    missing = ~there & counted
    if not missing.any():
        return
    runs = _runs(expected, missing, stamps)
    total, share = int(missing.sum()), float(missing.sum() / counted.sum())
    recent = runs.lengths[runs.rows >= len(stamps) - CONTEXT]
    loud = share > _MANY or bool((recent >= _LONG).any())
    holidays = found.code in (LEARNED, FX) or candles.interval >= pd.Timedelta(days=1)
    order = np.argsort(-runs.lengths, kind="stable")[:_NAMED]
    named = "; ".join(_named(candles, runs, int(place)) for place in order)
    text = (
        f"{_bars(total)} expected by the calendar ({found.name}), {share:.2%} of all, "
        f"{'is' if total == 1 else 'are'} missing, in {_times(len(runs.lengths))}: "
        f"{named}{'; ...' if len(runs.lengths) > _NAMED else ''}. The model takes the bars beside a gap for neighbours."
    )
    if holidays and found.code in (LEARNED, FX):
        text += " Some may be holidays, which this calendar does not know."
    offered = ["fill-gaps"] if share <= _FILLABLE else []
    fixes = tuple(fix(name, calendar=calendar) for name in (*offered, "keep-longest"))
    yield Finding(
        key="gaps",
        level="warning" if loud else "info",
        title="Missing bars",
        text=text,
        rows=tuple(int(row) + 1 for row in runs.rows[:200]),
        count=total,
        fixes=fixes,
    )


def _counted(expected: np.ndarray, there: np.ndarray, candles: CandleFrame, found: Detection) -> np.ndarray:
    """Expected bars that may count as missing: not in quarters with other hours, nor whole days of unknown holidays."""
    quarters = expected // (91 * DAY)
    _, place = np.unique(quarters, return_inverse=True)
    coverage = np.bincount(place, weights=there) / np.bincount(place)
    holes = coverage[place] == 0
    counted = (coverage[place] >= _SPARSE) | holes
    if found.code == ALWAYS:
        counted[:] = True
    if found.code in (LEARNED, FX):
        counted &= ~quiet_dates(expected // DAY)
    if found.code in (LEARNED, FX) and candles.interval < pd.Timedelta(days=1):
        _, day = np.unique(expected // DAY, return_inverse=True)
        counted &= (np.bincount(day, weights=there) > 0)[day]
    if found.code == LEARNED and candles.interval >= pd.Timedelta(days=1):
        _, week = np.unique(expected // (7 * DAY), return_inverse=True)
        counted &= (np.bincount(week, weights=there) < np.bincount(week) - 2)[week]
    return counted


def _runs(expected: np.ndarray, missing: np.ndarray, stamps: np.ndarray) -> _Runs:
    places = np.flatnonzero(missing)
    rows = np.searchsorted(stamps, expected[places])
    begins = np.flatnonzero(np.r_[True, np.diff(rows) != 0])
    lengths = np.diff(np.r_[begins, len(places)])
    return _Runs(expected[places][begins], lengths, rows[begins])


def _named(candles: CandleFrame, runs: _Runs, place: int) -> str:
    first = times_of(runs.firsts[place : place + 1]).tz_convert(candles.session_tz)[0]
    length = int(runs.lengths[place])
    return f"{_bars(length)} from {first:%Y-%m-%d %H:%M}"


def _bars(count: int) -> str:
    return f"{count:,} {'bar' if count == 1 else 'bars'}"


def _times(count: int) -> str:
    return "one place" if count == 1 else f"{count:,} places"


def mixed_intervals(candles: CandleFrame, calendar: str) -> Iterator[Finding]:
    """Bars closer together than the interval."""
    steps = np.diff(seconds_of(candles.index))
    close = np.r_[False, steps < int(candles.interval.total_seconds()) * (0.85 if _calendar_unit(candles) else 0.99)]
    share = float(close.mean())
    if not close.any():
        return
    text = (
        f"{int(close.sum()):,} candles ({share:.1%}) follow the one before sooner than the usual "
        f"{interval_label(candles.interval)}. The series seems to mix intervals, or bars that overlap."
    )
    yield Finding(
        key="mixed",
        level="warning" if share > 0.01 or close[-CONTEXT:].mean() > 0.01 else "info",
        title="Mixed intervals",
        text=text,
        rows=rows_of(close),
        count=int(close.sum()),
        fixes=(fix("keep-longest", calendar=calendar),),
    )


def _calendar_unit(candles: CandleFrame) -> bool:
    """Days, weeks and months are not always equally long."""
    return candles.interval >= pd.Timedelta(days=1)


def outside(candles: CandleFrame, found: Detection) -> Iterator[Finding]:
    """Bars that stand where the calendar has none."""
    if found.fit.containment < _FITS or found.code == LEARNED:
        return
    strange = ~candles.index.isin(expected_times(candles, found))
    recent = strange[-CONTEXT:]
    if not recent.any():
        return
    yield Finding(
        key="outside",
        level="info",
        title="Bars outside the sessions",
        text=f"{int(recent.sum()):,} of the last {len(recent):,} candles stand where {found.name} has no bar. Such "
        "stamps may come from another session, or from a clock that was set wrong.",
        rows=rows_of(strange),
        count=int(strange.sum()),
    )


def clocks(candles: CandleFrame, found: Detection, now: pd.Timestamp | None, calendar: str) -> Iterator[Finding]:
    """Whether the stamps stand on the clock and at the end of the bar that the series says."""
    zone, reading = found.fit.sessions.zone, found.fit.reading
    if now is not None and candles.index[-1] > now + candles.interval:
        yield Finding(
            key="clock",
            level="warning",
            title="Candles from the future",
            text=f"The last candle is stamped {candles.local_index[-1]}, after now ({now:%Y-%m-%d %H:%M} UTC). The "
            "stamps may stand on another clock than the one they are read on.",
            rows=(len(candles),),
            count=1,
        )
    if found.code in (ALWAYS, FX, LEARNED):
        return
    if zone != candles.session_tz and candles.interval < pd.Timedelta(days=1):
        how = f"its stamps are hours of {zone}" if reading.zone else f"its stamps are instants, and {zone} is its clock"
        yield Finding(
            key="clock",
            level="info",
            title="The session clock",
            text=f"The bars suit {found.name}; {how}. The session clock is {candles.session_tz}; on it the model "
            "reads minute and hour.",
            fixes=(fix("set-clock", calendar=calendar),),
        )
    if found.stamped == "close" and candles.stamped == "open":
        yield Finding(
            key="stamped",
            level="info",
            title="Stamped at the close",
            text="The stamps look like the closes of their bars. They stay as they are: the model knows such files.",
            fixes=(fix("mark-close"),),
        )
