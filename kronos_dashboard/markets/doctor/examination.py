"""All checks of the doctor in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars import AUTO, Detection, detect
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor import freshness as ends
from kronos_dashboard.markets.doctor import gaps as breaks
from kronos_dashboard.markets.doctor import values
from kronos_dashboard.markets.doctor.findings import Finding
from kronos_dashboard.markets.doctor.fixes import fix
from kronos_dashboard.notes import Note

__all__ = ["examine", "treat"]

_ON_CANDLES = (
    ends.clipped,
    values.jumps,
    values.outliers,
    values.flat,
    values.repeats,
    values.volume,
    values.coarse_prices,
    values.micro_prices,
    ends.length,
)
"""Checks that need nothing but the candles."""
_ORDER = {"error": 0, "warning": 1, "info": 2}


def examine(candles: CandleFrame, now: pd.Timestamp | None = None, calendar: str = AUTO) -> list[Finding]:
    """Everything the doctor sees, warnings first.

    Args:
        candles: the series.
        now: the time (zone-aware) by which bars count as forming or old; without it neither is looked for.
        calendar: as for ``future_times``.

    Raises:
        WindowError: the calendar is named and there is no such one.
    """
    findings = [finding for check in _ON_CANDLES for finding in check(candles)]
    found = _detected(candles, calendar)
    if found is None:
        findings.append(_no_pattern(candles))
    else:
        findings += _against(candles, found, now, calendar)
    findings += breaks.mixed_intervals(candles, calendar)
    return sorted(findings, key=lambda finding: _ORDER[finding.level])


def treat(
    candles: CandleFrame, names: Sequence[str], now: pd.Timestamp | None = None, calendar: str = AUTO
) -> tuple[CandleFrame, tuple[Note, ...]]:
    """Apply fixes by name, one after the other; gives the candles and what each did.

    Raises:
        DashboardError: there is no such fix.
        WindowError: a fix needs the calendar, and no regular bar times can be found.
    """
    notes = []
    for name in names:
        fixed = fix(name, now, calendar).apply(candles)
        candles = fixed.candles
        notes.append(fixed.note)
    return candles, tuple(notes)


def _detected(candles: CandleFrame, calendar: str) -> Detection | None:
    """The calendar, or None where none can be found and none was asked for."""
    try:
        return detect(candles, calendar)
    except WindowError:
        if calendar.strip().lower() != AUTO:
            raise
        return None


def _against(candles: CandleFrame, found: Detection, now: pd.Timestamp | None, calendar: str) -> Iterator[Finding]:
    yield from ends.forming_bar(candles, found, now, calendar)
    yield from breaks.gaps(candles, found, calendar)
    yield from breaks.outside(candles, found)
    yield from breaks.clocks(candles, found, now, calendar)
    yield from ends.stale(candles, found, now)


def _no_pattern(candles: CandleFrame) -> Finding:
    return Finding(
        key="calendar",
        level="warning",
        title="No regular bar times",
        text=f"The bar times of {candles.symbol} follow no calendar and no daily pattern: gaps cannot be told, and the "
        "next bars neither. Only replay works.",
    )
