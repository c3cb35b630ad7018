"""All data quality checks in one call, and the application of fixes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars import AUTO, Detection, detect_calendar
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor import freshness, gaps, values
from kronos_dashboard.markets.doctor.findings import Finding
from kronos_dashboard.markets.doctor.fixes import get_fix
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["apply_fixes", "run_checks"]

_CANDLE_CHECKS = (
    freshness.check_clipping,
    values.check_splits,
    values.check_outliers,
    values.check_flat,
    values.check_duplicates,
    values.check_volume,
    values.check_coarse_prices,
    values.check_tiny_prices,
    freshness.check_length,
)
"""Checks that need only the candles."""
_LEVEL_ORDER = {"error": 0, "warning": 1, "info": 2}


def run_checks(candles: CandleFrame, now: pd.Timestamp | None = None, calendar: str = AUTO) -> list[Finding]:
    """Run all checks; findings are ordered by level, errors first.

    Args:
        candles: the series.
        now: current time (zone-aware), to find incomplete and old bars; None skips those checks.
        calendar: as for ``future_times``.

    Raises:
        WindowError: the named calendar does not exist.
    """
    findings = [finding for check in _CANDLE_CHECKS for finding in check(candles)]
    detection = _detect(candles, calendar)
    if detection is None:
        findings.append(_no_pattern_finding(candles))
    else:
        findings += _calendar_checks(candles, detection, now, calendar)
    findings += gaps.check_intervals(candles, calendar)
    return sorted(findings, key=lambda finding: _LEVEL_ORDER[finding.level])


def apply_fixes(
    candles: CandleFrame, names: Sequence[str], now: pd.Timestamp | None = None, calendar: str = AUTO
) -> tuple[CandleFrame, tuple[Note, ...]]:
    """Apply fixes by name, one after the other; returns the candles and a note on each fix.

    Raises:
        DashboardError: there is no such fix.
        WindowError: a fix needs the calendar, and no regular bar times can be found.
    """
    notes = []
    for name in names:
        fixed = get_fix(name, now, calendar).apply(candles)
        candles = fixed.candles
        notes.append(fixed.note)
    return candles, tuple(notes)


def _detect(candles: CandleFrame, calendar: str) -> Detection | None:
    """The calendar; None when none fits and none was named."""
    try:
        return detect_calendar(candles, calendar)
    except WindowError:
        if calendar.strip().lower() != AUTO:
            raise
        return None


def _calendar_checks(
    candles: CandleFrame, detection: Detection, now: pd.Timestamp | None, calendar: str
) -> Iterator[Finding]:
    yield from freshness.check_incomplete_bar(candles, detection, now, calendar)
    yield from gaps.check_gaps(candles, detection, calendar)
    yield from gaps.check_sessions(candles, detection)
    yield from gaps.check_timezone(candles, detection, now, calendar)
    yield from freshness.check_staleness(candles, detection, now)


def _no_pattern_finding(candles: CandleFrame) -> Finding:
    return Finding(
        key="calendar",
        level="warning",
        title=msg("No regular bar times"),
        text=msg(
            "The bar times of {symbol} match no calendar and no daily pattern, so gaps and future bar times "
            "cannot be determined. Only historical forecasts work.",
            symbol=candles.symbol,
        ),
    )
