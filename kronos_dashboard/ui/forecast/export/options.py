"""Files that a forecast can be exported to, each written only when its button is clicked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from kronos_dashboard.export import (
    file_stem,
    write_bundle,
    write_forecast_csv,
    write_paths_csv,
    write_paths_parquet,
    write_report,
)
from kronos_dashboard.export.metadata import run_details
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.ui.forecast.coverage_line import coverage_note_of
from kronos_dashboard.ui.i18n import language, t, translate

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import ForecastResult

__all__ = ["ExportOption", "export_options", "reproduce_command", "run_details_table"]

_BYTES_PER_ROW = 130
"""Upper bound of one row of the table of all paths as text; a test measures it."""


@dataclass(frozen=True, kw_only=True)
class ExportOption:
    """One downloadable file."""

    key: str
    label: str
    name: str
    mime: str
    icon: str
    help: str
    write: Callable[[], bytes]
    is_too_large: bool = False
    """Whether it would exceed the limit of files that can be opened again."""


def export_options(result: ForecastResult, revealed: int, max_bytes: int) -> tuple[ExportOption, ...]:
    """Return all files of a forecast: text files of at most ``max_bytes``, actuals only once all bars are revealed."""
    window, forecast, record, note = result.window, result.forecast, result.record, coverage_note_of(result)
    if window.actual is not None and revealed < len(window.actual):
        window = replace(window, actual=None)
    chosen_language = language()
    stem, rows = file_stem(record), forecast.num_paths * forecast.horizon
    return (
        ExportOption(
            key="export_steps",
            label=t("Forecast (CSV)"),
            name=f"{stem}.csv",
            mime="text/csv",
            icon=":material/table:",
            help=t(
                "One row per bar: one sampled path near the median, and the median and quantiles of close, "
                "high and low."
            ),
            write=lambda: write_forecast_csv(window, forecast, record, note),
        ),
        ExportOption(
            key="export_paths_csv",
            label=t("All paths (CSV)"),
            name=f"{stem}_paths.csv",
            mime="text/csv",
            icon=":material/table_rows:",
            help=t("One row per path and bar, {rows} rows.", rows=f"{rows:,}"),
            write=lambda: write_paths_csv(forecast, record, note),
            is_too_large=rows * _BYTES_PER_ROW > max_bytes,
        ),
        ExportOption(
            key="export_paths_parquet",
            label=t("All paths (Parquet)"),
            name=f"{stem}_paths.parquet",
            mime="application/vnd.apache.parquet",
            icon=":material/database:",
            help=t("Same data, lossless and compact, for pandas and others."),
            write=lambda: write_paths_parquet(forecast, record, note),
        ),
        ExportOption(
            key="export_run",
            label=t("Run file (JSON)"),
            name=f"{stem}.json",
            mime="application/json",
            icon=":material/receipt_long:",
            help=t("Settings, seed, model and candles: everything needed to reproduce this forecast."),
            write=lambda: write_bundle(window, forecast, record, note),
        ),
        ExportOption(
            key="export_report",
            label=t("Report (HTML)"),
            name=f"{stem}.html",
            mime="text/html",
            icon=":material/article:",
            help=t("One self-contained page with chart, figures and limits; works offline."),
            write=lambda: write_report(window, forecast, record, note, language=chosen_language),
        ),
    )


def reproduce_command(record: RunRecord) -> str:
    """Return the command that reproduces a run from its run file."""
    return f"kronos forecast --reproduce {file_stem(record)}.json --out forecast.csv"


def run_details_table(record: RunRecord) -> pd.DataFrame:
    """Return how a forecast was made, one row per fact."""
    rows = {translate(name): translate(text) for name, text in run_details(record)}
    return pd.DataFrame({"": rows})
