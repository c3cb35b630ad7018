"""Forecasts of held-out windows, scored against the actuals and compared with a random walk and with persistence.

The forecast quantity is the log-return of the close since the last close of the context. CRPS and absolute errors are
in units of each window's one-bar volatility, so that windows of all markets have equal weight.

Shapes: M windows, N paths, H steps, F metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from engine.config import SamplingConfig
from engine.finetune.data.mapped_candles import MappedCandles
from engine.finetune.data.split import WindowRef
from engine.metrics import band_coverage, block_bootstrap, crps
from engine.predictor import KronosPredictor

__all__ = ["COVERAGES", "METRICS", "EvalWindows", "summarize"]

COVERAGES = (0.5, 0.8, 0.95)
NUM_WALK_PATHS = 500
"""More than a model's paths, so that the baseline adds little noise to the comparison."""
METRICS = ("crps", "mae", *(f"coverage_{coverage * 100:.0f}" for coverage in COVERAGES), "repaired_fraction")
"""Columns of the metrics of each window."""
_MIN_VOLATILITY = 1e-9
"""A floor for contexts whose close never changes."""
_MIN_CLOSE_RATIO = 1e-6
"""Sampled closes are raised to this fraction of the last close before the logarithm."""


@dataclass(frozen=True)
class EvalWindows:
    """Windows to forecast, the same for every model that is compared."""

    candles: MappedCandles
    windows: tuple[WindowRef, ...]
    context: int
    horizon: int
    num_paths: int
    seed: int
    in_session_time: bool = False
    """Read bar times in each series' session time zone, as most training windows were."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    """How paths are sampled; ``num_paths`` and ``seed`` take precedence."""

    @cached_property
    def actual_returns(self) -> np.ndarray:
        """Log-returns since the last close, [M, H]."""
        closes = np.stack([self._closes(window) for window in self.windows])  # [M, T + H]
        return np.log(closes[:, self.context :] / closes[:, self.context - 1 : self.context])

    @cached_property
    def volatility(self) -> np.ndarray:
        """One-bar volatility of each context, [M]."""
        contexts = [np.diff(np.log(self._closes(window)[: self.context])).std() for window in self.windows]
        return np.maximum(np.array(contexts), _MIN_VOLATILITY)

    @cached_property
    def random_walk(self) -> np.ndarray:
        """Metrics of the random walk, [M, F]; those of a window do not depend on the other windows."""
        rows = []
        for number, window in enumerate(self.windows):
            rng = np.random.default_rng((self.seed, window.series_index, window.first_row))
            paths = block_bootstrap(self._closes(window)[: self.context], self.horizon, NUM_WALK_PATHS, rng)
            rows.append(self._path_metrics(number, paths, 0.0))
        return np.array(rows)

    @property
    def groups(self) -> np.ndarray:
        """The group of each window, [M]."""
        return np.array([self.candles.series[window.series_index].group for window in self.windows])

    def subset(self, mask: np.ndarray) -> EvalWindows:
        """The windows where ``mask`` (bool [M]) is true, with the values computed for them so far."""
        subset = replace(self, windows=tuple(self.windows[number] for number in np.flatnonzero(mask)))
        for name in ("actual_returns", "volatility", "random_walk"):
            subset.__dict__[name] = getattr(self, name)[mask]  # where ``cached_property`` stores its value
        return subset

    def times(self) -> tuple[np.ndarray, np.ndarray]:
        """Cutoff and last bar time of each window, seconds, [M] each."""
        cutoff_rows = np.array([window.first_row for window in self.windows]) + self.context - 1
        times = self.candles.times
        return np.asarray(times[cutoff_rows]), np.asarray(times[cutoff_rows + self.horizon])

    def score(self, predictor: KronosPredictor, indices: Sequence[int] | None = None) -> np.ndarray:
        """Metrics of a model's forecasts of some windows (default: all), [M, F]."""
        numbers = range(len(self.windows)) if indices is None else indices
        if not numbers:
            return np.empty((0, len(METRICS)))
        frames = [self._frame(self.windows[number]) for number in numbers]
        forecasts = predictor.forecast_many(
            [frame.iloc[: self.context] for frame in frames],
            [frame.index[self.context :] for frame in frames],
            replace(self.sampling, num_paths=self.num_paths),
            seeds=[self.seed + number for number in numbers],
        )
        rows = []
        for number, frame, forecast in zip(numbers, frames, forecasts, strict=True):
            last_close = frame["close"].iloc[self.context - 1]
            closes = np.maximum(forecast.paths[:, :, 3].astype(np.float64), last_close * _MIN_CLOSE_RATIO)  # [N, H]
            returns = np.log(closes / last_close)
            rows.append(self._path_metrics(number, returns, forecast.repaired_fraction, is_paired=forecast.is_mirrored))
        return np.array(rows)

    def _frame(self, window: WindowRef) -> pd.DataFrame:
        timezone = self.candles.series[window.series_index].timezone if self.in_session_time else None
        return self.candles.frame(window.first_row, window.first_row + self.context + self.horizon, timezone)

    def _closes(self, window: WindowRef) -> np.ndarray:
        return np.asarray(self.candles.values[window.first_row : window.first_row + self.context + self.horizon, 3])

    def _path_metrics(
        self, number: int, paths: np.ndarray, repaired_fraction: float, *, is_paired: bool = False
    ) -> list[float]:
        """Metrics of log-returns ``paths`` [N, H] for window ``number``, in the order of METRICS."""
        actual, volatility = self.actual_returns[number], self.volatility[number]
        error = np.abs(np.median(paths, axis=0) - actual).mean()
        coverages = [band_coverage(paths, actual, coverage) for coverage in COVERAGES]
        score = crps(paths, actual, is_paired=is_paired).mean()
        return [float(score / volatility), float(error / volatility), *coverages, repaired_fraction]


def summarize(windows: EvalWindows, metrics: np.ndarray) -> dict[str, float]:
    """Means of ``metrics`` [M, F] over windows, relative to the baselines.

    ``crps_skill`` is 1 - CRPS / CRPS of the random walk: above 0 is better than the walk. ``mae_ratio`` is the absolute
    error of the median relative to persistence: below 1 is better. ``repaired_fraction`` is the fraction of sampled
    candles that violated low <= open, close <= high.
    """
    persistence_error = (np.abs(windows.actual_returns).mean(axis=1) / windows.volatility).mean()
    means = dict(zip(METRICS, metrics.mean(axis=0).tolist(), strict=True))
    return {
        "crps": means["crps"],
        "crps_skill": 1 - means["crps"] / float(windows.random_walk[:, 0].mean()),
        "mae_ratio": means["mae"] / float(max(persistence_error, 1e-12)),
        **{name: value for name, value in means.items() if name not in ("crps", "mae")},
    }
