"""The parts of the home page: what this is, samples to begin with, the model that is loaded, how to read a fan."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.charts.thumbnail import thumbnail_svg
from kronos_dashboard.markets.candles import interval_label
from kronos_dashboard.markets.samples import SAMPLES, Sample, load_sample
from kronos_dashboard.models.cache import BUNDLED
from kronos_dashboard.ui.forecast.coverage_line import known_figures
from kronos_dashboard.ui.forecast.runs import request_on_arrival
from kronos_dashboard.ui.i18n import said, t
from kronos_dashboard.ui.layout import escape, palette
from kronos_dashboard.ui.resources import settings, shelf, warm_up
from kronos_dashboard.ui.series.library import choose_sample
from kronos_dashboard.ui.widgets.chart import preload_charts

__all__ = ["model_status", "pitch", "reading_help", "sample_cards"]

_SHOWN = 48
"""Candles in the small picture of a sample."""
_NARROWEST = 150
"""Pixels of a card; where five do not fit, there are rows."""


def pitch() -> None:
    """What this is, in one sentence."""
    st.markdown(t("Sample many possible futures of a candlestick series and see how far apart they run."))


def model_status() -> None:
    """Which model is loaded (looks again until it is), and the way to one's own candles."""
    status, link = st.columns([2.4, 1], vertical_alignment="center")
    with status:
        ready = shelf().peek(settings().model) is not None
        st.fragment(_status, run_every=None if ready or not warm_up().is_alive() else 0.5)()
    link.page_link("pages/1_Data.py", label=t("Bring your own candles"), icon=":material/upload_file:")


def reading_help() -> None:
    """How to read a fan, and what it cannot know; also fetches what charts need before one is shown."""
    reading, limits = st.columns(2, gap="medium")
    reading.caption(_listed(t("**How to read the fan**"), _reading()))
    limits.caption(_listed(t("**Limits: what the model did not see**"), _limits()))
    preload_charts()


def _listed(title: str, lines: list[str]) -> str:
    return "\n- ".join([title, *lines])


def _reading() -> list[str]:
    return [
        t("Each **path** is one complete sampled future. The fan is what the model believes, not what will happen."),
        t("Half of the paths lie in the dark band, 80% in the middle one, 95% in the light one."),
        _held(),
        *_left_open(),
        t("The blue candles are one real path near the middle, never an average."),
        t("The dotted edge is a random walk as restless as the window: what you get without a model."),
    ]


def _held() -> str:
    """How much of what came the 80 % band held, as it stands beside the model's weights."""
    scores = known_figures().scores
    reach = None if scores is None else scores.reach_80()
    if scores is None or reach is None:
        return t("How much of what comes the bands of this model hold has not been measured.")
    low, high = reach
    return t(
        "Measured on months it had not seen, {horizons} steps ahead, its 80% band held {low} to {high} of the closes, "
        "by market.",
        horizons=" / ".join(map(str, scores.horizons)),
        low=f"{low:.0%}",
        high=f"{high:.0%}",
    )


def _left_open() -> list[str]:
    """What it was not measured for."""
    scores = known_figures().scores
    if scores is None or not scores.mirrored:
        return []
    return [t("Every second path was mirrored for that: it says how far the price may move, not which way.")]


def _limits() -> list[str]:
    ours = settings().model.lower() == BUNDLED
    return [
        t("It sees candles alone: no news, no order book, no other market."),
        *([t("It is a **small demo model trained for this project, not the published Kronos**.")] if ours else []),
        t("In training it has **read the time of most of these samples**: a good fit there proves nothing.")
        if ours
        else t("It may have read the time of these samples in training: a good fit there proves nothing."),
        t("A fan can be too narrow or too wide; one window that fits proves nothing."),
        t("Nothing here is advice to trade."),
    ]


def _status() -> None:
    name = settings().model
    predictor = shelf().peek(name)
    if predictor is not None:
        text = t(
            "**Model loaded:** {label} · up to {count} candles · `{digest}`",
            label=escape(said(predictor.label)),
            count=predictor.max_context,
            digest=predictor.digest[:12],
        )
        st.caption(f":green[:material/check_circle:] {text}")
    elif warm_up().is_alive():
        st.caption(f":material/hourglass_top: {t('Loading the model “{name}” …', name=escape(name))}")
    else:
        st.warning(
            t("The model “{name}” is not loaded; a forecast will try again and say why.", name=escape(name)),
            icon=":material/warning:",
        )


def sample_cards() -> None:
    """One card per sample, with a button that goes to the forecast page and runs it; the first is the one to click."""
    with st.grid(len(SAMPLES), min_column_width=_NARROWEST, gap="xsmall"):
        for sample in SAMPLES:
            with st.container(border=True, height="stretch", gap="small"):
                _card(sample, first=sample is SAMPLES[0])


def _card(sample: Sample, *, first: bool) -> None:
    candles = load_sample(sample.key).candles
    st.metric(said(sample.title), f"{candles.frame['close'].iloc[-1]:,.6g}")
    label = t("The last {count} candles of {symbol}", count=_SHOWN, symbol=sample.symbol)
    st.markdown(thumbnail_svg(candles.tail(_SHOWN), palette(), label), unsafe_allow_html=True)
    text = t("Forecast {symbol} {interval}", symbol=sample.symbol, interval=interval_label(candles.interval))
    key, about = f"open_{sample.key}", said(sample.description)
    if st.button(text, key=key, type="primary" if first else "secondary", width="stretch", help=about):
        choose_sample(sample.key)
        request_on_arrival()
        st.switch_page("pages/2_Forecast.py")
