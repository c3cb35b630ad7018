"""Where the window lies: any cutoff of the past, or the end of the series. Moving it never runs the model by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from kronos_dashboard.charts import Words
from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting.windows import Window, cut, latest
from kronos_dashboard.markets.calendars import AUTO
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.ui.forecast.controls import Setup
from kronos_dashboard.ui.i18n import chart_words, day, moment, said, t
from kronos_dashboard.ui.layout import escape
from kronos_dashboard.ui.series.library import chosen_calendar
from kronos_dashboard.ui.widgets.icon_button import icon_button

__all__ = ["MOST_OVERLAP", "find_window", "place_controls", "place_text", "step_window"]

Mode = Literal["Replay", "Latest"]

MOST_OVERLAP = 60
"""Most bars that the cutoff of *Latest* may lie back."""
_STOPS = 600
"""Places of the slider; the arrow keys and buttons reach every bar."""
_STEPS = ((-10, ":material/keyboard_double_arrow_left:"), (-1, ":material/keyboard_arrow_left:"))
_STEPS_ON = ((1, ":material/keyboard_arrow_right:"), (10, ":material/keyboard_double_arrow_right:"))


def find_window(candles: CandleFrame, setup: Setup) -> Window:
    """The window that the controls point at.

    Raises:
        WindowError: the series is shorter than the context, or has no bar times that can be foretold.
    """
    if len(candles) < setup.context:
        raise WindowError(
            f"the series “{candles.symbol}” has {len(candles)} candles; the context is set to {setup.context}.",
            "Shorten the context in the sidebar, or load a longer history.",
        )
    if mode_of(candles, setup) == "Latest":
        back = min(int(st.session_state.get("overlap", 0)), _most_overlap(candles, setup))
        return _latest_window(candles, setup, back)
    return cut(candles, _row(candles, setup), setup.context, setup.horizon)


def mode_of(candles: CandleFrame, setup: Setup) -> Mode:
    """Replay, unless *Latest* was chosen or the series has no room for a truth."""
    if len(candles) < setup.context + setup.horizon:
        return "Latest"
    return "Latest" if st.session_state.get("mode") == "Latest" else "Replay"


def step_window(candles: CandleFrame, setup: Setup, by: int) -> None:
    """Move the window by so many bars, as far as the series goes; called before the page runs again."""
    state = st.session_state
    state.pop("film", None)
    if mode_of(candles, setup) == "Replay":
        _go(candles, _row(candles, setup) + by, setup)
    elif "overlap" in state:
        state["overlap"] = min(max(int(state["overlap"]) - by, 0), _most_overlap(candles, setup))


def place_controls(candles: CandleFrame, setup: Setup) -> None:
    """Replay or latest, and what moves the window; to be put below the chart."""
    if mode_of(candles, setup) == "Replay":
        _replay(candles, setup)
    else:
        _latest(candles, setup)


def _mode_control(candles: CandleFrame, setup: Setup) -> None:
    can_replay = len(candles) >= setup.context + setup.horizon
    names = {"Replay": t("Replay"), "Latest": t("Latest")}
    options = list(names) if can_replay else ["Latest"]
    if can_replay and st.session_state.get("mode") not in names:
        st.session_state["mode"] = options[0]
    st.segmented_control(
        t("Cutoff"),
        options,
        format_func=names.__getitem__,
        key="mode" if can_replay else "mode_latest_only",
        default=None if can_replay else "Latest",
        required=True,
        persist_state="session",
        label_visibility="collapsed",
        help=t(
            "Replay: the cutoff lies in the past, and what came is hidden until you reveal it. "
            "Latest: the context ends at the last candle."
        ),
    )


def _replay(candles: CandleFrame, setup: Setup) -> None:
    row = _row(candles, setup)
    first, last = setup.context, len(candles) - setup.horizon
    words, key = chart_words(), f"place_{candles.fingerprint[:12]}"
    stops = _stops(first, last)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="place"):
        _mode_control(candles, setup)
        for by, icon in _STEPS:
            _step_button(candles, setup, by, icon, disabled=row <= first)
        if len(stops) > 1:
            st.session_state[key] = stops[int(np.abs(np.asarray(stops) - row).argmin())]
            st.select_slider(
                t("Last candle the model sees"),
                stops,
                format_func=_labels(candles, words, stops).__getitem__,
                key=key,
                on_change=lambda: _go(candles, int(st.session_state[key]), setup),
                label_visibility="collapsed",
            )
        for by, icon in _STEPS_ON:
            _step_button(candles, setup, by, icon, disabled=row >= last)
        _step_button(candles, setup, len(candles), ":material/last_page:", disabled=row >= last)


def _latest(candles: CandleFrame, setup: Setup) -> None:
    most = _most_overlap(candles, setup)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="place"):
        _mode_control(candles, setup)
        if most:
            st.session_state["overlap"] = min(int(st.session_state.get("overlap", 0)), most)
            st.slider(
                t("Cutoff this many bars before the last candle"),
                0,
                most,
                key="overlap",
                persist_state="session",
                help=t(
                    "The first bars of the forecast then lie on candles that are known, so that both can be compared."
                ),
            )


def place_text(candles: CandleFrame, setup: Setup, window: Window) -> str:
    """Where the window lies, in words."""
    if mode_of(candles, setup) == "Latest":
        return _latest_text(window)
    return _span_text(candles, window, _row(candles, setup))


def _step_button(candles: CandleFrame, setup: Setup, by: int, icon: str, *, disabled: bool) -> None:
    helps = {-10: t("10 bars back"), -1: t("1 bar back"), 1: t("1 bar on"), 10: t("10 bars on")}
    icon_button(
        helps.get(by, t("To the last window with a truth")),
        icon,
        key=f"step_{by}" if by in helps else "step_last",
        disabled=disabled,
        on_click=step_window,
        args=(candles, setup, by),
    )


def _span_text(candles: CandleFrame, window: Window, row: int) -> str:
    times, said_time = window.context.local_index, _said(candles)
    return t(
        "{first} → **{cutoff}** (row {row}), then {horizon} bars to {end}",
        first=said_time(times[0]),
        cutoff=said_time(times[-1]),
        row=f"{row:,}",
        horizon=window.horizon,
        end=said_time(window.local_future[-1]),
    )


def _latest_text(window: Window) -> str:
    """Where the context ends, and which bars come next by which calendar."""
    known = 0 if window.begun is None else len(window.begun)
    following, said_time = window.local_future[known:], _said(window.context)
    told = (
        t(
            "Cutoff **{cutoff}**; the next bars are {first}, {second} … {last}.",
            cutoff=said_time(window.context.local_index[-1]),
            first=said_time(following[0]),
            second=said_time(following[min(1, len(following) - 1)]),
            last=said_time(following[-1]),
        )
        if len(following)
        else ""
    )
    chosen = chosen_calendar()
    calendar = "" if chosen == AUTO else t("Calendar: {name}.", name=escape(chosen))
    return " ".join(part for part in (told, calendar, escape(said(window.note))) if part)


def _said(candles: CandleFrame) -> Callable[[pd.Timestamp], str]:
    """How bar times are written: days alone where a candle is a day or more."""
    return day if candles.interval >= pd.Timedelta(days=1) else moment


def _most_overlap(candles: CandleFrame, setup: Setup) -> int:
    return max(0, min(setup.horizon, MOST_OVERLAP, len(candles) - setup.context))


def _row_key(candles: CandleFrame) -> str:
    return f"row_{candles.fingerprint[:12]}"


def _row(candles: CandleFrame, setup: Setup) -> int:
    """The row of the last context candle, counted from 1, within what context and horizon leave."""
    last = len(candles) - setup.horizon
    return min(max(int(st.session_state.get(_row_key(candles), last)), setup.context), last)


def _go(candles: CandleFrame, row: int, setup: Setup) -> None:
    last = len(candles) - setup.horizon
    st.session_state[_row_key(candles)] = min(max(row, setup.context), last)


def _stops(first: int, last: int) -> list[int]:
    """Rows that the slider offers: all, or evenly spread ones."""
    if last - first < _STOPS:
        return list(range(first, last + 1))
    return [int(row) for row in np.unique(np.linspace(first, last, _STOPS).round())]


def _latest_window(candles: CandleFrame, setup: Setup, back: int) -> Window:
    """``latest``, kept for this session as long as it is asked for: a calendar takes a while on a long series."""
    calendar = chosen_calendar()
    key = (candles.fingerprint, setup.context, setup.horizon, calendar, back)
    kept, window = st.session_state.get("latest_window", (None, None))
    if kept != key or window is None:
        window = latest(candles, setup.context, setup.horizon, calendar, back=back)
        st.session_state["latest_window"] = (key, window)
    return window


def _labels(candles: CandleFrame, words: Words, stops: list[int]) -> dict[int, str]:
    """Cutoff by row, on the session clock; kept for this session as long as series, language and lengths stay."""
    key = (candles.fingerprint, words, stops[0], stops[-1])
    kept, labels = st.session_state.get("place_labels", (None, {}))
    if kept != key:
        labels = _label_stops(candles, words, stops)
        st.session_state["place_labels"] = (key, labels)
    return labels


def _label_stops(candles: CandleFrame, words: Words, stops: list[int]) -> dict[int, str]:
    times = candles.index[np.asarray(stops) - 1].tz_convert(candles.session_tz)
    daily = candles.interval >= pd.Timedelta(days=1)
    return {
        row: words.day.format(day=time.day, month=words.months[time.month - 1])
        + (f" {time.year}" if daily else f" {time:%H:%M}")
        for row, time in zip(stops, times, strict=True)
    }
