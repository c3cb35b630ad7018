"""Cards without a price input: range, risk, volatility, scenarios, and unusual recent candles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from kronos_dashboard.analytics import (
    ExpectedRange,
    RecentSurprisal,
    SampledPaths,
    Scenarios,
    Volatility,
    bars_per_year,
    excursions,
    expected_range,
    find_scenarios,
    tail_risk,
    volatility,
)
from kronos_dashboard.charts.analytics import scenarios_figure
from kronos_dashboard.ui.forecast.analytics.interactive_cards import side_control
from kronos_dashboard.ui.forecast.appearance import small_chart_style
from kronos_dashboard.ui.format import (
    NOT_AVAILABLE,
    format_interval,
    format_percent,
    format_price,
    format_probability,
    format_ratio,
    format_signed_percent,
    interval_footnote,
)
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import caption_lines, metric_columns, metric_with_interval

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import ForecastResult

__all__ = [
    "CardResults",
    "card_results",
    "range_card",
    "risk_card",
    "scenario_card",
    "surprisal_card",
    "volatility_card",
]

_MAX_LISTED = 5
"""Unusual candles in the table: as high as the cards beside it."""
_VAR_CONFIDENCE = 0.95
"""Confidence of value at risk and expected shortfall; the labels name it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CardResults:
    """Results that are computed once per forecast."""

    range: ExpectedRange
    volatility: Volatility
    scenarios: Scenarios


def card_results(result: ForecastResult, paths: SampledPaths) -> CardResults:
    """Return the results for a forecast, computed on first use."""
    return _cached_card_results(result.record.paths_sha256, result.window.context.fingerprint, result, paths)


def range_card(expected: ExpectedRange) -> None:
    """Draw the range from the highest high to the lowest low of the horizon."""
    st.markdown(t("**Expected range**"))
    low, high = format_price(expected.lowest[0.5].value), format_price(expected.highest[0.5].value)
    metric_with_interval(
        t("High-low range over {steps} bars", steps=expected.horizon),
        expected.median,
        lambda value: format_price(value, 4),
        help=t("Median across paths."),
    )
    fraction = format_percent(expected.median.value / expected.last_close)
    far_low, far_high = format_price(expected.lowest[0.05].value), format_price(expected.highest[0.95].value)
    caption_lines(
        t(
            "{share} of the last close; mean {mean}.",
            share=fraction,
            mean=format_price(expected.mean.value, 4),
        ),
        t("Half of the paths stay below {high}; half stay above {low}.", high=high, low=low),
        t("5% of the paths go above {high}; 5% go below {low}.", high=far_high, low=far_low),
    )


@st.fragment
def risk_card(paths: SampledPaths) -> None:
    """Draw drawdown, run-up, value at risk and expected shortfall of a long or a short position."""
    st.markdown(t("**Risk**"))
    side = side_control("risk_side")
    extremes, tail = excursions(paths, side), tail_risk(paths, _VAR_CONFIDENCE, side=side)
    metrics = (
        (
            t("Maximum drawdown"),
            extremes.drawdown[0.5],
            t("Largest loss from an earlier best close; median across paths."),
        ),
        (
            t("Maximum run-up"),
            extremes.run_up[0.5],
            t("Largest gain during the horizon, on closes; median across paths."),
        ),
        (t("Value at risk 95%"), tail.var, t("95% of paths lose no more than this by the end.")),
        (t("Expected shortfall 95%"), tail.expected_shortfall, t("Mean loss of the 5% of paths beyond it.")),
    )
    for cell, (label, estimate, help) in zip([*metric_columns(2), *metric_columns(2)], metrics, strict=True):
        with cell:
            metric_with_interval(label, estimate, format_percent, help=help, compact=True)
    few_paths = t(
        ":orange[Only {count} paths in the tail. Use more paths for a reliable estimate.]", count=tail.num_tail_paths
    )
    caption_lines(
        interval_footnote(paths.num_paths),
        t("5% of paths have a drawdown above {share}.", share=format_percent(extremes.drawdown[0.95].value)),
        t("A negative loss is a gain.") if tail.var.value < 0 else "",
        few_paths if tail.is_unreliable else "",
    )


def volatility_card(realized: Volatility) -> None:
    """Draw the volatility of the paths beside that of the last context bars."""
    st.markdown(t("**Volatility**"))
    factor = realized.annualization_factor or 1.0
    unit = t("per bar") if realized.annualization_factor is None else t("annualized")
    st.metric(t("Volatility of the paths, {unit}", unit=unit), format_percent(factor * realized.median.value))
    caption_lines(
        format_interval(realized.median, lambda value: format_percent(factor * value)),
        t(
            "{ratio} times the volatility of the last {count} bars ({recent}).",
            count=realized.recent_bars,
            recent=format_percent(factor * realized.recent),
            ratio=format_ratio(realized.ratio),
        ),
    )
    metric_with_interval(t("Paths more volatile than recently"), realized.prob_higher, format_probability)
    of_paths, of_context = (
        format_percent(factor * realized.parkinson.value),
        format_percent(factor * realized.recent_parkinson),
    )
    st.caption(
        t("Parkinson estimate from highs and lows: {paths}; recent: {recent}.", paths=of_paths, recent=of_context)
    )


def scenario_card(scenarios: Scenarios, result: ForecastResult, paths: SampledPaths) -> None:
    """Draw the clusters of the paths, with the medoid path of each."""
    st.markdown(t("**Scenarios**"))
    if len(scenarios.clusters) == 1:
        [only] = scenarios.clusters
        end, change = format_price(only.median_close), format_signed_percent(only.median_return)
        st.caption(t("All paths are identical: they end at {price} ({change}).", price=end, change=change))
        return
    names = _scenario_names(len(scenarios.clusters))
    for cell, name, cluster in zip(metric_columns(len(names)), names, scenarios.clusters, strict=True):
        with cell:
            st.metric(name, format_probability(cluster.probability.value))
            st.progress(cluster.probability.value)
            caption_lines(
                t(
                    "ends near {price} ({change})",
                    price=format_price(cluster.median_close),
                    change=format_signed_percent(cluster.median_return),
                ),
                t(
                    "{low} to {high}",
                    low=format_probability(cluster.probability.low),
                    high=format_probability(cluster.probability.high),
                ),
            )
    figure = scenarios_figure(paths, scenarios, small_chart_style())
    live_chart(figure, key="scenario_chart", alt=t("One path per scenario"), file_stem="scenarios")
    caption_lines(
        interval_footnote(paths.num_paths),
        t(
            "Lines: one sampled path from the middle of each scenario; thicker lines have more paths. Dotted: "
            "last close."
        ),
        t("The scenarios are clearly separated, possibly only because each path has a mirror image.")
        if scenarios.is_separated and result.forecast.is_mirrored
        else t("The scenarios are clearly separated.")
        if scenarios.is_separated
        else t("The scenarios are not clearly separated; paths fill the space between."),
    )


def surprisal_card(result: ForecastResult) -> None:
    """Draw the recent candles of the highest surprisal."""
    st.markdown(t("**Unusual candles**"))
    recent = result.surprisal
    if recent is None:
        st.caption(t("Not computed for this forecast."))
        return
    count, total = int(recent.is_outlier.sum()), len(recent.is_outlier)
    st.metric(t("Unusual among the last {count} candles", count=total), f"{count}", help=_outlier_help())
    st.table(_unusual_candles_table(recent, result), hide_index=True)
    cost, expected = f"{recent.surprisal.nll.mean():.2f}", f"{recent.surprisal.entropy.mean():.2f}"
    clipped = int(recent.surprisal.clipped.sum())
    caption_lines(
        t("Average surprisal {cost} nats; expected {expected}.", cost=cost, expected=expected),
        t("{count} candles exceed the model's input range and were clipped.", count=clipped) if clipped else "",
    )


def _outlier_help() -> str:
    return t(
        "At least 3 standard deviations less likely than candles the model would sample. Computed without sampling."
    )


def _unusual_candles_table(recent: RecentSurprisal, result: ForecastResult) -> pd.DataFrame:
    """Return the candles of the highest surprisal, the highest first."""
    scores = recent.surprisal  # of the last k context candles
    rows = np.argsort(-scores.zscore, kind="stable")[:_MAX_LISTED]
    closes = result.window.context.frame["close"].to_numpy()
    context_rows = len(closes) - len(scores.zscore) + rows
    times = pd.DatetimeIndex(scores.index)[rows]
    is_daily = bool((times == times.normalize()).all())
    return pd.DataFrame(
        {
            t("Candle"): [f"{time:%Y-%m-%d}" if is_daily else f"{time:%Y-%m-%d %H:%M}" for time in times],
            t("Change"): [
                format_signed_percent(closes[row] / closes[row - 1] - 1) if row > 0 else NOT_AVAILABLE
                for row in context_rows
            ],
            t("Deviation (σ)"): [f"{value:+.1f}" if np.isfinite(value) else "∞" for value in scores.zscore[rows]],
        }
    )


def _scenario_names(count: int) -> list[str]:
    return [t("Upper"), t("Lower")] if count == 2 else [t("Upper"), t("Middle"), t("Lower")]


@st.cache_resource(show_spinner=False, max_entries=64, ttl=3_600)
def _cached_card_results(digest: str, fingerprint: str, _result: ForecastResult, _paths: SampledPaths) -> CardResults:  # noqa: ARG001 - the key
    """Cached for an hour by paths and context; shared by all sessions, so read-only."""
    context = _result.window.context
    return CardResults(
        range=expected_range(_paths),
        volatility=volatility(_paths, context, bars_per_year=bars_per_year(context)),
        scenarios=find_scenarios(_paths),
    )
