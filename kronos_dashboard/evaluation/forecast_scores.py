"""Scores of a forecast and of baselines on the revealed bars of one window, and the continuity of its first bar.

Shapes: H steps of the horizon, k of them revealed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.forecast import Forecast
from kronos_dashboard.evaluation.metrics import average_true_range, band_coverages, crps, mae, rmse
from kronos_dashboard.forecasting.baselines import drift, persistence
from kronos_dashboard.forecasting.windows import Window

__all__ = [
    "BANDS",
    "MIN_STEPS",
    "FirstBarCheck",
    "ForecastScore",
    "Verdict",
    "check_first_bar",
    "num_known_steps",
    "score_forecasts",
    "verdict",
]

BANDS = (0.5, 0.8, 0.95)
"""Nominal coverages of the bands that are compared with the actual closes."""
MIN_STEPS = 10
"""Steps below which there is no verdict: consecutive closes are too correlated to rank two forecasts by fewer."""
_SIMILAR = 0.05
"""CRPS ratios this close to 1 count as equal."""
_MAX_GAP_RATIO, _MAX_GAP_IN_RANGES, _MAX_MOVE_RATIO = 3.0, 0.5, 4.0
"""A first bar beyond these is visible as a break in the chart: the gap must be unusual for the series and large
compared with a bar, or the first move four times the typical one."""
Verdict = Literal["too few", "no ratio", "better", "similar", "worse"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ForecastScore:
    """Metrics of one forecast over the first k steps; errors are those of the median of its paths, price units."""

    name: str
    """``model``, ``random_walk``, ``persistence`` or ``drift``."""
    errors: np.ndarray
    """[k], absolute."""
    mae: float
    rmse: float
    mape: float
    """Mean absolute error as a fraction of the actual close."""
    crps: float
    coverages: np.ndarray
    """[3], fraction of the steps inside each of ``BANDS``."""


@dataclass(frozen=True, kw_only=True)
class FirstBarCheck:
    """How a forecast connects to the last candle."""

    gap: float
    """Median first open minus last close, price units."""
    typical_gap: float
    """Median absolute gap between an open and the close before it, over the context; may be 0."""
    typical_range: float
    """Average true range at the end of the context; may be 0."""
    first_move: float
    """Median close of the first step minus last close."""
    typical_move: float
    """Median absolute move from close to close, over the context; may be 0."""

    @property
    def gap_ratio(self) -> float:
        """The gap in typical gaps; NaN if opens always equal the close before them."""
        return self.gap / self.typical_gap if self.typical_gap > 0 else math.nan

    @property
    def gap_in_ranges(self) -> float:
        """The gap in typical ranges; NaN if nothing moves."""
        return self.gap / self.typical_range if self.typical_range > 0 else math.nan

    @property
    def move_ratio(self) -> float:
        """The first move in typical moves; NaN if nothing moves."""
        return self.first_move / self.typical_move if self.typical_move > 0 else math.nan

    @property
    def is_discontinuous(self) -> bool:
        """Whether the first bar visibly breaks off from the last candle."""
        unusual = math.isnan(self.gap_ratio) or abs(self.gap_ratio) > _MAX_GAP_RATIO
        large = abs(self.gap_in_ranges) > _MAX_GAP_IN_RANGES
        return (unusual and large) or abs(self.move_ratio) > _MAX_MOVE_RATIO


def num_known_steps(window: Window, revealed: int) -> int:
    """Number of steps whose actual candles may be used, for a number of ``revealed`` bars."""
    return 0 if window.observed is None else min(max(0, revealed), len(window.observed))


def score_forecasts(
    window: Window, forecast: Forecast, baseline: Forecast, steps: int, *, seed: int
) -> tuple[ForecastScore, ...]:
    """Score the model, its random walk, persistence and drift over the first ``steps``.

    Args:
        window: its observed candles must cover ``steps``.
        forecast: of the model.
        baseline: the random walk that the forecast is shown with.
        steps: k, at least 1.
        seed: of the drift baseline.
    """
    assert window.observed is not None
    actual = window.observed.frame["close"].to_numpy()[:steps]
    forecasts = {
        "model": forecast,
        "random_walk": baseline,
        "persistence": persistence(window),
        "drift": drift(window, seed=seed),
    }
    return tuple(_score(name, scored, actual) for name, scored in forecasts.items())


def verdict(steps: int, ratio: float) -> Verdict:
    """The conclusion from the model's CRPS relative to the random walk's, over a number of steps."""
    if steps < MIN_STEPS:
        return "too few"
    if not math.isfinite(ratio):
        return "no ratio"
    if abs(ratio - 1) <= _SIMILAR:
        return "similar"
    return "better" if ratio < 1 else "worse"


def check_first_bar(window: Window, forecast: Forecast) -> FirstBarCheck:
    """Compare the first step of a forecast, by its unmirrored paths, with the bars of its context."""
    values = window.context.frame.to_numpy()
    opens, closes = values[:, 0], values[:, 3]
    first = forecast.unmirrored_paths[:, 0]  # [N or N / 2, 6]
    return FirstBarCheck(
        gap=float(np.median(first[:, 0]) - closes[-1]),
        typical_gap=float(np.median(np.abs(opens[1:] - closes[:-1]))),
        typical_range=average_true_range(values),
        first_move=float(np.median(first[:, 3]) - closes[-1]),
        typical_move=float(np.median(np.abs(np.diff(closes)))),
    )


def _score(name: str, forecast: Forecast, actual: np.ndarray) -> ForecastScore:
    paths = forecast.paths[:, : len(actual), 3]  # [N, k]
    median = np.quantile(paths, 0.5, axis=0)
    errors = np.abs(median - actual)
    return ForecastScore(
        name=name,
        errors=errors,
        mae=mae(median, actual),
        rmse=rmse(median, actual),
        mape=float((errors / actual).mean()),
        crps=float(crps(paths, actual, is_paired=forecast.is_mirrored).mean()),
        coverages=band_coverages(paths, actual, BANDS),
    )
