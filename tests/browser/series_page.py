"""A page with 100,000 candles and what refines them: served to the browser tests and benchmarks, and to nobody else."""

import numpy as np
import pandas as pd
import streamlit as st

from kronos_dashboard.charts import ChartStyle, get_palette, series_figure
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.ui.widgets.chart import live_chart
from tests.support.paths import ROOT

COUNT = 100_000

st.set_page_config(layout="wide", page_icon=str(ROOT / "kronos_dashboard" / "ui" / "icon.svg"))


@st.cache_resource
def many() -> CandleFrame:
    generator = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.001, COUNT)))
    opens = np.r_[100.0, close[:-1]]
    high = np.maximum(opens, close) * (1 + generator.uniform(0, 0.001, COUNT))
    low = np.minimum(opens, close) * (1 - generator.uniform(0, 0.001, COUNT))
    volume = generator.uniform(100, 1_000, COUNT)
    frame = pd.DataFrame(
        {"open": opens, "high": high, "low": low, "close": close, "volume": volume, "amount": volume * close},
        index=pd.date_range("2024-01-01", periods=COUNT, freq="5min", tz="UTC"),
    )
    return CandleFrame(frame=frame, symbol="LONG", interval=pd.Timedelta("5min"))


def keep(first: float, last: float) -> None:
    st.session_state["view"] = (first, last)


look = ChartStyle(palette=get_palette(dark=st.context.theme.type == "dark"))
view = st.session_state.get("view")
live_chart(series_figure(many(), look, view=view), key="chart", alt="All candles", on_view=keep)
st.text(f"view {view and tuple(map(round, view))}")
