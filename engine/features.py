"""Candles to what the networks read, and back: columns, statistics, normalisation, time features.

Conventions of the published weights: columns open, high, low, close, volume, amount; missing volume means zero volume
and amount; missing amount is volume x mean(open, high, low, close); z-scores over the context alone with the population
standard deviation + 1e-5, clipped to +-5. Everything is computed in float64 and handed over in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.errors import CandlesError
from engine.forecast import COLUMNS

__all__ = ["CLIP", "PRICES", "TURNED", "Statistics", "candle_values", "mirror", "repair", "statistics", "time_features"]

CLIP = 5.0
"""Normalised values are cut to +-CLIP, as the weights were trained."""

PRICES = COLUMNS[:4]
EPSILON = 1e-5
_SMALL_STD = 1e-2
"""Below this standard deviation EPSILON would move a z-score by more than 0.1 %; it then shrinks with the data."""
_PRICE_FLOOR = 1e-3
"""Sampled prices of a series with positive prices stay above this fraction of the context's lowest low."""
_MOST_RISE = 10.0
"""A mirrored price is at most this many times the last close."""
TURNED = [0, 2, 1, 3]
"""Open, high, low, close of a candle that goes the other way, in terms of those of one that does not."""


def candle_values(frame: pd.DataFrame, name: str = "frame") -> np.ndarray:
    """The six columns of ``frame`` as float64 [T, 6], volume and amount filled in where they are missing.

    A given amount is kept; one without a volume too (volume is then zero).

    Raises:
        CandlesError: a price column is missing, a value is not a finite number, or there are no rows.
    """
    missing = [column for column in PRICES if column not in frame.columns]
    if missing:
        raise CandlesError(
            f"{name} must have the columns open, high, low and close; missing: {', '.join(missing)}. "
            f"It has: {', '.join(map(str, frame.columns)) or 'none'}."
        )
    if len(frame) == 0:
        raise CandlesError(f"{name} has no rows; at least one candle is needed.")
    given = [column for column in COLUMNS if column in frame.columns]
    twice = [column for column in given if (frame.columns == column).sum() > 1]
    if twice:
        raise CandlesError(
            f"{name} must have each column once; {', '.join(twice)} comes more than once. Drop the others."
        )
    try:
        known = {column: frame[column].to_numpy(dtype=np.float64, copy=True) for column in given}
    except (TypeError, ValueError) as cause:
        raise CandlesError(f"{name} must hold numbers in {', '.join(given)}: {cause}.") from cause
    for column, values in known.items():
        _require_finite(values, column, frame.index, name)
    volume = known.get("volume", np.zeros(len(frame)))
    mean_price = sum(known[column] for column in PRICES) / 4
    amount = known.get("amount", volume * mean_price)
    return np.column_stack([*(known[column] for column in PRICES), volume, amount])


def _require_finite(values: np.ndarray, column: str, index: pd.Index, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise CandlesError(
            f"{name} must hold finite numbers; column {column} has {len(bad)} that are not, the first at row {bad[0]} "
            f"({index[bad[0]]}): {values[bad[0]]}. Fill or remove those candles."
        )


@dataclass(frozen=True)
class Statistics:
    """Mean and scale of a context per column, float64 [6] each."""

    mean: np.ndarray
    scale: np.ndarray

    def normalise(self, values: np.ndarray, clip: float = CLIP) -> np.ndarray:
        """Z-scores float32 [..., 6], clipped to +-``clip``."""
        return np.clip((values - self.mean) / self.scale, -clip, clip).astype(np.float32)

    def denormalise(self, values: np.ndarray) -> np.ndarray:
        """Back to the series' own units, float64 [..., 6]."""
        return values.astype(np.float64) * self.scale + self.mean

    def distance(self, candle: np.ndarray) -> float:
        """How many standard deviations the prices of one ``candle`` [6] lie from the mean, at most."""
        return float(np.abs((candle[:4] - self.mean[:4]) / self.scale[:4]).max())


def statistics(values: np.ndarray, *, as_published: bool = False) -> Statistics:
    """Statistics of context ``values`` float64 [T, 6].

    The scale is the population standard deviation + 1e-5. For columns that hardly move in absolute terms (a coin worth
    0.00001) that constant would drown the data; it then shrinks with the column's own magnitude, unless
    ``as_published`` asks for the reference's numbers.
    """
    constant = values.max(axis=0) == values.min(axis=0)
    mean = np.where(constant, values[0], values.mean(axis=0))
    std = np.where(constant, 0.0, values.std(axis=0))
    epsilon = np.full_like(std, EPSILON)
    if not as_published:
        small = (std > 0) & (std < _SMALL_STD)
        epsilon[small] = EPSILON * 10.0 ** np.floor(np.log10(std[small]))
        still = constant & (mean != 0)
        epsilon[still] = EPSILON * np.minimum(1.0, np.abs(mean[still]))
    return Statistics(mean, std + epsilon)


def time_features(index: pd.DatetimeIndex) -> np.ndarray:
    """Minute, hour, weekday (Monday 0), day and month of each bar time, as the index shows them; int64 [T, 5]."""
    parts = (index.minute, index.hour, index.day_of_week, index.day, index.month)
    return np.column_stack([np.asarray(part, dtype=np.int64) for part in parts])


def repair(paths: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, float]:
    """Make sampled candles possible: high and low enclose open and close, volume and amount are not negative.

    Prices that a positive series could not have are raised to 0.1 % of the context's lowest low. A series that has no
    volume, or no amount, has none in its future either; that counts as no change.

    Args:
        paths: float64 [N, H, 6], in the series' own units.
        context: float64 [T, 6], the candles they follow.

    Returns:
        The candles float32 [N, H, 6], and the fraction of them that had to change.
    """
    largest = float(np.finfo(np.float32).max)
    mended = np.clip(paths, -largest, largest).astype(np.float32)
    prices, traded = mended[..., :4], mended[..., 4:]
    traded[..., ~context[:, 4:].any(axis=0)] = 0.0
    before = mended.copy()
    lowest = float(context[:, :4].min())
    if lowest > 0:
        np.maximum(prices, np.float32(lowest * _PRICE_FLOOR), out=prices)
    mended[..., 1] = prices.max(axis=-1)
    mended[..., 2] = prices.min(axis=-1)
    np.maximum(traded, 0.0, out=traded)
    changed = (mended != before).any(axis=-1)
    return mended, float(changed.mean())


def mirror(paths: np.ndarray, last_close: float) -> np.ndarray:
    """Sampled candles with every second path, the second first, turned upside down at the last close.

    A price that had risen by a factor has fallen by it, and one that had fallen has risen, at most to ten times (where
    the last close is not positive: by as much, not by a factor). Amount goes with the mean price, volume stays.

    Args:
        paths: possible candles float32 [N, H, 6].
        last_close: in the same units.

    Returns:
        Possible candles float32 [N, H, 6].
    """
    turned = paths.copy()
    prices = paths[1::2, :, TURNED].astype(np.float64)
    if last_close > 0:
        other = last_close**2 / np.maximum(prices, last_close / _MOST_RISE)
        turned[1::2, :, 5] *= other.mean(axis=-1) / np.maximum(prices.mean(axis=-1), last_close / _MOST_RISE)
    else:
        other = 2 * last_close - prices
    turned[1::2, :, :4] = other
    return turned
