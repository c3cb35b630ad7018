"""Finished forecasts for tests of what is shown below the chart: made from a seed, without a model."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from engine import Forecast, ModelConfig, SamplingConfig
from engine.features import mirror
from engine.surprisal import Surprise
from kronos_dashboard.analytics import RecentSurprise
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.record import RunRecord, forecast_columns, paths_digest
from kronos_dashboard.forecasting.windows import Window, cut, latest
from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.ui.forecast.runs import Result
from tests.support import makers


def window(*, truth: bool = True, horizon: int = 12, scale: float = 1.0, cutoff: int = 200, **fields: object) -> Window:
    """A window of 100 candles; ``scale`` multiplies all prices."""
    values = makers.candles(300, **fields)
    frame = values.frame.copy()
    frame[["open", "high", "low", "close", "amount"]] *= scale
    candles = makers.on(frame, **{"symbol": values.symbol, "has_volume": values.has_volume, **fields})
    return cut(candles, cutoff, 100, horizon) if truth else latest(candles, 100, horizon)


def result(
    at: Window | None = None,
    *,
    num_paths: int = 40,
    seed: int = 3,
    temperature: float = 1.0,
    from_last_close: bool = False,
    mirrored: bool = False,
    min_p: float = 0.0,
    surprised: bool = False,
) -> Result:
    """A forecast of a window: its paths are a random walk's, its record is a real one."""
    here = window() if at is None else at
    forecast = random_walk(here, num_paths=num_paths, seed=seed)
    if mirrored and num_paths > 1:
        forecast = replace(forecast, paths=mirror(forecast.paths, float(here.context.frame["close"].iloc[-1])))
    settled = ModelConfig.usual() | {"from_last_close": from_last_close, "mirrored": mirrored, "min_p": min_p}
    sampling = SamplingConfig(num_paths=num_paths, seed=seed, temperature=temperature, **settled)
    return Result(
        here,
        forecast,
        record(here, forecast, sampling),
        random_walk(here, num_paths=200, seed=seed + 1),
        surprise=surprise(here.context) if surprised else None,
    )


def record(at: Window, forecast: Forecast, sampling: SamplingConfig) -> RunRecord:
    """The record of a forecast that no model has made."""
    candles = at.context
    return RunRecord(
        run_id=f"{sampling.seed:032x}",
        created_at="2026-01-02T03:04:05+00:00",
        symbol=candles.symbol,
        interval=interval_label(candles.interval),
        session_tz=candles.session_tz,
        stamped=candles.stamped,
        columns=candles.columns,
        source=candles.source,
        candles_fingerprint=candles.fingerprint,
        cutoff=at.cutoff.isoformat(),
        context_length=at.context_length,
        horizon=at.horizon,
        future=tuple(bar.isoformat() for bar in at.future),
        sampling=asdict(sampling),
        policy="exact",
        max_context=512,
        clip=5.0,
        model_name="bundled",
        model_label="a random walk",
        checkpoint_digest="0" * 64,
        tokenizer_digest="1" * 64,
        device="cpu",
        dtype="float32",
        paths_digest=paths_digest(forecast, forecast_columns(candles.columns)),
        versions={"python": "3"},
        seconds=0.5,
    )


def surprise(candles: CandleFrame, *, last: int = 20, odd: int = 7) -> RecentSurprise:
    """What a model might think of the last candles: one of them, counted from 0, stands out."""
    deviation = np.linspace(-1, 1, last)
    deviation[odd] = 5.5
    figures = Surprise(
        index=candles.local_index[-last:],
        coarse=2.0 + deviation,
        fine=np.full(last, 1.0),
        entropy=np.full(last, 3.0),
        spread=np.ones(last),
        clipped=np.arange(last) == odd,
    )
    return RecentSurprise(figures=figures, odd=deviation >= 3)
