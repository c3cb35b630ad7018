"""One row per step: a real sampled path, and quantiles over all paths.

Shapes: N paths, H steps.
"""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.evaluation.coverage_note import Measured
from kronos_dashboard.export.metadata import text_header
from kronos_dashboard.export.sanitize import safe_text
from kronos_dashboard.forecasting.record import RunRecord, forecast_columns
from kronos_dashboard.forecasting.windows import Window

__all__ = ["DIGITS", "QUANTILES", "forecast_csv", "forecast_table"]

QUANTILES = (0.025, 0.10, 0.25, 0.50, 0.75, 0.90, 0.975)
"""Quantiles of close, high and low in the table; that of one half is called median."""
DIGITS = "%.9g"
"""Nine digits bring every float32 back exactly."""


def forecast_table(window: Window, forecast: Forecast) -> pd.DataFrame:
    """One row per step [H].

    ``time`` is on the session clock, with its offset from UTC. Open to amount are one sampled path, the one nearest the
    middle; volume and amount are not a number where the context has none. The quantiles are over all paths.
    """
    table = pd.DataFrame({"step": np.arange(1, window.horizon + 1)})
    table["time"] = [bar.isoformat() for bar in window.local_future]
    known = forecast_columns(window.context.columns)
    for name, values in forecast.candles().reset_index(drop=True).items():
        table[name] = values if name in known else np.nan
    for column in ("close", "high", "low"):
        for level, values in zip(QUANTILES, forecast.quantile(QUANTILES, column), strict=True):
            table[quantile_name(column, level)] = values
    return table


def quantile_name(column: str, level: float) -> str:
    """``close_q2.5``, or ``close_median``."""
    return f"{column}_median" if level == 0.5 else f"{column}_q{100 * level:g}"


def forecast_csv(window: Window, forecast: Forecast, record: RunRecord, measured: Measured | None = None) -> bytes:
    """``forecast_table`` as CSV in UTF-8, under lines of comment that say how it was made; the symbol in every row."""
    table = forecast_table(window, forecast)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*table.columns, "symbol"])
    # quoted whatever it holds: a reader that looks for comments then leaves a # inside alone
    symbol = '"{}"'.format(safe_text(record.symbol).replace('"', '""'))
    for row in table.itertuples(index=False):
        cells = [value if isinstance(value, str) else _number(value) for value in row]
        text.write(f"{','.join(cells)},{symbol}\n")
    return (
        text_header(record, "One row per step: a sampled path near the middle and quantiles.", measured)
        + text.getvalue().encode()
    )


def _number(value: float) -> str:
    return "" if np.isnan(value) else DIGITS % value
