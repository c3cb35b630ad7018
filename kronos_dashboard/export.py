"""Forecasts as files. Text cells cannot become spreadsheet formulas; numbers stay numbers."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.errors import ExportFailed
from kronos_dashboard.forecasting import RunRecord
from kronos_dashboard.windows import Window

__all__ = ["QUANTILES", "file_stem", "forecast_csv", "forecast_table", "record_json", "safe_text", "write_atomically"]

QUANTILES = (0.05, 0.10, 0.25, 0.75, 0.90, 0.95)
"""Quantiles of the close in the table, beside the median."""

_FORMULA_STARTS = ("=", "+", "-", "@")
_DIGITS = "%.9g"
"""Nine digits bring every float32 back exactly."""


def forecast_table(window: Window, forecast: Forecast, record: RunRecord) -> pd.DataFrame:
    """One row per step [H].

    ``time`` is on the session clock (named in ``time_zone``). Open to amount are one sampled path, the one nearest the
    middle, and volume and amount are blank where the context has none; the quantiles are over all paths.
    """
    table = pd.DataFrame({"step": np.arange(1, window.horizon + 1)})
    table["time"] = window.local_future.strftime("%Y-%m-%d %H:%M:%S")
    candles = forecast.candles().reset_index(drop=True)
    for name in candles.columns:
        known = name in window.context.columns or (name == "amount" and window.context.has_volume)
        table[name] = candles[name] if known else np.nan
    table["close_median"] = forecast.median()
    for level, values in zip(QUANTILES, forecast.quantile(QUANTILES), strict=True):
        table[f"close_q{round(level * 100):02d}"] = values
    for name, text in (
        ("symbol", record.symbol),
        ("interval", record.interval),
        ("time_zone", record.session_tz),
        ("model", record.model_label),
        ("checkpoint", record.checkpoint_digest[:16]),
        ("run", record.run_id[:12]),
    ):
        table[name] = safe_text(text)
    table["seed"] = record.sampling["seed"]
    table["paths"] = forecast.num_paths
    return table


def forecast_csv(window: Window, forecast: Forecast, record: RunRecord) -> bytes:
    """``forecast_table`` as CSV in UTF-8."""
    table = forecast_table(window, forecast, record)
    return table.to_csv(index=False, float_format=_DIGITS, lineterminator="\n").encode()


def record_json(record: RunRecord) -> bytes:
    """The run record as JSON in UTF-8."""
    return (record.to_json() + "\n").encode()


def file_stem(record: RunRecord) -> str:
    """A file name without its ending: symbol, interval, cutoff and seed, safe on every system."""
    when = pd.Timestamp(record.cutoff).tz_convert(record.session_tz).strftime("%Y%m%d-%H%M")
    plain = "".join(letter if letter.isalnum() else "_" for letter in record.symbol)[:40]
    return f"forecast_{plain}_{record.interval}_{when}_seed{record.sampling['seed']}"


def safe_text(text: str) -> str:
    """``text`` on one line, with an apostrophe in front when a spreadsheet would take it for a formula."""
    line = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return f"'{line}" if line.startswith(_FORMULA_STARTS) else line


def write_atomically(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` in one step; what stood there before stays whole until then.

    Raises:
        ExportFailed: the folder does not exist or cannot be written to.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ExportFailed(
            f"the file {path} cannot be written: {error.strerror}.",
            "Choose a folder that exists and may be written to.",
        ) from error
