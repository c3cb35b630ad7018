"""Scores of sampled forecasts, and the block-bootstrap random walk that they are compared with; pure numpy.

Shapes: N paths, H steps, T closes. Paths and actuals are in the same unit, whichever it is.
"""

from __future__ import annotations

import numpy as np

__all__ = ["band_coverage", "block_bootstrap", "crps"]

BLOCK_LENGTH = 12
"""Mean length of a bootstrap block, bars: long enough to preserve volatility clusters."""


def crps(paths: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score [H] of each step, for paths [N, H] and actuals [H].

    The fair (unbiased) form for a sample: ``mean |x - y| - sum |x - x'| / (2 N (N - 1))`` (Ferro 2014,
    doi 10.1002/qj.2270).
    """
    num_paths = paths.shape[0]
    error = np.abs(paths - actual).mean(axis=0)
    if num_paths == 1:
        return error
    weights = 2 * np.arange(1, num_paths + 1) - num_paths - 1  # [N]: sum |x - x'| over pairs = 2 * weights @ sorted
    return error - (weights @ np.sort(paths.astype(np.float64), axis=0)) / (num_paths * (num_paths - 1))


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
