"""Forecasts that know nothing of patterns, to judge a model by. Same ``Forecast`` type as the model's.

Legend: T candles of context, N paths, H steps. Every baseline sees the context alone; same window and seed, same paths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting.windows import Window

__all__ = ["BASELINES", "drift", "ewma_cone", "persistence", "random_walk", "volatility_cone"]

DEFAULT_PATHS = 1_000
"""Cheap enough to make the quantiles smooth."""
HALF_LIFE = 11.2
"""Bars after which a return counts half in the weighted cone: a decay of 0.94 a bar, as RiskMetrics has it."""


def persistence(window: Window, *, num_paths: int = 1, seed: int = 0) -> Forecast:
    """The last close for ever: every price of every step equals it. A point forecast, so that one path says it all.

    Args:
        window: its context needs at least 1 candle.
        num_paths: N; all paths are the same.
        seed: not used; nothing is random.
    """
    del seed
    last = window.context.frame.to_numpy()[-1]  # [6]
    candle = np.r_[np.full(4, last[3]), last[4:]]
    return _forecast(np.broadcast_to(candle, (num_paths, window.horizon, len(COLUMNS))), window)


def random_walk(window: Window, *, num_paths: int = DEFAULT_PATHS, seed: int = 0) -> Forecast:
    """A driftless random walk whose steps are log-returns drawn from the context with replacement.

    Every step copies a whole candle of the context, relative to the close before it: the return, less the mean of all
    returns; the reach of high and low beyond open and close; volume and amount as they were.

    Args:
        window: its context needs at least 2 candles.
        num_paths: N.
        seed: same window and seed, same paths.
    """
    return _resampled(window, num_paths, seed, keep_drift=False)


def drift(window: Window, *, num_paths: int = DEFAULT_PATHS, seed: int = 0) -> Forecast:
    """As ``random_walk``, with the mean of the context's log-returns left in: the past trend goes on."""
    return _resampled(window, num_paths, seed, keep_drift=True)


def volatility_cone(
    window: Window, *, num_paths: int = DEFAULT_PATHS, seed: int = 0, half_life: float | None = None
) -> Forecast:
    """The cone of historical volatility: normal log-returns without drift, all of one volatility.

    Prices move within a bar as well: highs and lows are the extremes of a Brownian path between open and close, so that
    the chance of touching a level is that of the textbook. Opens are the closes before them (no gaps). Volume and
    amount are drawn from the context.

    Args:
        window: its context needs at least 2 candles.
        num_paths: N.
        seed: same window and seed, same paths.
        half_life: bars after which a return of the context counts half; None = all count alike.
    """
    values = _values(window)
    sigma = _volatility(np.diff(np.log(values[:, 3])), half_life)
    generator = np.random.default_rng(seed)
    size = (num_paths, window.horizon)
    steps = sigma * generator.standard_normal(size)  # log-returns [N, H]
    reach = -2 * sigma**2 * np.log1p(-generator.random((2, *size)))  # [2, N, H]
    up, down = (np.sqrt(steps**2 + part) for part in reach)  # extremes of a Brownian bridge over one bar
    ends = values[-1, 3] * np.exp(np.cumsum(steps, axis=1))
    paths = np.empty((*size, len(COLUMNS)))
    paths[..., 3] = ends
    paths[..., 0] = _before(values[-1, 3], ends)
    paths[..., 1] = paths[..., 0] * np.exp((steps + up) / 2)
    paths[..., 2] = paths[..., 0] * np.exp((steps - down) / 2)
    paths[..., 4:] = values[1:, 4:][generator.integers(len(values) - 1, size=size)]
    return _forecast(paths, window)


def ewma_cone(window: Window, *, num_paths: int = DEFAULT_PATHS, seed: int = 0) -> Forecast:
    """``volatility_cone`` by recent volatility: a return counts half after ``HALF_LIFE`` bars."""
    return volatility_cone(window, num_paths=num_paths, seed=seed, half_life=HALF_LIFE)


BASELINES: Mapping[str, Callable[..., Forecast]] = {
    "persistence": persistence,
    "random_walk": random_walk,
    "drift": drift,
    "volatility_cone": volatility_cone,
    "ewma_cone": ewma_cone,
}
"""All of them by name; each is called with a window, ``num_paths`` and ``seed``."""


def _resampled(window: Window, num_paths: int, seed: int, *, keep_drift: bool) -> Forecast:
    values = _values(window)
    opens, highs, lows, closes = values[1:, :4].T
    previous = values[:-1, 3]
    returns = np.log(closes / previous)
    moves = {
        "close": returns if keep_drift else returns - returns.mean(),
        "open": np.log(opens / previous),
        "high": np.log(highs / np.maximum(opens, closes)),
        "low": np.log(lows / np.minimum(opens, closes)),
    }
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(returns), size=(num_paths, window.horizon))  # [N, H]
    paths = np.empty((num_paths, window.horizon, len(COLUMNS)), dtype=np.float64)
    paths[..., 3] = values[-1, 3] * np.exp(np.cumsum(moves["close"][drawn], axis=1))
    paths[..., 0] = _before(values[-1, 3], paths[..., 3]) * np.exp(moves["open"][drawn])
    paths[..., 1] = np.maximum(paths[..., 0], paths[..., 3]) * np.exp(np.maximum(moves["high"][drawn], 0))
    paths[..., 2] = np.minimum(paths[..., 0], paths[..., 3]) * np.exp(np.minimum(moves["low"][drawn], 0))
    paths[..., 4:] = values[1:, 4:][drawn]
    return _forecast(paths, window)


def _values(window: Window) -> np.ndarray:
    """The context float64 [T, 6].

    Raises:
        WindowError: it has fewer than 2 candles, so that there is not one return.
    """
    if window.context_length < 2:
        raise WindowError("a baseline needs a context of at least 2 candles; got 1.", "Lengthen the context.")
    return window.context.frame.to_numpy()


def _volatility(returns: np.ndarray, half_life: float | None) -> float:
    """Standard deviation of log-returns [T - 1] about their mean; weighted ones about zero, as is usual."""
    if half_life is None:
        return float(returns.std())
    weights = 0.5 ** (np.arange(len(returns))[::-1] / half_life)
    return float(np.sqrt((weights * returns**2).sum() / weights.sum()))


def _before(last: float, closes: np.ndarray) -> np.ndarray:
    """The close before each close [N, H]."""
    return np.concatenate((np.full((len(closes), 1), last), closes[:, :-1]), axis=1)


def _forecast(paths: np.ndarray, window: Window) -> Forecast:
    single = paths.astype(np.float32)
    single[..., 1] = single[..., :4].max(axis=-1)
    single[..., 2] = single[..., :4].min(axis=-1)
    single.setflags(write=False)
    return Forecast(paths=single, index=window.future)
