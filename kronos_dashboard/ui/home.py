"""The parts of the home page: the model that is loaded, and the samples to begin with."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.candles import interval_label
from kronos_dashboard.charts import thumbnail_figure
from kronos_dashboard.samples import SAMPLES, Sample, load_sample
from kronos_dashboard.ui.page import escape, palette
from kronos_dashboard.ui.runs import request_on_arrival
from kronos_dashboard.ui.series import choose_sample
from kronos_dashboard.ui.shared import settings, shelf, warm_up

__all__ = ["model_status", "sample_cards"]

_SHOWN = 60
"""Candles in the small chart of a sample."""
_IN_A_ROW = 3


def model_status() -> None:
    """Which model is loaded; looks again until it is."""
    ready = shelf().peek(settings().model) is not None
    st.fragment(_status, run_every=None if ready or not warm_up().is_alive() else 0.5)()


def _status() -> None:
    name = settings().model
    predictor = shelf().peek(name)
    if predictor is not None:
        st.markdown(
            f":green[:material/check_circle:] **Model loaded:** {escape(predictor.label)} · "
            f"up to {predictor.max_context} candles · checkpoint `{predictor.digest[:12]}`"
        )
    elif warm_up().is_alive():
        st.markdown(f":material/hourglass_top: Loading the model “{escape(name)}” …")
    else:
        st.warning(
            f"The model “{escape(name)}” is not loaded; a forecast will try again and say why.",
            icon=":material/warning:",
        )


def sample_cards() -> None:
    """One card per sample, with a button that goes to the forecast page and runs it; in rows of three."""
    for row in range(0, len(SAMPLES), _IN_A_ROW):
        for column, sample in zip(st.columns(_IN_A_ROW), SAMPLES[row : row + _IN_A_ROW], strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(sample, first=sample is SAMPLES[0])


def _card(sample: Sample, *, first: bool) -> None:
    candles = load_sample(sample.key).candles
    st.metric(sample.title, f"{candles.frame['close'].iloc[-1]:,.6g}")
    # Also what fetches the chart library while the model loads, so that the first fan need not wait for it.
    st.plotly_chart(
        thumbnail_figure(candles.tail(_SHOWN), palette()),
        key=f"thumbnail_{sample.key}",
        config={"staticPlot": True},
        alt=f"The last {_SHOWN} candles of {sample.symbol}",
    )
    st.caption(sample.description)
    label = f"Forecast {sample.symbol} {interval_label(candles.interval)}"
    if st.button(label, key=f"open_{sample.key}", type="primary" if first else "secondary", width="stretch"):
        choose_sample(sample.key)
        request_on_arrival()
        st.switch_page("pages/2_Forecast.py")
