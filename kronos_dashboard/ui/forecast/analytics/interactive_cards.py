"""Questions with an input: the chance to close higher at a step, a level, a trade. Each redraws itself alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st

from kronos_dashboard.analytics import (
    Fan,
    StopTarget,
    TimeToHit,
    Touch,
    chance_up,
    stop_before_target,
    time_to_hit,
    touch,
    up_curve,
)
from kronos_dashboard.charts.analytics import curve_figure
from kronos_dashboard.charts.axis import decimals_of
from kronos_dashboard.evaluation.metrics import average_true_range
from kronos_dashboard.forecasting.record import is_mirrored
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import escape
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import bars, cells, chance, lines, look, move, price, resting_on, told, within

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import Result

__all__ = ["ask_level", "ask_step", "ask_trade", "choose_side"]

_FAR = 1e6
"""A level this many times above or below the last close is a slip of the keyboard."""
Side = Literal["long", "short"]


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """How prices of one series are typed."""

    decimals: int
    typical: float
    """Typical range of a bar, price units; never 0."""

    @classmethod
    def of(cls, result: Result) -> _Scale:
        values = result.window.context.frame.to_numpy()
        last = float(values[-1, 3])
        typical = average_true_range(values) or last / 100
        needed = 1 - math.floor(math.log10(typical))
        return cls(decimals=min(12, max(decimals_of(values[:, 3]), needed, 0)), typical=typical)

    @property
    def step(self) -> float:
        """What a press of + adds: one digit of the typical range."""
        return float(10.0 ** max(math.floor(math.log10(self.typical)), -self.decimals))


@st.fragment
def ask_step(fan: Fan, *, mirrored: bool) -> None:
    """The chance to close above the last close, at a step that is chosen, over the curve of all steps."""
    step = fan.horizon
    st.markdown(t("**Up or down?**"))
    if fan.horizon > 1:
        label, key = t("After how many bars"), f"ask_step_{fan.horizon}"
        step = int(st.slider(label, 1, fan.horizon, fan.horizon, key=key, persist_state="session"))
    found = chance_up(fan, step)
    label = t("Closes above {price} after {step} bars", price=price(fan.last_close), step=step)
    told(label, found.up, chance, help=t("Share of the sampled paths whose close lies above the last known close."))
    colours = look()
    figure = curve_figure(up_curve(fan), colours, name=t("up"), step=step, even=0.5)
    live_chart(figure, key="ask_up_chart", alt=t("Chance to close higher, step by step"), file="chance_up")
    lines(
        t("Chance to close higher after each bar; shaded: its interval; dotted: one half."),
        t("{share} close exactly there.", share=chance(found.flat)) if found.flat else "",
        t("One half by construction, but for the draw: every second path is mirrored.") if mirrored else "",
    )


@st.fragment
def ask_level(result: Result, fan: Fan) -> None:
    """The chance to touch a level within the horizon, and when."""
    st.markdown(t("**Does it get there, and when?**"))
    scale = _Scale.of(result)
    level = _typed(t("Level"), "level", result, fan.last_close + scale.typical, scale)
    if _refused(level, fan):
        return
    touched, hit = touch(fan, level), time_to_hit(fan, level)
    _tell_touch(touched, fan)
    figure = curve_figure(hit.reached, look(), name=t("touched"))
    live_chart(figure, key="ask_hit_chart", alt=t("Chance to have touched the level, step by step"), file="time_to_hit")
    lines(
        _time_text(hit),
        t("{share} close there or beyond after the last bar.", share=chance(touched.closed_beyond.value)),
        t("Curve: chance to have touched it by each bar, by highs and lows."),
    )


@st.fragment
def ask_trade(result: Result, fan: Fan) -> None:
    """A trade at the last close with a stop and a target: which comes first, and what it is worth."""
    st.markdown(t("**Stop or target first?**"))
    side = choose_side("ask_side")
    scale, sign = _Scale.of(result), 1 if side == "long" else -1
    left, right = cells(2)
    with left:
        stop = _typed(t("Stop"), f"stop_{side}", result, fan.last_close - sign * scale.typical, scale)
    with right:
        target = _typed(t("Target"), f"target_{side}", result, fan.last_close + 2 * sign * scale.typical, scale)
    if _refused(stop, fan) or _refused(target, fan) or _wrong_side(side, stop, target, fan):
        return
    _tell_trade(stop_before_target(fan, stop, target), mirrored=is_mirrored(result.record.sampling_config))


def choose_side(key: str) -> Side:
    """Whether a position is long or short; ``key`` names the choice."""
    names = {"long": t("Long"), "short": t("Short")}
    sides: list[Side] = ["long", "short"]
    chosen: Side | None = st.segmented_control(
        t("Position"),
        sides,
        default="long",
        format_func=names.__getitem__,
        key=key,
        required=True,
        persist_state="session",
        label_visibility="collapsed",
    )
    return chosen or "long"


def _typed(label: str, name: str, result: Result, default: float, scale: _Scale) -> float:
    """A price that is typed; what was typed for a series stays with it, what was not follows the last close."""
    candles, key = result.window.context, f"ask_{name}_{result.record.run_id}"
    kept: dict[tuple[str, str, str], float] = st.session_state.setdefault("asked_prices", {})
    slot = (candles.symbol, str(candles.interval), name)
    last = float(candles.frame["close"].iloc[-1])
    offered = default if default > 0 else last / 2

    def keep() -> None:
        kept[slot] = st.session_state[key]

    value = st.number_input(
        label,
        value=float(kept.get(slot, round(offered, scale.decimals))),
        step=scale.step,
        format=f"%.{scale.decimals}f",
        key=key,
        on_change=keep,
    )
    return float(value)


def _refused(level: float, fan: Fan) -> bool:
    """Whether nothing can be asked about a price; then it is said why."""
    last = price(fan.last_close)
    if not (math.isfinite(level) and level > 0):
        _say(t("A price must lie above zero; got {level}. The last close is {last}.", level=f"{level:g}", last=last))
    elif not fan.last_close / _FAR < level < fan.last_close * _FAR:
        _say(t("{level} is too far from the last close, {last}, to be asked about.", level=f"{level:g}", last=last))
    elif fan.rounded(level) == fan.last_close:
        _say(t("That is the last close itself, {last}, where every path begins. Go above or below it.", last=last))
    else:
        return False
    return True


def _wrong_side(side: Side, stop: float, target: float, fan: Fan) -> bool:
    last = fan.last_close
    if side == "long" and not stop < last < target:
        _say(t("Long: the stop must lie below the last close, {last}, and the target above it.", last=price(last)))
        return True
    if side == "short" and not target < last < stop:
        _say(t("Short: the stop must lie above the last close, {last}, and the target below it.", last=price(last)))
        return True
    return False


def _say(text: str) -> None:
    st.warning(escape(text), icon=":material/warning:")


def _tell_touch(touched: Touch, fan: Fan) -> None:
    values = {"price": price(touched.level), "steps": fan.horizon}
    above = touched.side == "above"
    label = (
        t("Rises to {price} within {steps} bars", **values)
        if above
        else t("Falls to {price} within {steps} bars", **values)
    )
    told(label, touched.touched, chance, help=t("Share of the paths of which a high or a low reaches the level."))


def _time_text(hit: TimeToHit) -> str:
    if hit.median is None:
        return t("No path touches it.")
    count, paths = bars(hit.median.value), f"{hit.median.num_paths:,}"
    if not hit.median.bounded:
        return t(
            "Half of those that touch it do so within {count} bars ({paths} paths touch it: too few for an interval).",
            count=count,
            paths=paths,
        )
    return t(
        "Half of those that touch it do so within {count} bars ({low} to {high}; {paths} paths touch it).",
        count=count,
        low=bars(hit.median.low),
        high=bars(hit.median.high),
        paths=paths,
    )


def _tell_trade(trade: StopTarget, *, mirrored: bool) -> None:
    told_apart = ((t("Target first"), trade.target_first), (t("Stop first"), trade.stop_first))
    for cell, (label, estimate) in zip(cells(2), told_apart, strict=True):
        with cell:
            told(label, estimate, chance, narrow=True)
    both, paths = trade.both_in_one_bar, trade.target_first.num_paths
    neither = trade.neither
    lines(
        resting_on(paths),
        t(
            "Neither: {share} ({low} to {high}); such a path is closed after the last bar.",
            share=chance(neither.value),
            low=chance(neither.low),
            high=chance(neither.high),
        ),
        t(
            "On average {profit} per trade, {price} a unit: {interval}.",
            profit=move(trade.profit.value),
            price=price(trade.expected_profit, 4),
            interval=within(trade.profit, move),
        ),
        t(
            "Without costs it breaks even when the target comes first in {share} of the trades that end at either.",
            share=chance(trade.break_even),
        ),
        t("{count} paths touch both within one bar; they count as stopped.", count=f"{both:,}") if both else "",
        t("The paths lean neither way: which comes first follows from how far off stop and target lie.")
        if mirrored
        else "",
    )
