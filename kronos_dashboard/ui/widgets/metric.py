"""Metrics with their confidence interval, in columns that stay side by side on a phone."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kronos_dashboard.analytics import Estimate
from kronos_dashboard.ui.format import format_interval
from kronos_dashboard.ui.i18n import t

__all__ = ["caption_lines", "metric_columns", "metric_with_interval"]


def metric_with_interval(
    label: str, estimate: Estimate, formatter: Callable[[float], str], *, help: str | None = None, compact: bool = False
) -> None:
    """Draw a number with its label above and its interval below.

    Args:
        label: in the language of the session.
        estimate: the number and its interval.
        formatter: makes text of a number.
        help: for the question mark beside the label.
        compact: leave out level and number of paths; ``format.interval_footnote`` gives them once for several metrics.
    """
    st.metric(label, formatter(estimate.value), help=help)
    if compact and estimate.is_bounded:
        st.caption(t("{low} to {high}", low=formatter(estimate.low), high=formatter(estimate.high)))
    else:
        st.caption(format_interval(estimate, formatter))


def metric_columns(count: int) -> list[DeltaGenerator]:
    """Return columns that stay side by side on a narrow screen, where ``st.columns`` stacks them."""
    with st.container(horizontal=True, gap="small"):
        return [st.container(width="stretch", gap="xxsmall") for _ in range(count)]


def caption_lines(*texts: str) -> None:
    """Draw captions on a line each, with less air between them than separate captions have; empty ones are skipped."""
    st.caption("  \n".join(text for text in texts if text))
