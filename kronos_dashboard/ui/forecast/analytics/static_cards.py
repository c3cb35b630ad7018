"""Answers that need no level: range, risk, volatility, scenarios, and which recent candles surprised the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from kronos_dashboard.analytics import (
    ExpectedRange,
    Fan,
    RecentSurprise,
    Scenarios,
    Volatility,
    bars_per_year,
    excursions,
    expected_range,
    scenarios,
    tail_risk,
    volatility,
)
from kronos_dashboard.charts.analytics import groups_figure
from kronos_dashboard.ui.forecast.analytics.interactive_cards import choose_side
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.widgets.chart import live_chart
from kronos_dashboard.ui.widgets.metric import (
    cells,
    chance,
    lines,
    look,
    move,
    part,
    price,
    ratio,
    resting_on,
    told,
    within,
)

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import Result

__all__ = ["Answers", "answers_of", "tell_range", "tell_risk", "tell_scenarios", "tell_surprise", "tell_volatility"]

_LISTED = 5
"""Surprising candles that are listed."""
_LEVEL = 0.95
"""Of the value at risk."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """What is worked out once per forecast."""

    range: ExpectedRange
    volatility: Volatility
    scenarios: Scenarios


def answers_of(result: Result, fan: Fan) -> Answers:
    """The answers of a forecast; worked out when they are first asked for."""
    return _answers(result.record.paths_digest, result.window.context.fingerprint, result, fan)


def tell_range(found: ExpectedRange) -> None:
    """From the highest high to the lowest low."""
    st.markdown(t("**How far does it move?**"))
    low, high = price(found.lowest[0.5].value), price(found.highest[0.5].value)
    told(
        t("Highest high less lowest low, {steps} bars", steps=found.horizon),
        found.median,
        lambda value: price(value, 4),
        help=t("Median over the paths."),
    )
    fraction = part(found.median.value / found.last_close)
    far_low, far_high = price(found.lowest[0.05].value), price(found.highest[0.95].value)
    lines(
        t("That is {share} of the last close; on average {mean}.", share=fraction, mean=price(found.mean.value, 4)),
        t("Half of the paths stay below {high}, half stay above {low}.", high=high, low=low),
        t("One in twenty goes above {high}, one in twenty below {low}.", high=far_high, low=far_low),
    )


@st.fragment
def tell_risk(fan: Fan) -> None:
    """The worst fall on the way, the best run, and the loss at the end, for a long or a short position."""
    st.markdown(t("**What can go wrong?**"))
    side = choose_side("ask_risk_side")
    found, tail = excursions(fan, side), tail_risk(fan, _LEVEL, side=side)
    worst = (
        (t("Maximum drawdown"), found.drawdown[0.5], t("Worst loss on the way by closes: median path.")),
        (t("Maximum run-up"), found.run_up[0.5], t("Best gain on the way by closes: median path.")),
        (t("Value at risk 95%"), tail.var, t("In 95 of 100 cases the loss at the end is no larger.")),
        (t("Expected shortfall 95%"), tail.shortfall, t("Mean loss in the 5 of 100 cases beyond it.")),
    )
    for cell, (label, estimate, help) in zip([*cells(2), *cells(2)], worst, strict=True):
        with cell:
            told(label, estimate, part, help=help, narrow=True)
    few = t(":orange[Only {count} paths lie that far out: draw more paths before relying on it.]", count=tail.beyond)
    lines(
        resting_on(fan.num_paths),
        t("One path in twenty draws down more than {share}.", share=part(found.drawdown[0.95].value)),
        t("A negative loss is a gain.") if tail.var.value < 0 else "",
        few if tail.too_few else "",
    )


def tell_volatility(found: Volatility) -> None:
    """Of the paths beside that of the last bars."""
    st.markdown(t("**Calm or restless?**"))
    factor = found.yearly or 1.0
    unit = t("a bar") if found.yearly is None else t("a year")
    st.metric(t("Volatility of the paths, {unit}", unit=unit), part(factor * found.median.value))
    lines(
        within(found.median, lambda value: part(factor * value)),
        t(
            "Of the last {count} bars: {recent}. The paths have {ratio} times that.",
            count=found.recent_bars,
            recent=part(factor * found.recent),
            ratio=ratio(found.ratio),
        ),
    )
    told(t("More volatile than that"), found.higher, chance)
    paths, past = part(factor * found.parkinson.value), part(factor * found.recent_parkinson)
    st.caption(t("By highs and lows (Parkinson): {paths} beside {recent}.", paths=paths, recent=past))


def tell_scenarios(found: Scenarios, fan: Fan, *, mirrored: bool) -> None:
    """The groups the paths fall into, with a real path of each."""
    st.markdown(t("**Which stories do the paths tell?**"))
    if len(found.groups) == 1:
        [only] = found.groups
        end, change = price(only.end), move(only.change)
        st.caption(t("All paths are the same: they end at {price} ({change}).", price=end, change=change))
        return
    words = _names(len(found.groups))
    for cell, word, group in zip(cells(len(words)), words, found.groups, strict=True):
        with cell:
            st.metric(word, chance(group.share.value))
            st.progress(group.share.value)
            lines(
                t("ends near {price} ({change})", price=price(group.end), change=move(group.change)),
                t("{low} to {high}", low=chance(group.share.low), high=chance(group.share.high)),
            )
    figure = groups_figure(fan, found, look())
    live_chart(figure, key="ask_groups_chart", alt=t("One path of each group"), file="scenarios")
    lines(
        resting_on(fan.num_paths),
        t("Lines: one real path from the middle of each group, wider where there are more. Dotted: last close."),
        t("The groups lie apart, which may come of mirroring every second path alone.")
        if found.clear and mirrored
        else t("The groups lie further apart than those of a cloud that has none.")
        if found.clear
        else t("The groups are slices of one cloud: as many paths lie in between."),
    )


def tell_surprise(result: Result) -> None:
    """The recent candles that the model expected least."""
    st.markdown(t("**Which recent candles surprised the model?**"))
    found = result.surprise
    if found is None:
        st.caption(t("Not measured for this forecast."))
        return
    count, total = int(found.odd.sum()), len(found.odd)
    st.metric(t("Stand out among the last {count} candles", count=total), f"{count}", help=_meaning())
    st.table(_surprising(found, result), hide_index=True)
    cost, expected = f"{found.figures.nll.mean():.2f}", f"{found.figures.entropy.mean():.2f}"
    clipped = int(found.figures.clipped.sum())
    lines(
        t("A candle cost {cost} nats on average; the model expected {expected}.", cost=cost, expected=expected),
        t("{count} of them lie beyond what the model can see; to it they look calmer.", count=clipped)
        if clipped
        else "",
    )


def _meaning() -> str:
    """Of standing out."""
    return t("3 or more standard deviations less likely than the model's own candles. Nothing is sampled here.")


def _surprising(found: RecentSurprise, result: Result) -> pd.DataFrame:
    """The least expected candles, the oddest first."""
    figures = found.figures
    rows = np.argsort(-figures.deviation, kind="stable")[:_LISTED]
    closes = result.window.context.frame["close"].to_numpy()
    behind = len(closes) - len(figures.deviation) + rows
    times = pd.DatetimeIndex(figures.index)[rows]
    daily = bool((times == times.normalize()).all())
    deviations = figures.deviation[rows]
    return pd.DataFrame(
        {
            t("Candle"): [f"{time:%Y-%m-%d}" if daily else f"{time:%Y-%m-%d %H:%M}" for time in times],
            t("Change"): [move(closes[row] / closes[row - 1] - 1) if row > 0 else "–" for row in behind],
            t("Deviations"): [f"{value:+.1f}" if np.isfinite(value) else "∞" for value in deviations],
        }
    )


def _names(count: int) -> list[str]:
    return [t("Upper"), t("Lower")] if count == 2 else [t("Upper"), t("Middle"), t("Lower")]


@st.cache_resource(show_spinner=False, max_entries=64, ttl=3_600)
def _answers(digest: str, fingerprint: str, _result: Result, _fan: Fan) -> Answers:  # noqa: ARG001 - the key
    """Cached by the paths and their context for an hour; shared, so not to be written to."""
    context = _result.window.context
    return Answers(
        range=expected_range(_fan),
        volatility=volatility(_fan, context, bars_per_year=bars_per_year(context)),
        scenarios=scenarios(_fan),
    )
