"""Numbers read off a sample of paths, each with how far chance alone may have moved it.

The paths are independent draws. What is told here is the error of having drawn N of them and not infinitely many; how
far the model itself is off, no number of paths tells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np

__all__ = ["CONFIDENCE", "Estimate", "mean", "of_error", "quantile", "share", "wilson"]

CONFIDENCE = 0.95
"""Confidence of every interval."""
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number and its sampling error."""

    value: float
    low: float
    """Lower edge of the interval at ``CONFIDENCE``; -inf where the paths are too few to bound it."""
    high: float
    """Upper edge; inf where the paths are too few."""
    standard_error: float
    """NaN where the paths are too few to tell."""
    num_paths: int
    """How many paths the number was read off."""
    method: Literal["wilson", "student", "order statistics", "normal"]
    """How the interval was made."""

    @property
    def complement(self) -> Estimate:
        """Of a fraction: that of all the other paths."""
        return replace(self, value=1 - self.value, low=1 - self.high, high=1 - self.low)

    @property
    def bounded(self) -> bool:
        """Whether there are enough paths for an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def share(hits: np.ndarray) -> Estimate:
    """The fraction of paths for which ``hits`` (bool [N]) holds, with Wilson's interval (and his standard error).

    The interval keeps its promise at 0 and 1, where the plain one has no width.
    """
    number, value = len(hits), float(np.mean(hits))
    low, high = wilson(int(np.count_nonzero(hits)), number)
    return Estimate(
        value=value,
        low=float(low),
        high=float(high),
        standard_error=float(high - low) / (2 * _Z),
        num_paths=number,
        method="wilson",
    )


def wilson(count: np.ndarray | int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper edges of Wilson's interval for ``count`` hits [...] among ``number`` paths."""
    fraction = np.asarray(count, dtype=np.float64) / number
    shrink = 1 + _Z**2 / number
    middle = (fraction + _Z**2 / (2 * number)) / shrink
    half = _Z / shrink * np.sqrt(fraction * (1 - fraction) / number + _Z**2 / (4 * number**2))
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return np.where(fraction == 0, 0.0, low), np.where(fraction == 1, 1.0, high)


def mean(values: np.ndarray) -> Estimate:
    """The mean of ``values`` [N], with Student's interval."""
    number, value = len(values), float(np.mean(values))
    if number == 1:
        return _unbounded(value, "student")
    error = float(np.std(values, ddof=1)) / math.sqrt(number)
    half = _student(number - 1) * error
    return Estimate(
        value=value, low=value - half, high=value + half, standard_error=error, num_paths=number, method="student"
    )


def of_error(value: float, error: float, number: int) -> Estimate:
    """A number whose standard error is known, with the normal interval."""
    return Estimate(
        value=value,
        low=value - _Z * error,
        high=value + _Z * error,
        standard_error=error,
        num_paths=number,
        method="normal",
    )


def quantile(values: np.ndarray, level: float, *, counted: bool = False) -> Estimate:
    """The quantile of ``values`` [N] at ``level``, between two order statistics that hold for any distribution.

    Far out in the tails of few paths one of them is missing: that edge is then infinite.

    Args:
        values: one number per path.
        level: a fraction.
        counted: values are counts (of bars, say): take one of them, nothing in between.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    value = float(np.quantile(ordered, level, method="inverted_cdf" if counted else "linear"))
    lower, upper = _ranks(len(ordered), level)
    low = float(ordered[lower - 1]) if lower >= 1 else -math.inf
    high = float(ordered[upper - 1]) if upper <= len(ordered) else math.inf
    bounded = math.isfinite(high) and math.isfinite(low)
    return Estimate(
        value=value,
        low=min(low, value),
        high=max(high, value),
        standard_error=(high - low) / (2 * _Z) if bounded else math.nan,
        num_paths=len(ordered),
        method="order statistics",
    )


@lru_cache(maxsize=256)
def _ranks(number: int, level: float) -> tuple[int, int]:
    """Ranks, counted from 1, of the order statistics around a quantile; 0 and ``number`` + 1 where there is none.

    The number of values below the quantile is binomial; each rank leaves at most half of the error probability outside.
    """
    counts = np.arange(number + 1)
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, number + 1)))))  # of factorials
    ways = logs[-1] - logs - logs[::-1]
    at_most = np.cumsum(np.exp(ways + counts * math.log(level) + (number - counts) * math.log1p(-level)))  # P(B <= c)
    outside = (1 - CONFIDENCE) / 2
    lower = int(np.searchsorted(at_most, outside, side="right"))  # the most l with P(B <= l - 1) <= outside
    upper = int(np.searchsorted(at_most, 1 - outside, side="left")) + 1  # the least u with P(B <= u - 1) >= 1 - outside
    return lower, upper


def _student(freedom: int) -> float:
    """Student's quantile by its series in 1 / freedom; within 1 % from 3 degrees of freedom on."""
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _unbounded(value: float, method: Literal["student"]) -> Estimate:
    return Estimate(value=value, low=-math.inf, high=math.inf, standard_error=math.nan, num_paths=1, method=method)
