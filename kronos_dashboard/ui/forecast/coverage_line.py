"""Measured coverage of the bands, in the language of the session: below the chart and in exported files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from kronos_dashboard.evaluation.coverage_note import (
    CoverageNote,
    build_coverage_note,
    build_coverage_note_for_record,
    detect_market,
)
from kronos_dashboard.evaluation.scorecard import ScorecardLookup, find_scorecard, find_weights_sha256
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.models.catalog import BUNDLED
from kronos_dashboard.ui.forecast.controls import ForecastSettings
from kronos_dashboard.ui.forecast.runs import find_result
from kronos_dashboard.ui.forecast.sampling import neutral_note
from kronos_dashboard.ui.i18n import translate
from kronos_dashboard.ui.layout import escape_markdown
from kronos_dashboard.ui.resources import model_cache
from kronos_dashboard.ui.resources import settings as app_settings

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import ForecastResult

__all__ = ["coverage_line", "coverage_note_of"]


def coverage_line(window: Window, settings: ForecastSettings) -> None:
    """Draw the coverage of the bands on the chart, or of those that a run with these settings would give.

    Above it stands the note on mirrored paths, if the forecast has them.
    """
    result = find_result(window)
    note = _expected_note(window, settings) if result is None else coverage_note_of(result)
    first, *rest = map(translate, note.sentences())
    details = escape_markdown(" ".join(rest))
    with st.container(key="coverage", gap=None):
        if result is not None and (neutral := neutral_note(result.forecast)):
            st.caption(neutral)
        st.caption(f"{escape_markdown(first)} {details if note.width_effect == 'similar' else f':orange[{details}]'}")


def coverage_note_of(result: ForecastResult) -> CoverageNote:
    """Return what is known about the bands of a forecast.

    A record from a file may name any folder; none is opened unless it is the configured model.
    """
    if not _is_configured_model(result.record.model_name):
        return CoverageNote(state="missing")
    return build_coverage_note_for_record(result.window, result.record, market=_market(result.window.context))


def _expected_note(window: Window, settings: ForecastSettings) -> CoverageNote:
    """Return what is known about the bands that a run with these settings would give."""
    name = settings.model.name
    loaded = model_cache().get_if_loaded(name, settings.device, settings.dtype)
    return build_coverage_note(
        find_scorecard(name, find_weights_sha256(name))
        if _is_configured_model(name)
        else ScorecardLookup(state="missing"),
        # Settings left to the model are known once it is loaded; until then they count as measured.
        settings.sampling if loaded is None else loaded.resolve_sampling(settings.sampling),
        market=_market(window.context),
        interval=interval_label(window.context.interval),
        context=min(window.context_length, settings.model.max_context),
        horizon=window.horizon,
    )


def _is_configured_model(name: str) -> bool:
    return name.lower() in (BUNDLED, app_settings().model.lower())


def _market(candles: CandleFrame) -> str | None:
    """Return the kind of market, cached by name and weekdays of a series: moving the window asks again and again."""
    days = tuple(sorted(set(candles.index.day_of_week)))
    label = f"{candles.symbol}|{candles.interval}|{candles.session_tz}|{candles.source}"
    return _cached_market(label, days, candles)


@st.cache_resource(show_spinner=False, max_entries=256)
def _cached_market(label: str, days: tuple[int, ...], _candles: CandleFrame) -> str | None:  # noqa: ARG001 - the key
    return detect_market(_candles)
