"""Checks of the end of a series, where a forecast begins: incomplete or old bars, clipping, too few candles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from engine.features import ZSCORE_CLIP, compute_stats
from kronos_dashboard.markets.calendars import Detection
from kronos_dashboard.markets.calendars.timezones import to_seconds
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor.findings import Finding, row_numbers
from kronos_dashboard.markets.doctor.fixes import get_fix
from kronos_dashboard.markets.doctor.patterns import count_incomplete_bars
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.messages import Message, msg, sentences
from kronos_dashboard.settings import DEFAULT_CONTEXT, DEFAULT_HORIZON

__all__ = ["check_clipping", "check_incomplete_bar", "check_length", "check_staleness"]

_SHORTER_CONTEXTS = (256, 128, 64, 32)
"""Contexts to suggest, longest first."""
_STALE_BARS = 3
"""Bars after the last candle up to which a series is current: the one that forms, and the delay of a feed."""
_MAX_COUNTED = 5_000
"""Intervals after the last candle in which bars are counted: beyond, the exact number is of no interest."""


def check_incomplete_bar(
    candles: CandleFrame, detection: Detection, now: pd.Timestamp | None, calendar: str
) -> Iterator[Finding]:
    """The last bar had not closed."""
    if now is None or candles.index[-1] > now + candles.interval:
        return
    count = count_incomplete_bars(candles, now, detection)
    if not count:
        return
    mask = np.zeros(len(candles), dtype=bool)
    mask[-count:] = True
    yield Finding(
        key="forming",
        level="warning",
        title=msg("Last bar is incomplete"),
        text=msg(
            "The candle of {time:%Y-%m-%d %H:%M} had not closed by {now:%Y-%m-%d %H:%M} UTC: its high, low, "
            "close and volume are not final, but the model would treat it as complete.",
            time=candles.local_index[-1],
            now=now,
        ),
        rows=row_numbers(mask),
        count=count,
        fixes=(get_fix("drop-incomplete", now=now, calendar=calendar),),
    )


def check_staleness(candles: CandleFrame, detection: Detection, now: pd.Timestamp | None) -> Iterator[Finding]:
    """Bars have opened since the last candle."""
    if now is None or now <= candles.index[-1]:
        return
    last, moment = int(to_seconds(candles.index)[-1]), int(now.timestamp())
    limit = last + _MAX_COUNTED * int(candles.interval.total_seconds())
    opened = len(detection.fit.expected_timestamps(last, min(moment, limit), 3))
    if opened <= _STALE_BARS:
        return
    yield Finding(
        key="stale",
        level="info",
        title=msg("Data is stale"),
        text=msg(
            "The last candle is from {time:%Y-%m-%d %H:%M}; {opened} bars have opened since. A live forecast "
            "would cover a period that has already passed; historical forecasts are not affected.",
            time=candles.local_index[-1],
            opened=f"{opened:,}" if moment <= limit else msg("more than {count:,}", count=opened),
        ),
        count=opened,
    )


def check_clipping(candles: CandleFrame) -> Iterator[Finding]:
    """The last candle is so far from the mean of its context that the model's input is clipped."""
    values = candles.frame.to_numpy()
    context = values[-DEFAULT_CONTEXT:]
    if len(context) < 2:
        return
    distance = compute_stats(context).max_abs_zscore(context[-1])
    if distance <= ZSCORE_CLIP:
        return
    yield Finding(
        key="clip",
        level="warning",
        title=msg("Last candle is out of range"),
        text=sentences(
            msg(
                "The last candle is {distance:.1f} standard deviations from the mean of the last {count} "
                "candles. The model's input is clipped at {most:g}: the forecast would start from a different "
                "price, with a jump.",
                distance=distance,
                count=len(context),
                most=ZSCORE_CLIP,
            ),
            _shorter_context(values),
        ),
        rows=(len(candles),),
        count=1,
    )


def _shorter_context(values: np.ndarray) -> Message:
    for size in _SHORTER_CONTEXTS:
        if size < len(values) and compute_stats(values[-size:]).max_abs_zscore(values[-1]) <= ZSCORE_CLIP:
            return msg("It is in range with a context of {size} candles.", size=size)
    return msg("Wait for a few more candles, or read the forecast relative to its first bar.")


def check_length(candles: CandleFrame) -> Iterator[Finding]:
    """Too few candles for the default window."""
    num_candles = len(candles)
    if num_candles >= DEFAULT_CONTEXT + DEFAULT_HORIZON:
        return
    is_short = num_candles < DEFAULT_CONTEXT
    if is_short:
        text = msg(
            "The series has {have:,} {interval} candles: a context of {context} needs {more:,} more. Shorten "
            "the context or load more history.",
            have=num_candles,
            interval=interval_label(candles.interval),
            context=DEFAULT_CONTEXT,
            more=DEFAULT_CONTEXT - num_candles,
        )
    else:
        text = msg(
            "The series has {have:,} {interval} candles: a historical forecast with {context} + {horizon} "
            "needs {more:,} more. Shorten the window or load more history.",
            have=num_candles,
            interval=interval_label(candles.interval),
            context=DEFAULT_CONTEXT,
            horizon=DEFAULT_HORIZON,
            more=DEFAULT_CONTEXT + DEFAULT_HORIZON - num_candles,
        )
    yield Finding(
        key="length",
        level="warning" if is_short else "info",
        title=msg("Too few candles"),
        text=text,
        count=num_candles,
    )
