"""Home: what this is, what is loaded, one click to a first forecast."""

import streamlit as st

from kronos_dashboard import ui

ui.page()
st.title("Kronos Dashboard", anchor=False)
ui.pitch()
with ui.guard():
    ui.sample_cards()
ui.model_status()
ui.reading_help()
