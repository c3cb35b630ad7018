"""The Diebold-Mariano test: is one of two forecasts better?

Shapes: M windows, K dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

__all__ = ["DieboldMarianoResult", "Verdict", "average_by_date", "diebold_mariano"]

Verdict = Literal["better", "worse", "no difference"]
SIGNIFICANCE_LEVEL = 0.05
MIN_DATES = 8
"""With fewer dates there is no verdict: the small-sample correction does not hold below."""
MIN_SPANS = 5
"""Nor with fewer dates than this many forecast lengths, because overlapping forecasts carry little information."""
_DAY_S = 86_400
_MIN_VARIANCE = 1e-300
"""Below this the differences are constant, and the statistic is undefined."""


@dataclass(frozen=True)
class DieboldMarianoResult:
    """Whether the first of two forecasts has lower losses than the second."""

    num_dates: int
    """K"""
    mean_difference: float
    """Mean loss of the first minus that of the second; negative if the first is better."""
    statistic: float
    """With the small-sample correction; NaN if there are too few dates."""
    p_value: float
    """Two-sided; 1 if there are too few dates."""

    @property
    def verdict(self) -> Verdict:
        """On the first forecast, at SIGNIFICANCE_LEVEL."""
        if self.p_value >= SIGNIFICANCE_LEVEL:
            return "no difference"
        return "better" if self.mean_difference < 0 else "worse"


def average_by_date(losses: np.ndarray, times: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, int]:
    """Mean losses [K] of windows with cutoffs on the same day, and the most later dates that a forecast spans.

    Windows of many symbols on one day are correlated, and so are forecasts that overlap in time.

    Args:
        losses: one per window, [M].
        times: cutoffs, seconds, [M].
        ends: last forecast bar times, seconds, [M].
    """
    days, index = np.unique(times // _DAY_S, return_inverse=True)
    means = np.bincount(index, weights=losses) / np.bincount(index)
    last_days = np.full(len(days), -1)
    np.maximum.at(last_days, index, ends // _DAY_S)
    overlap = np.searchsorted(days, last_days, side="right") - np.arange(len(days)) - 1
    return means, int(overlap.max(initial=0))


def diebold_mariano(differences: np.ndarray, overlap: int) -> DieboldMarianoResult:
    """Test whether the mean of loss ``differences`` [K] is zero; each correlates with the next ``overlap`` ones.

    The long-run variance is the larger of two estimates: with equal weights, which is right for overlapping forecasts
    but may be too small or even negative, and with Bartlett's weights, which is never negative. The small-sample factor
    and Student's t distribution are those of Harvey, Leybourne and Newbold (1997, doi 10.1016/S0169-2070(96)00719-4).
    In simulations without a difference, 5 to 7 of 100 tests report one.
    """
    count, mean = len(differences), float(differences.mean()) if len(differences) else 0.0
    span = overlap + 1
    undecided = DieboldMarianoResult(count, mean, float("nan"), 1.0)
    if count < max(MIN_DATES, MIN_SPANS * span):
        return undecided
    centered, lags = differences - mean, range(1, span)
    autocovariances = np.array([float(centered[lag:] @ centered[: count - lag]) for lag in lags]) / count
    bartlett_weights = 1 - np.array(lags) / span
    lagged = max(float(autocovariances.sum()), float(bartlett_weights @ autocovariances))
    variance = float(centered @ centered) / count + 2 * lagged
    if variance <= _MIN_VARIANCE:
        return undecided
    correction = (count + 1 - 2 * span + span * (span - 1) / count) / count
    statistic = float(mean / np.sqrt(variance / count) * np.sqrt(correction))
    return DieboldMarianoResult(count, mean, statistic, float(2 * stats.t.sf(abs(statistic), count - 1)))
