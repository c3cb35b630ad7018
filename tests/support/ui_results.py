"""Finished forecasts for tests of the page below the chart: made from a seed, without a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine import Forecast, ModelConfig, SamplingConfig
from engine.features import interleave_mirror_images
from engine.surprisal import Surprisal
from kronos_dashboard.analytics import RecentSurprisal
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.record import RunRecord, forecast_columns, paths_sha256
from kronos_dashboard.forecasting.windows import Window, latest_window, replay_window
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.ui.forecast.runs import ForecastResult
from tests.support import makers


def window(
    *, with_actual: bool = True, horizon: int = 12, scale: float = 1.0, cutoff: int = 200, **fields: object
) -> Window:
    """Return a window of 100 candles; ``scale`` multiplies all prices."""
    values = makers.candles(300, **fields)
    frame = values.frame.copy()
    frame[["open", "high", "low", "close", "amount"]] *= scale
    candles = makers.on(frame, **{"symbol": values.symbol, "has_volume": values.has_volume, **fields})
    return replay_window(candles, cutoff, 100, horizon) if with_actual else latest_window(candles, 100, horizon)


def result(
    at_window: Window | None = None,
    *,
    num_paths: int = 40,
    seed: int = 3,
    temperature: float = 1.0,
    anchor_to_last_close: bool = False,
    mirror_paths: bool = False,
    min_p: float = 0.0,
    with_surprisal: bool = False,
) -> ForecastResult:
    """Return a forecast of a window: its paths are a random walk's, its record is a real one."""
    here = window() if at_window is None else at_window
    forecast = random_walk(here, num_paths=num_paths, seed=seed)
    if mirror_paths and num_paths > 1:
        pairs = interleave_mirror_images(forecast.paths, float(here.context.frame["close"].iloc[-1]))
        forecast = replace(forecast, paths=pairs[:num_paths])
    resolved = ModelConfig.extension_defaults() | {
        "anchor_to_last_close": anchor_to_last_close,
        "mirror_paths": mirror_paths,
        "min_p": min_p,
    }
    sampling = SamplingConfig(num_paths=num_paths, seed=seed, temperature=temperature, **resolved)
    forecast = replace(forecast, sampling=sampling)
    return ForecastResult(
        here,
        forecast,
        record(here, forecast, sampling),
        random_walk(here, num_paths=200, seed=seed + 1),
        surprisal=make_surprisal(here.context) if with_surprisal else None,
    )


def record(at: Window, forecast: Forecast, sampling: SamplingConfig) -> RunRecord:
    """Return the record of a forecast that no model has made."""
    candles = at.context
    return RunRecord(
        run_id=f"{sampling.seed:032x}",
        created_at="2026-01-02T03:04:05+00:00",
        symbol=candles.symbol,
        interval=interval_label(candles.interval),
        session_tz=candles.session_tz,
        timestamp_at=candles.timestamp_at,
        columns=candles.columns,
        source=candles.source,
        candles_fingerprint=candles.fingerprint,
        cutoff=at.cutoff.isoformat(),
        context_length=at.context_length,
        horizon=at.horizon,
        future=tuple(bar.isoformat() for bar in at.future),
        sampling=sampling,
        context_overflow="recompute",
        max_context=512,
        clip=5.0,
        model_name="bundled",
        model_label="a random walk",
        weights_sha256="0" * 64,
        tokenizer_sha256="1" * 64,
        device="cpu",
        dtype="float32",
        paths_sha256=paths_sha256(forecast, forecast_columns(candles.columns)),
        versions={"python": "3"},
        seconds=0.5,
    )


def make_surprisal(candles: CandleFrame, *, last: int = 20, odd: int = 7) -> RecentSurprisal:
    """Return a surprisal of the last candles; the one at ``odd`` is an outlier."""
    deviation = np.linspace(-1, 1, last)
    deviation[odd] = 5.5
    surprisal = Surprisal(
        index=candles.local_index[-last:],
        coarse=2.0 + deviation,
        fine=np.full(last, 1.0),
        entropy=np.full(last, 3.0),
        std=np.ones(last),
        clipped=np.arange(last) == odd,
    )
    return RecentSurprisal(surprisal=surprisal, is_outlier=deviation >= 3)
