"""Forecast one window of a file of candles."""

from __future__ import annotations

import sys

import pandas as pd

from engine.config import SamplingConfig
from kronos_dashboard.cli.candle_files import load_candles
from kronos_dashboard.cli.options import Dtype, FileOptions, ModelOptions, SamplingOptions, WindowOptions
from kronos_dashboard.cli.outputs import ForecastResult
from kronos_dashboard.cli.progress import ProgressBars
from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting.run import run_forecasts
from kronos_dashboard.forecasting.windows import Window, check_lengths, latest_window, replay_window
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg
from kronos_dashboard.models.loading import load_model
from kronos_dashboard.settings import Settings

__all__ = ["check_num_paths", "run_forecast"]

_MAX_ROW_DIGITS = 7
"""A cutoff with more digits is a date such as 20240131, not a row."""


def run_forecast(
    file: str,
    file_options: FileOptions,
    window_options: WindowOptions,
    sampling_options: SamplingOptions,
    model_options: ModelOptions,
    settings: Settings,
    *,
    dtype: Dtype,
) -> ForecastResult:
    """Forecast the window of ``file`` that the options select; warnings on the file go to stderr.

    Raises:
        DashboardError, EngineError: it is not possible; the message says why.
    """
    sampling = _sampling_config(sampling_options)
    check_num_paths(sampling, settings)
    check_lengths(window_options.context, window_options.horizon, settings)
    imported = load_candles(file, file_options, settings)
    for note in imported.notes:
        if note.level != "info":
            sys.stderr.write(f"{note.level}: {note.text}\n")
    window = _select_window(imported.candles, window_options)
    name = model_options.model or settings.model
    with ProgressBars() as progress:
        predictor = load_model(name, device=model_options.device, dtype=dtype, progress=progress.on_download)
        [(forecast, record)] = run_forecasts(
            [window],
            sampling,
            predictor,
            progress.on_step,
            model_name=name,
            context_overflow=sampling_options.context_overflow,
        )
    return ForecastResult(window=window, forecast=forecast, record=record, is_reproduced=False)


def check_num_paths(sampling: SamplingConfig, settings: Settings) -> None:
    """Check the number of paths against the settings.

    Raises:
        WindowError: there are more paths than the settings allow.
    """
    if sampling.num_paths > settings.max_paths:
        raise WindowError(
            msg("paths must be 1 to {limit}; got {num_paths}.", limit=settings.max_paths, num_paths=sampling.num_paths),
            msg("Use fewer paths."),
        )


def _sampling_config(options: SamplingOptions) -> SamplingConfig:
    return SamplingConfig(
        num_paths=options.paths,
        temperature=options.temperature,
        top_p=options.top_p,
        top_k=options.top_k,
        min_p=options.min_p,
        seed=options.seed,
        anchor_to_last_close=options.anchor_to_last_close,
        mirror_paths=options.mirror_paths,
    )


def _select_window(candles: CandleFrame, options: WindowOptions) -> Window:
    """The window that ends at the cutoff, with its actual candles if there are enough of them."""
    row = _cutoff_row(candles, options.cutoff)
    if row + options.horizon <= len(candles):
        return replay_window(candles, row, options.context, options.horizon)
    return latest_window(candles.rows(0, row), options.context, options.horizon)


def _cutoff_row(candles: CandleFrame, cutoff: str) -> int:
    """The number of rows up to and including the cutoff.

    Raises:
        WindowError: there is no such row, or the text is neither a row nor a time.
    """
    if cutoff == "latest":
        return len(candles)
    if cutoff.lstrip("+-").isdigit() and len(cutoff) <= _MAX_ROW_DIGITS:
        if not 1 <= int(cutoff) <= len(candles):
            raise WindowError(
                msg(
                    "the cutoff must be row 1 to {count} of {symbol}; got {cutoff}.",
                    count=len(candles),
                    symbol=candles.symbol,
                    cutoff=cutoff,
                )
            )
        return int(cutoff)
    try:
        time = pd.Timestamp(cutoff)
        if pd.isna(time):
            raise ValueError("no time")
        time = time.tz_localize(candles.session_tz) if time.tz is None else time
    except ValueError as error:
        raise WindowError(
            msg(
                'the cutoff {cutoff} is neither a row number, nor a time in the time zone {zone}, nor "latest".',
                cutoff=repr(cutoff),
                zone=candles.session_tz,
            ),
            msg("Write 1200, or 2024-01-31 09:30."),
        ) from error
    row = len(candles.until(time.tz_convert("UTC")))
    if row == 0:
        raise WindowError(
            msg(
                "the cutoff {cutoff} is before the first candle, {time}.",
                cutoff=cutoff,
                time=candles.local_index[0],
            )
        )
    return row
