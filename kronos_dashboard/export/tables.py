"""One row per step: the medoid path, and quantiles over all paths.

Shapes: N paths, H steps.
"""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.evaluation.coverage_note import CoverageNote
from kronos_dashboard.export.metadata import comment_header
from kronos_dashboard.export.sanitize import safe_text
from kronos_dashboard.forecasting.record import RunRecord, forecast_columns
from kronos_dashboard.forecasting.windows import Window

__all__ = ["DIGITS", "QUANTILES", "forecast_table", "write_forecast_csv"]

QUANTILES = (0.025, 0.10, 0.25, 0.50, 0.75, 0.90, 0.975)
"""Levels of the quantiles of close, high and low."""
DIGITS = "%.9g"
"""Nine significant digits restore every float32 exactly."""


def forecast_table(window: Window, forecast: Forecast) -> pd.DataFrame:
    """One row per step [H].

    ``time`` is in the session timezone, ISO 8601 with offset. Open to amount are the medoid path; volume and amount are
    NaN if the context has none. Quantiles are over all paths.
    """
    table = pd.DataFrame({"step": np.arange(1, window.horizon + 1)})
    table["time"] = [bar.isoformat() for bar in window.local_future]
    known_columns = forecast_columns(window.context.columns)
    for name, values in forecast.candles().reset_index(drop=True).items():
        table[name] = values if name in known_columns else np.nan
    for column in ("close", "high", "low"):
        for level, values in zip(QUANTILES, forecast.quantile(QUANTILES, column), strict=True):
            table[quantile_name(column, level)] = values
    return table


def quantile_name(column: str, level: float) -> str:
    """``close_q2.5``, or ``close_median``."""
    return f"{column}_median" if level == 0.5 else f"{column}_q{100 * level:g}"


def write_forecast_csv(
    window: Window, forecast: Forecast, record: RunRecord, coverage_note: CoverageNote | None = None
) -> bytes:
    """``forecast_table`` as CSV in UTF-8, after comment lines that say how it was made."""
    table = forecast_table(window, forecast)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*table.columns, "symbol"])
    # Always quoted: readers that skip comments do not take a # inside for one.
    symbol = '"{}"'.format(safe_text(record.symbol).replace('"', '""'))
    for row in table.itertuples(index=False):
        cells = [value if isinstance(value, str) else _number(value) for value in row]
        text.write(f"{','.join(cells)},{symbol}\n")
    return (
        comment_header(record, "One row per step: a sampled path near the middle and quantiles.", coverage_note)
        + text.getvalue().encode()
    )


def _number(value: float) -> str:
    return "" if np.isnan(value) else DIGITS % value
