"""Windows whose direction turns round at random bars: an augmentation that leaves nothing to predict about direction.

What a series does next, up or down, can hardly be told from what it did; a small model that has read a few million
candles nevertheless believes that it can, and its drift costs more than it gains. Where every up has been read as a
down as often as not, there is no such belief left, while volatility, its clusters and its hours stay as they were.

Legend: b windows, W candles per window.
"""

from __future__ import annotations

import numpy as np

from engine.features import TURNED

__all__ = ["directions", "mirrored", "reflected"]

SHORTEST, LONGEST = 3.0, 200.0
"""A window's mean number of bars between turns is drawn log-uniformly from these; bars."""


def directions(seed: int, length: int) -> np.ndarray:
    """Which way each bar goes: +1 as it came, -1 reflected; int8 [length].

    At each bar, with a chance that is drawn once per window, the direction is drawn anew, both equally likely.
    """
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST)))
    drawn_anew = rng.random(length) < 1 / mean
    drawn_anew[0] = True
    last = np.maximum.accumulate(np.where(drawn_anew, np.arange(length), 0))
    return rng.choice(np.array([-1, 1], dtype=np.int8), length)[last]


def reflected(windows: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """The same candles with their moves turned round where ``signs`` [b, W] is -1; float64 [b, W, 6].

    A candle's move is the log of its prices over the close before it (the first candle's: over its own open). A move
    that is turned round swaps high and low. Amount follows the mean price, volume stays.
    """
    before, moves = _moves(windows)
    moves = np.where(signs[..., None] > 0, moves, -moves[..., TURNED])
    closes = before[:, :1] + moves[..., 3].cumsum(axis=1)
    before = np.concatenate((before[:, :1], closes[:, :-1]), axis=1)
    return _with_prices(windows, np.exp(before[..., None] + moves))


def mirrored(windows: np.ndarray) -> np.ndarray:
    """Each candle had it alone gone the other way from the close before it; float64 [b, W, 6]."""
    before, moves = _moves(windows)
    return _with_prices(windows, np.exp(before[..., None] - moves[..., TURNED]))


def _moves(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The log of the close before each candle [b, W], and each candle's prices over it, logs [b, W, 4]."""
    logs = np.log(windows[..., :4])
    before = np.concatenate((logs[:, :1, 0], logs[:, :-1, 3]), axis=1)
    return before, logs - before[..., None]


def _with_prices(windows: np.ndarray, prices: np.ndarray) -> np.ndarray:
    turned = windows.copy()
    turned[..., :4] = prices
    turned[..., 5] *= turned[..., :4].mean(axis=-1) / windows[..., :4].mean(axis=-1)
    return turned
