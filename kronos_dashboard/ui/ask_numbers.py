"""Numbers as people read them: few digits that mean something, no powers of ten, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from kronos_dashboard.charts import CHINESE, ENGLISH, Look
from kronos_dashboard.questions import CONFIDENCE, Estimate
from kronos_dashboard.ui.page import palette
from kronos_dashboard.ui.words import language, t

__all__ = ["bars", "chance", "look", "move", "part", "price", "ratio", "told", "within"]

_MOST_DECIMALS = 14
NOTHING = "–"
"""Where there is no number."""


def price(value: float, digits: int = 6) -> str:
    """A price, or a distance of prices: ``digits`` that count, thousands apart, no trailing zeros, no power of ten."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    decimals = min(_MOST_DECIMALS, max(0, digits - 1 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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


def told(label: str, estimate: Estimate, form: Callable[[float], str], *, help: str | None = None) -> None:
    """A number with its name above and its interval below."""
    st.metric(label, form(estimate.value), help=help)
    st.caption(within(estimate, form))


def look(height: int = 560) -> Look:
    """How small charts are drawn: the theme and the language of this session."""
    return Look(palette=palette(), words=CHINESE if language() == "zh" else ENGLISH, height=height)


_LEVEL = f"{CONFIDENCE:.0%}"


def _percent(fraction: float, sign: str) -> str:
    if not math.isfinite(fraction):
        return NOTHING
    hundredths = abs(100 * fraction)
    decimals = 2 if hundredths == 0 else min(6, max(1, 2 - math.floor(math.log10(hundredths))))
    return f"{fraction:{sign}.{decimals}%}"
