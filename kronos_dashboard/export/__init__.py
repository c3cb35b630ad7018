"""Forecasts as files, and back. Each file says how it was made.

``write_*`` return the bytes of a file, except ``write_file``, which puts them on disk. No text cell can become a
spreadsheet formula.
"""

from __future__ import annotations

from kronos_dashboard.export.json_files import RunBundle, read_bundle, write_bundle, write_paths_json, write_record
from kronos_dashboard.export.metadata import disclaimers, run_facts
from kronos_dashboard.export.paths import RECORD_KEY, write_paths_csv, write_paths_parquet
from kronos_dashboard.export.readers import read_export, read_forecast
from kronos_dashboard.export.report import write_report
from kronos_dashboard.export.sanitize import file_stem, safe_text, write_file
from kronos_dashboard.export.tables import QUANTILES, forecast_table, write_forecast_csv

__all__ = [
    "QUANTILES",
    "RECORD_KEY",
    "RunBundle",
    "disclaimers",
    "file_stem",
    "forecast_table",
    "read_bundle",
    "read_export",
    "read_forecast",
    "run_facts",
    "safe_text",
    "write_bundle",
    "write_file",
    "write_forecast_csv",
    "write_paths_csv",
    "write_paths_json",
    "write_paths_parquet",
    "write_record",
    "write_report",
]
