"""Findings about the end of a series, where a forecast begins: forming or old bars, clipping, too few candles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from engine.features import CLIP, statistics
from kronos_dashboard.markets.calendars import Detection
from kronos_dashboard.markets.calendars.timezones import seconds_of
from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.markets.doctor.findings import Finding, rows_of
from kronos_dashboard.markets.doctor.fixes import fix
from kronos_dashboard.markets.doctor.patterns import CONTEXT, forming

__all__ = ["clipped", "forming_bar", "length", "stale"]

HORIZON = 120
_SHORTER = (256, 128, 64, 32)
_STALE = 3
"""Bars that have opened since the last candle before the series counts as old."""
_FAR = 5_000
"""Intervals after the last candle within which those bars are counted."""


def forming_bar(candles: CandleFrame, found: Detection, now: pd.Timestamp | None, calendar: str) -> Iterator[Finding]:
    """A last bar that has not closed."""
    if now is None or candles.index[-1] > now + candles.interval:
        return
    count = forming(candles, now, found)
    if not count:
        return
    mask = np.zeros(len(candles), dtype=bool)
    mask[-count:] = True
    yield Finding(
        key="forming",
        level="warning",
        title="The last bar is still forming",
        text=f"The candle of {candles.local_index[-1]:%Y-%m-%d %H:%M} had not closed at {now:%Y-%m-%d %H:%M} UTC: its "
        "high, low, close and volume are not final, and the model would take them for a whole bar.",
        rows=rows_of(mask),
        count=count,
        fixes=(fix("drop-forming", now=now, calendar=calendar),),
    )


def stale(candles: CandleFrame, found: Detection, now: pd.Timestamp | None) -> Iterator[Finding]:
    """Bars that have come since the last candle."""
    if now is None or now <= candles.index[-1]:
        return
    last, moment = int(seconds_of(candles.index)[-1]), int(now.timestamp())
    far = last + _FAR * int(candles.interval.total_seconds())
    opened = len(found.fit.stamps(last, min(moment, far), 3))
    if opened <= _STALE:
        return
    more = "" if moment <= far else "more than "
    yield Finding(
        key="stale",
        level="info",
        title="The series ended a while ago",
        text=f"The last candle is of {candles.local_index[-1]:%Y-%m-%d %H:%M}; {more}{opened:,} bars have opened "
        "since. A forecast of the latest window is of a past that others know; replay is not concerned.",
        count=opened,
    )


def clipped(candles: CandleFrame) -> Iterator[Finding]:
    """A last candle that lies so far from the mean of its context that the model does not see where it is."""
    values = candles.frame.to_numpy()
    context = values[-CONTEXT:]
    if len(context) < 2:
        return
    distance = statistics(context).distance(context[-1])
    if distance <= CLIP:
        return
    advice = _shorter_context(values)
    yield Finding(
        key="clip",
        level="warning",
        title="The last candle is out of the model's sight",
        text=f"The last candle lies {distance:.1f} standard deviations from the mean of the last {len(context)} "
        f"candles. The model sees at most {CLIP:g}: it would begin from another price, and the forecast would jump."
        + advice,
        rows=(len(candles),),
        count=1,
    )


def _shorter_context(values: np.ndarray) -> str:
    for size in _SHORTER:
        if size < len(values) and statistics(values[-size:]).distance(values[-1]) <= CLIP:
            return f" With a context of {size} candles it would be within."
    return " Wait for a few more candles, or read the forecast from its first bar on."


def length(candles: CandleFrame) -> Iterator[Finding]:
    """Too few candles for the usual window."""
    have = len(candles)
    if have >= CONTEXT + HORIZON:
        return
    if have < CONTEXT:
        level, text = "warning", f"a context of {CONTEXT} needs {CONTEXT - have:,} more; shorten it"
    else:
        level, text = "info", f"replay with {CONTEXT} + {HORIZON} needs {CONTEXT + HORIZON - have:,} more"
    yield Finding(
        key="length",
        level="warning" if level == "warning" else "info",
        title="Few candles",
        text=f"The series has {have:,} candles of {interval_label(candles.interval)}: {text}, or load more history.",
        count=have,
    )
