"""Open, high, low, close and volume told from the values alone: the high is the row's maximum, the low its minimum.

Shapes: n sampled rows; a set of prices is four columns, float64 [n] each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

__all__ = ["PriceSet", "fits", "middle", "order_of", "price_sets", "split_volume"]

_MOST_SPREAD = 1.0
"""Four prices of a candle differ by less than this, relative to their mean (in the median row)."""
_FITTING = 0.97
_ENOUGH = 3
_LONG, _STEADY = 24, 0.6


@dataclass(frozen=True, kw_only=True)
class PriceSet:
    """Which columns are open, high, low and close, and how sure that is."""

    columns: dict[str, int]
    sure: bool
    """False: open and close (or all four) could be told apart by their usual order alone."""
    spread: float


def fits(opens: np.ndarray, highs: np.ndarray, lows: np.ndarray, closes: np.ndarray) -> float:
    """Share of the rows with four positive prices in which high and low enclose the others; nan when there are none."""
    rows = np.stack([opens, highs, lows, closes])
    rows = rows[:, (np.isfinite(rows) & (rows > 0)).all(axis=0)]
    if rows.shape[1] == 0:
        return float("nan")
    top, bottom = rows.max(axis=0), rows.min(axis=0)
    return float(((rows[1] >= top * (1 - 1e-6)) & (rows[2] <= bottom * (1 + 1e-6))).mean())


def middle(values: np.ndarray) -> float:
    """The median of the finite values; nan when there are none."""
    good = values[np.isfinite(values)]
    return float(np.median(good)) if len(good) else float("nan")


def price_sets(values: Mapping[int, np.ndarray], order: np.ndarray, *, adjacent: bool = True) -> list[PriceSet]:
    """Sets of four columns that can be the prices of candles, the closest first.

    Args:
        values: column -> float64 [n].
        order: int [n], the rows in order of time.
        adjacent: whether only neighbours are looked at, as files without a header have them.
    """
    at = [i for i in sorted(values) if np.isfinite(values[i]).sum() >= _ENOUGH and middle(values[i]) > 0]
    neighbours = [tuple(at[i : i + 4]) for i in range(len(at) - 3)]
    candidates: Sequence[tuple[int, ...]] = neighbours if adjacent else list(combinations(at[:12], 4))
    found = [made for four in candidates if (made := _price_set(four, values, order)) is not None]
    closest = min((s.spread for s in found), default=0.0)
    return sorted(found, key=lambda s: (s.spread > 2 * closest + 5e-4, min(s.columns.values()), s.spread))


def _price_set(four: tuple[int, ...], values: Mapping[int, np.ndarray], order: np.ndarray) -> PriceSet | None:
    rows = np.stack([values[i] for i in four])[:, order]
    rows = rows[:, (np.isfinite(rows) & (rows > 0)).all(axis=0)]
    if rows.shape[1] < min(_ENOUGH, len(order)):
        return None
    top, bottom = rows.max(axis=0), rows.min(axis=0)
    spread = float(np.median((top - bottom) / rows.mean(axis=0)))
    if spread > _MOST_SPREAD:
        return None
    is_top = (rows >= top * (1 - 1e-6)).mean(axis=1)
    is_bottom = (rows <= bottom * (1 + 1e-6)).mean(axis=1)
    if (top <= bottom * (1 + 1e-9)).all():
        return PriceSet(columns=dict(zip(("open", "high", "low", "close"), four, strict=True)), sure=False, spread=0.0)
    highs = [i for i in range(4) if is_top[i] >= _FITTING]
    lows = [i for i in range(4) if is_bottom[i] >= _FITTING]
    if not highs or not lows:
        return None
    usual = (1, 2)
    high, low = usual if usual[0] in highs and usual[1] in lows else (highs[0], lows[0])
    if high == low:
        return None
    alone = len(highs) == 1 and len(lows) == 1
    first, second = [i for i in range(4) if i not in (high, low)]
    if _apart(rows, top, bottom):
        return None
    opened, sure = order_of(rows[first], rows[second])
    opens, closes = (first, second) if opened else (second, first)
    columns = {"open": four[opens], "high": four[high], "low": four[low], "close": four[closes]}
    return PriceSet(columns=columns, sure=alone and sure, spread=spread)


def _apart(rows: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> bool:
    """Whether four columns [4, n] keep their places in the range from row to row, as different series do.

    A close is now near the high, now near the low; averages, or the prices of four stocks, stay where they are.
    """
    if rows.shape[1] < _LONG:
        return False
    with np.errstate(invalid="ignore", divide="ignore"):
        places = np.nan_to_num((rows - bottom) / (top - bottom), nan=0.5)
    between = [place for place in places if place.std() > 1e-9]
    if len(between) < 2:
        return False
    again = [float(np.corrcoef(place[:-1], place[1:])[0, 1]) for place in between]
    return sum(value > _STEADY for value in again) >= 2


def order_of(first: np.ndarray, second: np.ndarray) -> tuple[bool, bool]:
    """Whether ``first`` [n] is the open and ``second`` the close (rows oldest first), and whether that is sure.

    A market opens near its last close: the right order leaves the smaller jumps from close to open.
    """
    if len(first) < _ENOUGH or (first == second).all():
        return True, False
    scale = np.abs(second - first) + 1e-12
    jumps = np.minimum(np.abs(first[1:] - second[:-1]), 10 * scale[1:] + scale[:-1])
    other = np.minimum(np.abs(second[1:] - first[:-1]), 10 * scale[1:] + scale[:-1])
    forward, backward = float(jumps.mean()), float(other.mean())
    if forward <= backward * 0.9:
        return True, True
    if backward <= forward * 0.6:
        return False, backward <= forward * 0.5 and len(first) >= 10
    return True, False


def split_volume(
    candidates: Sequence[int], values: Mapping[int, np.ndarray], close: np.ndarray
) -> tuple[int | None, int | None]:
    """Of columns that may be volume or amount (likeliest volume first): (volume, amount).

    The amount is about volume times price; columns that hold nothing but zeros and blanks give way to others.
    """
    used = [i for i in candidates if np.nansum(np.abs(values[i])) > 0]
    used = [i for i in used if not any(j != i and _running(values[i], values[j]) for j in used)] or used
    if not used:
        return (candidates[0] if candidates else None), None
    for volume in used:
        for amount in used:
            if amount != volume and _about(values[amount], values[volume] * close):
                return volume, amount
    return used[0], None


def _running(total: np.ndarray, part: np.ndarray) -> bool:
    """Whether a column counts up what another has row by row."""
    if len(total) < _ENOUGH:
        return False
    steps = np.diff(total)
    return any(
        bool((np.isclose(s, p, rtol=1e-9) & (p > 0)).mean() > 0.8) for s, p in ((steps, part[1:]), (-steps, part[:-1]))
    )


def _about(amount: np.ndarray, product: np.ndarray) -> bool:
    good = np.isfinite(amount) & np.isfinite(product) & (product > 0) & (amount > 0)
    if good.sum() < 2:
        return False
    return bool(0.7 < float(np.median(amount[good] / product[good])) < 1.4)
