"""Forecasts that know nothing of patterns, to judge a model by. Same ``Forecast`` type as the model's."""

from __future__ import annotations

import numpy as np

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.windows import Window

__all__ = ["random_walk"]

DEFAULT_PATHS = 1_000
"""Cheap enough to make the quantiles smooth."""


def random_walk(window: Window, *, num_paths: int = DEFAULT_PATHS, seed: int = 0) -> Forecast:
    """A driftless random walk whose steps are log-returns drawn from the context with replacement.

    Every step copies a whole candle of the context, relative to the close before it: the return, less the mean of all
    returns; the reach of high and low beyond open and close; volume and amount as they were.

    Args:
        window: its context needs at least 2 candles.
        num_paths: N.
        seed: same window and seed, same paths.
    """
    values = window.context.frame.to_numpy()  # [T, 6]
    opens, highs, lows, closes = values[1:, :4].T
    previous = values[:-1, 3]
    returns = np.log(closes / previous)
    moves = {
        "close": returns - returns.mean(),
        "open": np.log(opens / previous),
        "high": np.log(highs / np.maximum(opens, closes)),
        "low": np.log(lows / np.minimum(opens, closes)),
    }
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(returns), size=(num_paths, window.horizon))  # [N, H]
    paths = np.empty((num_paths, window.horizon, len(COLUMNS)), dtype=np.float64)
    paths[..., 3] = values[-1, 3] * np.exp(np.cumsum(moves["close"][drawn], axis=1))
    before = np.concatenate((np.full((num_paths, 1), values[-1, 3]), paths[:, :-1, 3]), axis=1)
    paths[..., 0] = before * np.exp(moves["open"][drawn])
    paths[..., 1] = np.maximum(paths[..., 0], paths[..., 3]) * np.exp(np.maximum(moves["high"][drawn], 0))
    paths[..., 2] = np.minimum(paths[..., 0], paths[..., 3]) * np.exp(np.minimum(moves["low"][drawn], 0))
    paths[..., 4:] = values[1:, 4:][drawn]
    single = paths.astype(np.float32)
    single.setflags(write=False)
    return Forecast(paths=single, index=window.future)
