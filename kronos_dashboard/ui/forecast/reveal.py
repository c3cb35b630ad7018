"""Hidden actual candles of a past window: revealed all at once, bar by bar, or by playback."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.widgets.icon_button import icon_button

__all__ = ["PLAYBACK_BAR_S", "advance_playback", "is_playing", "reveal_controls", "revealed_bars", "stop_playback"]

PLAYBACK_BAR_S = 0.4
"""Seconds per bar of the playback."""


@dataclass(frozen=True)
class _Playback:
    """A running playback."""

    window: tuple[str, int, str]
    """Identity of the window."""
    start: int
    """Bars that were revealed when it started."""
    started_at: float
    """Monotonic time, seconds."""


def observed_bars(window: Window) -> int:
    """Return how many bars after the cutoff have actual candles, shown or not."""
    return 0 if window.observed is None else len(window.observed)


def revealed_bars(window: Window) -> int:
    """Return how many actual bars are shown: initially none of a past window, all of a latest one."""
    observed = observed_bars(window)
    if window.actual is None:
        return observed
    identity, count = state.REVEALED_BARS.get()
    return min(int(count), observed) if identity == window.identity else 0


def is_playing(window: Window) -> bool:
    """Return whether the playback of this window is running."""
    playback: _Playback | None = state.PLAYBACK.get()
    return playback is not None and playback.window == window.identity and window.actual is not None


def advance_playback(window: Window) -> bool:
    """Reveal the bars that are due by now; return True when the playback has just ended."""
    playback: _Playback | None = state.PLAYBACK.get()
    if playback is None or not is_playing(window):
        return False
    count = playback.start + 1 + int((time.monotonic() - playback.started_at) / PLAYBACK_BAR_S)
    reveal(window, count)
    if count < observed_bars(window):
        return False
    stop_playback()
    return True


def stop_playback() -> None:
    """Stop the playback, if one is running; what it has revealed stays."""
    state.PLAYBACK.clear()


def reveal(window: Window, count: int) -> None:
    """Show the first ``count`` actual bars."""
    state.REVEALED_BARS.set((window.identity, min(max(count, 0), observed_bars(window))))


def reveal_controls(window: Window) -> None:
    """Draw the buttons that reveal and hide the actual candles of a past window; nothing for a latest one."""
    if window.actual is None:
        return
    revealed, observed, is_running = revealed_bars(window), observed_bars(window), is_playing(window)
    has_more = revealed < observed
    buttons = (
        ("reveal_1", t("+1 bar"), "", revealed + 1, has_more),
        ("reveal_10", t("+10 bars"), "", revealed + 10, has_more),
        ("reveal_all", t("Reveal all"), ":material/visibility:", observed, has_more),
        ("reveal_none", t("Hide"), ":material/visibility_off:", 0, revealed > 0),
    )
    icon_button(
        t("Pause") if is_running else t("Play actuals bar by bar"),
        ":material/pause:" if is_running else ":material/play_arrow:",
        key="reveal_play",
        on_click=_toggle_playback,
        args=(window,),
        disabled=not (is_running or has_more),
    )
    for key, label, icon, count, is_enabled in buttons:
        st.button(
            label,
            key=key,
            icon=icon or None,
            on_click=_reveal_and_stop,
            args=(window, count),
            disabled=not is_enabled,
        )


def _toggle_playback(window: Window) -> None:
    if is_playing(window):
        advance_playback(window)
        stop_playback()
    else:
        state.PLAYBACK.set(_Playback(window.identity, revealed_bars(window), time.monotonic()))


def _reveal_and_stop(window: Window, count: int) -> None:
    stop_playback()
    reveal(window, count)
