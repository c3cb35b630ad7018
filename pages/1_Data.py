"""Data: bring candles in, see what is odd about them, repair it, keep several series, take them along."""

import streamlit as st

from kronos_dashboard import ui
from kronos_dashboard.ui.data import page as data

ui.page("Data")
with ui.guard():
    data.arrive()
    sources, shown = st.columns([1, 2.7], gap="medium")
    with sources:
        data.add_and_choose()
    with shown:
        data.show_series()
    data.write_link()
