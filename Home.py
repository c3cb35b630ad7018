"""Home: what this is, what is loaded, one click to a first forecast."""

import streamlit as st

from kronos_dashboard import ui

ui.page()
st.title("Kronos Dashboard", anchor=False)
st.markdown(
    "Sample many possible futures of a candlestick series and see how far apart they run. "
    "The fan is what the model believes, not what will happen."
)
ui.model_status()
with ui.guard():
    ui.sample_cards()
st.page_link("pages/1_Data.py", label="Bring your own candles: any file, or live", icon=":material/upload_file:")

reading, limits = st.columns(2, gap="large")
reading.markdown(
    "**How to read the fan**\n"
    "- Each **path** is one complete sampled future, candle by candle.\n"
    "- Half of the paths lie in the dark band, nine in ten in the light band.\n"
    "- The blue candles are one real path near the middle; candles are never averaged.\n"
    "- The dotted band is a random walk made of the same returns: what you get without a model."
)
limits.markdown(
    "**Limits**\n"
    "- The bundled model is a **small demo model trained for this project, not the published Kronos**; "
    "do not take its forecasts for the published model's.\n"
    "- In training it has **read the time of most of these samples**: a good fit there proves nothing.\n"
    "- It sees candles only: no news, no order book, no other market.\n"
    "- A fan can be too narrow or too wide; one window that fits proves nothing.\n"
    "- Nothing here is advice to trade."
)
