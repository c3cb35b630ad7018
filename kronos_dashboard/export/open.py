"""Opening of exported files: the record, and the candles, paths or quantiles if there are any.

Shapes: H steps.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.export import QUANTILES, read_bundle, read_export, read_forecast
from kronos_dashboard.export.metadata import read_header_record
from kronos_dashboard.export.tables import quantile_name
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg

__all__ = ["OpenedExport", "open_export"]

_HINT = msg("Choose an unmodified file saved by this app: CSV, Parquet, JSON or HTML.")
FindContext = Callable[[RunRecord], CandleFrame | None]
"""Returns the context candles of a record if the session has them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenedExport:
    """The content of an exported file."""

    record: RunRecord
    window: Window | None
    """None if the candles are neither in the file nor in this session."""
    forecast: Forecast | None
    """None if the file does not contain all paths."""
    has_candles: bool
    """Whether the candles are in the file, which then suffices to reproduce the paths."""
    quantiles: np.ndarray | None
    """Of the close [7, H], at ``export.QUANTILES``; None if the file contains neither paths nor quantiles."""


def open_export(data: bytes, name: str, find_context: FindContext, *, max_bytes: int) -> OpenedExport:
    """Read a file that this program exported.

    Args:
        data: the bytes of the file, whose format is detected.
        name: name of the file in error messages.
        find_context: see ``FindContext``.
        max_bytes: size of the largest file that is read.

    Raises:
        ImportFileError: it is not such a file, or too large.
        RecordError: its record cannot be read, or the file was changed.
    """
    if len(data) > max_bytes:
        raise ImportFileError(
            msg(
                "the file has {size:.1f} MiB; the limit is {limit:g} MiB.",
                size=len(data) / 2**20,
                limit=max_bytes / 2**20,
            ),
            msg("Use Parquet instead."),
        )
    if not data.strip():
        raise ImportFileError(msg("the file is empty."), _HINT)
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return _from_json(data, name, find_context)
    if data.startswith(b"<"):
        return _without_candles(read_export(data).record, find_context)  # a report
    if not data.startswith(b"PAR1") and b"close_median" in _header_line(data):
        return _from_steps(data, find_context)
    forecast, record = read_forecast(data, name)
    return _without_candles(record, find_context, forecast, _quantiles(forecast))


def _without_candles(
    record: RunRecord, find_context: FindContext, forecast: Forecast | None = None, quantiles: np.ndarray | None = None
) -> OpenedExport:
    """The content of a file without candles."""
    window = _window(record, find_context(record), None)
    return OpenedExport(record=record, window=window, forecast=forecast, has_candles=False, quantiles=quantiles)


def _from_json(data: bytes, name: str, find_context: FindContext) -> OpenedExport:
    run = read_bundle(data)
    forecast = None if run.paths is None else read_forecast(data, name)[0]
    context = find_context(run.record) if run.context is None else run.context
    quantiles = None if forecast is None else _quantiles(forecast)
    window = _window(run.record, context, run.actual)
    has_candles = run.context is not None
    return OpenedExport(
        record=run.record, window=window, forecast=forecast, has_candles=has_candles, quantiles=quantiles
    )


def _from_steps(data: bytes, find_context: FindContext) -> OpenedExport:
    """Read a table with one row per step, which has quantiles but not their paths."""
    record = read_header_record(data)
    names = [quantile_name("close", level) for level in QUANTILES]
    try:
        table = pd.read_csv(io.BytesIO(data), comment="#", usecols=["step", *names], nrows=record.horizon + 1)
        steps, values = table["step"].to_numpy(dtype=np.int64), table[names].to_numpy(dtype=np.float64).T
    except (ValueError, pd.errors.ParserError) as error:
        raise ImportFileError(msg("the table of steps cannot be read: {error}", error=error), _HINT) from error
    is_complete = np.array_equal(steps, np.arange(1, record.horizon + 1))
    if not is_complete or not np.isfinite(values).all() or (np.diff(values, axis=0) < 0).any():
        raise ImportFileError(
            msg(
                "the table must have steps 1 to {horizon} with increasing quantiles; it was changed.",
                horizon=record.horizon,
            ),
            _HINT,
        )
    return _without_candles(record, find_context, quantiles=values)


def _header_line(data: bytes) -> bytes:
    """The first line that is not a comment."""
    return next((line for line in io.BytesIO(data) if not line.startswith((b"#", b'"#', b"\xef\xbb\xbf#"))), b"")


def _quantiles(forecast: Forecast) -> np.ndarray:
    return forecast.quantile(QUANTILES)


def _window(record: RunRecord, context: CandleFrame | None, actual: CandleFrame | None) -> Window | None:
    if context is None or context.fingerprint != record.candles_fingerprint:
        return None
    return Window(context=context, future=record.future_index, actual=actual)
