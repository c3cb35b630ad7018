"""A page with nothing but the chart and what moves it: served to the browser tests, and to nobody else."""

import time

import numpy as np
import streamlit as st

from engine.forecast import Forecast
from kronos_dashboard.charts import (
    ChartStyle,
    Cone,
    PriceLevel,
    forecast_figure,
    forecast_patch,
    get_palette,
    window_figure,
)
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.windows import replay_window
from kronos_dashboard.markets.samples import load_sample
from kronos_dashboard.ui.widgets.chart import live_chart, patch_chart
from tests.support.paths import ROOT

T, H = 400, 120
STEPS_PER_S = 20

st.set_page_config(layout="wide", page_icon=str(ROOT / "kronos_dashboard" / "ui" / "icon.svg"))
candles = load_sample(st.query_params.get("sample", "eurusd_1h")).candles
state = st.session_state
state.setdefault("row", len(candles) - H - 300)


def move(by: int) -> None:
    state["row"] = int(np.clip(state["row"] + by, T, len(candles) - H))
    state.pop("began", None)


with st.sidebar:
    st.slider("Row", T, len(candles) - H, key="row")
    paths = st.slider("Paths", 0, 200, 0, key="paths")
    revealed = st.slider("Revealed", 0, H, H, key="revealed")
    shown = st.toggle("Forecast", key="shown", bind="query-params")
    extras = st.toggle("Levels and surprise", key="extras")
    grow = st.button("Grow")
    scheme = st.selectbox("Colours", ("classic", "east_asian", "colour_blind", "ink"), key="scheme")

window = replay_window(candles, state["row"], T, H)
look = ChartStyle(palette=get_palette(scheme, dark=st.context.theme.type == "dark"), visible_paths=paths)
base = window.identity[0]
forecast = random_walk(window, num_paths=100, seed=1)
close = float(window.context.frame["close"].iloc[-1])
more = {"revealed": revealed}
if extras:
    returns = np.abs(np.diff(np.log(window.context.frame["close"]), prepend=np.nan))
    more["surprisal"] = returns / np.nanstd(returns)
    more["levels"] = [
        PriceLevel(price=close * 1.01, label="Target"),
        PriceLevel(price=close * 0.992, label="Stop", highlighted=True),
    ]
if shown:
    cone = Cone.from_forecast(random_walk(window, seed=2), "Random walk")
    figure = forecast_figure(window, forecast, look, baseline=cone, **more)
else:
    figure = window_figure(window, look, **more)
live_chart(figure, key="chart", content_id=base, alt=f"Candles up to {window.cutoff}", file_stem="test", on_step=move)
st.text(f"row {state['row']}")

if grow:
    state["began"] = time.monotonic()


@st.fragment(run_every=0.3 if "began" in state else None)
def growing() -> None:
    done = min(H, 1 + int((time.monotonic() - state["began"]) * STEPS_PER_S)) if "began" in state else 0
    if 0 < done < H:
        partial = Forecast(paths=forecast.paths[:, :done], index=forecast.index[:done])
        patch_chart(forecast_patch(window, partial, look), chart="chart", content_id=base)
    elif done:
        del state["began"]
        st.rerun()
    st.text(f"step {done}")


growing()
