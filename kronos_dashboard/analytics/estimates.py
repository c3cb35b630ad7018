"""Statistics of a sample of paths, each with its sampling error.

The paths are independent draws of the model. The intervals here cover the error of N draws instead of infinitely many;
the error of the model itself is not part of them, and no number of paths reveals it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np

__all__ = ["CONFIDENCE", "Estimate", "mean", "normal_estimate", "proportion", "quantile", "wilson"]

CONFIDENCE = 0.95
"""Confidence level of every interval."""
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""Half width of the normal interval, in standard errors (1.96)."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic with its sampling error."""

    value: float
    low: float
    """Lower bound of the interval at ``CONFIDENCE``; -inf if there are too few paths."""
    high: float
    """Upper bound; inf if there are too few paths."""
    standard_error: float
    """NaN if there are too few paths."""
    num_paths: int
    """Sample size."""
    method: Literal["wilson", "student", "order statistics", "normal"]
    """How the interval was computed."""

    @property
    def complement(self) -> Estimate:
        """For a proportion: that of the other paths, ``1 - value``."""
        return replace(self, value=1 - self.value, low=1 - self.high, high=1 - self.low)

    @property
    def is_bounded(self) -> bool:
        """Whether there are enough paths for an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def proportion(hits: np.ndarray) -> Estimate:
    """The fraction of paths for which ``hits`` (bool [N]) is true, with the Wilson interval.

    The standard error is half the interval's width over z. Unlike the Wald interval it keeps its coverage near 0 and 1.
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
    """Bounds of the Wilson score interval (1927) for ``count`` hits [...] among ``number`` paths.

    The solutions p of ``(p - count / number)^2 = z^2 p (1 - p) / number``. The same as
    ``scipy.stats.binomtest(...).proportion_ci(method="wilson")``, which takes one count at a time.
    """
    fraction = np.asarray(count, dtype=np.float64) / number
    shrink = 1 + _Z**2 / number
    center = (fraction + _Z**2 / (2 * number)) / shrink
    half_width = _Z / shrink * np.sqrt(fraction * (1 - fraction) / number + _Z**2 / (4 * number**2))
    low, high = np.clip(center - half_width, 0, 1), np.clip(center + half_width, 0, 1)
    return np.where(fraction == 0, 0.0, low), np.where(fraction == 1, 1.0, high)  # exact, where rounding is not


def mean(values: np.ndarray) -> Estimate:
    """The mean of ``values`` [N], with Student's t interval; unbounded for one value."""
    number, value = len(values), float(np.mean(values))
    if number == 1:
        return Estimate(
            value=value, low=-math.inf, high=math.inf, standard_error=math.nan, num_paths=1, method="student"
        )
    error = float(np.std(values, ddof=1)) / math.sqrt(number)
    half_width = _student_quantile(number - 1) * error
    return Estimate(
        value=value,
        low=value - half_width,
        high=value + half_width,
        standard_error=error,
        num_paths=number,
        method="student",
    )


def normal_estimate(value: float, error: float, number: int) -> Estimate:
    """A statistic with a known standard ``error``, with the normal interval ``value +- z error``."""
    return Estimate(
        value=value,
        low=value - _Z * error,
        high=value + _Z * error,
        standard_error=error,
        num_paths=number,
        method="normal",
    )


def quantile(values: np.ndarray, level: float, *, discrete: bool = False) -> Estimate:
    """The quantile of ``values`` [N] at ``level``, with a distribution-free interval between two order statistics.

    A bound is infinite if no order statistic lies far enough out, as in the tails of few paths.

    Args:
        values: one number per path.
        level: a fraction.
        discrete: values are counts (of bars, for example): return one of them, no interpolation.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    value = float(np.quantile(ordered, level, method="inverted_cdf" if discrete else "linear"))
    lower, upper = _order_statistic_ranks(len(ordered), level)
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
def _order_statistic_ranks(number: int, level: float) -> tuple[int, int]:
    """Ranks, from 1, of the order statistics that bound a quantile; 0 and ``number`` + 1 where there is none.

    The number B of values below the quantile is binomial(number, level) (David and Nagaraja 2003, section 7.1): with
    ranks l and u, ``P(B < l)`` and ``P(B >= u)`` each stay within half of the error probability.
    """
    from scipy import stats  # here, not above: it takes half a second, and pages must respond before it is loaded

    tail = (1 - CONFIDENCE) / 2
    below = stats.binom.cdf(np.arange(number + 1), number, level)  # P(B <= b), [N + 1]
    lower = int(np.searchsorted(below, tail, side="right"))  # largest l with P(B <= l - 1) <= tail
    upper = int(np.searchsorted(below, 1 - tail, side="left")) + 1  # smallest u with P(B <= u - 1) >= 1 - tail
    return lower, upper


@lru_cache(maxsize=256)
def _student_quantile(degrees_of_freedom: int) -> float:
    """Half width of Student's t interval, in standard errors."""
    from scipy import stats  # as above

    return float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees_of_freedom))
