"""The home page: what the app does, samples to start with, the loaded model, how to read a forecast."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.charts.thumbnail import thumbnail_svg
from kronos_dashboard.evaluation.scorecard import find_local_scorecard
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.markets.samples import SAMPLES, Sample, load_sample
from kronos_dashboard.models.catalog import BUNDLED
from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import t, translate
from kronos_dashboard.ui.layout import begin_page, error_boundary, escape_markdown, theme_palette
from kronos_dashboard.ui.resources import model_cache, settings, warm_up
from kronos_dashboard.ui.series.library import select_series
from kronos_dashboard.ui.widgets.chart import preload_charts

__all__ = ["show"]

_THUMBNAIL_CANDLES = 48
"""Candles in the thumbnail of a sample."""
_MIN_CARD_WIDTH = 150
"""Pixels; cards that do not fit side by side wrap."""


def show() -> None:
    """Draw the page."""
    begin_page()
    st.title("Kronos Dashboard", anchor=False)
    _tagline()
    with error_boundary():
        _sample_cards()
    _model_status()
    _reading_help()


def _tagline() -> None:
    """Draw the sentence about the app."""
    st.markdown(t("Forecast candlesticks as many sampled futures, and see how wide the range of outcomes is."))


def _model_status() -> None:
    """Draw the status of the model, polled until it is loaded, and the link to the Data page."""
    status, link = st.columns([2.4, 1], vertical_alignment="center")
    with status:
        ready = model_cache().get_if_loaded(settings().model) is not None
        st.fragment(_model_status_line, run_every=None if ready or not warm_up().is_alive() else 0.5)()
    link.page_link("pages/1_Data.py", label=t("Use your own data"), icon=":material/upload_file:")


def _reading_help() -> None:
    """Draw how to read a forecast and its limits; also preload what charts need."""
    reading, limits = st.columns(2, gap="medium")
    reading.caption(_bullet_list(t("**How to read the fan**"), _reading_points()))
    limits.caption(_bullet_list(t("**Limits**"), _limit_points()))
    preload_charts()


def _bullet_list(title: str, lines: list[str]) -> str:
    return "\n- ".join([title, *lines])


def _reading_points() -> list[str]:
    return [
        t(
            "Each **path** is one complete sampled future. The fan shows what the model considers likely, not "
            "what will happen."
        ),
        t("The dark band contains 50% of the paths, the middle band 80%, the light band 95%."),
        _coverage_text(),
        *_neutral_note(),
        t("The blue candles are one sampled path near the median, not an average."),
        t("The dotted line is a random walk with the same volatility: the forecast without a model."),
    ]


def _coverage_text() -> str:
    """Return the measured coverage of the 80 % band, from the scorecard beside the model's weights."""
    scorecard = find_local_scorecard(settings().model).scorecard
    coverage_range = None if scorecard is None else scorecard.coverage_80_range()
    if scorecard is None or coverage_range is None:
        return t("The coverage of this model's bands has not been measured.")
    low, high = coverage_range
    return t(
        "Measured out of sample at {horizons} bars: the 80% band covered {low} to {high} of closes, depending "
        "on the market.",
        horizons=" / ".join(map(str, scorecard.horizons)),
        low=f"{low:.0%}",
        high=f"{high:.0%}",
    )


def _neutral_note() -> list[str]:
    """Return that the direction was not measured, if paths were mirrored for the scorecard."""
    scorecard = find_local_scorecard(settings().model).scorecard
    if scorecard is None or not scorecard.mirror_paths:
        return []
    return [t("Measured with antithetic pairs: they show how far the price may move, not which way.")]


def _limit_points() -> list[str]:
    is_bundled = settings().model.lower() == BUNDLED
    return [
        t("It sees only candles: no news, no order book, no other markets."),
        *(
            [t("It is a **small demo model trained for this project, not the published Kronos**.")]
            if is_bundled
            else []
        ),
        t("Its training data **cover the period of most of these samples**, so a good fit there proves nothing.")
        if is_bundled
        else t("Its training data may cover the period of these samples, so a good fit there proves nothing."),
        t("A fan can be too narrow or too wide; one good window proves nothing."),
        t("Nothing here is financial advice."),
    ]


def _model_status_line() -> None:
    name = settings().model
    predictor = model_cache().get_if_loaded(name)
    if predictor is not None:
        text = t(
            "**Model ready:** {label} · context limit {count} candles · `{digest}`",
            label=escape_markdown(translate(predictor.name)),
            count=predictor.max_context,
            digest=predictor.weights_sha256[:12],
        )
        st.caption(f":green[:material/check_circle:] {text}")
    elif warm_up().is_alive():
        st.caption(f":material/hourglass_top: {t('Loading model “{name}”…', name=escape_markdown(name))}")
    else:
        st.warning(
            t(
                "Model “{name}” is not loaded. Running a forecast retries and shows the reason.",
                name=escape_markdown(name),
            ),
            icon=":material/warning:",
        )


def _sample_cards() -> None:
    """Draw a card for each sample, with a button that runs a forecast of it; the first button is the primary one."""
    with st.grid(len(SAMPLES), min_column_width=_MIN_CARD_WIDTH, gap="xsmall"):
        for sample in SAMPLES:
            with st.container(border=True, height="stretch", gap="small"):
                _sample_card(sample, is_primary=sample is SAMPLES[0])


def _sample_card(sample: Sample, *, is_primary: bool) -> None:
    candles = load_sample(sample.key).candles
    st.metric(translate(sample.title), f"{candles.frame['close'].iloc[-1]:,.6g}")
    label = t("The last {count} candles of {symbol}", count=_THUMBNAIL_CANDLES, symbol=sample.symbol)
    st.markdown(thumbnail_svg(candles.tail(_THUMBNAIL_CANDLES), theme_palette(), label), unsafe_allow_html=True)
    text = t("Forecast {symbol} {interval}", symbol=sample.symbol, interval=interval_label(candles.interval))
    key, description = f"open_{sample.key}", translate(sample.description)
    if st.button(text, key=key, type="primary" if is_primary else "secondary", width="stretch", help=description):
        select_series(sample.key)
        state.RUN_ON_ARRIVAL.set(True)
        st.switch_page("pages/2_Forecast.py")
