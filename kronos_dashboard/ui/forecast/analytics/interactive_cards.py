"""Cards with an input: direction at a step, a price to touch, a stop and a target. Each is a fragment of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st

from kronos_dashboard.analytics import (
    BracketOutcome,
    SampledPaths,
    TimeToHit,
    Touch,
    bracket_outcome,
    direction,
    prob_up_by_step,
    time_to_hit,
    touch,
)
from kronos_dashboard.charts.analytics import probability_figure
from kronos_dashboard.charts.axis import price_decimals
from kronos_dashboard.evaluation.metrics import average_true_range
from kronos_dashboard.ui import state
from kronos_dashboard.ui.forecast.appearance import small_chart_style
from kronos_dashboard.ui.format import (
    format_bars,
    format_interval,
    format_price,
    format_probability,
    format_signed_percent,
    interval_footnote,
)
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import escape_markdown
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import caption_lines, metric_columns, metric_with_interval

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import ForecastResult

__all__ = ["bracket_card", "direction_card", "side_control", "touch_card"]

_MAX_PRICE_RATIO = 1e6
"""A price this many times above or below the last close is a typing error."""
_MAX_DECIMALS = 12
Side = Literal["long", "short"]


@dataclass(frozen=True, kw_only=True)
class _PriceInput:
    """Format and step of the price inputs of one series."""

    decimals: int
    typical_range: float
    """Of a bar, in price units; never 0."""

    @classmethod
    def of(cls, result: ForecastResult) -> _PriceInput:
        values = result.window.context.frame.to_numpy()
        last_close = float(values[-1, 3])
        typical_range = average_true_range(values) or last_close / 100
        # Two significant digits of the typical range, so that a default level differs from the last close.
        needed = 1 - math.floor(math.log10(typical_range))
        decimals = min(_MAX_DECIMALS, max(price_decimals(values[:, 3]), needed, 0))
        return cls(decimals=decimals, typical_range=typical_range)

    @property
    def step(self) -> float:
        """What a press of + adds: the leading power of ten of the typical range."""
        return float(10.0 ** max(math.floor(math.log10(self.typical_range)), -self.decimals))


@st.fragment
def direction_card(result: ForecastResult, paths: SampledPaths) -> None:
    """Draw the probability of a close above the last close: at a chosen step, and as a curve over all steps."""
    step = paths.horizon
    st.markdown(t("**Direction**"))
    if paths.horizon > 1:
        # The horizon is part of the key: a value above another horizon would be out of the slider's range.
        label, key = t("Bars ahead"), f"direction_step_{paths.horizon}"
        step = int(st.slider(label, 1, paths.horizon, paths.horizon, key=key, persist_state="session"))
    at_step = direction(paths, step)
    label = t("Close above {price} after {step} bars", price=format_price(paths.last_close), step=step)
    metric_with_interval(
        label,
        at_step.prob_up,
        format_probability,
        help=t("Percentage of sampled paths that close above the last known close."),
    )
    figure = probability_figure(prob_up_by_step(paths), small_chart_style(), name=t("up"), step=step, reference=0.5)
    live_chart(figure, key="direction_chart", alt=t("Probability of a higher close, by bar"), file_stem="chance_up")
    caption_lines(
        t("Probability of a higher close after each bar; shaded: its interval; dotted: 50%."),
        t("{share} close exactly there.", share=format_probability(at_step.prob_unchanged))
        if at_step.prob_unchanged
        else "",
        t("50% by construction (antithetic pairs).") if result.forecast.is_mirrored else "",
    )


@st.fragment
def touch_card(result: ForecastResult, paths: SampledPaths) -> None:
    """Draw the probability that a price is touched within the horizon, and when."""
    st.markdown(t("**Price touch**"))
    form = _PriceInput.of(result)
    level = _price_input(t("Level"), "level", result, paths.last_close + form.typical_range, form)
    if _is_invalid_price(level, paths):
        return
    outcome, hit = touch(paths, level), time_to_hit(paths, level)
    _touch_metric(outcome, paths)
    figure = probability_figure(hit.prob_hit_by_step, small_chart_style(), name=t("touched"))
    live_chart(
        figure, key="touch_chart", alt=t("Probability of having touched the level, by bar"), file_stem="time_to_hit"
    )
    caption_lines(
        _hit_time_text(hit),
        t(
            "{share} close at or beyond it after the last bar.",
            share=format_probability(outcome.prob_close_beyond.value),
        ),
        t("Curve: probability of having touched it by each bar, from highs and lows."),
    )


@st.fragment
def bracket_card(result: ForecastResult, paths: SampledPaths) -> None:
    """Draw the outcome of a trade that enters at the last close with a stop and a target."""
    st.markdown(t("**Stop vs. target**"))
    side = side_control("bracket_side")
    form, sign = _PriceInput.of(result), 1 if side == "long" else -1
    # Defaults: a reward of twice the risk, one and two typical bars away.
    default_stop = paths.last_close - sign * form.typical_range
    default_target = paths.last_close + 2 * sign * form.typical_range
    left, right = metric_columns(2)
    with left:
        stop = _price_input(t("Stop"), f"stop_{side}", result, default_stop, form)
    with right:
        target = _price_input(t("Target"), f"target_{side}", result, default_target, form)
    if (
        _is_invalid_price(stop, paths)
        or _is_invalid_price(target, paths)
        or _is_on_wrong_side(side, stop, target, paths)
    ):
        return
    _bracket_metrics(bracket_outcome(paths, stop, target), is_mirrored=result.forecast.is_mirrored)


def side_control(key: str) -> Side:
    """Draw the choice of a long or a short position under ``key`` and return it."""
    names = {"long": t("Long"), "short": t("Short")}
    sides: list[Side] = ["long", "short"]
    side: Side | None = st.segmented_control(
        t("Position"),
        sides,
        default="long",
        format_func=names.__getitem__,
        key=key,
        required=True,
        persist_state="session",
        label_visibility="collapsed",
    )
    return side or "long"


def _price_input(label: str, name: str, result: ForecastResult, default: float, form: _PriceInput) -> float:
    """Draw the input of a price. An entered price stays with its series; the default follows the last close."""
    candles, key = result.window.context, f"price_{name}_{result.record.run_id}"
    entered = state.ENTERED_PRICES.ensure()
    entry = (candles.symbol, str(candles.interval), name)
    last_close = float(candles.frame["close"].iloc[-1])
    if default <= 0:  # a typical range above the price itself
        default = last_close / 2

    def remember() -> None:
        entered[entry] = st.session_state[key]

    value = st.number_input(
        label,
        value=float(entered.get(entry, round(default, form.decimals))),
        step=form.step,
        format=f"%.{form.decimals}f",
        key=key,
        on_change=remember,
    )
    return float(value)


def _is_invalid_price(level: float, paths: SampledPaths) -> bool:
    """Return whether a price cannot be evaluated, and draw the reason."""
    last = format_price(paths.last_close)
    if not (math.isfinite(level) and level > 0):
        _warn(t("The price must be above zero; got {level}. The last close is {last}.", level=f"{level:g}", last=last))
    elif not paths.last_close / _MAX_PRICE_RATIO < level < paths.last_close * _MAX_PRICE_RATIO:
        _warn(t("{level} is too far from the last close, {last}.", level=f"{level:g}", last=last))
    elif paths.round_price(level) == paths.last_close:
        _warn(t("{last} is the last close, where every path starts. Choose a price above or below it.", last=last))
    else:
        return False
    return True


def _is_on_wrong_side(side: Side, stop: float, target: float, paths: SampledPaths) -> bool:
    last = paths.last_close
    if side == "long" and not stop < last < target:
        _warn(
            t("Long: the stop must be below the last close, {last}, and the target above it.", last=format_price(last))
        )
        return True
    if side == "short" and not target < last < stop:
        _warn(
            t(
                "Short: the stop must be above the last close, {last}, and the target below it.",
                last=format_price(last),
            )
        )
        return True
    return False


def _warn(text: str) -> None:
    st.warning(escape_markdown(text), icon=":material/warning:")


def _touch_metric(outcome: Touch, paths: SampledPaths) -> None:
    values = {"price": format_price(outcome.level), "steps": paths.horizon}
    label = (
        t("Rises to {price} within {steps} bars", **values)
        if outcome.side == "above"
        else t("Falls to {price} within {steps} bars", **values)
    )
    metric_with_interval(
        label,
        outcome.prob_touch,
        format_probability,
        help=t("Percentage of paths with a high or low that reaches the level."),
    )


def _hit_time_text(hit: TimeToHit) -> str:
    if hit.median is None:
        return t("No path touches it.")
    count, num_paths = format_bars(hit.median.value), f"{hit.median.num_paths:,}"
    if not hit.median.is_bounded:
        return t(
            "Of {paths} paths that touch it, half do so within {count} bars (too few paths for an interval).",
            count=count,
            paths=num_paths,
        )
    return t(
        "Of {paths} paths that touch it, half do so within {count} bars ({low} to {high}).",
        count=count,
        low=format_bars(hit.median.low),
        high=format_bars(hit.median.high),
        paths=num_paths,
    )


def _bracket_metrics(trade: BracketOutcome, *, is_mirrored: bool) -> None:
    metrics = ((t("Target first"), trade.prob_target_first), (t("Stop first"), trade.prob_stop_first))
    for cell, (label, estimate) in zip(metric_columns(2), metrics, strict=True):
        with cell:
            metric_with_interval(label, estimate, format_probability, compact=True)
    num_ambiguous, neither = trade.ambiguous_paths, trade.prob_neither
    caption_lines(
        interval_footnote(trade.prob_target_first.num_paths),
        t(
            "Neither: {share} ({low} to {high}); closed after the last bar.",
            share=format_probability(neither.value),
            low=format_probability(neither.low),
            high=format_probability(neither.high),
        ),
        t(
            "Average result per trade: {profit}, {price} per unit ({interval}).",
            profit=format_signed_percent(trade.profit.value),
            price=format_price(trade.expected_profit, 4),
            interval=format_interval(trade.profit, format_signed_percent),
        ),
        t(
            "Break-even win rate before costs: {share}.",
            share=format_probability(trade.break_even),
        ),
        t("{count} paths touch both within one bar; they count as stopped out.", count=f"{num_ambiguous:,}")
        if num_ambiguous
        else "",
        t("The paths are direction-neutral: the odds reflect only the distances to stop and target.")
        if is_mirrored
        else "",
    )
