"""Recognize open, high, low, close and volume by their values: the high is the maximum of a row, the low its minimum.

Shapes: n sampled rows; a set of prices is four columns, float64 [n] each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

__all__ = [
    "PriceSet",
    "find_price_sets",
    "finite_median",
    "infer_open_close_order",
    "ohlc_fit_fraction",
    "split_volume",
]

_MAX_SPREAD = 1.0
"""Largest median of (max - min) / mean over the four prices of a row; higher in columns of different kinds."""
_MIN_FIT = 0.97
"""Fraction of rows in which one column must be the maximum or minimum; the rest are errors of the source."""
_MIN_ROWS = 3
"""Fewer rows fit too many assignments."""
_MIN_ROWS_FOR_AUTOCORRELATION, _MAX_AUTOCORRELATION = 24, 0.6
"""Rows below which an autocorrelation is noise (standard error 0.2 at 24 rows), and the largest value for the position
of a price within its bar; moving averages reach 0.9."""


@dataclass(frozen=True, kw_only=True)
class PriceSet:
    """Four columns that can be open, high, low and close."""

    columns: dict[str, int]
    is_certain: bool
    """False when open and close (or all four) were assigned by their customary order alone."""
    spread: float
    """Median of (max - min) / mean over the rows."""


def ohlc_fit_fraction(opens: np.ndarray, highs: np.ndarray, lows: np.ndarray, closes: np.ndarray) -> float:
    """Fraction of rows with four positive prices whose high and low enclose the others; NaN without such rows."""
    rows = np.stack([opens, highs, lows, closes])
    rows = rows[:, (np.isfinite(rows) & (rows > 0)).all(axis=0)]
    if rows.shape[1] == 0:
        return float("nan")
    top, bottom = rows.max(axis=0), rows.min(axis=0)
    return float(((rows[1] >= top * (1 - 1e-6)) & (rows[2] <= bottom * (1 + 1e-6))).mean())


def finite_median(values: np.ndarray) -> float:
    """The median of the finite values; NaN when there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def find_price_sets(values: Mapping[int, np.ndarray], order: np.ndarray, *, adjacent: bool = True) -> list[PriceSet]:
    """Sets of four columns that can be the prices of candles, the narrowest first.

    Args:
        values: column -> float64 [n].
        order: int [n], the rows in order of time.
        adjacent: whether only neighboring columns are tried, as is usual without a header.
    """
    usable = [i for i in sorted(values) if np.isfinite(values[i]).sum() >= _MIN_ROWS and finite_median(values[i]) > 0]
    neighbours = [tuple(usable[i : i + 4]) for i in range(len(usable) - 3)]
    candidates: Sequence[tuple[int, ...]] = neighbours if adjacent else list(combinations(usable[:12], 4))
    sets = [price_set for four in candidates if (price_set := _match_price_set(four, values, order)) is not None]
    closest = min((s.spread for s in sets), default=0.0)
    return sorted(sets, key=lambda s: (s.spread > 2 * closest + 5e-4, min(s.columns.values()), s.spread))


def _match_price_set(four: tuple[int, ...], values: Mapping[int, np.ndarray], order: np.ndarray) -> PriceSet | None:
    """Assign four columns to open, high, low and close; None when no assignment fits."""
    rows = np.stack([values[i] for i in four])[:, order]
    rows = rows[:, (np.isfinite(rows) & (rows > 0)).all(axis=0)]
    if rows.shape[1] < min(_MIN_ROWS, len(order)):
        return None
    top, bottom = rows.max(axis=0), rows.min(axis=0)
    spread = float(np.median((top - bottom) / rows.mean(axis=0)))
    if spread > _MAX_SPREAD:
        return None
    is_top = (rows >= top * (1 - 1e-6)).mean(axis=1)
    is_bottom = (rows <= bottom * (1 + 1e-6)).mean(axis=1)
    if (top <= bottom * (1 + 1e-9)).all():
        return PriceSet(
            columns=dict(zip(("open", "high", "low", "close"), four, strict=True)), is_certain=False, spread=0.0
        )
    highs = [i for i in range(4) if is_top[i] >= _MIN_FIT]
    lows = [i for i in range(4) if is_bottom[i] >= _MIN_FIT]
    if not highs or not lows:
        return None
    standard = (1, 2)
    high, low = standard if standard[0] in highs and standard[1] in lows else (highs[0], lows[0])
    if high == low:
        return None
    is_unique = len(highs) == 1 and len(lows) == 1
    first, second = [i for i in range(4) if i not in (high, low)]
    if _are_separate_series(rows, top, bottom):
        return None
    first_is_open, is_certain = infer_open_close_order(rows[first], rows[second])
    opens, closes = (first, second) if first_is_open else (second, first)
    columns = {"open": four[opens], "high": four[high], "low": four[low], "close": four[closes]}
    return PriceSet(columns=columns, is_certain=is_unique and is_certain, spread=spread)


def _are_separate_series(rows: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> bool:
    """Whether four columns [4, n] keep their position within the range of the row, as separate series do.

    A close is near the high in one row and near the low in the next; averages, or the prices of four stocks, hardly
    move.
    """
    if rows.shape[1] < _MIN_ROWS_FOR_AUTOCORRELATION:
        return False
    with np.errstate(invalid="ignore", divide="ignore"):
        positions = np.nan_to_num((rows - bottom) / (top - bottom), nan=0.5)
    varying = [position for position in positions if position.std() > 1e-9]
    if len(varying) < 2:
        return False
    autocorrelations = [float(np.corrcoef(position[:-1], position[1:])[0, 1]) for position in varying]
    return sum(value > _MAX_AUTOCORRELATION for value in autocorrelations) >= 2


def infer_open_close_order(first: np.ndarray, second: np.ndarray) -> tuple[bool, bool]:
    """Whether ``first`` [n] is the open and ``second`` the close (rows oldest first), and whether that is certain.

    A market opens near its last close, so the right order has the smaller jumps from close to open.
    """
    if len(first) < _MIN_ROWS or (first == second).all():
        return True, False
    scale = np.abs(second - first) + 1e-12
    jumps = np.minimum(np.abs(first[1:] - second[:-1]), 10 * scale[1:] + scale[:-1])
    reverse_jumps = np.minimum(np.abs(second[1:] - first[:-1]), 10 * scale[1:] + scale[:-1])
    forward, backward = float(jumps.mean()), float(reverse_jumps.mean())
    if forward <= backward * 0.9:
        return True, True
    if backward <= forward * 0.6:
        return False, backward <= forward * 0.5 and len(first) >= 10
    return True, False


def split_volume(
    candidates: Sequence[int], values: Mapping[int, np.ndarray], close: np.ndarray
) -> tuple[int | None, int | None]:
    """The volume and the amount among columns that may be either (most likely volume first): (volume, amount).

    The amount is about volume times price; columns of zeros and blanks come last.
    """
    used = [i for i in candidates if np.nansum(np.abs(values[i])) > 0]
    used = [i for i in used if not any(j != i and _is_cumulative(values[i], values[j]) for j in used)] or used
    if not used:
        return (candidates[0] if candidates else None), None
    for volume in used:
        for amount in used:
            if amount != volume and _is_price_times_volume(values[amount], values[volume] * close):
                return volume, amount
    return used[0], None


def _is_cumulative(total: np.ndarray, part: np.ndarray) -> bool:
    """Whether a column is the running total of another."""
    if len(total) < _MIN_ROWS:
        return False
    steps = np.diff(total)
    return any(
        bool((np.isclose(step, value, rtol=1e-9) & (value > 0)).mean() > 0.8)
        for step, value in ((steps, part[1:]), (-steps, part[:-1]))
    )


def _is_price_times_volume(amount: np.ndarray, product: np.ndarray) -> bool:
    """Whether a column is about volume times price, in the median row."""
    usable = np.isfinite(amount) & np.isfinite(product) & (product > 0) & (amount > 0)
    if usable.sum() < 2:
        return False
    return bool(0.7 < float(np.median(amount[usable] / product[usable])) < 1.4)
