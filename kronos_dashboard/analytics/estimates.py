"""Statistics of a sample of paths, each with its sampling error.

The paths are independent draws of the model, or antithetic pairs of them: path 2k + 1 is the mirror image of path 2k
(``is_paired``). The two paths of a pair depend on each other, so the unit of sampling is the pair, and errors are those
of clusters of two (cluster-robust variance; Cameron and Miller 2015, doi 10.3368/jhr.50.2.317). The intervals cover the
error of N draws instead of infinitely many; the error of the model itself is not part of them, and no number of paths
reveals it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np

__all__ = [
    "CONFIDENCE",
    "Estimate",
    "effective_size",
    "exact",
    "mean",
    "normal_estimate",
    "proportion",
    "quantile",
    "wilson",
]

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
    method: Literal["wilson", "student", "order statistics", "normal", "exact"]
    """How the interval was computed."""

    @property
    def complement(self) -> Estimate:
        """For a proportion: that of the other paths, ``1 - value``."""
        return replace(self, value=1 - self.value, low=1 - self.high, high=1 - self.low)

    @property
    def is_bounded(self) -> bool:
        """Whether there are enough paths for an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def exact(value: float, number: int) -> Estimate:
    """A statistic of ``number`` paths that has no sampling error: it is fixed by the way the paths were made."""
    return Estimate(value=value, low=value, high=value, standard_error=0.0, num_paths=number, method="exact")


def proportion(hits: np.ndarray, *, is_paired: bool = False) -> Estimate:
    """The fraction of paths for which ``hits`` (bool [N]) is true, with the Wilson interval.

    The standard error is half the interval's width over z. Unlike the Wald interval it keeps its coverage near 0 and 1.
    """
    number, value = len(hits), float(np.mean(hits))
    low, high = wilson(value, effective_size(hits, is_paired=is_paired))
    return Estimate(
        value=value,
        low=float(low),
        high=float(high),
        standard_error=float(high - low) / (2 * _Z),
        num_paths=number,
        method="wilson",
    )


def effective_size(hits: np.ndarray, *, is_paired: bool) -> np.ndarray:
    """How many independent paths would give fractions of hits with the same error, [...] for ``hits`` bool [N, ...].

    Of independent paths it is N. Of pairs it is ``p (1 - p)`` over the cluster-robust variance of p, but at least the
    number of pairs (they agree) and at most N (few pairs would otherwise appear to have no error).
    """
    number = len(hits)
    if not is_paired:
        return np.full(hits.shape[1:], float(number))
    fraction = hits.mean(axis=0)
    variance = _cluster_variance(hits.astype(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = fraction * (1 - fraction) / variance
    num_pairs = (number + 1) // 2
    return np.where(np.isnan(size), num_pairs, np.clip(size, num_pairs, number))


def _cluster_variance(values: np.ndarray) -> np.ndarray:
    """Cluster-robust variance [...] of the mean of ``values`` [N, ...] in pairs; an odd last value is on its own."""
    number, num_pairs = len(values), (len(values) + 1) // 2
    sums = np.add.reduceat(values - values.mean(axis=0), np.arange(0, number, 2), axis=0)  # [pairs, ...]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(num_pairs / np.float64(num_pairs - 1) * (sums**2).sum(axis=0) / number**2)


def wilson(fraction: np.ndarray | float, number: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the Wilson score interval (1927) for a ``fraction`` [...] of ``number`` [...] paths.

    The solutions p of ``(p - fraction)^2 = z^2 p (1 - p) / number``. For whole numbers of paths the same as
    ``scipy.stats.binomtest(...).proportion_ci(method="wilson")``, which takes one count at a time.
    """
    fraction = np.asarray(fraction, dtype=np.float64)
    shrink = 1 + _Z**2 / number
    center = (fraction + _Z**2 / (2 * number)) / shrink
    half_width = _Z / shrink * np.sqrt(fraction * (1 - fraction) / number + _Z**2 / (4 * number**2))
    low, high = np.clip(center - half_width, 0, 1), np.clip(center + half_width, 0, 1)
    return np.where(fraction == 0, 0.0, low), np.where(fraction == 1, 1.0, high)  # exact, where rounding is not


def mean(values: np.ndarray, *, is_paired: bool = False) -> Estimate:
    """The mean of ``values`` [N], with Student's t interval; unbounded for one value, or for one pair."""
    number, value = len(values), float(np.mean(values))
    num_clusters = (number + 1) // 2 if is_paired else number
    if num_clusters == 1:
        return Estimate(
            value=value, low=-math.inf, high=math.inf, standard_error=math.nan, num_paths=number, method="student"
        )
    variance = _cluster_variance(np.asarray(values)) if is_paired else np.var(values, ddof=1) / number
    error = math.sqrt(float(variance))
    half_width = _student_quantile(num_clusters - 1) * error
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


def quantile(values: np.ndarray, level: float, *, discrete: bool = False, is_paired: bool = False) -> Estimate:
    """The quantile of ``values`` [N] at ``level``, with a distribution-free interval between two order statistics.

    A bound is infinite if no order statistic lies far enough out, as in the tails of few paths.

    Args:
        values: one number per path.
        level: a fraction.
        discrete: values are counts (of bars, for example): return one of them, no interpolation.
        is_paired: see the module. The ranks are then those among as many independent paths as the pairs are worth.
    """
    values = np.asarray(values, dtype=np.float64)
    ordered = np.sort(values)
    value = float(np.quantile(ordered, level, method="inverted_cdf" if discrete else "linear"))
    number, size = len(ordered), int(effective_size(values <= value, is_paired=is_paired))
    lower, upper = _order_statistic_ranks(size, level)
    if size < number:  # the same fractions of more paths, rounded outward
        lower = lower * number // size
        upper = number + 1 if upper > size else -(-upper * number // size)
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
