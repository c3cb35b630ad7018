"""Checks of bar times: gaps against the calendar, mixed intervals, bars outside the sessions, timezones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kronos_dashboard.markets.calendars import Detection, expected_times
from kronos_dashboard.markets.calendars.holidays import is_near_holiday
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED
from kronos_dashboard.markets.calendars.timezones import DAY, from_seconds, to_seconds
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor.findings import Finding, row_numbers
from kronos_dashboard.markets.doctor.fixes import get_fix
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.messages import Message, join_messages, msg, nmsg, sentences
from kronos_dashboard.settings import DEFAULT_CONTEXT

__all__ = ["check_gaps", "check_intervals", "check_sessions", "check_timezone"]

_MIN_FIT = 0.9
"""Containment and coverage from which a calendar explains a series well enough to find gaps with it."""
_MIN_QUARTER_COVERAGE = 0.8
"""Coverage of a quarter from which gaps are counted; below, its bars followed other hours or are traded rarely."""
_WARNING_FRACTION = 0.005
"""Fraction of missing bars from which the finding is a warning: about two bars in a default context."""
_WARNING_RUN = 10
"""Missing bars in a row within the default context from which the finding is a warning."""
_MAX_FILL_FRACTION = 0.2
"""Fraction of missing bars up to which filling is offered: beyond, the model would see mostly invented candles."""
_MAX_NAMED = 3


@dataclass(frozen=True)
class _MissingRuns:
    """Runs of missing bars."""

    firsts: np.ndarray
    lengths: np.ndarray
    rows: np.ndarray
    """Row (from 0) of the candle after each run."""


def check_gaps(candles: CandleFrame, detection: Detection, calendar: str) -> Iterator[Finding]:
    """Bars that the calendar expects are missing."""
    if min(detection.fit.containment, detection.fit.coverage) < _MIN_FIT:
        return
    timestamps = to_seconds(candles.index)
    expected = to_seconds(expected_times(candles, detection))
    present = np.isin(expected, timestamps, assume_unique=True)
    counted = _countable(expected, present, candles, detection)
    missing = ~present & counted
    if not missing.any():
        return
    runs = _group_missing(expected, missing, timestamps)
    total, fraction = int(missing.sum()), float(missing.sum() / counted.sum())
    recent = runs.lengths[runs.rows >= len(timestamps) - DEFAULT_CONTEXT]
    is_warning = fraction > _WARNING_FRACTION or bool((recent >= _WARNING_RUN).any())
    holidays = detection.code in (LEARNED, FX) or candles.interval >= pd.Timedelta(days=1)
    longest = np.argsort(-runs.lengths, kind="stable")[:_MAX_NAMED]
    named = [_describe_run(candles, runs, int(group)) for group in longest]
    text = nmsg(
        "{n:,} bar ({share:.2%}) expected by the calendar is missing, in {places}: {named}. Calendar: {name}. "
        "The model treats the bars around a gap as adjacent.",
        "{n:,} bars ({share:.2%}) expected by the calendar are missing, in {places}: {named}. Calendar: "
        "{name}. The model treats the bars around a gap as adjacent.",
        total,
        name=detection.name,
        share=fraction,
        places=_num_places(len(runs.lengths)),
        named=join_messages(
            [*named, msg("and others")] if len(runs.lengths) > _MAX_NAMED else named, "{left}; {right}"
        ),
    )
    if holidays and detection.code in (LEARNED, FX):
        text = sentences(text, msg("Some may be holidays that this calendar does not include."))
    offered = ["fill-gaps"] if fraction <= _MAX_FILL_FRACTION else []
    fixes = tuple(get_fix(name, calendar=calendar) for name in (*offered, "keep-longest-segment"))
    yield Finding(
        key="gaps",
        level="warning" if is_warning else "info",
        title=msg("Missing bars"),
        text=text,
        rows=tuple(int(row) + 1 for row in runs.rows[:200]),
        count=total,
        fixes=fixes,
    )


def _countable(expected: np.ndarray, present: np.ndarray, candles: CandleFrame, detection: Detection) -> np.ndarray:
    """Mask of expected bars that count when missing: not in quarters with other hours, nor on possible holidays."""
    quarters = expected // (91 * DAY)
    _, group = np.unique(quarters, return_inverse=True)
    coverage = np.bincount(group, weights=present) / np.bincount(group)
    holes = coverage[group] == 0
    counted = (coverage[group] >= _MIN_QUARTER_COVERAGE) | holes
    if detection.code == ALWAYS:
        counted[:] = True
    if detection.code in (LEARNED, FX):
        counted &= ~is_near_holiday(expected // DAY)
    if detection.code in (LEARNED, FX) and candles.interval < pd.Timedelta(days=1):
        _, day = np.unique(expected // DAY, return_inverse=True)
        counted &= (np.bincount(day, weights=present) > 0)[day]
    if detection.code == LEARNED and candles.interval >= pd.Timedelta(days=1):
        _, week = np.unique(expected // (7 * DAY), return_inverse=True)
        counted &= (np.bincount(week, weights=present) < np.bincount(week) - 2)[week]
    return counted


def _group_missing(expected: np.ndarray, missing: np.ndarray, timestamps: np.ndarray) -> _MissingRuns:
    places = np.flatnonzero(missing)
    rows = np.searchsorted(timestamps, expected[places])
    starts = np.flatnonzero(np.r_[True, np.diff(rows) != 0])
    lengths = np.diff(np.r_[starts, len(places)])
    return _MissingRuns(expected[places][starts], lengths, rows[starts])


def _describe_run(candles: CandleFrame, runs: _MissingRuns, group: int) -> Message:
    first = from_seconds(runs.firsts[group : group + 1]).tz_convert(candles.session_tz)[0]
    length = int(runs.lengths[group])
    return nmsg("{n:,} bar from {time:%Y-%m-%d %H:%M}", "{n:,} bars from {time:%Y-%m-%d %H:%M}", length, time=first)


def _num_places(count: int) -> Message:
    return nmsg("one place", "{n:,} places", count)


def check_intervals(candles: CandleFrame, calendar: str) -> Iterator[Finding]:
    """Bars are closer together than the interval."""
    steps = np.diff(to_seconds(candles.index))
    close = np.r_[False, steps < int(candles.interval.total_seconds()) * (0.85 if _calendar_unit(candles) else 0.99)]
    fraction = float(close.mean())
    if not close.any():
        return
    text = msg(
        "{count:,} candles ({share:.1%}) follow the previous one in less than the usual {interval}. The series "
        "appears to contain mixed intervals or overlapping bars.",
        count=int(close.sum()),
        share=fraction,
        interval=interval_label(candles.interval),
    )
    yield Finding(
        key="mixed",
        level="warning" if fraction > 0.01 or close[-DEFAULT_CONTEXT:].mean() > 0.01 else "info",
        title=msg("Mixed intervals"),
        text=text,
        rows=row_numbers(close),
        count=int(close.sum()),
        fixes=(get_fix("keep-longest-segment", calendar=calendar),),
    )


def _calendar_unit(candles: CandleFrame) -> bool:
    """Whether the interval varies in length: days, weeks and months do."""
    return candles.interval >= pd.Timedelta(days=1)


def check_sessions(candles: CandleFrame, detection: Detection) -> Iterator[Finding]:
    """Bars are outside the sessions of the calendar."""
    if detection.fit.containment < _MIN_FIT or detection.code == LEARNED:
        return
    outside = ~candles.index.isin(expected_times(candles, detection))
    recent = outside[-DEFAULT_CONTEXT:]
    if not recent.any():
        return
    yield Finding(
        key="outside",
        level="info",
        title=msg("Bars outside the sessions"),
        text=msg(
            "{count:,} of the last {recent:,} candles do not match the calendar: {name}. They may belong to "
            "another session, or the time zone may be wrong.",
            count=int(recent.sum()),
            recent=len(recent),
            name=detection.name,
        ),
        rows=row_numbers(outside),
        count=int(outside.sum()),
    )


def check_timezone(
    candles: CandleFrame, detection: Detection, now: pd.Timestamp | None, calendar: str
) -> Iterator[Finding]:
    """The timezone of the series, or whether timestamps are opens or closes, contradicts the calendar."""
    zone, interpretation = detection.fit.sessions.zone, detection.fit.interpretation
    if now is not None and candles.index[-1] > now + candles.interval:
        yield Finding(
            key="clock",
            level="warning",
            title=msg("Future timestamps"),
            text=msg(
                "The last candle has the time {time}, later than now ({now:%Y-%m-%d %H:%M} UTC). The time zone "
                "of the timestamps may be wrong.",
                time=candles.local_index[-1],
                now=now,
            ),
            rows=(len(candles),),
            count=1,
        )
    if detection.code in (ALWAYS, FX, LEARNED):
        return
    if zone != candles.session_tz and candles.interval < pd.Timedelta(days=1):
        how = (
            msg("timestamps are local times in {zone}", zone=zone)
            if interpretation.zone
            else msg("timestamps are absolute times, and the time zone of the market is {zone}", zone=zone)
        )
        yield Finding(
            key="clock",
            level="info",
            title=msg("Time zone"),
            text=msg(
                "The bars match {name}; {how}. The session time zone is {zone}, in which the model reads "
                "minute and hour.",
                name=detection.name,
                how=how,
                zone=candles.session_tz,
            ),
            fixes=(get_fix("set-timezone", calendar=calendar),),
        )
    if detection.timestamp_at == "close" and candles.timestamp_at == "open":
        yield Finding(
            key="stamped",
            level="info",
            title=msg("Close timestamps"),
            text=msg("Timestamps appear to mark bar closes. They are kept as they are: the model handles such files."),
            fixes=(get_fix("use-close-timestamps"),),
        )
