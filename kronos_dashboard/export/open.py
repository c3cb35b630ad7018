"""An exported file back to what it holds: the record, and as far as they are there candles, paths or quantiles.

Shapes: H steps.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.export import QUANTILES, read_exported, read_forecast, read_run
from kronos_dashboard.export.metadata import header_record
from kronos_dashboard.export.tables import quantile_name
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["Opened", "open_exported"]

_HINT = "Choose a file as it was saved here: CSV, Parquet, JSON or HTML."
FindContext = Callable[[RunRecord], CandleFrame | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Opened:
    """What a file holds."""

    record: RunRecord
    window: Window | None
    """None where the candles are neither in the file nor in this session."""
    forecast: Forecast | None
    """None where the file does not hold all paths."""
    own_candles: bool
    """Whether the candles are in the file, so that it alone makes the paths again."""
    quantiles: np.ndarray | None
    """[7, H] of the close at ``export.QUANTILES``; None where the file holds neither paths nor quantiles."""


def open_exported(data: bytes, name: str, find: FindContext, *, most_bytes: int) -> Opened:
    """Read a file that was exported here.

    Args:
        data: its bytes; their kind is told by themselves.
        name: what to call it in errors.
        find: the context of a record, where this session has it.
        most_bytes: the largest file that is read.

    Raises:
        ImportFailed: it is no such file.
        RecordError: its record cannot be read, or the file was changed.
    """
    if len(data) > most_bytes:
        raise ImportFailed(
            f"the file has {len(data) / 2**20:.1f} MiB; at most {most_bytes / 2**20:g} are read.",
            "Take Parquet instead.",
        )
    if not data.strip():
        raise ImportFailed("the file is empty.", _HINT)
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return _from_json(data, name, find)
    if data.startswith(b"<"):
        return _opened(read_exported(data).record, find)  # a report
    if not data.startswith(b"PAR1") and b"close_median" in _heading(data):
        return _from_steps(data, find)
    forecast, record = read_forecast(data, name)
    return _opened(record, find, forecast, _quantiles(forecast))


def _opened(
    record: RunRecord, find: FindContext, forecast: Forecast | None = None, quantiles: np.ndarray | None = None
) -> Opened:
    """What a file without candles holds."""
    window = _window(record, find(record), None)
    return Opened(record=record, window=window, forecast=forecast, own_candles=False, quantiles=quantiles)


def _from_json(data: bytes, name: str, find: FindContext) -> Opened:
    run = read_run(data)
    forecast = None if run.paths is None else read_forecast(data, name)[0]
    context = find(run.record) if run.context is None else run.context
    quantiles = None if forecast is None else _quantiles(forecast)
    window = _window(run.record, context, run.truth)
    own = run.context is not None
    return Opened(record=run.record, window=window, forecast=forecast, own_candles=own, quantiles=quantiles)


def _from_steps(data: bytes, find: FindContext) -> Opened:
    """The table of one row per step, whose quantiles are told."""
    record = header_record(data)
    names = [quantile_name("close", level) for level in QUANTILES]
    try:
        table = pd.read_csv(io.BytesIO(data), comment="#", usecols=["step", *names], nrows=record.horizon + 1)
        steps, values = table["step"].to_numpy(dtype=np.int64), table[names].to_numpy(dtype=np.float64).T
    except (ValueError, pd.errors.ParserError) as error:
        raise ImportFailed(f"the table of steps cannot be read: {error}", _HINT) from error
    whole = np.array_equal(steps, np.arange(1, record.horizon + 1))
    if not whole or not np.isfinite(values).all() or (np.diff(values, axis=0) < 0).any():
        raise ImportFailed(
            f"the table must have steps 1 to {record.horizon} with quantiles in rising order; it was changed.", _HINT
        )
    return _opened(record, find, quantiles=values)


def _heading(data: bytes) -> bytes:
    """The first line that is no comment."""
    return next((line for line in io.BytesIO(data) if not line.startswith((b"#", b'"#', b"\xef\xbb\xbf#"))), b"")


def _quantiles(forecast: Forecast) -> np.ndarray:
    return forecast.quantile(QUANTILES)


def _window(record: RunRecord, context: CandleFrame | None, truth: CandleFrame | None) -> Window | None:
    if context is None or context.fingerprint != record.candles_fingerprint:
        return None
    return Window(context=context, future=record.future_index, truth=truth)
