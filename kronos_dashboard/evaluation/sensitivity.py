"""How much a forecast hangs on its settings: the same cutoff over a grid of context lengths and temperatures.

A direction that turns with the context length is a trait of the window rather than of the market.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.analytics import Fan, chance_up
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.evaluation.metrics import average_true_range, coverage, crps, mae, opening_gap
from kronos_dashboard.forecasting.record import paths_as_drawn
from kronos_dashboard.forecasting.run import CancelToken, Predictor, Progress, SamplingConfig, run
from kronos_dashboard.forecasting.windows import Window

__all__ = ["MAX_CELLS", "MAX_PATHS", "sensitivity"]

MAX_CELLS = 25
"""Most cells of one grid; each is a forecast."""
MAX_PATHS = 100
"""Most paths of one cell."""
_LEVEL = 0.8
"""Coverage of the band whose width is told."""


def sensitivity(
    window: Window,
    contexts: Sequence[int],
    temperatures: Sequence[float],
    sampling: SamplingConfig,
    predictor: Predictor,
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
    *,
    model_name: str,
    partial: Callable[[pd.DataFrame], None] | None = None,
) -> pd.DataFrame:
    """Forecast one window with every context length and temperature, and tell what comes of it.

    Args:
        window: with a context of at least the longest of ``contexts``; each cell sees the end of it.
        contexts: context lengths, each once. Beyond what the model sees at once a longer one changes nothing.
        temperatures: each once.
        sampling: everything but the temperature; a few dozen paths are enough.
        predictor: the loaded model.
        progress: called with the decode steps done and all decode steps, over the whole grid.
        cancel: looked at after every decode step.
        model_name: what the model was loaded by.
        partial: given the rows of all cells that are done, after each of them.

    Returns:
        One row per cell, indexed by ``context`` and ``temperature``: ``up``, ``up_low``, ``up_high`` (chance to close
        above the last close at the end, and its interval), ``end`` (median return at the end), ``end_low`` and
        ``end_high`` (edges of the 80 % band there), ``width``, ``gap`` (median jump at the first open, in
        average true ranges, of the paths as they were drawn), ``from_last_close`` (whether paths begin there),
        ``mirrored`` (whether every second is), ``seconds``; and where the truth is known ``mae`` and ``crps`` (as
        fractions of the last close) and ``coverage`` (of the 80 % band over all steps).

    Raises:
        SettingsError: the grid is empty or too large, a length is not there, or a value comes twice.
        EngineError: the engine refuses a cell, or ``cancel`` was set (``Cancelled``).
    """
    _check(window, contexts, temperatures, sampling)
    cells = list(product(contexts, temperatures))
    rows = []
    for i, (length, temperature) in enumerate(cells):
        cell = replace(window, context=window.context.tail(length))
        chosen = replace(sampling, temperature=temperature)
        told = None if progress is None else _part_of(progress, i, len(cells))
        [(forecast, record)] = run([cell], chosen, predictor, told, cancel, model_name=model_name)
        drawn = {name: record.sampling[name] for name in ("from_last_close", "mirrored")}
        figures = _figures(window, forecast, paths_as_drawn(record.sampling_config))
        rows.append({**figures, **drawn, "seconds": record.seconds})
        if partial is not None:
            partial(_table(cells, rows))
    return _table(cells, rows)


def _table(cells: list[tuple[int, float]], rows: list[dict[str, float]]) -> pd.DataFrame:
    """A row per cell, as far as they are done."""
    return pd.DataFrame(rows, index=pd.MultiIndex.from_tuples(cells[: len(rows)], names=["context", "temperature"]))


def _check(window: Window, contexts: Sequence[int], temperatures: Sequence[float], sampling: SamplingConfig) -> None:
    if not 1 <= len(contexts) * len(temperatures) <= MAX_CELLS:
        raise SettingsError(
            f"a grid has 1 to {MAX_CELLS} cells; got {len(contexts)} context lengths times {len(temperatures)} "
            "temperatures.",
            "Choose fewer of them.",
        )
    if len(set(contexts)) < len(contexts) or len(set(temperatures)) < len(temperatures):
        raise SettingsError("every context length and every temperature may stand in a grid once.")
    if not all(2 <= length <= window.context_length for length in contexts):
        raise SettingsError(
            f"context lengths must be 2..{window.context_length}, which is what the window holds; got "
            f"{', '.join(map(str, contexts))}.",
            "Start from a window with a longer context.",
        )
    if sampling.num_paths > MAX_PATHS:
        raise SettingsError(f"a cell has at most {MAX_PATHS} paths; got {sampling.num_paths}.")


def _part_of(progress: Progress, cell: int, cells: int) -> Callable[[int, int], None]:
    """Progress of one cell as progress of the grid; all cells take the same number of steps."""
    return lambda done, total: progress(cell * total + done, cells * total)


def _figures(window: Window, forecast: Forecast, as_drawn: slice) -> dict[str, float]:
    fan = Fan.of(forecast, window.context)
    up, last = chance_up(fan).up, fan.last_close
    opens = fan.opens[as_drawn, :1]
    low, middle, high = np.quantile(fan.closes[:, -1] / last - 1, ((1 - _LEVEL) / 2, 0.5, (1 + _LEVEL) / 2))
    atr = average_true_range(window.context.frame.to_numpy())
    found = {
        "up": up.value,
        "up_low": up.low,
        "up_high": up.high,
        "end": float(middle),
        "end_low": float(low),
        "end_high": float(high),
        "width": float(high - low),
        "gap": float(opening_gap(np.median(opens, axis=0), last, atr)[0]),
    }
    if window.truth is not None:
        truth = window.truth.frame["close"].to_numpy()
        lower, upper = forecast.band(_LEVEL)
        found["mae"] = mae(forecast.median(), truth) / last
        found["crps"] = float(crps(fan.closes, truth).mean()) / last
        found["coverage"] = coverage(lower, upper, truth.astype(forecast.paths.dtype))
    return found
