"""Below the chart: metrics of the last step, tabs with everything else about a forecast, and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui import state
from kronos_dashboard.ui.forecast.analytics.page import show_analytics
from kronos_dashboard.ui.forecast.comparison.accuracy import show_accuracy
from kronos_dashboard.ui.forecast.comparison.sensitivity import show_sensitivity
from kronos_dashboard.ui.forecast.comparison.side_by_side import show_side_by_side
from kronos_dashboard.ui.forecast.controls import ForecastSettings
from kronos_dashboard.ui.forecast.export.page import reopen_controls, show_export
from kronos_dashboard.ui.forecast.reveal import revealed_bars
from kronos_dashboard.ui.forecast.runs import ForecastResult, find_result, session_results
from kronos_dashboard.ui.format import format_price
from kronos_dashboard.ui.i18n import format_datetime, language, t, translate
from kronos_dashboard.ui.layout import escape_markdown

__all__ = ["show_result"]

COVERAGE = 0.8
"""Coverage of the interval that the metrics show; the same band stands in the coverage line."""


def show_result(window: Window, settings: ForecastSettings) -> None:
    """Draw the metrics of the window's forecast, the tabs and the notes. Only the open tab is computed."""
    result = find_result(window)
    if result is not None:
        _metrics(result)
    _tabs(window, settings, result)
    _notes([window.note] if result is None else result.record.notes)


def _tabs(window: Window, settings: ForecastSettings, result: ForecastResult | None) -> None:
    tabs: dict[str, Callable[[], None]] = {}
    if result is not None:
        tabs[t("Probabilities & risk")] = lambda: show_analytics(result)
        tabs[t("Accuracy")] = lambda: show_accuracy(result, revealed_bars(window))
        tabs[t("Export")] = lambda: show_export(result, revealed_bars(window))
    if session_results():
        tabs |= _session_tabs(window, settings)
    tabs.setdefault(t("Export"), reopen_controls)
    open_tab = state.RESULT_TABS.of(language(), "some" if result is None else "all")
    if state.SHOW_EXPORT_TAB.pop():
        open_tab.set(t("Export"))
    for tab, draw in zip(st.tabs(list(tabs), key=open_tab.name, on_change="rerun"), tabs.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def _session_tabs(window: Window, settings: ForecastSettings) -> dict[str, Callable[[], None]]:
    """Return the tabs about all forecasts of the session."""
    return {
        t("Sensitivity"): lambda: show_sensitivity(window, settings.sampling, settings.model_key),
        t("Compare runs"): lambda: show_side_by_side(session_results(), lambda other: revealed_bars(other.window)),
    }


def _metrics(result: ForecastResult) -> None:
    """Draw four metrics of the last step."""
    forecast, last_close = result.forecast, float(result.window.context.frame["close"].iloc[-1])
    median = float(forecast.median()[-1])
    lower, upper = (float(edge) for edge in forecast.band(COVERAGE)[:, -1])
    prob_higher = forecast.prob_higher(last_close)
    paths_text = (
        t("by construction ({count} paths in antithetic pairs)", count=forecast.num_paths)
        if forecast.is_mirrored
        else t("of {count} paths", count=forecast.num_paths)
    )
    cells = (
        (t("Last close"), f"{last_close:,.6g}", format_datetime(result.window.context.local_index[-1])),
        (
            t("Median at +{count} bars", count=forecast.horizon),
            f"{median:,.6g}",
            f"{median / last_close - 1:+z.2%}",
        ),
        (
            t("{share} interval", share=f"{COVERAGE:.0%}"),
            f"{format_price(lower, 5, keep_zeros=True)} – {format_price(upper, 5, keep_zeros=True)}",
            f"{lower / last_close - 1:+z.1%} … {upper / last_close - 1:+z.1%}",
        ),
        (t("P(close higher)"), f"{prob_higher:.0%}", paths_text),
    )
    with st.container(horizontal=True, gap="small"):
        for label, value, caption in cells:
            with st.container(border=True, width="stretch", gap=None):
                st.metric(label, value)
                st.caption(caption)


def _notes(notes: Sequence[str]) -> None:
    for note in notes:
        if note:
            st.caption(f":material/info: {escape_markdown(translate(note))}")
