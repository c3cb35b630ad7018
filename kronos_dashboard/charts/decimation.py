"""Decimation of candles: a bucket of adjacent candles is drawn as one candle of a longer interval.

Buckets start at multiples of their size, which is 1, 2, 5, 10, 20, ... candles; so they stay the same when the view
moves. Shapes: m buckets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["Buckets", "bucket_size", "decimate"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Buckets:
    """m candles, each made of ``size`` adjacent ones (the last one possibly of fewer)."""

    size: int
    first: np.ndarray
    """int [m], row of the first candle of each bucket."""
    last: np.ndarray
    """int [m], row of its last candle."""
    values: dict[str, np.ndarray]
    """open, high, low, close, volume: float64 [m]."""

    @property
    def middle(self) -> np.ndarray:
        """float64 [m], position of each bucket on an axis that counts candles."""
        return (self.first + self.last) / 2


def bucket_size(num_candles: float, max_buckets: int) -> int:
    """The smallest size that divides ``num_candles`` into at most ``max_buckets`` buckets."""
    min_size = max(1.0, num_candles / max_buckets)
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= min_size:
                return step * power
        power *= 10


def decimate(candles: CandleFrame, start: int, stop: int, size: int) -> Buckets:
    """The buckets that contain the rows from ``start`` to before ``stop``; the outer ones may contain more rows."""
    begin = max(0, start) // size * size
    end = min(len(candles), -(-stop // size) * size)
    first = np.arange(begin, max(end, begin + 1), size)
    last = np.minimum(first + size, max(end, begin + 1)) - 1
    columns = {name: candles.frame[name].to_numpy()[begin:end] for name in ("open", "high", "low", "close", "volume")}
    starts = first - begin  # [m], in ``columns``
    values = {
        "open": columns["open"][starts],
        "high": np.maximum.reduceat(columns["high"], starts),
        "low": np.minimum.reduceat(columns["low"], starts),
        "close": columns["close"][last - begin],
        "volume": np.add.reduceat(columns["volume"], starts),
    }
    return Buckets(size=size, first=first, last=last, values=values)
