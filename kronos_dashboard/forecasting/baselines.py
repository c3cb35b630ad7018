"""Baseline forecasts without a model, of the same ``Forecast`` type as the model's.

Legend: T context candles, N paths, H steps. Every baseline uses the context alone; the same window and seed give the
same paths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.messages import msg

__all__ = ["BASELINES", "drift", "ewma_cone", "persistence", "random_walk", "volatility_cone"]

DEFAULT_NUM_PATHS = 1_000
"""Enough for smooth quantiles; takes milliseconds."""
EWMA_HALF_LIFE = 11.2
"""Bars after which the weight of a return halves: ln(0.5) / ln(0.94), the daily decay factor of RiskMetrics (1996)."""


def persistence(window: Window, *, num_paths: int = 1, seed: int = 0) -> Forecast:
    """The last close forever: every price of every step equals it. A point forecast, for which one path is enough.

    Args:
        window: its context needs at least 1 candle.
        num_paths: N; all paths are equal.
        seed: unused; nothing is random.
    """
    del seed
    last = window.context.frame.to_numpy()[-1]  # [6]
    candle = np.r_[np.full(4, last[3]), last[4:]]  # [6]
    return _forecast(np.broadcast_to(candle, (num_paths, window.horizon, len(COLUMNS))), window)


def random_walk(window: Window, *, num_paths: int = DEFAULT_NUM_PATHS, seed: int = 0) -> Forecast:
    """A driftless random walk whose steps are log-returns of the context, resampled with replacement (iid bootstrap).

    Every step copies one whole candle of the context relative to its previous close: the return less the mean return,
    the reach of high and low beyond open and close, and volume and amount.

    Args:
        window: its context needs at least 2 candles.
        num_paths: N.
        seed: same window and seed, same paths.
    """
    return _bootstrap(window, num_paths, seed, keep_drift=False)


def drift(window: Window, *, num_paths: int = DEFAULT_NUM_PATHS, seed: int = 0) -> Forecast:
    """``random_walk`` with the mean log-return of the context kept: the past trend continues."""
    return _bootstrap(window, num_paths, seed, keep_drift=True)


def volatility_cone(
    window: Window, *, num_paths: int = DEFAULT_NUM_PATHS, seed: int = 0, half_life: float | None = None
) -> Forecast:
    """The historical volatility cone: driftless normal log-returns with constant volatility.

    Highs and lows are the extremes of a Brownian path between open and close, so that the probability of touching a
    level is that of Brownian motion in continuous time. Opens equal the previous closes (no gaps). Volume and amount
    are resampled from the context.

    Args:
        window: its context needs at least 2 candles.
        num_paths: N.
        seed: same window and seed, same paths.
        half_life: bars after which the weight of a return halves; None = equal weights.
    """
    values = _values(window)
    sigma = _volatility(np.diff(np.log(values[:, 3])), half_life)
    generator = np.random.default_rng(seed)
    size = (num_paths, window.horizon)
    steps = sigma * generator.standard_normal(size)  # log-returns [N, H]
    # maximum and minimum of a Brownian bridge from 0 to r over one bar: (r +- sqrt(r^2 - 2 sigma^2 ln U)) / 2, with U
    # uniform; drawn independently of each other
    exponential = -2 * sigma**2 * np.log1p(-generator.random((2, *size)))  # [2, N, H]
    up, down = (np.sqrt(steps**2 + part) for part in exponential)
    closes = values[-1, 3] * np.exp(np.cumsum(steps, axis=1))  # [N, H]
    paths = np.empty((*size, len(COLUMNS)))
    paths[..., 3] = closes
    paths[..., 0] = _previous_closes(values[-1, 3], closes)
    paths[..., 1] = paths[..., 0] * np.exp((steps + up) / 2)
    paths[..., 2] = paths[..., 0] * np.exp((steps - down) / 2)
    paths[..., 4:] = values[1:, 4:][generator.integers(len(values) - 1, size=size)]
    return _forecast(paths, window)


def ewma_cone(window: Window, *, num_paths: int = DEFAULT_NUM_PATHS, seed: int = 0) -> Forecast:
    """``volatility_cone`` with exponentially weighted volatility of half-life ``EWMA_HALF_LIFE``."""
    return volatility_cone(window, num_paths=num_paths, seed=seed, half_life=EWMA_HALF_LIFE)


BASELINES: Mapping[str, Callable[..., Forecast]] = {
    "persistence": persistence,
    "random_walk": random_walk,
    "drift": drift,
    "volatility_cone": volatility_cone,
    "ewma_cone": ewma_cone,
}
"""All baselines by name; each is called with a window, ``num_paths`` and ``seed``."""


def _bootstrap(window: Window, num_paths: int, seed: int, *, keep_drift: bool) -> Forecast:
    values = _values(window)  # [T, 6]
    opens, highs, lows, closes = values[1:, :4].T
    previous = values[:-1, 3]
    returns = np.log(closes / previous)  # [T - 1], like all moves
    moves = {
        "close": returns if keep_drift else returns - returns.mean(),
        "open": np.log(opens / previous),
        "high": np.log(highs / np.maximum(opens, closes)),
        "low": np.log(lows / np.minimum(opens, closes)),
    }
    generator = np.random.default_rng(seed)
    rows = generator.integers(len(returns), size=(num_paths, window.horizon))  # [N, H]
    paths = np.empty((num_paths, window.horizon, len(COLUMNS)), dtype=np.float64)
    paths[..., 3] = values[-1, 3] * np.exp(np.cumsum(moves["close"][rows], axis=1))
    paths[..., 0] = _previous_closes(values[-1, 3], paths[..., 3]) * np.exp(moves["open"][rows])
    paths[..., 1] = np.maximum(paths[..., 0], paths[..., 3]) * np.exp(np.maximum(moves["high"][rows], 0))
    paths[..., 2] = np.minimum(paths[..., 0], paths[..., 3]) * np.exp(np.minimum(moves["low"][rows], 0))
    paths[..., 4:] = values[1:, 4:][rows]
    return _forecast(paths, window)


def _values(window: Window) -> np.ndarray:
    """The context, float64 [T, 6].

    Raises:
        WindowError: it has fewer than 2 candles, hence no return.
    """
    if window.context_length < 2:
        raise WindowError(msg("a baseline needs a context of at least 2 candles; got 1."), msg("Use a longer context."))
    return window.context.frame.to_numpy()


def _volatility(returns: np.ndarray, half_life: float | None) -> float:
    """Standard deviation of log-returns [T - 1] about their mean, or exponentially weighted about 0 (RiskMetrics)."""
    if half_life is None:
        return float(returns.std())
    weights = 0.5 ** (np.arange(len(returns))[::-1] / half_life)
    return float(np.sqrt((weights * returns**2).sum() / weights.sum()))


def _previous_closes(last_close: float, closes: np.ndarray) -> np.ndarray:
    """The close before each of ``closes`` [N, H]."""
    return np.concatenate((np.full((len(closes), 1), last_close), closes[:, :-1]), axis=1)


def _forecast(paths: np.ndarray, window: Window) -> Forecast:
    """Paths [N, H, 6] as float32, where rounding may not put a close outside of high and low."""
    rounded = paths.astype(np.float32)
    rounded[..., 1] = rounded[..., :4].max(axis=-1)
    rounded[..., 2] = rounded[..., :4].min(axis=-1)
    rounded.setflags(write=False)
    return Forecast(paths=rounded, index=window.future)
