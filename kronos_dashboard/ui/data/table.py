"""The chosen series: what it is, its chart, its rows, and the ways to take it along."""

from __future__ import annotations

import io
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from kronos_dashboard.charts import Look, series_figure
from kronos_dashboard.export.candles import candles_csv
from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.ui.data.quality import calendar_code
from kronos_dashboard.ui.i18n import chart_words, day, moment, said, t
from kronos_dashboard.ui.layout import escape, palette
from kronos_dashboard.ui.series.library import series_title
from kronos_dashboard.ui.series.session_series import Series
from kronos_dashboard.ui.series.share_link import to_parameters
from kronos_dashboard.ui.widgets.chart import live_chart

__all__ = ["candles_parquet", "preview", "rows_table", "take_away", "title_line"]

_HEIGHT = 340
_ROWS = 200
"""Rows in the table at once."""


def title_line(series: Series) -> None:
    """Name and facts, and the way on to a forecast."""
    candles = series.candles
    first, last = candles.local_index[0], candles.local_index[-1]
    written = day if candles.interval >= pd.Timedelta(days=1) else moment
    facts, onward = st.columns([3, 1.2], vertical_alignment="center")
    with facts:
        st.subheader(escape(series_title(series)), anchor=False)
        parts = [
            interval_label(candles.interval),
            t("{count} candles", count=f"{len(candles):,}"),
            f"{written(first)} – {written(last)}",
            t("clock {clock}", clock=escape(candles.session_tz)),
            t("calendar {calendar}", calendar=escape(calendar_code(series) or t("none found"))),
            *([] if candles.has_volume else [t("no volume")]),
            *([t("stamped at the close")] if candles.stamped == "close" else []),
            escape(said(candles.source)),
        ]
        st.caption(" · ".join(filter(None, parts)))
    if onward.button(
        t("Forecast these"), key="data_forecast", type="primary", icon=":material/timeline:", width="stretch"
    ):
        st.switch_page("pages/2_Forecast.py")


@st.fragment
def preview(series: Series) -> None:
    """The chart of the whole series; zooming and moving redraw it alone."""
    candles = series.candles
    state = f"data_view_{candles.fingerprint[:12]}"

    def moved(first: float, last: float) -> None:
        st.session_state[state] = (first, last)

    figure = series_figure(
        candles, Look(palette=palette(), words=chart_words(), height=_HEIGHT), view=st.session_state.get(state)
    )
    with st.container(height=_HEIGHT + 40, border=False):  # its room is kept while the chart library is on its way
        live_chart(
            figure,
            key="data_chart",
            base=candles.fingerprint,
            alt=t("All {count} candles of {symbol}", count=f"{len(candles):,}", symbol=candles.symbol),
            file="candles",
            on_view=moved,
        )


def rows_table(series: Series) -> None:
    """A stretch of rows around one; rows are counted from 1, as in findings."""
    candles = series.candles
    n = len(candles)
    row = st.number_input(
        t("Around row"), 1, n, n, _ROWS // 2, key=f"data_row_{candles.fingerprint[:12]}", help=t("Counted from 1.")
    )
    start = max(0, min(int(row) - 1 - _ROWS // 2, n - _ROWS))
    shown = candles.rows(start, start + _ROWS)
    table = shown.frame.loc[:, list(candles.columns)]
    table.insert(0, "time", shown.local_index.tz_localize(None))
    table.index = pd.RangeIndex(start + 1, start + 1 + len(table), name="row")
    st.dataframe(table, height=300, column_config={"time": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")})
    st.caption(
        t(
            "Rows {first} to {last} of {count}; times on the clock {clock}.",
            first=f"{start + 1:,}",
            last=f"{start + len(table):,}",
            count=f"{n:,}",
            clock=escape(candles.session_tz),
        )
    )


def take_away(series: Series) -> None:
    """The candles as they are now, as files; and the link that opens the same selection."""
    candles, stem = series.candles, _stem(series.candles)
    with st.container(horizontal=True):
        st.download_button(
            t("Candles (CSV)"),
            lambda: candles_csv(candles),
            f"{stem}.csv",
            "text/csv",
            key="data_csv",
            icon=":material/download:",
            on_click="ignore",
            help=t("Times with their offset from UTC; it can be read again here. No cell can become a formula."),
        )
        st.download_button(
            t("Candles (Parquet)"),
            lambda: candles_parquet(candles),
            f"{stem}.parquet",
            "application/vnd.apache.parquet",
            key="data_parquet",
            icon=":material/download:",
            on_click="ignore",
            help=t("The same columns, exact, for pandas and others."),
        )
    if series.selection is None:
        st.caption(t("A file has no link: it stays on this computer."))
        return
    st.caption(t("This link opens the same selection: what to ask for, not the candles, and without the changes."))
    st.code(f"{st.context.url or ''}?{urlencode(to_parameters(series.selection))}", language=None, wrap_lines=True)


def candles_parquet(candles: CandleFrame) -> bytes:
    """``timestamps`` on the session clock, prices, and volume and amount if known. No cell holds text."""
    table = candles.frame.loc[:, list(candles.columns)].reset_index(drop=True)
    table.insert(0, "timestamps", candles.local_index)
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _stem(candles: CandleFrame) -> str:
    plain = "".join(letter if letter.isalnum() else "_" for letter in candles.symbol)[:40]
    return f"candles_{plain}_{interval_label(candles.interval)}"
