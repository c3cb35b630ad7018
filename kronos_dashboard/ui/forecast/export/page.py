"""Export of a forecast: downloads, the command that reproduces it, and reopening of an exported file."""

from __future__ import annotations

import streamlit as st

from engine.errors import EngineError
from kronos_dashboard.charts import forecast_figure, window_figure
from kronos_dashboard.charts.quantiles import quantile_figure
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.export.open import OpenedExport, open_export
from kronos_dashboard.forecasting.baselines import random_walk, volatility_cone
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.ui import state
from kronos_dashboard.ui.forecast.appearance import small_chart_style
from kronos_dashboard.ui.forecast.export.options import (
    ExportOption,
    export_options,
    reproduce_command,
    run_details_table,
)
from kronos_dashboard.ui.forecast.runs import ForecastResult, add_result, session_results
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import escape_markdown, show_error
from kronos_dashboard.ui.resources import settings
from kronos_dashboard.ui.series.library import session_series
from kronos_dashboard.ui.widgets.chart import live_chart

__all__ = ["open_arrived_export", "reopen_controls", "show_export"]

_HEIGHT = 420
"""Pixels of the chart of an opened file: smaller than the large one above it."""


def show_export(result: ForecastResult, revealed: int = 0) -> None:
    """Draw the downloads, the command that reproduces the forecast, its details, and the uploader.

    Args:
        result: the forecast.
        revealed: actual bars that are revealed; files include them once all are.
    """
    st.markdown(t("**Export**"))
    for option in export_options(result, revealed, settings().max_upload_bytes):
        _download_row(option)
    st.caption(
        t(
            "Every file names model, checkpoint, seed, window and versions. Cells are escaped against "
            "spreadsheet formulas."
        )
    )
    actual = result.window.actual
    if actual is not None and revealed < len(actual):
        st.caption(t("Hidden actuals are not exported."))
    st.markdown(t("**Reproduce**"))
    st.caption(t("With the run file in the current folder, this command reproduces the numbers exactly:"))
    st.code(reproduce_command(result.record), language="shell", wrap_lines=True)
    with st.expander(t("Run details"), icon=":material/receipt_long:"):
        _run_details(result.record)
    reopen_controls()


def open_arrived_export() -> None:
    """Open the exported file that another page has handed over, if any, and bring the export tab to the front.

    Call it before anything that shows results: the file may add one.
    """
    arrived = state.EXPORT_ON_ARRIVAL.pop()
    if arrived is not None:
        _open(*arrived)
        state.SHOW_EXPORT_TAB.set(True)


@st.fragment
def reopen_controls() -> None:
    """Draw the uploader of an exported file, and the content of the one that was opened last."""
    st.markdown(t("**Open an exported forecast**"))
    st.file_uploader(
        t("Exported file"),
        type=["csv", "parquet", "json", "html"],
        key=state.EXPORT_UPLOAD.name,
        on_change=_on_upload,
        max_upload_size=settings().max_upload_mb,
        label_visibility="collapsed",
        help=t("A CSV, Parquet, JSON or HTML file exported here. It stays on this computer."),
    )
    opened: tuple[str, OpenedExport] | BaseException | None = state.OPENED_EXPORT.get()
    if isinstance(opened, BaseException):
        show_error(opened)
    elif opened is not None:
        _show_opened(*opened)


def _download_row(option: ExportOption) -> None:
    left, right = st.columns([1, 2], vertical_alignment="center", gap="small")
    with left:
        st.download_button(
            option.label,
            option.write,
            option.name,
            option.mime,
            key=option.key,
            icon=option.icon,
            on_click="ignore",
            disabled=option.is_too_large,
            width="stretch",
        )
    with right:
        if option.is_too_large:
            st.caption(t("Too large for CSV; use Parquet."))
        else:
            st.caption(option.help)


def _run_details(record: RunRecord) -> None:
    st.table(run_details_table(record).map(escape_markdown), hide_header=True)


def _on_upload() -> None:
    """Open the uploaded file; it replaces the one before."""
    state.OPENED_EXPORT.clear()
    file = state.EXPORT_UPLOAD.get()
    if file is not None:
        _open(file.name, file.getvalue())


def _open(name: str, data: bytes) -> None:
    """Open an exported file; a forecast with all its paths and candles joins the results of the session."""
    try:
        opened = open_export(data, name, _find_context, max_bytes=settings().max_upload_bytes)
    except (DashboardError, EngineError) as error:
        state.OPENED_EXPORT.set(error)
        return
    state.OPENED_EXPORT.set((name, opened))
    window, forecast, record = opened.window, opened.forecast, opened.record
    if window is None or forecast is None or any(result.key == record.run_id for result in session_results()):
        return
    seed = record.sampling.seed
    add_result(
        ForecastResult(window, forecast, record, random_walk(window, seed=seed), volatility_cone(window, seed=seed))
    )


def _find_context(record: RunRecord) -> CandleFrame | None:
    """Return the context of a record if this session has its candles, in a result or in a series."""
    contexts = [result.window.context for result in session_results()]
    contexts += [
        series.candles.until(record.cutoff_time).tail(record.context_length) for series in session_series().values()
    ]
    return next((context for context in contexts if context.fingerprint == record.candles_fingerprint), None)


def _show_opened(name: str, opened: OpenedExport) -> None:
    """Draw the content of a file: a chart of what it has, and the run details."""
    st.markdown(f":material/draft: **{escape_markdown(name)}**")
    record, window, forecast = opened.record, opened.window, opened.forecast
    alt = t("The forecast in the file")
    if window is not None and forecast is not None:
        figure = forecast_figure(window, forecast, small_chart_style(_HEIGHT))
        live_chart(figure, key="export_chart", content_id=record.run_id, alt=alt, file_stem="forecast")
        st.caption(t("Added to the forecasts of this session; see Compare runs."))
    elif opened.quantiles is not None:
        live_chart(
            quantile_figure(opened.quantiles, small_chart_style()), key="export_fan", alt=alt, file_stem="forecast"
        )
        if window is None:
            st.caption(t("The file has no candles, and neither does this session: only the fan is shown."))
        else:
            st.caption(t("The file has quantiles but no paths: only the fan is shown."))
    elif window is not None:
        live_chart(window_figure(window, small_chart_style(_HEIGHT)), key="export_window", alt=alt, file_stem="window")
        if opened.has_candles:
            st.caption(t("The file has the candles and all settings but no paths; this command reproduces them:"))
            command = f"kronos forecast --reproduce {_shell_safe_name(name)} --out forecast.csv"
            st.code(command, wrap_lines=True)
        else:
            st.caption(t("The file has only the settings; the candles are from this session."))
    else:
        st.caption(t("The file has only the settings: no candles and no paths."))
    _run_details(record)


def _shell_safe_name(name: str) -> str:
    """Return a file name that needs no quotes in a shell and is not an option; else a placeholder."""
    is_safe = all(character.isalnum() or character in "._-" for character in name)
    return name if is_safe and not name.startswith("-") else "run.json"
