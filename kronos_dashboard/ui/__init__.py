"""All of the app that touches Streamlit, but for Home.py and pages/, which only place these parts."""

from __future__ import annotations

from kronos_dashboard.ui.controls import choose_sampling, choose_window, step_window
from kronos_dashboard.ui.home import model_status, pitch, reading_help, sample_cards
from kronos_dashboard.ui.page import guard, page
from kronos_dashboard.ui.results import show_window
from kronos_dashboard.ui.runs import run_controls
from kronos_dashboard.ui.series import choose_candles

__all__ = [
    "choose_candles",
    "choose_sampling",
    "choose_window",
    "guard",
    "model_status",
    "page",
    "pitch",
    "reading_help",
    "run_controls",
    "sample_cards",
    "show_window",
    "step_window",
]
