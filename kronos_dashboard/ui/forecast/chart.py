"""The large chart: the window with its forecast, its actual candles as far as they are revealed, and the playback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from kronos_dashboard.charts import Cone, forecast_figure, window_figure
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui.forecast.appearance import baseline_layer, chart_style, price_levels, shows_surprisal
from kronos_dashboard.ui.forecast.reveal import PLAYBACK_BAR_S, advance_playback, is_playing, revealed_bars
from kronos_dashboard.ui.forecast.runs import ForecastResult, find_result
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.widgets.chart import live_chart

__all__ = ["CHART_KEY", "chart_base", "context_surprisal", "show_chart"]

CHART_KEY = "chart"
"""Key of the chart on the page."""
_CHROME_HEIGHT = 336
"""Pixels of the browser window that the lines above and below the chart need."""
_MAX_SURPRISAL = 12.0
"""Standard deviations; larger values are drawn as this, so that the others stay visible."""


def show_chart(window: Window, *, on_step: Callable[[int], None], redraw: str) -> None:
    """Draw the chart of the window, with its forecast if there is one; a running playback advances by itself.

    Args:
        window: the window to draw.
        on_step: called with the bars to move by when an arrow key is pressed on the chart.
        redraw: key of the fragment that then draws the other window.
    """

    def step(by: int) -> None:
        on_step(by)
        st.rerun(redraw)  # the chart's own fragment was called with this window and cannot draw another

    # Two fragments: a late tick of the playback must not start a run of an idle page (see ``progress._poll``).
    if is_playing(window):
        st.fragment(_draw_playback, run_every=PLAYBACK_BAR_S, key="chart_area")(window, step)
    else:
        st.fragment(_draw, key="chart_area")(window, step)


def chart_base(window: Window) -> str:
    """Identify the window on the chart, so that a patch is laid over no other."""
    return "|".join(map(str, window.identity))


def context_surprisal(result: ForecastResult) -> np.ndarray | None:
    """Return the z-score of each context candle's surprisal [T], NaN where it is unknown; None without any."""
    if result.surprisal is None:
        return None
    zscores = np.clip(result.surprisal.surprisal.zscore, 0.0, _MAX_SURPRISAL)  # [k], the last k candles
    return np.r_[np.full(result.window.context_length - len(zscores), np.nan), zscores]  # [T]


def _draw_playback(window: Window, on_step: Callable[[int], None]) -> None:
    if advance_playback(window):
        st.rerun()
    _draw(window, on_step)


def _draw(window: Window, on_step: Callable[[int], None]) -> None:
    result, revealed, style = find_result(window), revealed_bars(window), chart_style()
    # A latest window may have actual candles too; the figure takes them from one place.
    shown = replace(window, actual=window.observed)
    if result is None:
        figure = window_figure(shown, style, revealed=revealed, levels=price_levels())
    else:
        figure = forecast_figure(
            shown,
            result.forecast,
            style,
            baseline=_baseline_cone(result),
            revealed=revealed,
            levels=price_levels(),
            surprisal=context_surprisal(result) if shows_surprisal() else None,
        )
    symbol = window.context.symbol
    alt = t(
        "Candles of {symbol} up to {cutoff} UTC and a forecast of {horizon} steps",
        symbol=symbol,
        cutoff=f"{window.cutoff:%Y-%m-%d %H:%M}",
        horizon=window.horizon,
    )
    base = chart_base(window)
    live_chart(
        figure, key=CHART_KEY, content_id=base, alt=alt, file_stem=symbol, chrome_height=_CHROME_HEIGHT, on_step=on_step
    )


def _baseline_cone(result: ForecastResult) -> Cone | None:
    layer = baseline_layer()
    if layer == "volatility" and result.cone is not None:
        return Cone.from_forecast(result.cone, t("Volatility cone"))
    return None if layer == "none" else Cone.from_forecast(result.baseline, t("Random walk"))
