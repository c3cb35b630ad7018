"""The Data page: add candles, select a series, check and edit it."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.ui.data.add import add_candles_form, open_link_once, update_address
from kronos_dashboard.ui.data.export import export_controls
from kronos_dashboard.ui.data.import_options import import_options_form
from kronos_dashboard.ui.data.list import series_list
from kronos_dashboard.ui.data.quality import edit_history, findings_list, import_notes, interval_and_calendar
from kronos_dashboard.ui.data.table import rows_table, series_chart, series_header
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import begin_page, error_boundary
from kronos_dashboard.ui.series.library import selected_series
from kronos_dashboard.ui.widgets.background_task import collect_task, task_status

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    begin_page("Data")
    with error_boundary():
        collect_task()
        open_link_once()
        sources, details = st.columns([1, 2.7], gap="medium")
        with sources:
            _source_column()
        with details:
            _series_details()
        update_address()


def _source_column() -> None:
    """Draw the forms, the progress of a request, and the list of series."""
    add_candles_form()
    task_status()
    series_list()


def _series_details() -> None:
    """Draw the selected series, or how to get one."""
    series = selected_series()
    if series is None:
        st.info(
            t(
                "**No data yet.** Upload files on the left, fetch candles online or open a sample. Import "
                "assumptions and data issues appear here, with one-click fixes."
            ),
            icon=":material/candlestick_chart:",
        )
        return
    series_header(series)
    import_options_form(series)
    series_chart(series)
    names = [t("Quality"), t("Interval & calendar"), t("Table"), t("Export & share")]
    checks, calendar, rows, export = st.tabs(names)
    with checks:
        edit_history(series)
        findings_list(series)
        import_notes(series)
    with calendar:
        interval_and_calendar(series)
    with rows:
        rows_table(series)
    with export:
        export_controls(series)
