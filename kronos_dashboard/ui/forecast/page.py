"""The Forecast page: sidebar, run line, chart, window controls, and what the paths say."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.ui.forecast.appearance import appearance_controls
from kronos_dashboard.ui.forecast.chart import show_chart
from kronos_dashboard.ui.forecast.controls import ForecastSettings, forecast_controls
from kronos_dashboard.ui.forecast.coverage_line import coverage_line
from kronos_dashboard.ui.forecast.export.page import open_arrived_export
from kronos_dashboard.ui.forecast.progress import auto_toggle, run_button, run_status
from kronos_dashboard.ui.forecast.results import show_result
from kronos_dashboard.ui.forecast.reveal import reveal_controls
from kronos_dashboard.ui.forecast.runs import collect_result
from kronos_dashboard.ui.forecast.window import current_window, step_window, window_controls, window_text
from kronos_dashboard.ui.layout import begin_page, error_boundary
from kronos_dashboard.ui.series.library import series_picker
from kronos_dashboard.ui.session_store import attach_tab, save_session

__all__ = ["show"]

_FRAGMENT_KEY = "forecast_page"
_STYLE = """<style>
.stMainBlockContainer { padding-left: 2.5rem; padding-right: 2.5rem; }
.stMainBlockContainer > .stVerticalBlock { gap: 0.6rem; }
.stMainBlockContainer h1 { font-size: 1.5rem; padding: 0 0 0.35rem; }
.st-key-chart .kd-title { display: none; }
.st-key-window .stSlider { min-width: 180px; }
.st-key-window .stSlider:not(:hover):not(:focus-within) [data-testid="stSliderThumbValue"] { visibility: hidden; }
.st-key-coverage { margin-top: -0.4rem; }
:is(.st-key-actions, .st-key-coverage, .st-key-reveal) .stCaptionContainer p { margin: 0; line-height: 1.35; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4rem 1rem 2rem; }
  .st-key-status { min-height: 2.5rem; justify-content: center; }
  .st-key-actions, .st-key-window, .st-key-reveal { gap: 0.4rem; }
  .st-key-window button, .st-key-reveal button { padding-left: 0.5rem; padding-right: 0.5rem; }
  .st-key-actions > .st-key-status, .st-key-actions > :has(> .st-key-status) { flex: 1 0 100% !important; order: 9; }
  .st-key-window > *:has(.stSlider) { flex: 1 0 100% !important; order: 9; }
}
</style>"""
"""Leaves the chart more room: less padding around it, and on a phone whole lines for what is long."""


def show() -> None:
    """Draw the page. Everything below the title is a fragment: moving the window runs nothing else."""
    begin_page("Forecast")
    with error_boundary():
        candles = series_picker().candles
        settings = forecast_controls()
        attach_tab()
        st.html(_STYLE)
        st.fragment(_show_window, key=_FRAGMENT_KEY)(candles, settings)


def _show_window(candles: CandleFrame, settings: ForecastSettings) -> None:
    with error_boundary():
        collect_result()
        open_arrived_export()
        window = current_window(candles, settings)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="actions"):
            run_button(window, settings)
            with st.container(width="stretch", gap=None, key="status"):
                run_status(window, settings)
            auto_toggle()
            appearance_controls()
        show_chart(window, on_step=lambda by: step_window(candles, settings, by), redraw=_FRAGMENT_KEY)
        coverage_line(window, settings)
        window_controls(candles, settings)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="reveal"):
            reveal_controls(window)
            with st.container(width="stretch", gap=None):
                st.caption(window_text(candles, settings, window))
        show_result(window, settings)
        save_session()
