"""Checks of prices and volume: flat and repeated candles, splits, outliers, tiny prices, missing volume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor.findings import Finding, find_runs, row_numbers
from kronos_dashboard.markets.doctor.fixes import get_fix
from kronos_dashboard.markets.doctor.patterns import (
    find_duplicates,
    find_flat_stretches,
    find_spikes,
    find_splits,
    price_step,
)
from kronos_dashboard.messages import Message, join_messages, msg, nmsg, sentences
from kronos_dashboard.settings import DEFAULT_CONTEXT

__all__ = [
    "check_coarse_prices",
    "check_duplicates",
    "check_flat",
    "check_outliers",
    "check_splits",
    "check_tiny_prices",
    "check_volume",
]

_TINY_PRICE = 1e-4
"""Price below which the epsilon of the published code (1e-5, added to the standard deviation) distorts z-scores."""
_COARSE_STEP = 0.005
"""Smallest price step, as a fraction of the price, from which prices are too coarse: beyond a typical hourly return."""
_WARNING_FRACTION = 0.02
"""Fraction of the candles from which flat candles, or candles without volume, are a warning."""


def check_flat(candles: CandleFrame) -> Iterator[Finding]:
    """Long stretches stay at one price."""
    mask = find_flat_stretches(candles)
    if not mask.any():
        return
    _, lengths = find_runs(mask)
    idle = (candles.frame["volume"].to_numpy()[mask] == 0).mean() if candles.has_volume else 0.0
    is_warning = mask.mean() > _WARNING_FRACTION or bool(mask[-DEFAULT_CONTEXT:].any())
    yield Finding(
        key="flat",
        level="warning" if is_warning else "info",
        title=msg("Flat periods"),
        text=sentences(
            msg(
                "{count:,} candles in {stretches} have an unchanged price; the longest lasts {longest:,} candles.",
                count=int(mask.sum()),
                stretches=nmsg("one period", "{n:,} periods", len(lengths)),
                longest=int(lengths.max()),
            ),
            msg("They have no volume: hours without trading may have been filled in.") if idle > 0.9 else "",
            msg("They make the series look less volatile than the market."),
        ),
        rows=row_numbers(mask),
        count=int(mask.sum()),
        fixes=() if mask.all() else (get_fix("drop-flat"),),
    )


def check_duplicates(candles: CandleFrame) -> Iterator[Finding]:
    """Candles repeat the previous one."""
    mask = find_duplicates(candles)
    if not mask.any():
        return
    yield Finding(
        key="repeats",
        level="warning",
        title=msg("Duplicate candles"),
        text=msg(
            "{count:,} candles equal the previous one in every column. Markets do not do that; the source "
            "repeated data.",
            count=int(mask.sum()),
        ),
        rows=row_numbers(mask),
        count=int(mask.sum()),
        fixes=(get_fix("drop-duplicates"),),
    )


def check_splits(candles: CandleFrame) -> Iterator[Finding]:
    """Prices jump as they do at a split."""
    splits = find_splits(candles)
    if not splits:
        return
    times = candles.local_index
    named = join_messages([_describe_split(factor, times[row]) for row, factor in splits[:5]], "{left}; {right}")
    if len(splits) > 5:
        named = msg("{named} and {count} more", named=named, count=len(splits) - 5)
    yield Finding(
        key="splits",
        level="warning",
        title=msg("Possible split"),
        text=msg(
            "The price level changes as in a split: {named}. The model would see a crash or a rally that never "
            "happened.",
            named=named,
        ),
        rows=tuple(row + 1 for row, _ in splits),
        count=len(splits),
        fixes=(get_fix("back-adjust"),),
    )


def check_outliers(candles: CandleFrame) -> Iterator[Finding]:
    """Prices spike and revert at once."""
    mask = find_spikes(candles)
    if not mask.any():
        return
    count = int(mask.sum())
    yield Finding(
        key="outliers",
        level="warning" if mask[-DEFAULT_CONTEXT:].any() else "info",
        title=msg("Outliers"),
        text=nmsg(
            "{n:,} candle is far from its neighbors, at a price that does not recur: a bad tick, or a moment "
            "without a market. A single such price widens the scale on which the model sees the whole context.",
            "{n:,} candles are far from their neighbors, at prices that do not recur: bad ticks, or moments "
            "without a market. A single such price widens the scale on which the model sees the whole context.",
            count,
        ),
        rows=row_numbers(mask),
        count=count,
        fixes=(get_fix("clip-outliers"),),
    )


def check_coarse_prices(candles: CandleFrame) -> Iterator[Finding]:
    """Prices are rounded so that the smallest step is a large move."""
    step = price_step(candles)
    fraction = step / float(candles.frame["close"].iloc[-1])
    if fraction <= _COARSE_STEP:
        return
    yield Finding(
        key="coarse",
        level="warning",
        title=msg("Low price precision"),
        text=msg(
            "The smallest step between closes is {step:.4g}, {share:.1%} of the price: the source rounded it. "
            "Smaller returns are lost, and candles look flat or duplicated. Use a source with more decimals.",
            step=step,
            share=fraction,
        ),
    )


def check_tiny_prices(candles: CandleFrame) -> Iterator[Finding]:
    """Prices are too small for common numbers of decimals."""
    low = float(candles.frame["close"].iloc[-DEFAULT_CONTEXT:].median())
    if low >= _TINY_PRICE:
        return
    yield Finding(
        key="micro",
        level="info",
        title=msg("Very small prices"),
        text=msg(
            "Prices are around {low:.3g}. This engine scales with them; the published code adds 0.00001 to "
            "their standard deviation and would lose most of it. Make sure the source provides enough decimals.",
            low=low,
        ),
    )


def check_volume(candles: CandleFrame) -> Iterator[Finding]:
    """Volume is unknown, constant, or zero while prices moved."""
    if not candles.has_volume:
        yield Finding(
            key="volume",
            level="info",
            title=msg("No volume"),
            text=msg("The series has no volume. The model gets zeros, as in training for such series."),
        )
        return
    values = candles.frame["volume"].to_numpy()
    idle = values == 0
    moved = idle & (candles.frame["high"].to_numpy() > candles.frame["low"].to_numpy())
    if idle.all():
        yield Finding(
            key="volume",
            level="warning",
            title=msg("No volume"),
            text=msg("Volume is zero in every candle, which means unknown rather than none."),
            count=len(values),
            fixes=(get_fix("drop-volume"),),
        )
    elif moved.any():
        fraction = float(moved[-DEFAULT_CONTEXT:].mean())
        yield Finding(
            key="volume",
            level="warning" if fraction > _WARNING_FRACTION else "info",
            title=msg("Candles without volume"),
            text=msg(
                "{moved:,} of {count:,} candles moved without any volume, {recent:,} of them among the last "
                "{last:,}. The source is missing their volume.",
                moved=int(moved.sum()),
                count=len(moved),
                recent=int(moved[-DEFAULT_CONTEXT:].sum()),
                last=len(moved[-DEFAULT_CONTEXT:]),
            ),
            rows=row_numbers(moved),
            count=int(moved.sum()),
            fixes=(get_fix("drop-volume"),) if fraction > _WARNING_FRACTION else (),
        )
    elif len(np.unique(values[-DEFAULT_CONTEXT:])) == 1 and len(values) > 2:
        yield Finding(
            key="volume",
            level="warning",
            title=msg("Constant volume"),
            text=msg(
                "Volume is {value:g} in each of the last candles, so it tells the model nothing.", value=values[-1]
            ),
            count=len(values),
            fixes=(get_fix("drop-volume"),),
        )


def _describe_split(factor: float, time: pd.Timestamp) -> Message:
    if factor > 1:
        return msg("{factor:g}-for-1 on {time:%Y-%m-%d}", factor=factor, time=time)
    return msg("1-for-{factor:g} on {time:%Y-%m-%d}", factor=1 / factor, time=time)
