"""Findings about prices and volume: flat and repeated candles, splits, outliers, tiny prices, missing volume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor.findings import Finding, rows_of, runs_of
from kronos_dashboard.markets.doctor.fixes import fix
from kronos_dashboard.markets.doctor.patterns import CONTEXT, flat_stretches, price_step, repeated, spikes, splits

__all__ = ["coarse_prices", "flat", "jumps", "micro_prices", "outliers", "repeats", "volume"]

_MICRO = 1e-4
_COARSE = 0.005
"""Smallest price step, of the price, from which prices are too coarse."""
_SOME = 0.02
"""Share of the candles from which flat ones and ones without volume are a warning."""


def flat(candles: CandleFrame) -> Iterator[Finding]:
    """Long stretches at one price."""
    found = flat_stretches(candles)
    if not found.any():
        return
    _, lengths = runs_of(found)
    idle = (candles.frame["volume"].to_numpy()[found] == 0).mean() if candles.has_volume else 0.0
    padded = " They have no volume: perhaps hours without trade were filled." if idle > 0.9 else ""
    loud = found.mean() > _SOME or bool(found[-CONTEXT:].any())
    yield Finding(
        key="flat",
        level="warning" if loud else "info",
        title="Flat stretches",
        text=f"{int(found.sum()):,} candles in {_stretches(len(lengths))} stay at one price, the longest for "
        f"{int(lengths.max()):,} candles.{padded} They make the series look calmer than the market is.",
        rows=rows_of(found),
        count=int(found.sum()),
        fixes=() if found.all() else (fix("drop-flat"),),
    )


def repeats(candles: CandleFrame) -> Iterator[Finding]:
    """Candles that are copies of the one before."""
    found = repeated(candles)
    if not found.any():
        return
    yield Finding(
        key="repeats",
        level="warning",
        title="Repeated candles",
        text=f"{int(found.sum()):,} candles are the same as the one before in every column. A market does not do that; "
        "the source repeated itself.",
        rows=rows_of(found),
        count=int(found.sum()),
        fixes=(fix("drop-repeats"),),
    )


def jumps(candles: CandleFrame) -> Iterator[Finding]:
    """Jumps that look like splits."""
    found = splits(candles)
    if not found:
        return
    times = candles.local_index
    named = "; ".join(
        f"{factor:g} for 1 at {times[row]:%Y-%m-%d}" if factor > 1 else f"1 for {1 / factor:g} at {times[row]:%Y-%m-%d}"
        for row, factor in found[:5]
    )
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    yield Finding(
        key="splits",
        level="warning",
        title="Looks like a split",
        text=f"Prices change level as they do at a split: {named}{more}. Over such a jump the model sees a crash or a "
        "rally that nobody had.",
        rows=tuple(row + 1 for row, _ in found),
        count=len(found),
        fixes=(fix("back-adjust"),),
    )


def outliers(candles: CandleFrame) -> Iterator[Finding]:
    """Spikes that are not seen again."""
    found = spikes(candles)
    if not found.any():
        return
    count = int(found.sum())
    yield Finding(
        key="outliers",
        level="warning" if found[-CONTEXT:].any() else "info",
        title="Outliers",
        text=f"{count:,} candle{'s leave their' if count > 1 else ' leaves its'} neighbours far behind and "
        f"{'are' if count > 1 else 'is'} not seen again: wrong ticks, or a moment without a market. One such price "
        "widens the scale on which the model sees the whole context.",
        rows=rows_of(found),
        count=count,
        fixes=(fix("clip-outliers"),),
    )


def coarse_prices(candles: CandleFrame) -> Iterator[Finding]:
    """Prices rounded so that the smallest step is a large move."""
    step = price_step(candles)
    share = step / float(candles.frame["close"].iloc[-1])
    if share <= _COARSE:
        return
    yield Finding(
        key="coarse",
        level="warning",
        title="Coarse prices",
        text=f"The smallest step between closes is {step:.4g}, {share:.1%} of the price: the source rounded it. "
        "Returns smaller than that are lost, and candles look flat or repeated. A source with more decimals helps.",
    )


def micro_prices(candles: CandleFrame) -> Iterator[Finding]:
    """Prices of which the usual number of decimals shows nothing."""
    low = float(candles.frame["close"].iloc[-CONTEXT:].median())
    if low >= _MICRO:
        return
    yield Finding(
        key="micro",
        level="info",
        title="Tiny prices",
        text=f"Prices are around {low:.3g}. This engine scales with them; the published code adds 0.00001 to their "
        "spread and would lose most of it. Look that the source gives enough decimals.",
    )


def volume(candles: CandleFrame) -> Iterator[Finding]:
    """Volume that is absent, always zero, or zero while prices moved."""
    if not candles.has_volume:
        yield Finding(
            key="volume",
            level="info",
            title="No volume",
            text="The series has no volume. The model is shown zeros, as it was trained for such series.",
        )
        return
    values = candles.frame["volume"].to_numpy()
    idle = values == 0
    moved = idle & (candles.frame["high"].to_numpy() > candles.frame["low"].to_numpy())
    if idle.all():
        yield Finding(
            key="volume",
            level="warning",
            title="No volume",
            text="Volume is zero in every candle: it is not known, rather than nothing.",
            count=len(values),
            fixes=(fix("drop-volume"),),
        )
    elif moved.any():
        share = float(moved[-CONTEXT:].mean())
        yield Finding(
            key="volume",
            level="warning" if share > _SOME else "info",
            title="Candles without volume",
            text=f"{int(moved.sum()):,} of {len(moved):,} candles moved without any volume, "
            f"{int(moved[-CONTEXT:].sum()):,} of them among the last {len(moved[-CONTEXT:]):,}. The source lost it.",
            rows=rows_of(moved),
            count=int(moved.sum()),
            fixes=(fix("drop-volume"),) if share > _SOME else (),
        )
    elif len(np.unique(values[-CONTEXT:])) == 1 and len(values) > 2:
        yield Finding(
            key="volume",
            level="warning",
            title="Constant volume",
            text=f"Volume is {values[-1]:g} in each of the last candles: it tells the model nothing.",
            count=len(values),
            fixes=(fix("drop-volume"),),
        )


def _stretches(count: int) -> str:
    return "one stretch" if count == 1 else f"{count:,} stretches"
