"""Scores of sampled forecasts, and the block-bootstrap random walk that they are compared with; pure numpy.

Shapes: N paths, H steps, T closes. Paths and actuals are in the same unit, whichever it is.
"""

from __future__ import annotations

import numpy as np

__all__ = ["band_coverage", "block_bootstrap", "crps"]

BLOCK_LENGTH = 12
"""Mean length of a bootstrap block, bars: long enough to preserve volatility clusters."""


def crps(paths: np.ndarray, actual: np.ndarray, *, is_paired: bool = False) -> np.ndarray:
    """Continuous ranked probability score [H] of each step, for paths [N, H] and actuals [H].

    The fair (unbiased) form for a sample: ``mean |x - y| - mean |x - x'| / 2``, the second mean over all pairs of
    independent paths (Ferro 2014, doi 10.1002/qj.2270).

    Args:
        paths: one number per path and step.
        actual: what came.
        is_paired: path 2k + 1 is the mirror image of path 2k. The two are not independent, so their difference does not
            count: with it, the score of N antithetic paths would be too low by about 0.4 / N of itself.
    """
    num_paths, values = paths.shape[0], paths.astype(np.float64)
    error = np.abs(paths - actual).mean(axis=0)
    weights = 2 * np.arange(1, num_paths + 1) - num_paths - 1  # [N]: sum |x - x'| over i < j = weights @ sorted
    differences, count = weights @ np.sort(values, axis=0), num_paths * (num_paths - 1) // 2
    if is_paired:
        num_pairs = num_paths // 2
        within = np.abs(values[: 2 * num_pairs : 2] - values[1 : 2 * num_pairs : 2]).sum(axis=0)
        differences, count = differences - within, count - num_pairs
    return np.asarray(error - differences / (2 * count) if count else error)


def band_coverage(paths: np.ndarray, actual: np.ndarray, coverage: float) -> float:
    """Fraction of the actuals [H] inside the central band of paths [N, H] with this nominal coverage."""
    lower, upper = np.quantile(paths, ((1 - coverage) / 2, (1 + coverage) / 2), axis=0)
    return float(((actual >= lower) & (actual <= upper)).mean())


def block_bootstrap(closes: np.ndarray, horizon: int, num_paths: int, rng: np.random.Generator) -> np.ndarray:
    """Random walk from resampled returns: log-returns since the last of ``closes`` [T], float64 [N, H].

    The stationary bootstrap of Politis and Romano (1994, doi 10.1080/01621459.1994.10476870) on centered one-bar
    returns: blocks of BLOCK_LENGTH bars on average keep the volatility clusters of the context.
    """
    returns = np.diff(np.log(closes))
    returns = returns - returns.mean()
    position = rng.integers(len(returns), size=num_paths)
    sampled = np.empty((num_paths, horizon))
    for step in range(horizon):
        sampled[:, step] = returns[position]
        starts_block = rng.random(num_paths) < 1 / BLOCK_LENGTH
        position = np.where(starts_block, rng.integers(len(returns), size=num_paths), (position + 1) % len(returns))
    return sampled.cumsum(axis=1)
