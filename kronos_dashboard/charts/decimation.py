"""Many candles as few: a bucket of neighbours is one real candle of a longer interval.

Buckets are counted from the first candle of the series and hold 1, 2, 5, 10, 20, ... candles, so that they stay the
same when the view moves. Shapes: n candles, m buckets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["Buckets", "decimate", "size_for"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Buckets:
    """m candles, each of ``size`` neighbours (the last one may hold fewer)."""

    size: int
    first: np.ndarray
    """int [m], row of the first candle of each."""
    last: np.ndarray
    """int [m], row of the last."""
    values: dict[str, np.ndarray]
    """open, high, low, close, volume: float64 [m]."""

    @property
    def middle(self) -> np.ndarray:
        """float64 [m], where a bucket stands on an axis that counts candles."""
        return (self.first + self.last) / 2


def size_for(candles: float, most: int) -> int:
    """The least bucket size that leaves at most ``most`` buckets of that many candles."""
    wanted = max(1.0, candles / most)
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= wanted:
                return step * power
        power *= 10


def decimate(candles: CandleFrame, start: int, stop: int, size: int) -> Buckets:
    """The buckets that hold rows ``start`` (from 0) up to but not including ``stop``; they may reach a bit further."""
    begin = max(0, start) // size * size
    end = min(len(candles), -(-stop // size) * size)
    first = np.arange(begin, max(end, begin + 1), size)
    last = np.minimum(first + size, max(end, begin + 1)) - 1
    part = {name: candles.frame[name].to_numpy()[begin:end] for name in ("open", "high", "low", "close", "volume")}
    cuts = first - begin
    values = {
        "open": part["open"][cuts],
        "high": np.maximum.reduceat(part["high"], cuts),
        "low": np.minimum.reduceat(part["low"], cuts),
        "close": part["close"][last - begin],
        "volume": np.add.reduceat(part["volume"], cuts),
    }
    return Buckets(size=size, first=first, last=last, values=values)
