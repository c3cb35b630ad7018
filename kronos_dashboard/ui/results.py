"""What is shown of a window and its forecast: chart, figures, comparison, notes, downloads."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from kronos_dashboard.charts import Cone, Look, forecast_figure, window_figure
from kronos_dashboard.export import file_stem, forecast_csv, record_json
from kronos_dashboard.metrics import Score, interval_width, score
from kronos_dashboard.ui.chart_component import live_chart
from kronos_dashboard.ui.page import escape, palette
from kronos_dashboard.ui.runs import Result, kept_result
from kronos_dashboard.windows import Window

__all__ = ["base_of", "show_window"]

LEVEL = 0.9
"""Coverage of the band that the figures are about."""


def show_window(window: Window, *, on_step: Callable[[int], None] | None = None) -> None:
    """The chart of the window; with a forecast also its figures, notes and downloads.

    Args:
        window: what is shown.
        on_step: called with the bars to move by when the arrow keys are pressed on the chart.
    """
    result = kept_result(window)
    if result is None:
        _chart(window_figure(window, _look()), window, on_step)
        _notes([window.note])
        return
    walk = Cone.of(result.baseline, "Random walk")
    _chart(forecast_figure(window, result.forecast, _look(), baseline=walk), window, on_step)
    _figures(result)
    _comparison(result)
    _notes(result.record.notes)
    _downloads(result)


def base_of(window: Window) -> str:
    """What the chart of a window is of, for patches that are laid over it."""
    return "|".join(map(str, window.key))


def _look() -> Look:
    return Look(palette=palette())


def _chart(figure: go.Figure, window: Window, on_step: Callable[[int], None] | None) -> None:
    text = (
        f"Candles of {window.context.symbol} up to {window.cutoff:%d %b %Y %H:%M} UTC and {window.horizon} steps after"
    )
    live_chart(figure, key="chart", base=base_of(window), alt=text, file=window.context.symbol, on_step=on_step)


def _figures(result: Result) -> None:
    """Four numbers about the last step."""
    forecast, last = result.forecast, float(result.window.context.frame["close"].iloc[-1])
    median = float(forecast.median()[-1])
    lower, upper = (float(edge) for edge in forecast.band(LEVEL)[:, -1])
    higher = float((forecast.paths[:, -1, 3] > last).mean())
    cells = (
        ("Last close", f"{last:,.6g}", f"{result.window.context.local_index[-1]:%d %b %Y %H:%M}"),
        (f"Median after {forecast.horizon} steps", f"{median:,.6g}", f"{median / last - 1:+.2%}"),
        (
            f"{LEVEL:.0%} end within",
            f"{lower:,.5g} – {upper:,.5g}",
            f"{lower / last - 1:+.1%} to {upper / last - 1:+.1%}",
        ),
        ("End higher", f"{higher:.0%}", f"of {forecast.num_paths} paths"),
    )
    with st.container(horizontal=True, gap="small"):
        for label, value, small in cells:
            with st.container(border=True, width="stretch", gap=None):
                st.metric(label, value)
                st.caption(small)


def _comparison(result: Result) -> None:
    """The model beside the random walk: the width of the band, and where the truth is known how well each did."""
    columns = {}
    truth = result.window.truth
    for name, forecast in (("Model", result.forecast), ("Random walk", result.baseline)):
        closes = forecast.paths[..., 3]
        if truth is None:
            columns[name] = {f"Mean width of the {LEVEL:.0%} band": f"{interval_width(*forecast.band(LEVEL)):,.4g}"}
        else:
            columns[name] = _score_cells(score(closes, truth.frame["close"].to_numpy(), LEVEL))
    st.subheader("Beside a random walk", anchor=False)
    st.table(pd.DataFrame(columns), width="content")
    if truth is not None:
        st.caption(
            "One window says little: its steps hang together, so either may win by luck. "
            "The random walk draws its steps from the returns of the context, without drift."
        )


def _score_cells(measured: Score) -> dict[str, str]:
    level = f"{measured.level:.0%}"
    return {
        "CRPS (price units, lower is better)": f"{measured.crps:,.4g}",
        f"Steps inside the {level} band": f"{measured.coverage:.0%}",
        f"Mean width of the {level} band": f"{measured.width:,.4g}",
        "Mean error of the median": f"{measured.median_error:,.4g}",
    }


def _notes(notes: list[str] | tuple[str, ...]) -> None:
    for note in notes:
        if note:
            st.caption(f":material/info: {escape(note)}")


def _downloads(result: Result) -> None:
    stem = file_stem(result.record)
    with st.container(horizontal=True):
        st.download_button(
            "Forecast (CSV)",
            lambda: forecast_csv(result.window, result.forecast, result.record),
            f"{stem}.csv",
            "text/csv",
            key="download_csv",
            icon=":material/download:",
            on_click="ignore",
            help="One row per step: a path near the middle, the median and quantiles of the close.",
        )
        st.download_button(
            "Run record (JSON)",
            lambda: record_json(result.record),
            f"{stem}.json",
            "application/json",
            key="download_record",
            icon=":material/receipt_long:",
            on_click="ignore",
            help="Everything needed to make the same forecast again.",
        )
