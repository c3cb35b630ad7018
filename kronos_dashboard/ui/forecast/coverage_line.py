"""What was measured of the bands, in the language of the reader: beside the chart, in files, and on Home."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from kronos_dashboard.evaluation.coverage_note import CHINESE, ENGLISH, Measured, market_of, measured, measured_of
from kronos_dashboard.evaluation.scorecard import Found, find_scores, weights_digest
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.models.cache import BUNDLED
from kronos_dashboard.ui.forecast.controls import Setup
from kronos_dashboard.ui.forecast.runs import kept_result
from kronos_dashboard.ui.forecast.sampling import left_open
from kronos_dashboard.ui.i18n import language
from kronos_dashboard.ui.layout import escape
from kronos_dashboard.ui.resources import settings, shelf

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import Result

__all__ = ["bands_line", "known_figures", "measured_result"]


def bands_line(window: Window, setup: Setup) -> None:
    """A line below the chart: what the bands on it held when that was measured, or what those of a run would.

    Above it stands what the forecast does not tell, where it leaves the direction open.
    """
    result = kept_result(window)
    known = _expected(window, setup) if result is None else measured_result(result)
    first, *rest = known.sentences(CHINESE if language() == "zh" else ENGLISH)
    more = escape(" ".join(rest))
    with st.container(key="bands", gap=None):
        if result is not None and (said := left_open(result.record.sampling_config)):
            st.caption(said)
        st.caption(f"{escape(first)} {more if known.spread == 'alike' else f':orange[{more}]'}")


def measured_result(result: Result) -> Measured:
    """What is known of the bands of a forecast. A file may name any model; no folder is opened because it does."""
    if not _is_ours(result.record.model_name):
        return Measured(state="never")
    return measured_of(result.window, result.record, market=_market(result.window.context))


def known_figures() -> Found:
    """The figures of the model that is set, as far as its weights are on this machine."""
    name = settings().model
    return find_scores(name, weights_digest(name))


def _expected(window: Window, setup: Setup) -> Measured:
    name = setup.model.name
    loaded = shelf().peek(name, setup.device, setup.dtype)
    return measured(
        find_scores(name, weights_digest(name)) if _is_ours(name) else Found(state="never"),
        setup.sampling if loaded is None else loaded.settled(setup.sampling),
        market=_market(window.context),
        interval=interval_label(window.context.interval),
        context=min(window.context_length, setup.model.max_context),
        horizon=window.horizon,
    )


def _is_ours(name: str) -> bool:
    return name.lower() in (BUNDLED, settings().model.lower())


def _market(candles: CandleFrame) -> str | None:
    days = tuple(sorted(set(candles.index.day_of_week)))
    label = f"{candles.symbol}|{candles.interval}|{candles.session_tz}|{candles.source}"
    return _market_by(label, days, candles)


@st.cache_resource(show_spinner=False, max_entries=256)
def _market_by(label: str, days: tuple[int, ...], _candles: CandleFrame) -> str | None:  # noqa: ARG001 - the key
    """Cached by what a series is called and the weekdays it has bars on: moving the window asks again and again."""
    return market_of(_candles)
