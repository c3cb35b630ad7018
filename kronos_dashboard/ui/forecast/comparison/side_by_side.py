"""Up to four forecasts of the session side by side: their settings, where they end, their scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from kronos_dashboard.charts import ChartStyle, Panel, multiples_figure
from kronos_dashboard.charts.small_multiples import MAX_PANELS
from kronos_dashboard.evaluation.forecast_scores import num_known_steps
from kronos_dashboard.evaluation.metrics import crps
from kronos_dashboard.export.metadata import describe_path_options
from kronos_dashboard.ui import state
from kronos_dashboard.ui.forecast.appearance import small_chart_style
from kronos_dashboard.ui.format import format_price, format_probability, format_signed_percent
from kronos_dashboard.ui.i18n import t, translate
from kronos_dashboard.ui.layout import escape_markdown
from kronos_dashboard.ui.widgets.chart import live_chart

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import ForecastResult

__all__ = ["show_side_by_side"]

_LETTERS = "ABCD"
_HEIGHT = 320
"""Pixels of a chart: two rows of them fit on a screen."""
_COVERAGE = 0.8
"""Of the interval in the table; its labels name it."""
RevealedBars = Callable[["ForecastResult"], int]


def none_revealed(result: ForecastResult) -> int:
    """Return 0: no actual candles are shown."""
    del result
    return 0


@st.fragment
def show_side_by_side(results: Sequence[ForecastResult], revealed: RevealedBars = none_revealed) -> None:
    """Draw the choice of forecasts and their comparison.

    Args:
        results: newest first.
        revealed: returns how many actual bars of a result are revealed.
    """
    if not results:
        st.info(t("No forecast yet. Every forecast you run is kept here for comparison."), icon=":material/compare:")
        return
    selected = _forecast_select(results)
    if not selected:
        st.caption(t("Choose at least one forecast."))
        return
    if len(results) == 1:
        st.caption(t("Only one forecast so far. Run another seed, temperature, context or model to compare."))
    by_letter = dict(zip(_LETTERS, selected, strict=False))
    columns = {letter: _column(result, selected, revealed(result)) for letter, result in by_letter.items()}
    st.table(pd.DataFrame(columns))
    mirrored = [letter for letter, result in by_letter.items() if result.forecast.is_mirrored]
    if mirrored:
        names = ", ".join(mirrored)
        st.caption(t("Antithetic pairs, so P(close higher) is 50% by construction: {names}.", names=names))
    _charts(by_letter, revealed)


def _forecast_select(results: Sequence[ForecastResult]) -> list[ForecastResult]:
    """Draw the choice and return it; a new forecast is added, and removes the oldest of four."""
    by_id = {result.key: result for result in reversed(results)}  # oldest first
    known = state.KNOWN_RUNS.get()
    compared = [run_id for run_id in state.COMPARED_RUNS.get() if run_id in by_id]
    added = [run_id for run_id in by_id if run_id not in known]
    state.COMPARED_RUNS.set(list(dict.fromkeys([*compared, *added]))[-MAX_PANELS:])
    state.KNOWN_RUNS.set(list(by_id))
    order = {run_id: number for number, run_id in enumerate(by_id, start=1)}

    def title(run_id: str) -> str:
        return t("{number}: {what}", number=order[run_id], what=_title(by_id[run_id], results))

    selected = st.multiselect(
        t("Forecasts of this session"),
        list(by_id),
        format_func=title,
        key=state.COMPARED_RUNS.name,
        max_selections=MAX_PANELS,
        persist_state="session",
        help=t("Up to four; new ones are added automatically."),
    )
    return [by_id[run_id] for run_id in selected]


def _title(result: ForecastResult, others: Sequence[ForecastResult]) -> str:
    """Return the settings in short; path options are included if they are not the same for all."""
    sampling, record = result.record.sampling, result.record
    title = (
        f"{t('seed {seed}', seed=sampling.seed)} · T {sampling.temperature:g} · p {sampling.nucleus:g} · "
        f"{record.context_length}+{record.horizon} · {_cutoff(result)} · {record.symbol} {record.interval}"
    )
    path_options = {describe_path_options(other.record.sampling) for other in others}
    return title if len(path_options) < 2 else f"{title} · {translate(describe_path_options(sampling))}"


def _cutoff(result: ForecastResult) -> str:
    time = result.window.context.local_index[-1]
    return f"{time:%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"


def _column(result: ForecastResult, others: Sequence[ForecastResult], revealed: int) -> dict[str, str]:
    """Return one column of the table: the settings that differ between the forecasts, then where this one ends."""
    all_settings = [_settings(other) for other in others]
    shown_settings = {
        name: text
        for name, text in _settings(result).items()
        if len({settings[name] for settings in all_settings}) > 1 or len(others) == 1
    }
    last_close = float(result.window.context.frame["close"].iloc[-1])
    low, median, high = result.forecast.quantile(((1 - _COVERAGE) / 2, 0.5, (1 + _COVERAGE) / 2))[:, -1]
    ends = {
        t("Median at the end"): format_price(float(median)),
        t("vs. last close"): format_signed_percent(float(median) / last_close - 1),
        t("80% interval, lower"): format_price(float(low)),
        t("80% interval, upper"): format_price(float(high)),
        t("P(close higher)"): format_probability(result.forecast.prob_higher(last_close)),
    }
    return {**shown_settings, **ends, **_score(result, revealed)}


def _settings(result: ForecastResult) -> dict[str, str]:
    record, sampling = result.record, result.record.sampling
    return {
        t("Series"): f"{record.symbol} {record.interval}",
        t("Cutoff"): _cutoff(result),
        t("Model"): translate(record.model_label),
        t("Context"): str(record.context_length),
        t("Horizon"): str(record.horizon),
        t("Paths"): str(sampling.num_paths),
        t("Temperature"): f"{sampling.temperature:g}",
        t("Top-p"): f"{sampling.nucleus:g}",
        t("Top-k"): t("off") if sampling.top_k is None else str(sampling.top_k),
        t("Min-p"): f"{sampling.min_p:g}" if sampling.min_p else t("off"),
        t("Starting price"): t("last close") if sampling.anchor_to_last_close else t("decoded level"),
        t("Direction"): t("neutral (antithetic pairs)") if result.forecast.is_mirrored else t("as sampled"),
        t("Seed"): str(sampling.seed),
    }


def _score(result: ForecastResult, revealed: int) -> dict[str, str]:
    """Return the CRPS over the revealed bars, and their number: only scores over the same bars are comparable."""
    steps, observed = num_known_steps(result.window, revealed), result.window.observed
    if steps == 0 or observed is None:
        return {t("CRPS"): t("hidden") if observed is not None else t("no actuals yet")}
    actual = observed.frame["close"].to_numpy()[:steps]  # [k]
    value = float(crps(result.forecast.paths[:, :steps, 3], actual, is_paired=result.forecast.is_mirrored).mean())
    return {t("CRPS"): format_price(value, 4, keep_zeros=True), t("Bars scored"): str(steps)}


def _charts(by_letter: dict[str, ForecastResult], revealed: RevealedBars) -> None:
    """Draw a chart for each, so that they wrap on a phone; forecasts of one series share the price scale."""
    style = small_chart_style()
    figures = {letter: _figure(one, letter, revealed(one), style) for letter, one in by_letter.items()}
    series = {(one.record.symbol, one.record.interval) for one in by_letter.values()}
    if len(series) == 1:
        ranges = [_price_range(figure) for figure in figures.values()]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        margin = 0.04 * (high - low or abs(high) or 1.0)  # a flat series has no height of its own
        for figure in figures.values():
            figure.layout.yaxis.update(range=[low - margin, high + margin], autorange=False)
    elif len(by_letter) > 1:
        st.caption(t("Different series: each chart has its own price scale."))
    columns = [column for _ in range(0, len(by_letter), 2) for column in st.columns(min(2, len(by_letter)))]
    for column, (letter, result) in zip(columns, by_letter.items(), strict=False):
        with column:
            st.markdown(f"**{letter}** · {escape_markdown(_title(result, list(by_letter.values())))}")
            alt = t("Forecast {letter} with its last candles", letter=letter)
            live_chart(figures[letter], key=f"side_{letter}", alt=alt, file_stem=f"forecast_{letter}")


def _figure(result: ForecastResult, letter: str, revealed: int, style: ChartStyle) -> go.Figure:
    """Return one panel; its title is drawn by the page, and only the first one has a legend."""
    window = replace(result.window, actual=result.window.observed)
    panel = Panel(title="", window=window, forecast=result.forecast)
    steps = num_known_steps(result.window, revealed)
    figure = multiples_figure([panel], style, columns=1, revealed=steps, height=_HEIGHT)
    figure.layout.annotations = ()
    if letter != _LETTERS[0]:
        figure.update_traces(showlegend=False)
    return figure


def _price_range(figure: go.Figure) -> tuple[float, float]:
    """Return the lowest and the highest price in a figure."""
    low, high = math.inf, -math.inf
    for trace in figure.data:
        is_candles = trace.type == "candlestick"
        low = min(low, float(np.nanmin(trace.low if is_candles else trace.y)))
        high = max(high, float(np.nanmax(trace.high if is_candles else trace.y)))
    return low, high
