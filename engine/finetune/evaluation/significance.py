"""Measures of sampled forecasts, the block-bootstrap random walk, and a test of which of two is better; pure numpy.

Legend: N paths, H steps, M windows, K dates. Paths and truth are in any one unit; the walk is in log-returns from the
last close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["Test", "block_bootstrap", "crps", "diebold_mariano", "inside", "per_date", "student_p"]

BLOCK = 12
"""Mean length of a bootstrap block, bars."""
Verdict = Literal["better", "worse", "no difference"]
LEVEL = 0.05
"""Largest chance of a verdict where there is no difference."""
LEAST_DATES = 8
"""With fewer dates nothing is said, and with fewer than LEAST_SPANS times what a forecast spans."""
LEAST_SPANS = 5


def crps(paths: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """CRPS [H] of each step, in the fair form for a sample: ``mean |x - y| - sum |x - x'| / (2 N (N - 1))``."""
    number = paths.shape[0]
    error = np.abs(paths - truth).mean(axis=0)
    if number == 1:
        return error
    weights = 2 * np.arange(1, number + 1) - number - 1  # [N]: sum |x - x'| over pairs = 2 * weights @ sorted
    return error - (weights @ np.sort(paths.astype(np.float64), axis=0)) / (number * (number - 1))


def inside(paths: np.ndarray, truth: np.ndarray, coverage: float) -> float:
    """Fraction of the steps [H] whose truth lies in the central band of paths [N, H]."""
    lower, upper = np.quantile(paths, ((1 - coverage) / 2, (1 + coverage) / 2), axis=0)
    return float(((truth >= lower) & (truth <= upper)).mean())


def block_bootstrap(closes: np.ndarray, horizon: int, paths: int, rng: np.random.Generator) -> np.ndarray:
    """Log-returns from the last of ``closes`` [T], [N, H]: centred one-bar returns in blocks of BLOCK bars on average.

    The stationary bootstrap of Politis and Romano (1994): volatility comes in clusters, as it does in the context.
    """
    returns = np.diff(np.log(closes))
    returns = returns - returns.mean()
    position = rng.integers(len(returns), size=paths)
    drawn = np.empty((paths, horizon))
    for step in range(horizon):
        drawn[:, step] = returns[position]
        again = rng.random(paths) < 1 / BLOCK
        position = np.where(again, rng.integers(len(returns), size=paths), (position + 1) % len(returns))
    return drawn.cumsum(axis=1)


@dataclass(frozen=True)
class Test:
    """Whether one of two forecasts has lower losses."""

    dates: int
    """K"""
    difference: float
    """Mean loss of the first less that of the second; below 0 speaks for the first."""
    statistic: float
    """Diebold-Mariano with the correction; NaN where nothing can be said."""
    p: float
    """Two-sided chance of such a difference where there is none; 1 where nothing can be said."""

    @property
    def verdict(self) -> Verdict:
        """What the numbers allow to say of the first against the second."""
        if self.p >= LEVEL:
            return "no difference"
        return "better" if self.difference < 0 else "worse"


def per_date(losses: np.ndarray, times: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, int]:
    """Losses [M] averaged over windows with their cutoff on the same day, [K]; and how many days a forecast reaches on.

    Windows of many symbols on one day are no independent witnesses, and forecasts that are still open when the next
    begins are not either.

    Args:
        losses: one per window.
        times: cutoffs, seconds, [M].
        ends: last bar time forecast, seconds, [M].
    """
    days, where = np.unique(times // 86_400, return_inverse=True)
    means = np.bincount(where, weights=losses) / np.bincount(where)
    last = np.full(len(days), -1)
    np.maximum.at(last, where, ends // 86_400)
    overlap = np.searchsorted(days, last, side="right") - np.arange(len(days)) - 1
    return means, int(overlap.max(initial=0))


def diebold_mariano(differences: np.ndarray, overlap: int) -> Test:
    """Test of loss ``differences`` [K] in order of time, each correlated with the ``overlap`` next ones.

    Of the long-run variances with equal weights (right for overlapping forecasts, but it may come out too small, even
    negative) and with Bartlett's (never negative) the larger one; the small-sample factor and Student's t of Harvey,
    Leybourne and Newbold (1997). Where there is no difference, one is then said in 5 to 7 of 100 cases (simulated).
    """
    count, mean = len(differences), float(differences.mean()) if len(differences) else 0.0
    steps = overlap + 1
    nothing = Test(count, mean, float("nan"), 1.0)
    if count < max(LEAST_DATES, LEAST_SPANS * steps):
        return nothing
    centred, lags = differences - mean, range(1, steps)
    products = np.array([float(centred[lag:] @ centred[: count - lag]) for lag in lags]) / count
    weights = 1 - np.array(lags) / steps
    variance = float(centred @ centred) / count + 2 * max(float(products.sum()), float(weights @ products))
    if variance <= 1e-300:
        return nothing
    factor = (count + 1 - 2 * steps + steps * (steps - 1) / count) / count
    statistic = mean / np.sqrt(variance / count) * np.sqrt(factor)
    return Test(count, mean, float(statistic), student_p(float(statistic), count - 1))


def student_p(statistic: float, freedom: int) -> float:
    """Two-sided tail of Student's t: with t = sqrt(freedom) tan(a) the density is cos(a) to the power freedom - 1."""
    edge = np.arctan(abs(statistic) / np.sqrt(freedom))
    inner = np.linspace(0.0, edge, 20_001)
    outer = np.linspace(edge, min(np.pi / 2, edge + 20 / np.sqrt(freedom)), 20_001)  # beyond, nothing is left
    areas = [float(np.trapezoid(np.cos(angles) ** (freedom - 1), angles)) for angles in (inner, outer)]
    return areas[1] / sum(areas)
