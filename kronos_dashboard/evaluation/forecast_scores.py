"""A forecast and its rivals against what has come so far; pure numbers, and what they allow one to say.

Shapes: H steps of the horizon, k of them revealed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from kronos_dashboard.evaluation.metrics import average_true_range, coverages, crps, mae, rmse
from kronos_dashboard.forecasting.baselines import drift, persistence
from kronos_dashboard.forecasting.record import paths_as_drawn
from kronos_dashboard.forecasting.windows import Window

if TYPE_CHECKING:
    from engine.forecast import Forecast
    from kronos_dashboard.ui.forecast.runs import Result

__all__ = ["BANDS", "LEAST_STEPS", "Continuity", "Rival", "as_drawn", "continuity", "known_steps", "rivals", "verdict"]

BANDS = (0.5, 0.8, 0.95)
"""Coverages of the bands that are held against the truth."""
LEAST_STEPS = 10
"""With fewer steps nothing is said about who came nearer."""
_ALIKE = 0.05
"""Ratios this near to 1 are no difference."""
Verdict = Literal["too few", "no ratio", "nearer", "alike", "further"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Rival:
    """One forecast over the k steps that have come; errors are those of the median of its paths, price units."""

    name: str
    errors: np.ndarray
    """[k], absolute."""
    mae: float
    rmse: float
    mape: float
    """Mean absolute error as a fraction of what came."""
    crps: float
    covered: np.ndarray
    """[3], fraction of the steps inside each of ``BANDS``."""


@dataclass(frozen=True, kw_only=True)
class Continuity:
    """How a forecast goes on from the last candle."""

    jump: float
    """Median first open less last close, price units."""
    typical_jump: float
    """Median distance of an open from the close before it, over the context; may be 0."""
    typical_range: float
    """Average true range of the context's end; may be 0."""
    first_move: float
    """Median close of the first step less last close."""
    typical_move: float
    """Median distance of a close from the close before it, over the context; may be 0."""

    @property
    def jumps(self) -> float:
        """The jump in typical jumps; NaN where opens never leave the close before them."""
        return self.jump / self.typical_jump if self.typical_jump > 0 else math.nan

    @property
    def ranges(self) -> float:
        """The jump in typical ranges; NaN where nothing moves."""
        return self.jump / self.typical_range if self.typical_range > 0 else math.nan

    @property
    def moves(self) -> float:
        """The first step of the median in typical moves; NaN where nothing moves."""
        return self.first_move / self.typical_move if self.typical_move > 0 else math.nan

    @property
    def broken(self) -> bool:
        """Whether it visibly breaks off: far in typical jumps, and not only because those are tiny."""
        far = math.isnan(self.jumps) or abs(self.jumps) > 3
        return (far and abs(self.ranges) > 0.5) or abs(self.moves) > 4


def known_steps(window: Window, revealed: int) -> int:
    """How many steps of what came may be looked at."""
    return 0 if window.came is None else min(max(0, revealed), len(window.came))


def rivals(result: Result, steps: int) -> tuple[Rival, ...]:
    """The model, the random walk it is shown over, the last close and the past trend, over the first ``steps``."""
    window = result.window
    assert window.came is not None
    truth = window.came.frame["close"].to_numpy()[:steps]
    seed = result.record.sampling_config.seed
    forecasts = {
        "model": result.forecast,
        "walk": result.baseline,
        "still": persistence(window),
        "trend": drift(window, seed=seed),
    }
    return tuple(_rival(name, forecast, truth) for name, forecast in forecasts.items())


def verdict(steps: int, ratio: float) -> Verdict:
    """What the CRPS of the model over that of the random walk allows one to say."""
    if steps < LEAST_STEPS:
        return "too few"
    if not math.isfinite(ratio):
        return "no ratio"
    if abs(ratio - 1) <= _ALIKE:
        return "alike"
    return "nearer" if ratio < 1 else "further"


def as_drawn(result: Result) -> Forecast:
    """The paths of a forecast that were not mirrored: only they show where the model goes on."""
    forecast = result.forecast
    return replace(forecast, paths=forecast.paths[paths_as_drawn(result.record.sampling_config)])


def continuity(window: Window, forecast: Forecast) -> Continuity:
    """The first step of a forecast beside the steps of its context."""
    values = window.context.frame.to_numpy()
    opens, closes = values[:, 0], values[:, 3]
    return Continuity(
        jump=float(np.median(forecast.paths[:, 0, 0]) - closes[-1]),
        typical_jump=float(np.median(np.abs(opens[1:] - closes[:-1]))),
        typical_range=average_true_range(values),
        first_move=float(np.median(forecast.paths[:, 0, 3]) - closes[-1]),
        typical_move=float(np.median(np.abs(np.diff(closes)))),
    )


def _rival(name: str, forecast: Forecast, truth: np.ndarray) -> Rival:
    paths = forecast.paths[:, : len(truth), 3]
    median = np.quantile(paths, 0.5, axis=0)
    errors = np.abs(median - truth)
    return Rival(
        name=name,
        errors=errors,
        mae=mae(median, truth),
        rmse=rmse(median, truth),
        mape=float((errors / truth).mean()),
        crps=float(crps(paths, truth).mean()),
        covered=coverages(paths, truth, BANDS),
    )
