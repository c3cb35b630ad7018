"""Reflection: flip the direction of a window at random bars, so that direction cannot be learned.

Past prices say almost nothing about the direction of the next move. A small model trained on a few million candles
learns a direction anyway, and its bias costs more accuracy than it gains (docs/design/0003-the-bundled-checkpoint.md).
If every rise is equally often seen as a fall, no bias remains, while volatility, its clusters and its daily pattern are
unchanged.

Shapes: b windows, W candles per window.
"""

from __future__ import annotations

import numpy as np

from engine.features import MIRRORED_OHLC

__all__ = ["mirror_windows", "random_reflection", "random_signs"]

MIN_MEAN_RUN, MAX_MEAN_RUN = 3.0, 200.0
"""Range of a window's mean number of bars between flips, drawn log-uniformly; bars."""


def random_signs(seed: int, length: int) -> np.ndarray:
    """Direction of each bar: +1 unchanged, -1 reflected; int8 [length].

    At each bar, with a probability drawn once per window, a new direction is drawn; both are equally likely.
    """
    rng = np.random.default_rng(seed)
    mean_run = np.exp(rng.uniform(np.log(MIN_MEAN_RUN), np.log(MAX_MEAN_RUN)))
    redraws = rng.random(length) < 1 / mean_run
    redraws[0] = True
    last_redraw = np.maximum.accumulate(np.where(redraws, np.arange(length), 0))  # [length]
    return rng.choice(np.array([-1, 1], dtype=np.int8), length)[last_redraw]


def random_reflection(windows: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Reflect the candles whose ``signs`` [b, W] are -1; float64 [b, W, 6].

    A candle's move is the log of its prices over the previous close (for the first candle: over its own open).
    Reflecting negates the move and swaps high and low. Amount follows the mean price; volume is unchanged.
    """
    previous, moves = _log_moves(windows)
    moves = np.where(signs[..., None] > 0, moves, -moves[..., MIRRORED_OHLC])  # [b, W, 4]
    closes = previous[:, :1] + moves[..., 3].cumsum(axis=1)
    previous = np.concatenate((previous[:, :1], closes[:, :-1]), axis=1)
    return _replace_prices(windows, np.exp(previous[..., None] + moves))


def mirror_windows(windows: np.ndarray) -> np.ndarray:
    """Mirror each candle on its own about the previous close; float64 [b, W, 6]."""
    previous, moves = _log_moves(windows)
    return _replace_prices(windows, np.exp(previous[..., None] - moves[..., MIRRORED_OHLC]))


def _log_moves(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The log of the close before each candle [b, W], and the logs of each candle's prices over it [b, W, 4]."""
    logs = np.log(windows[..., :4])
    previous = np.concatenate((logs[:, :1, 0], logs[:, :-1, 3]), axis=1)
    return previous, logs - previous[..., None]


def _replace_prices(windows: np.ndarray, prices: np.ndarray) -> np.ndarray:
    result = windows.copy()
    result[..., :4] = prices
    result[..., 5] *= result[..., :4].mean(axis=-1) / windows[..., :4].mean(axis=-1)
    return result
