"""The Data page in its parts: add candles, the series there are, and the chosen one with its checks."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.ui.data.add import add_candles, open_link, write_link
from kronos_dashboard.ui.data.import_options import read_options
from kronos_dashboard.ui.data.list import series_list
from kronos_dashboard.ui.data.quality import changes, findings, interval_and_clock, notes
from kronos_dashboard.ui.data.table import preview, rows_table, take_away, title_line
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.series.library import chosen
from kronos_dashboard.ui.widgets.background_task import collect, watch

__all__ = ["add_and_choose", "arrive", "show_series", "write_link"]


def arrive() -> None:
    """Take what feeds have answered, and open what the address selects."""
    collect()
    open_link()


def add_and_choose() -> None:
    """Ways in, what is under way, and the series there are."""
    add_candles()
    watch()
    series_list()


def show_series() -> None:
    """The chosen series, or where to begin."""
    series = chosen()
    if series is None:
        st.info(
            t(
                "**No candles yet.** Drop files of candles on the left, fetch live ones, or open a sample. "
                "What was assumed or found odd is told here, with repairs of one click."
            ),
            icon=":material/candlestick_chart:",
        )
        return
    title_line(series)
    read_options(series)
    preview(series)
    names = [t("Checks"), t("Interval, clock, calendar"), t("Rows"), t("Export and link")]
    checks, times, rows, away = st.tabs(names)
    with checks:
        changes(series)
        findings(series)
        notes(series)
    with times:
        interval_and_clock(series)
    with rows:
        rows_table(series)
    with away:
        take_away(series)
