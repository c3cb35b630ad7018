"""Numbers as text: prices, percents, intervals, durations. No powers of ten, only the digits that mean something."""

from __future__ import annotations

import math
from collections.abc import Callable

from kronos_dashboard.analytics import CONFIDENCE, Estimate
from kronos_dashboard.ui.i18n import t

__all__ = [
    "NOT_AVAILABLE",
    "format_bars",
    "format_duration",
    "format_interval",
    "format_percent",
    "format_price",
    "format_probability",
    "format_ratio",
    "format_signed_percent",
    "interval_footnote",
]

NOT_AVAILABLE = "–"
"""Stands where there is no finite number."""
_MAX_DECIMALS = 14
"""A float64 has no more than 15 to 17 significant digits."""
_LEVEL = f"{CONFIDENCE:.0%}"


def format_price(value: float, digits: int = 6, *, keep_zeros: bool = False) -> str:
    """Format a price, or a difference of prices.

    Args:
        value: in units of the price.
        digits: significant digits.
        keep_zeros: keep trailing zeros, for columns of a table.
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    if value == 0:
        return "0"
    decimals = min(_MAX_DECIMALS, max(0, digits - 1 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text and not keep_zeros else text


def format_probability(fraction: float) -> str:
    """Format a fraction of paths or steps in percent, with a decimal if it is close to 0 or 1."""
    if not math.isfinite(fraction):
        return NOT_AVAILABLE
    is_extreme = 0 < fraction < 0.01 or 0.99 < fraction < 1
    return f"{fraction:.1%}" if is_extreme else f"{fraction:.0%}"


def format_signed_percent(fraction: float) -> str:
    """Format a return in percent, with its sign and three significant digits."""
    return _format_percent(fraction, "+")


def format_percent(fraction: float) -> str:
    """Format a loss, a width or a volatility in percent, with three significant digits."""
    return _format_percent(fraction, "")


def format_ratio(value: float) -> str:
    """Format a ratio of two numbers."""
    return f"{value:.2f}" if math.isfinite(value) else NOT_AVAILABLE


def format_bars(value: float) -> str:
    """Format a number of bars."""
    return f"{value:.0f}" if math.isfinite(value) else NOT_AVAILABLE


def format_duration(seconds: float) -> str:
    """Format a duration in the unit that people would use."""
    if seconds < 1:
        return t("{count} s", count=f"{max(0.1, seconds):.1f}")
    if seconds < 100:
        return t("{count} s", count=f"{seconds:.0f}")
    return t("{count} min", count=f"{seconds / 60:.0f}")


def format_interval(estimate: Estimate, formatter: Callable[[float], str]) -> str:
    """Format the confidence interval of an estimate, with its level and the number of paths."""
    count = f"{estimate.num_paths:,}"
    if not estimate.is_bounded:
        return t("{count} paths: too few for an interval", count=count)
    low, high = formatter(estimate.low), formatter(estimate.high)
    return t("{low} to {high} ({level} interval, {count} paths)", low=low, high=high, level=_LEVEL, count=count)


def interval_footnote(num_paths: int) -> str:
    """Return level and number of paths, for several compact metrics at once."""
    return t("Below each figure: {level} interval, {count} paths.", level=_LEVEL, count=f"{num_paths:,}")


def _format_percent(fraction: float, sign: str) -> str:
    if not math.isfinite(fraction):
        return NOT_AVAILABLE
    percent = abs(100 * fraction)
    decimals = 2 if percent == 0 else min(6, max(1, 2 - math.floor(math.log10(percent))))
    return f"{fraction:{sign}.{decimals}%}"
