"""Candles to network inputs and back: columns, normalization, time features, repair and mirroring.

Conventions of the published weights: columns open, high, low, close, volume, amount; missing volume means zero volume
and amount; missing amount is volume x mean(open, high, low, close); z-scores over the context alone with the population
standard deviation + 1e-5, clipped to +-5. Everything is computed in float64 and returned in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.errors import InvalidCandlesError
from engine.forecast import COLUMNS
from engine.messages import msg

__all__ = [
    "MIRRORED_OHLC",
    "PRICES",
    "ZSCORE_CLIP",
    "NormalizationStats",
    "candle_values",
    "compute_stats",
    "enforce_ohlc_constraints",
    "interleave_mirror_images",
    "time_features",
]

ZSCORE_CLIP = 5.0
"""z-scores are clipped to +-ZSCORE_CLIP, as in training."""

PRICES = COLUMNS[:4]
EPSILON = 1e-5
_SMALL_STD = 1e-2
"""Below this standard deviation EPSILON would change a z-score by more than 0.1 %; it then shrinks with the data."""
_MIN_PRICE_FRACTION = 1e-3
"""Sampled prices of a series with positive prices stay above this fraction of the context's lowest low."""
_MAX_MIRROR_FACTOR = 10.0
"""A mirrored price is at most this many times the last close: the mirror image of a price near 0 has no bound."""
MIRRORED_OHLC = [0, 2, 1, 3]
"""Columns of a candle whose mirror images are its open, high, low, close: high and low change places."""


def candle_values(frame: pd.DataFrame, name: str = "frame") -> np.ndarray:
    """The six columns of ``frame`` as float64 [T, 6], volume and amount filled in where they are missing.

    A given amount is used as it is, also without a volume (which is then zero).

    Raises:
        InvalidCandlesError: a price column is missing, a value is not a finite number, or there are no rows.
    """
    missing = [column for column in PRICES if column not in frame.columns]
    if missing:
        raise InvalidCandlesError(
            msg(
                "{name} must have the columns open, high, low and close; missing: {missing}. Its columns: {columns}.",
                name=name,
                missing=", ".join(missing),
                columns=", ".join(map(str, frame.columns)) or msg("none"),
            )
        )
    if len(frame) == 0:
        raise InvalidCandlesError(msg("{name} has no rows; at least 1 candle is required.", name=name))
    given = [column for column in COLUMNS if column in frame.columns]
    twice = [column for column in given if (frame.columns == column).sum() > 1]
    if twice:
        raise InvalidCandlesError(
            msg(
                "{name} must have each column once; {column} is repeated. Drop the duplicates.",
                name=name,
                column=", ".join(twice),
            )
        )
    try:
        known = {column: frame[column].to_numpy(dtype=np.float64, copy=True) for column in given}
    except (TypeError, ValueError) as cause:
        raise InvalidCandlesError(
            msg(
                "{name} must have numbers in the columns {columns}: {cause}.",
                name=name,
                columns=", ".join(given),
                cause=cause,
            )
        ) from cause
    for column, values in known.items():
        _require_finite(values, column, frame.index, name)
    volume = known.get("volume", np.zeros(len(frame)))
    mean_price = sum(known[column] for column in PRICES) / 4
    amount = known.get("amount", volume * mean_price)
    return np.column_stack([*(known[column] for column in PRICES), volume, amount])


def _require_finite(values: np.ndarray, column: str, index: pd.Index, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InvalidCandlesError(
            msg(
                "{name} must have finite numbers; column {column} has {count} other values, the first at row "
                "{row} ({index}): {values}. Fill or remove those candles.",
                name=name,
                column=column,
                count=len(bad),
                row=bad[0],
                index=index[bad[0]],
                values=values[bad[0]],
            )
        )


@dataclass(frozen=True)
class NormalizationStats:
    """Mean and scale of a context per column, float64 [6] each."""

    mean: np.ndarray
    scale: np.ndarray

    def normalize(self, values: np.ndarray, clip: float = ZSCORE_CLIP) -> np.ndarray:
        """Z-scores float32 [..., 6], clipped to +-``clip``."""
        return np.clip((values - self.mean) / self.scale, -clip, clip).astype(np.float32)

    def denormalize(self, values: np.ndarray) -> np.ndarray:
        """Values in the series' own units, float64 [..., 6]."""
        return values.astype(np.float64) * self.scale + self.mean

    def max_abs_zscore(self, candle: np.ndarray) -> float:
        """Largest absolute z-score of the prices of one ``candle`` [6]."""
        return float(np.abs((candle[:4] - self.mean[:4]) / self.scale[:4]).max())


def compute_stats(values: np.ndarray, *, reference_compat: bool = False) -> NormalizationStats:
    """Statistics of context ``values`` float64 [T, 6].

    The scale is the population standard deviation + 1e-5. For columns that hardly move in absolute terms (a coin worth
    0.00001) that constant would drown the data; it then shrinks with the column's own magnitude, unless
    ``reference_compat`` asks for the reference's numbers.
    """
    constant = values.max(axis=0) == values.min(axis=0)
    mean = np.where(constant, values[0], values.mean(axis=0))
    std = np.where(constant, 0.0, values.std(axis=0))
    epsilon = np.full_like(std, EPSILON)
    if not reference_compat:
        small = (std > 0) & (std < _SMALL_STD)
        epsilon[small] = EPSILON * 10.0 ** np.floor(np.log10(std[small]))
        is_flat = constant & (mean != 0)
        epsilon[is_flat] = EPSILON * np.minimum(1.0, np.abs(mean[is_flat]))
    return NormalizationStats(mean, std + epsilon)


def time_features(index: pd.DatetimeIndex) -> np.ndarray:
    """Minute, hour, weekday (Monday 0), day and month of each bar time, as the index shows them; int64 [T, 5]."""
    parts = (index.minute, index.hour, index.day_of_week, index.day, index.month)
    return np.column_stack([np.asarray(part, dtype=np.int64) for part in parts])


def enforce_ohlc_constraints(paths: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, float]:
    """Repair sampled candles: high and low enclose open and close, volume and amount are not negative.

    Prices of a positive series are raised to at least 0.1 % of the context's lowest low. A series without volume, or
    without amount, has none in its future either; that does not count as a repair.

    Args:
        paths: float64 [N, H, 6], in the series' own units.
        context: float64 [T, 6], the candles they follow.

    Returns:
        The candles float32 [N, H, 6], and the fraction of them that had to change.
    """
    largest = float(np.finfo(np.float32).max)
    repaired = np.clip(paths, -largest, largest).astype(np.float32)
    prices, traded = repaired[..., :4], repaired[..., 4:]
    traded[..., ~context[:, 4:].any(axis=0)] = 0.0
    before = repaired.copy()
    lowest = float(context[:, :4].min())
    if lowest > 0:
        np.maximum(prices, np.float32(lowest * _MIN_PRICE_FRACTION), out=prices)
    repaired[..., 1] = prices.max(axis=-1)
    repaired[..., 2] = prices.min(axis=-1)
    np.maximum(traded, 0.0, out=traded)
    changed = (repaired != before).any(axis=-1)
    return repaired, float(changed.mean())


def interleave_mirror_images(paths: np.ndarray, last_close: float) -> np.ndarray:
    """Antithetic pairs: each path, followed by its own mirror image about the last close.

    Antithetic variates (Hammersley and Morton 1956): the mean log-return of each pair is zero, so the pairs have no
    direction of their own. A price that rose by a factor falls by it and vice versa, up to ten times the last close; if
    the last close is not positive, by the difference instead of the factor. Amount scales with the mean price, volume
    stays.

    Args:
        paths: valid candles float32 [M, H, 6].
        last_close: in the same units.

    Returns:
        Valid candles float32 [2 * M, H, 6].
    """
    center = float(np.float32(last_close))  # as the paths hold it, so that an unchanged price is its own mirror image
    pairs = np.repeat(paths, 2, axis=0)
    prices = paths[..., MIRRORED_OHLC].astype(np.float64)  # [M, H, 4]
    if center > 0:
        min_price = center / _MAX_MIRROR_FACTOR
        images = center**2 / np.maximum(prices, min_price)
        pairs[1::2, :, 5] *= images.mean(axis=-1) / np.maximum(prices.mean(axis=-1), min_price)
    else:
        images = 2 * center - prices
    pairs[1::2, :, :4] = images
    return pairs
