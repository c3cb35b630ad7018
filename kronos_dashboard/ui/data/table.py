"""The selected series: header, chart and table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from kronos_dashboard.charts import ChartStyle, series_figure
from kronos_dashboard.markets.editable_series import EditableSeries
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.ui import state
from kronos_dashboard.ui.data.quality import calendar_code
from kronos_dashboard.ui.i18n import chart_labels, format_date, format_datetime, t, translate
from kronos_dashboard.ui.layout import escape_markdown, theme_palette
from kronos_dashboard.ui.series.library import series_title
from kronos_dashboard.ui.widgets.chart import live_chart

__all__ = ["rows_table", "series_chart", "series_header"]

_HEIGHT = 340
_MAX_ROWS = 200
"""Rows of the table: it is sent with every run of the page."""


def series_header(series: EditableSeries) -> None:
    """Draw title and facts, and the button that leads to the Forecast page."""
    candles = series.candles
    first, last = candles.local_index[0], candles.local_index[-1]
    calendar = calendar_code(series)
    format_time = format_date if candles.interval >= pd.Timedelta(days=1) else format_datetime
    facts, button = st.columns([3, 1.2], vertical_alignment="center")
    with facts:
        st.subheader(escape_markdown(series_title(series)), anchor=False)
        parts = [
            interval_label(candles.interval),
            t("{count} candles", count=f"{len(candles):,}"),
            f"{format_time(first)} – {format_time(last)}",
            t("time zone {clock}", clock=escape_markdown(candles.session_tz)),
            t("calendar {calendar}", calendar=escape_markdown(calendar)) if calendar else t("no calendar found"),
            *([] if candles.has_volume else [t("no volume")]),
            *([t("close timestamps")] if candles.timestamp_at == "close" else []),
            escape_markdown(translate(candles.source)),
        ]
        st.caption(" · ".join(filter(None, parts)))
    if button.button(
        t("Forecast this series"), key="data_forecast", type="primary", icon=":material/timeline:", width="stretch"
    ):
        st.switch_page("pages/2_Forecast.py")


@st.fragment
def series_chart(series: EditableSeries) -> None:
    """Draw the chart of the whole series; zooming and panning redraw nothing else."""
    candles = series.candles
    view = state.DATA_VIEW.of(candles.fingerprint[:12])

    def on_view(first: float, last: float) -> None:
        view.set((first, last))

    figure = series_figure(
        candles, ChartStyle(palette=theme_palette(), labels=chart_labels(), height=_HEIGHT), view=view.get()
    )
    with st.container(height=_HEIGHT + 40, border=False):  # reserves the height while the chart library loads
        live_chart(
            figure,
            key="data_chart",
            content_id=candles.fingerprint,
            alt=t("All {count} candles of {symbol}", count=f"{len(candles):,}", symbol=candles.symbol),
            file_stem="candles",
            on_view=on_view,
        )


def rows_table(series: EditableSeries) -> None:
    """Draw a table of rows around a given one; rows are counted from 1, as in findings."""
    candles = series.candles
    n = len(candles)
    row = st.number_input(
        t("Go to row"), 1, n, n, _MAX_ROWS // 2, key=f"data_row_{candles.fingerprint[:12]}", help=t("Counted from 1.")
    )
    start = max(0, min(int(row) - 1 - _MAX_ROWS // 2, n - _MAX_ROWS))
    shown = candles.rows(start, start + _MAX_ROWS)
    table = shown.frame.loc[:, list(candles.columns)]
    table.insert(0, "time", shown.local_index.tz_localize(None))
    table.index = pd.RangeIndex(start + 1, start + 1 + len(table), name="row")
    st.dataframe(table, height=300, column_config={"time": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")})
    st.caption(
        t(
            "Rows {first} to {last} of {count}; times in {clock}.",
            first=f"{start + 1:,}",
            last=f"{start + len(table):,}",
            count=f"{n:,}",
            clock=escape_markdown(candles.session_tz),
        )
    )
