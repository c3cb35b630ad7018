"""All of the app that touches Streamlit, but for Home.py and pages/, which only place these parts."""

from __future__ import annotations

from kronos_dashboard.ui.forecast.controls import choose_setup
from kronos_dashboard.ui.forecast.page import workspace
from kronos_dashboard.ui.home.page import model_status, pitch, reading_help, sample_cards
from kronos_dashboard.ui.layout import guard, page
from kronos_dashboard.ui.series.library import choose_candles

__all__ = [
    "choose_candles",
    "choose_setup",
    "guard",
    "model_status",
    "page",
    "pitch",
    "reading_help",
    "sample_cards",
    "workspace",
]
