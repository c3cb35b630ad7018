"""Forecasts as files, each of which names how it was made. Text cells cannot become formulas; numbers stay numbers."""

from __future__ import annotations

from kronos_dashboard.export.json_files import RunFile, paths_json, read_run, record_json, run_json
from kronos_dashboard.export.metadata import facts, limits
from kronos_dashboard.export.paths import RECORD_KEY, paths_csv, paths_parquet
from kronos_dashboard.export.readers import read_exported, read_forecast
from kronos_dashboard.export.report import report_html
from kronos_dashboard.export.sanitize import file_stem, safe_text, write_atomically
from kronos_dashboard.export.tables import QUANTILES, forecast_csv, forecast_table

__all__ = [
    "QUANTILES",
    "RECORD_KEY",
    "RunFile",
    "facts",
    "file_stem",
    "forecast_csv",
    "forecast_table",
    "limits",
    "paths_csv",
    "paths_json",
    "paths_parquet",
    "read_exported",
    "read_forecast",
    "read_run",
    "record_json",
    "report_html",
    "run_json",
    "safe_text",
    "write_atomically",
]
