"""The controls of a forecast: which window, and how paths are drawn. None of them runs the model."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from kronos_dashboard.candles import CandleFrame
from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting import SamplingConfig
from kronos_dashboard.ui.shared import settings
from kronos_dashboard.windows import Window, check_lengths, cut, latest

__all__ = ["choose_sampling", "choose_window", "step_window"]

CONTEXT = 400
HORIZON = 120
_MOST_CONTEXT = 512
"""Longest context the form offers: what the bundled model can see."""
_MOST_PATHS = 200

Mode = Literal["Replay", "Latest"]


def choose_window(candles: CandleFrame) -> Window:
    """Lengths in the sidebar, place on the page.

    Raises:
        WindowError: the series is shorter than the context.
    """
    context, horizon = _lengths()
    check_lengths(context, horizon, settings())
    if len(candles) < context:
        raise WindowError(
            f"the series “{candles.symbol}” has {len(candles)} candles; the context is set to {context}.",
            "Shorten the context in the sidebar, or load a longer history.",
        )
    can_replay = len(candles) >= context + horizon
    where, place = st.columns([1, 3], vertical_alignment="top", gap="medium")
    with where:
        mode = _mode(can_replay=can_replay)
    if mode == "Latest":
        place.caption("The context ends at the last candle; what comes next is not known yet.")
        return latest(candles, context, horizon)
    with place:
        return cut(candles, _cutoff(candles, context, horizon), context, horizon)


def step_window(candles: CandleFrame, by: int) -> None:
    """Move the cutoff by so many bars, as far as the series goes; called before the page runs again."""
    key = _row_key(candles)
    if key in st.session_state:
        st.session_state[key] = min(max(int(st.session_state[key]) + by, 1), len(candles))


def choose_sampling() -> SamplingConfig:
    """How many paths, and how boldly they are drawn."""
    with st.sidebar:
        st.subheader("Sampling", anchor=False)
        left, right = st.columns(2)
        paths = left.number_input(
            "Paths",
            min_value=1,
            max_value=min(settings().max_paths, _MOST_PATHS),
            value=30,
            step=10,
            key="paths",
            persist_state="session",
            help="Sampled futures. More paths: smoother bands, longer wait.",
        )
        seed = right.number_input(
            "Seed", min_value=0, value=0, key="seed", persist_state="session", help="Same seed, same paths."
        )
        temperature = st.slider(
            "Temperature",
            0.0,
            2.0,
            1.0,
            0.05,
            key="temperature",
            persist_state="session",
            help="1 draws as the model believes; lower is more timid; 0 always takes the likeliest candle.",
        )
        top_p = st.slider(
            "Top-p",
            0.05,
            1.0,
            1.0,
            0.05,
            key="top_p",
            persist_state="session",
            help="Draw only among the likeliest candles that make up this share of probability; 1 leaves none out.",
        )
    return SamplingConfig(num_paths=int(paths), temperature=temperature, top_p=top_p, seed=int(seed))


def _lengths() -> tuple[int, int]:
    """Context and horizon as the sidebar has them."""
    own = settings()
    with st.sidebar:
        st.subheader("Window", anchor=False)
        left, right = st.columns(2)
        context = left.number_input(
            "Context",
            own.min_context,
            min(own.max_context, _MOST_CONTEXT),
            CONTEXT,
            10,
            key="context",
            persist_state="session",
            help="Candles the model sees.",
        )
        horizon = right.number_input(
            "Horizon",
            1,
            own.max_horizon,
            HORIZON,
            10,
            key="horizon",
            persist_state="session",
            help="Candles to forecast.",
        )
    return int(context), int(horizon)


def _mode(*, can_replay: bool) -> Mode:
    """Replay hides the candles after the cutoff from the model and shows them to you; latest has none to show."""
    options: list[Mode] = ["Replay", "Latest"] if can_replay else ["Latest"]
    chosen = st.segmented_control(
        "Cutoff",
        options,
        default=options[0],
        key="mode" if can_replay else "mode_latest_only",
        required=True,
        persist_state="session",
        help="Replay: the cutoff lies in the past, and what came is drawn over the forecast. "
        "Latest: the context ends at the last candle.",
    )
    return chosen or options[0]


def _cutoff(candles: CandleFrame, context: int, horizon: int) -> int:
    """The row of the last context candle, by a slider over the whole series."""
    first, last = context, len(candles) - horizon
    if first == last:
        st.caption("The window takes the whole series.")
        return first
    key = _row_key(candles)
    st.session_state[key] = min(max(int(st.session_state.get(key, last)), first), last)
    times = candles.local_index
    row = int(
        st.slider(
            "Last candle the model sees",
            first,
            last,
            key=key,
            persist_state="session",
            help="Drag it, or focus it and use the arrow keys.",
        )
    )
    pattern = "%d %b %Y" if (times == times.normalize()).all() else "%d %b %Y %H:%M"
    st.caption(
        f"{times[row - context]:{pattern}} → **{times[row - 1]:{pattern}}** (row {row:,}), "
        f"then {horizon} candles to {times[row + horizon - 1]:{pattern}}"
    )
    return row


def _row_key(candles: CandleFrame) -> str:
    return f"cutoff_{candles.fingerprint[:12]}"
