"""What is shown of a window and its forecast: the chart, figures about the last step, and what else one may ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from kronos_dashboard.charts import Cone, forecast_figure, window_figure
from kronos_dashboard.forecasting.record import is_mirrored
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui.forecast.analytics.page import show_questions
from kronos_dashboard.ui.forecast.appearance import behind, levels, look, shows_surprise
from kronos_dashboard.ui.forecast.comparison.accuracy import show_comparison
from kronos_dashboard.ui.forecast.comparison.sensitivity import show_sensitivity
from kronos_dashboard.ui.forecast.comparison.side_by_side import show_side_by_side
from kronos_dashboard.ui.forecast.controls import Setup
from kronos_dashboard.ui.forecast.export.page import open_again, show_exports, was_brought
from kronos_dashboard.ui.forecast.progress import CHART, base_of
from kronos_dashboard.ui.forecast.reveal import play_on, playing, revealed
from kronos_dashboard.ui.forecast.runs import Result, kept_result, kept_results
from kronos_dashboard.ui.i18n import language, moment, said, t
from kronos_dashboard.ui.layout import escape
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import price

__all__ = ["show_chart", "show_result", "surprise_of"]

LEVEL = 0.8
"""Coverage of the band that the figures are about."""
_TICK_S = 0.4
_ROOM = 336
"""Pixels of the screen that the lines above and below the chart need."""
_MOST_SURPRISE = 12.0
"""Standard deviations; what is beyond is drawn as this, so that the rest can be seen."""


def show_chart(window: Window, *, on_step: Callable[[int], None], redraw: str) -> None:
    """The chart of the window, with its forecast if there is one; plays what came by itself when asked to.

    Args:
        window: what is shown.
        on_step: called with the bars to move by when the arrow keys are pressed on the chart.
        redraw: the key of the fragment that then shows another window.
    """

    def step(by: int) -> None:
        on_step(by)
        st.rerun(redraw)  # the chart's own fragment knows this window alone

    runs = playing(window)
    st.fragment(_film if runs else _chart, run_every=_TICK_S if runs else None, key="chart_area")(window, step)


def _film(window: Window, on_step: Callable[[int], None]) -> None:
    """The chart while what came is played; another fragment than the chart at rest, as in ``watch``."""
    if play_on(window):
        st.rerun()
    _chart(window, on_step)


def _chart(window: Window, on_step: Callable[[int], None]) -> None:
    """The chart alone."""
    result, shown, chosen = kept_result(window), revealed(window), look()
    drawn = replace(window, truth=window.came)
    if result is None:
        figure = window_figure(drawn, chosen, revealed=shown, levels=levels())
    else:
        figure = forecast_figure(
            drawn,
            result.forecast,
            chosen,
            baseline=_cone(result),
            revealed=shown,
            levels=levels(),
            surprise=surprise_of(result) if shows_surprise() else None,
        )
    alt = t(
        "Candles of {symbol} up to {cutoff} UTC and {horizon} steps after",
        symbol=window.context.symbol,
        cutoff=f"{window.cutoff:%Y-%m-%d %H:%M}",
        horizon=window.horizon,
    )
    live_chart(
        figure, key=CHART, base=base_of(window), alt=alt, file=window.context.symbol, room=_ROOM, on_step=on_step
    )


def surprise_of(result: Result) -> np.ndarray | None:
    """How surprising each candle of the context was [T], in standard deviations; NaN where that is not known."""
    if result.surprise is None:
        return None
    deviation = np.clip(result.surprise.figures.deviation, 0.0, _MOST_SURPRISE)
    return np.r_[np.full(result.window.context_length - len(deviation), np.nan), deviation]


def _cone(result: Result) -> Cone | None:
    chosen = behind()
    if chosen == "volatility" and result.cone is not None:
        return Cone.of(result.cone, t("Volatility cone"))
    return None if chosen == "none" else Cone.of(result.baseline, t("Random walk"))


def show_result(window: Window, setup: Setup) -> None:
    """Below the chart: figures, then what else may be asked, one behind the other; notes at the end.

    What is behind a tab that is not open is not worked out.
    """
    result = kept_result(window)
    if result is not None:
        _figures(result)
    _tabs(window, setup, result)
    _notes([window.note] if result is None else result.record.notes)


def _tabs(window: Window, setup: Setup, result: Result | None) -> None:
    parts: dict[str, Callable[[], None]] = {}
    if result is not None:
        parts[t("Questions")] = lambda: show_questions(result)
        parts[t("Comparison")] = lambda: show_comparison(result, revealed(window))
        parts[t("Files")] = lambda: show_exports(result, revealed(window))
    if kept_results():
        parts |= _across(window, setup)
    parts.setdefault(t("Files"), open_again)
    key = f"parts_{language()}_{'some' if result is None else 'all'}"
    if was_brought():
        st.session_state[key] = t("Files")
    for tab, show in zip(st.tabs(list(parts), key=key, on_change="rerun"), parts.values(), strict=True):
        if tab.open:
            with tab:
                show()


def _across(window: Window, setup: Setup) -> dict[str, Callable[[], None]]:
    """What may be asked of all forecasts of the session."""
    return {
        t("Sensitivity"): lambda: show_sensitivity(window, setup.sampling, setup.model.name, setup.device, setup.dtype),
        t("Side by side"): lambda: show_side_by_side(kept_results(), lambda other: revealed(other.window)),
    }


def _figures(result: Result) -> None:
    """Four numbers about the last step."""
    forecast, last = result.forecast, float(result.window.context.frame["close"].iloc[-1])
    median = float(forecast.median()[-1])
    lower, upper = (float(edge) for edge in forecast.band(LEVEL)[:, -1])
    higher = float((forecast.paths[:, -1, 3] > last).mean())
    mirrored = is_mirrored(result.record.sampling_config)
    of_paths = (
        t("of {count} paths, half mirrored", count=forecast.num_paths)
        if mirrored
        else t("of {count} paths", count=forecast.num_paths)
    )
    cells = (
        (t("Last close"), f"{last:,.6g}", moment(result.window.context.local_index[-1])),
        (t("Median after {count} steps", count=forecast.horizon), f"{median:,.6g}", f"{median / last - 1:+.2%}"),
        (
            t("{share} of paths end in", share=f"{LEVEL:.0%}"),
            f"{price(lower, 5, even=True)} – {price(upper, 5, even=True)}",
            f"{lower / last - 1:+.1%} … {upper / last - 1:+.1%}",
        ),
        (t("End higher"), f"{higher:.0%}", of_paths),
    )
    with st.container(horizontal=True, gap="small"):
        for label, value, small in cells:
            with st.container(border=True, width="stretch", gap=None):
                st.metric(label, value)
                st.caption(small)


def _notes(notes: list[str] | tuple[str, ...]) -> None:
    for note in notes:
        if note:
            st.caption(f":material/info: {escape(said(note))}")
