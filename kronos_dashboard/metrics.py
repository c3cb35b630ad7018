"""How good a forecast was: one function per measure, pure numpy.

Shapes: N paths, H steps; paths are closes [N, H], truth is closes [H], both in price units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Score", "coverage", "crps", "interval_width", "score"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """One forecast against the truth, averaged over the steps."""

    crps: float
    """Continuous ranked probability score, price units; lower is better."""
    coverage: float
    """Fraction of steps whose true close lay inside the band; should be near ``level``."""
    width: float
    """Mean width of the band, price units."""
    median_error: float
    """Mean absolute error of the median, price units."""
    level: float
    """Nominal coverage of the band, a fraction."""


def crps(paths: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """CRPS [H] of each step, in the fair form for a sample: ``mean |x - y| - sum |x - x'| / (2 N (N - 1))``.

    With a single path it is the absolute error.
    """
    number = paths.shape[0]
    error = np.abs(paths - truth).mean(axis=0)
    if number == 1:
        return error
    ordered = np.sort(np.asarray(paths, dtype=np.float64), axis=0)
    weights = 2 * np.arange(1, number + 1) - number - 1  # [N]: sum |x - x'| over pairs = 2 * weights @ sorted
    return error - (weights @ ordered) / (number * (number - 1))


def coverage(lower: np.ndarray, upper: np.ndarray, truth: np.ndarray) -> float:
    """Fraction of steps whose truth [H] lies in the band, its edges included."""
    return float(((truth >= lower) & (truth <= upper)).mean())


def interval_width(lower: np.ndarray, upper: np.ndarray) -> float:
    """Mean width of the band over the steps, price units."""
    return float((upper - lower).mean())


def score(paths: np.ndarray, truth: np.ndarray, level: float) -> Score:
    """All measures of closes ``paths`` [N, H] against ``truth`` [H]; the band is the central one at ``level``."""
    lower, middle, upper = np.quantile(paths, ((1 - level) / 2, 0.5, (1 + level) / 2), axis=0)
    return Score(
        crps=float(crps(paths, truth).mean()),
        coverage=coverage(lower, upper, truth),
        width=interval_width(lower, upper),
        median_error=float(np.abs(middle - truth).mean()),
        level=level,
    )
