"""The tasks of the job queue: frozen, picklable values that name their model instead of holding it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.config import SamplingConfig
from engine.forecast import Forecast
from kronos_dashboard.analytics.surprisal import RecentSurprisal, recent_surprisal
from kronos_dashboard.evaluation.sensitivity import run_sensitivity_grid
from kronos_dashboard.forecasting.baselines import random_walk, volatility_cone
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.run import model_frame, run_forecasts
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.models.catalog import ModelKey

if TYPE_CHECKING:
    from engine import KronosPredictor
    from kronos_dashboard.compute.queue import TaskContext

__all__ = ["ForecastOutcome", "ForecastTask", "SensitivityTask"]

_MAX_SCORED_CANDLES = 100
"""Candles at the end of the context whose surprisal is computed: what a chart shows at once."""
_NUM_CONE_PATHS = 600
"""Paths of the volatility cone: smooth quantiles, and less memory than the model's paths take."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ForecastOutcome:
    """A forecast with its record, the baselines beside it, and the surprisal of its context."""

    forecast: Forecast
    record: RunRecord
    baseline: Forecast
    """``random_walk`` of the window."""
    cone: Forecast
    """``volatility_cone`` of the window."""
    surprisal: RecentSurprisal | None
    """Of the last context candles; None if the context is too short."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ForecastTask:
    """Forecast one window."""

    window: Window
    sampling: SamplingConfig
    model_key: ModelKey

    def run(self, context: TaskContext) -> ForecastOutcome:
        """Load the model and forecast; the preview is the paths so far, float32 [N, t, 6].

        Raises:
            EngineError, SettingsError: the model cannot be loaded, or rejects the window.
            CancelledError: the job was canceled.
        """
        predictor = context.load_model(self.model_key)

        def on_preview(_: int, paths: np.ndarray) -> None:
            context.show_preview(paths)

        [(forecast, record)] = run_forecasts(
            [self.window],
            self.sampling,
            predictor,
            context.report_progress,
            context.cancel_token,
            model_name=self.model_key.name,
            on_preview=on_preview,
        )
        seed = self.sampling.seed
        return ForecastOutcome(
            forecast=forecast,
            record=record,
            baseline=random_walk(self.window, seed=seed),
            cone=volatility_cone(self.window, num_paths=_NUM_CONE_PATHS, seed=seed),
            surprisal=_context_surprisal(predictor, self.window),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class SensitivityTask:
    """Forecast one window with every combination of context length and temperature."""

    window: Window
    contexts: tuple[int, ...]
    temperatures: tuple[float, ...]
    sampling: SamplingConfig
    model_key: ModelKey

    def run(self, context: TaskContext) -> pd.DataFrame:
        """Load the model and run the grid; the preview is the table of the cells that are done.

        Raises:
            EngineError, SettingsError: the model cannot be loaded, or rejects the window or the grid.
            CancelledError: the job was canceled.
        """
        predictor = context.load_model(self.model_key)
        return run_sensitivity_grid(
            self.window,
            self.contexts,
            self.temperatures,
            self.sampling,
            predictor,
            context.report_progress,
            context.cancel_token,
            model_name=self.model_key.name,
            on_rows=context.show_preview,
        )


def _context_surprisal(predictor: KronosPredictor, window: Window) -> RecentSurprisal | None:
    """Surprisal of the last context candles; takes milliseconds, next to a forecast."""
    visible = min(window.context_length, predictor.max_context)
    # at most half of what the model sees: the other half is the history that the scores are conditioned on
    last = min(_MAX_SCORED_CANDLES, visible // 2)
    return recent_surprisal(predictor, model_frame(window.context), last=last) if last else None
