"""The forecast page below its title: one line to run by, the chart, one line to move by, and what the paths say."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.ui.forecast.appearance import appearance
from kronos_dashboard.ui.forecast.controls import Setup
from kronos_dashboard.ui.forecast.coverage_line import bands_line
from kronos_dashboard.ui.forecast.progress import auto_toggle, run_button, watch
from kronos_dashboard.ui.forecast.results import show_chart, show_result
from kronos_dashboard.ui.forecast.reveal import reveal_controls
from kronos_dashboard.ui.forecast.runs import fetch
from kronos_dashboard.ui.forecast.window import find_window, place_controls, place_text, step_window
from kronos_dashboard.ui.layout import guard
from kronos_dashboard.ui.session_store import keep_desk, remember_desk
from kronos_dashboard.ui.widgets.icon_button import ICON_STYLE

__all__ = ["workspace"]

_KEY = "workspace"
_STYLE = """<style>
.stMainBlockContainer { padding-left: 2.5rem; padding-right: 2.5rem; }
.stMainBlockContainer > .stVerticalBlock { gap: 0.6rem; }
.stMainBlockContainer h1 { font-size: 1.5rem; padding: 0 0 0.35rem; }
.st-key-chart .kd-title { display: none; }
.st-key-place .stSlider { min-width: 180px; }
.st-key-place .stSlider:not(:hover):not(:focus-within) [data-testid="stSliderThumbValue"] { visibility: hidden; }
.st-key-bands { margin-top: -0.4rem; }
:is(.st-key-act, .st-key-bands, .st-key-reveal) .stCaptionContainer p { margin: 0; line-height: 1.35; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4rem 1rem 2rem; }
  .st-key-status { min-height: 2.5rem; justify-content: center; }
  .st-key-act, .st-key-place, .st-key-reveal { gap: 0.4rem; }
  .st-key-place button, .st-key-reveal button { padding-left: 0.5rem; padding-right: 0.5rem; }
  .st-key-act > .st-key-status, .st-key-act > :has(> .st-key-status) { flex: 1 0 100% !important; order: 9; }
  .st-key-place > *:has(.stSlider) { flex: 1 0 100% !important; order: 9; }
}
</style>"""
"""The chart gets the room: less air around it, and on a phone whole lines for what is long."""


def workspace(candles: CandleFrame, setup: Setup) -> None:
    """All of it, apart from the rest of the page: moving the window runs nothing but this."""
    remember_desk()
    st.html(_STYLE + ICON_STYLE)
    st.fragment(_workspace, key=_KEY)(candles, setup)


def _workspace(candles: CandleFrame, setup: Setup) -> None:
    with guard():
        fetch()
        window = find_window(candles, setup)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="act"):
            run_button(window, setup)
            with st.container(width="stretch", gap=None, key="status"):
                watch(window, setup)
            auto_toggle()
            appearance()
        show_chart(window, on_step=lambda by: step_window(candles, setup, by), redraw=_KEY)
        bands_line(window, setup)
        place_controls(candles, setup)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="reveal"):
            reveal_controls(window)
            with st.container(width="stretch", gap=None):
                st.caption(place_text(candles, setup, window))
        show_result(window, setup)
        keep_desk()
