"""Numbers as people read them: few digits that mean something, no powers of ten, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kronos_dashboard.analytics import CONFIDENCE, Estimate
from kronos_dashboard.charts import Look
from kronos_dashboard.ui.forecast.appearance import look as chosen
from kronos_dashboard.ui.i18n import chart_words, t

__all__ = ["bars", "cells", "chance", "lines", "look", "move", "part", "price", "ratio", "resting_on", "told", "within"]

_MOST_DECIMALS = 14
NOTHING = "–"
"""Where there is no number."""


def price(value: float, digits: int = 6, *, even: bool = False) -> str:
    """A price, or a distance of prices: ``digits`` that count, thousands apart, no power of ten.

    ``even`` keeps trailing zeros, for columns of a table.
    """
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    decimals = min(_MOST_DECIMALS, max(0, digits - 1 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text and not even else text


def chance(fraction: float) -> str:
    """A share of paths or steps in percent; with a decimal where it is near none or all."""
    if not math.isfinite(fraction):
        return NOTHING
    near = 0 < fraction < 0.01 or 0.99 < fraction < 1
    return f"{fraction:.1%}" if near else f"{fraction:.0%}"


def move(fraction: float) -> str:
    """A return in percent, with its sign and three digits."""
    return _percent(fraction, "+")


def part(fraction: float) -> str:
    """A loss, a width or a volatility in percent, with three digits."""
    return _percent(fraction, "")


def ratio(value: float) -> str:
    """How many times."""
    return f"{value:.2f}" if math.isfinite(value) else NOTHING


def bars(value: float) -> str:
    """A count of bars."""
    return f"{value:.0f}" if math.isfinite(value) else NOTHING


def within(estimate: Estimate, form: Callable[[float], str]) -> str:
    """The interval of an estimate and the paths it rests on."""
    count = f"{estimate.num_paths:,}"
    if not estimate.bounded:
        return t("{count} paths: too few for an interval", count=count)
    low, high = form(estimate.low), form(estimate.high)
    return t("{low} to {high} ({level} interval, {count} paths)", low=low, high=high, level=_LEVEL, count=count)


def told(
    label: str, estimate: Estimate, form: Callable[[float], str], *, help: str | None = None, narrow: bool = False
) -> None:
    """A number with its name above and its interval below; ``narrow`` leaves level and paths to ``resting_on``."""
    st.metric(label, form(estimate.value), help=help)
    if narrow and estimate.bounded:
        st.caption(t("{low} to {high}", low=form(estimate.low), high=form(estimate.high)))
    else:
        st.caption(within(estimate, form))


def resting_on(num_paths: int) -> str:
    """What several narrow numbers have in common."""
    return t("Below each: its {level} interval, {count} paths.", level=_LEVEL, count=f"{num_paths:,}")


def cells(count: int) -> list[DeltaGenerator]:
    """Places side by side, on a phone too."""
    with st.container(horizontal=True, gap="small"):
        return [st.container(width="stretch", gap="xxsmall") for _ in range(count)]


def lines(*texts: str) -> None:
    """Small print, a line each."""
    st.caption("  \n".join(text for text in texts if text))


def look(height: int = 560) -> Look:
    """How the charts below the large one are drawn: the reader's colours, the theme and the language."""
    return Look(palette=chosen().palette, words=chart_words(), height=height)


_LEVEL = f"{CONFIDENCE:.0%}"


def _percent(fraction: float, sign: str) -> str:
    if not math.isfinite(fraction):
        return NOTHING
    hundredths = abs(100 * fraction)
    decimals = 2 if hundredths == 0 else min(6, max(1, 2 - math.floor(math.log10(hundredths))))
    return f"{fraction:{sign}.{decimals}%}"
