"""Sensitivity of a forecast to its settings: the same cutoff over a grid of context lengths and temperatures.

A direction that changes with the context length is a property of the settings rather than of the market.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.analytics import SampledPaths, direction
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.evaluation.metrics import average_true_range, crps, interval_coverage, mae, opening_gap
from kronos_dashboard.forecasting.run import CancelToken, Predictor, ProgressCallback, SamplingConfig, run_forecasts
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.messages import msg

__all__ = ["MAX_CELLS", "MAX_PATHS", "run_sensitivity_grid"]

MAX_CELLS = 25
"""Cells of one grid, each of which is a forecast: with MAX_PATHS paths about a minute on one core."""
MAX_PATHS = 100
"""Paths of one cell."""
_COVERAGE = 0.8
"""Nominal coverage of the band whose bounds and width are reported."""


def run_sensitivity_grid(
    window: Window,
    contexts: Sequence[int],
    temperatures: Sequence[float],
    sampling: SamplingConfig,
    predictor: Predictor,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
    *,
    model_name: str,
    on_rows: Callable[[pd.DataFrame], None] | None = None,
) -> pd.DataFrame:
    """Forecast one window with every combination of context length and temperature.

    Args:
        window: its context must be at least as long as the longest of ``contexts``; each cell uses the end of it.
        contexts: context lengths, each once. Lengths beyond the model's limit give equal forecasts.
        temperatures: each once.
        sampling: all settings but the temperature; a few dozen paths are enough.
        predictor: the loaded model.
        progress: called with the decode steps done and the total, over the whole grid.
        cancel: checked after every decode step.
        model_name: what the model was loaded by.
        on_rows: called after each cell with the rows of all finished cells.

    Returns:
        One row per cell, indexed by ``context`` and ``temperature``. ``prob_up``, ``prob_up_low``, ``prob_up_high``:
        probability of a last close above the context's last close, with its interval. ``end``: median return up to the
        last step; ``end_low``, ``end_high``, ``width``: bounds and width of the 80 % band there. ``gap``: median first
        open of the unmirrored paths, in average true ranges from the last close. ``anchor_to_last_close``,
        ``mirror_paths``: the resolved settings. ``seconds``. If the actual candles are known also ``mae`` and ``crps``
        (as fractions of the last close) and ``coverage`` (of the 80 % band over all steps).

    Raises:
        SettingsError: the grid is empty or too large, a context is too long, or a value occurs twice.
        EngineError: the engine rejects a cell, or ``cancel`` was set (``CancelledError``).
    """
    _check(window, contexts, temperatures, sampling)
    cells = list(product(contexts, temperatures))
    rows: list[dict[str, float]] = []
    for i, (length, temperature) in enumerate(cells):
        [(forecast, record)] = run_forecasts(
            [replace(window, context=window.context.tail(length))],
            replace(sampling, temperature=temperature),
            predictor,
            None if progress is None else _scaled_progress(progress, i, len(cells)),
            cancel,
            model_name=model_name,
        )
        options = {
            "anchor_to_last_close": bool(record.sampling.anchor_to_last_close),
            "mirror_paths": bool(record.sampling.mirror_paths),
        }
        rows.append({**_cell_metrics(window, forecast), **options, "seconds": record.seconds})
        if on_rows is not None:
            on_rows(_table(cells, rows))
    return _table(cells, rows)


def _table(cells: list[tuple[int, float]], rows: list[dict[str, float]]) -> pd.DataFrame:
    """One row per finished cell."""
    return pd.DataFrame(rows, index=pd.MultiIndex.from_tuples(cells[: len(rows)], names=["context", "temperature"]))


def _check(window: Window, contexts: Sequence[int], temperatures: Sequence[float], sampling: SamplingConfig) -> None:
    if not 1 <= len(contexts) * len(temperatures) <= MAX_CELLS:
        raise SettingsError(
            msg(
                "a grid must have 1 to {limit} cells; got {contexts} context lengths times {temperatures} "
                "temperatures.",
                limit=MAX_CELLS,
                contexts=len(contexts),
                temperatures=len(temperatures),
            ),
            msg("Choose fewer values."),
        )
    if len(set(contexts)) < len(contexts) or len(set(temperatures)) < len(temperatures):
        raise SettingsError(msg("each context length and each temperature may appear only once in a grid."))
    if not all(2 <= length <= window.context_length for length in contexts):
        raise SettingsError(
            msg(
                "context lengths must be 2..{context_length}, the context of the window; got {contexts}.",
                context_length=window.context_length,
                contexts=", ".join(map(str, contexts)),
            ),
            msg("Use a window with a longer context."),
        )
    if sampling.num_paths > MAX_PATHS:
        raise SettingsError(
            msg(
                "a cell can have at most {limit} paths; got {num_paths}.",
                limit=MAX_PATHS,
                num_paths=sampling.num_paths,
            )
        )


def _scaled_progress(progress: ProgressCallback, cell: int, cells: int) -> ProgressCallback:
    """Progress of one cell as progress of the grid; all cells have the same number of steps."""
    return lambda done, total: progress(cell * total + done, cells * total)


def _cell_metrics(window: Window, forecast: Forecast) -> dict[str, float]:
    sampled = SampledPaths.from_forecast(forecast, window.context)
    prob_up, last_close = direction(sampled).prob_up, sampled.last_close
    levels = ((1 - _COVERAGE) / 2, 0.5, (1 + _COVERAGE) / 2)
    low, median, high = forecast.quantile(levels)[:, -1] / last_close - 1
    first_open = np.median(forecast.unmirrored_paths[:, 0, 0].astype(np.float64), keepdims=True)
    atr = average_true_range(window.context.frame.to_numpy())
    metrics = {
        "prob_up": prob_up.value,
        "prob_up_low": prob_up.low,
        "prob_up_high": prob_up.high,
        "end": float(median),
        "end_low": float(low),
        "end_high": float(high),
        "width": float(high - low),
        "gap": float(opening_gap(first_open, last_close, atr)[0]),
    }
    if window.actual is not None:
        actual = window.actual.frame["close"].to_numpy()
        lower, upper = forecast.band(_COVERAGE)
        metrics["mae"] = mae(forecast.median(), actual) / last_close
        metrics["crps"] = float(crps(sampled.closes, actual, is_paired=sampled.is_paired).mean()) / last_close
        metrics["coverage"] = interval_coverage(lower, upper, actual.astype(forecast.paths.dtype))
    return metrics
