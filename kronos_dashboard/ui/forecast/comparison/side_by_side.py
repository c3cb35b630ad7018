"""Up to four forecasts of this session side by side: what they differ in, where they end, how near they came."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from kronos_dashboard.charts import Look, Panel, multiples_figure
from kronos_dashboard.charts.small_multiples import MOST_PANELS
from kronos_dashboard.evaluation.forecast_scores import known_steps
from kronos_dashboard.evaluation.metrics import crps
from kronos_dashboard.forecasting.record import is_mirrored
from kronos_dashboard.ui.forecast.sampling import drawn_as
from kronos_dashboard.ui.i18n import said, t
from kronos_dashboard.ui.layout import escape
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import chance, look, move, price

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import Result

__all__ = ["show_side_by_side"]

_LETTERS = "ABCD"
_HEIGHT = 320
_BAND = 0.8
Revealed = Callable[["Result"], int]


def hidden(result: Result) -> int:
    """Nothing of any truth is revealed."""
    del result
    return 0


@st.fragment
def show_side_by_side(results: Sequence[Result], revealed: Revealed = hidden) -> None:
    """Choose among the forecasts of this session and compare them.

    Args:
        results: newest first.
        revealed: how many steps of the truth of a result the reader has uncovered.
    """
    if not results:
        st.info(t("No forecast yet. Each one you run is kept here for comparison."), icon=":material/compare:")
        return
    chosen = _choose(results)
    if not chosen:
        st.caption(t("Choose at least one forecast."))
        return
    if len(results) == 1:
        st.caption(
            t(
                "There is one forecast so far. Run another seed, temperature, context or model to set it beside this "
                "one."
            )
        )
    named = dict(zip(_LETTERS, chosen, strict=False))
    st.table(pd.DataFrame({letter: _facts(one, chosen, revealed(one)) for letter, one in named.items()}))
    mirrored = [letter for letter, one in named.items() if is_mirrored(one.record.sampling_config)]
    if mirrored:
        text = t(
            "Every second path is mirrored, so that “End higher” says nothing: {names}.", names=", ".join(mirrored)
        )
        st.caption(text)
    _charts(named, revealed)


def _choose(results: Sequence[Result]) -> list[Result]:
    """What the reader picked; a forecast that is new joins, and pushes the oldest out where there are four."""
    by_id = {one.record.run_id: one for one in reversed(results)}
    known: list[str] = st.session_state.get("sides_known", [])
    picked = [one for one in st.session_state.get("sides", []) if one in by_id]
    fresh = [one for one in by_id if one not in known]
    st.session_state["sides"] = list(dict.fromkeys([*picked, *fresh]))[-MOST_PANELS:]
    st.session_state["sides_known"] = list(by_id)
    order = {run_id: number for number, run_id in enumerate(by_id, start=1)}

    def title(run_id: str) -> str:
        return t("{number}: {what}", number=order[run_id], what=_title(by_id[run_id], results))

    picked = st.multiselect(
        t("Forecasts of this session"),
        list(by_id),
        format_func=title,
        key="sides",
        max_selections=MOST_PANELS,
        persist_state="session",
        help=t("Up to four; new ones join by themselves."),
    )
    return [by_id[one] for one in picked]


def _title(result: Result, others: Sequence[Result]) -> str:
    """The settings in short; where paths begin and whether they are mirrored is told when it is not the same of all."""
    config, record = result.record.sampling_config, result.record
    title = (
        f"{t('seed {seed}', seed=config.seed)} · T {config.temperature:g} · p {config.nucleus:g} · "
        f"{record.context_length}+{record.horizon} · {_cutoff(result)} · {record.symbol} {record.interval}"
    )
    alike = len({drawn_as(one.record.sampling_config) for one in others}) < 2
    return title if alike else f"{title} · {drawn_as(config)}"


def _cutoff(result: Result) -> str:
    time = result.window.context.local_index[-1]
    return f"{time:%Y-%m-%d}" if time == time.normalize() else f"{time:%Y-%m-%d %H:%M}"


def _facts(result: Result, others: Sequence[Result], revealed: int) -> dict[str, str]:
    """One column of the table: what differs between the forecasts, then where each ends."""
    settings = _settings(result)
    everywhere = [_settings(other) for other in others]
    differ = {
        name: text for name, text in settings.items() if len({one[name] for one in everywhere}) > 1 or len(others) == 1
    }
    closes = result.forecast.paths[:, -1, 3]
    last = float(result.window.context.frame["close"].iloc[-1])
    low, median, high = np.quantile(closes, ((1 - _BAND) / 2, 0.5, (1 + _BAND) / 2))
    ends = {
        t("Median at the end"): price(float(median)),
        t("from the last close"): move(float(median) / last - 1),
        t("80% of paths end from"): price(float(low)),
        t("80% of paths end up to"): price(float(high)),
        t("End higher"): chance(float((closes > np.float32(last)).mean())),
    }
    return {**differ, **ends, **_score(result, revealed)}


def _settings(result: Result) -> dict[str, str]:
    record, config = result.record, result.record.sampling_config
    return {
        t("Series"): f"{record.symbol} {record.interval}",
        t("Cutoff"): _cutoff(result),
        t("Model"): said(record.model_label),
        t("Context"): str(record.context_length),
        t("Horizon"): str(record.horizon),
        t("Paths"): str(config.num_paths),
        t("Temperature"): f"{config.temperature:g}",
        t("Top-p"): f"{config.nucleus:g}",
        t("Top-k"): t("off") if config.top_k is None else str(config.top_k),
        t("Min-p"): f"{config.min_p:g}" if config.min_p else t("off"),
        t("Paths begin"): t("at the last close") if config.from_last_close else t("at the model's own level"),
        t("Direction"): t("left open: mirrored") if is_mirrored(config) else t("as drawn"),
        t("Seed"): str(config.seed),
    }


def _score(result: Result, revealed: int) -> dict[str, str]:
    """CRPS over what is revealed, which a reader may set beside that of the same bars only."""
    steps, came = known_steps(result.window, revealed), result.window.came
    if steps == 0 or came is None:
        return {t("CRPS"): t("hidden") if came is not None else t("not known yet")}
    value = float(crps(result.forecast.paths[:, :steps, 3], came.frame["close"].to_numpy()[:steps]).mean())
    return {t("CRPS"): price(value, 4, even=True), t("over bars"): str(steps)}


def _charts(named: dict[str, Result], revealed: Revealed) -> None:
    """One figure each, so that they stand below each other on a phone; on one scale where the series is one."""
    colours = look()
    figures = {letter: _figure(one, letter, revealed(one), colours) for letter, one in named.items()}
    series = {(one.record.symbol, one.record.interval) for one in named.values()}
    if len(series) == 1:
        edges = [_edges(figure) for figure in figures.values()]
        low, high = min(edge[0] for edge in edges), max(edge[1] for edge in edges)
        room = 0.04 * (high - low or abs(high) or 1.0)
        for figure in figures.values():
            figure.layout.yaxis.update(range=[low - room, high + room], autorange=False)
    elif len(named) > 1:
        st.caption(t("These are of different series: each chart has a price scale of its own."))
    columns = [column for _ in range(0, len(named), 2) for column in st.columns(min(2, len(named)))]
    for column, (letter, result) in zip(columns, named.items(), strict=False):
        with column:
            st.markdown(f"**{letter}** · {escape(_title(result, list(named.values())))}")
            alt = t("Forecast {letter} after its last candles", letter=letter)
            live_chart(figures[letter], key=f"side_{letter}", alt=alt, file=f"forecast_{letter}")


def _figure(result: Result, letter: str, revealed: int, colours: Look) -> go.Figure:
    """One panel; its title stands above it on the page, and the first one explains the colours."""
    window = replace(result.window, truth=result.window.came)
    panel = Panel(title="", window=window, forecast=result.forecast)
    steps = known_steps(result.window, revealed)
    figure = multiples_figure([panel], colours, columns=1, revealed=steps, height=_HEIGHT)
    figure.layout.annotations = ()
    if letter != _LETTERS[0]:
        figure.update_traces(showlegend=False)
    return figure


def _edges(figure: go.Figure) -> tuple[float, float]:
    """Lowest and highest price that is drawn."""
    low, high = math.inf, -math.inf
    for trace in figure.data:
        candles = trace.type == "candlestick"
        low = min(low, float(np.nanmin(trace.low if candles else trace.y)))
        high = max(high, float(np.nanmax(trace.high if candles else trace.y)))
    return low, high
