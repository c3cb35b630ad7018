"""What came, hidden until it is revealed: all at once, bar by bar, or played like a film."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.widgets.icon_button import icon_button

__all__ = ["PLAY_S", "play_on", "playing", "reveal_controls", "revealed"]

PLAY_S = 0.4
"""Seconds per bar of the film."""


@dataclass(frozen=True)
class _Film:
    """A film that runs: of which window, from how many revealed bars on, and since when."""

    key: tuple[str, int, str]
    start: int
    began: float


def known_bars(window: Window) -> int:
    """How many bars of what came are known at all."""
    return 0 if window.came is None else len(window.came)


def revealed(window: Window) -> int:
    """How many bars of what came are shown: none of a past window at first; all of those that *Latest* knows."""
    known = known_bars(window)
    if window.truth is None:
        return known
    key, count = st.session_state.get("revealed", (None, 0))
    return min(int(count), known) if key == window.key else 0


def playing(window: Window) -> bool:
    """Whether the film of this window runs."""
    film: _Film | None = st.session_state.get("film")
    return film is not None and film.key == window.key and window.truth is not None


def play_on(window: Window) -> bool:
    """Reveal what the film has come to; True once it has ended."""
    if not playing(window):
        return False
    film: _Film = st.session_state["film"]
    count = film.start + 1 + int((time.monotonic() - film.began) / PLAY_S)
    reveal(window, count)
    if count < known_bars(window):
        return False
    del st.session_state["film"]
    return True


def reveal(window: Window, count: int) -> None:
    """Show the first ``count`` bars of what came."""
    st.session_state["revealed"] = (window.key, min(max(count, 0), known_bars(window)))


def reveal_controls(window: Window) -> None:
    """Buttons that reveal and hide what came, for a window of the past."""
    if window.truth is None:
        return
    shown, known, runs = revealed(window), known_bars(window), playing(window)
    rest = shown < known
    buttons = (
        ("reveal_1", t("+1 bar"), "", lambda: _stop_at(window, shown + 1), rest),
        ("reveal_10", t("+10 bars"), "", lambda: _stop_at(window, shown + 10), rest),
        ("reveal_all", t("Reveal all"), ":material/visibility:", lambda: _stop_at(window, known), rest),
        ("reveal_none", t("Hide"), ":material/visibility_off:", lambda: _stop_at(window, 0), shown > 0),
    )
    icon_button(
        t("Pause") if runs else t("Play what came, bar by bar"),
        ":material/pause:" if runs else ":material/play_arrow:",
        key="reveal_play",
        on_click=_pause_or_play,
        args=(window,),
        disabled=not (runs or rest),
    )
    for key, label, icon, act, enabled in buttons:
        st.button(label, key=key, icon=icon or None, on_click=act, disabled=not enabled)


def _pause_or_play(window: Window) -> None:
    if playing(window):
        play_on(window)
        st.session_state.pop("film", None)
    else:
        st.session_state["film"] = _Film(window.key, revealed(window), time.monotonic())


def _stop_at(window: Window, count: int) -> None:
    st.session_state.pop("film", None)
    reveal(window, count)
