"""Position of the window: any cutoff in the past, or the end of the series. Moving it never runs the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from kronos_dashboard.charts import ChartLabels
from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting.windows import Window, latest_window, replay_window
from kronos_dashboard.markets.calendars import AUTO
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg
from kronos_dashboard.ui import state
from kronos_dashboard.ui.forecast.controls import ForecastSettings
from kronos_dashboard.ui.forecast.reveal import stop_playback
from kronos_dashboard.ui.i18n import chart_labels, format_date, format_datetime, t, translate
from kronos_dashboard.ui.layout import escape_markdown
from kronos_dashboard.ui.series.library import selected_calendar
from kronos_dashboard.ui.widgets.icon_button import icon_button

__all__ = ["MAX_LATEST_LAG", "current_window", "step_window", "window_controls", "window_text"]

WindowMode = Literal["Replay", "Latest"]

MAX_LATEST_LAG = 60
"""Upper limit of the bars that the cutoff of *Latest* is held back by."""
_MAX_SLIDER_STOPS = 600
"""A slider cannot resolve more on a screen; the arrow keys and the buttons reach every bar."""
_STEPS_BACK = ((-10, ":material/keyboard_double_arrow_left:"), (-1, ":material/keyboard_arrow_left:"))
_STEPS_FORWARD = ((1, ":material/keyboard_arrow_right:"), (10, ":material/keyboard_double_arrow_right:"))
_DAY = pd.Timedelta(days=1)


def current_window(candles: CandleFrame, settings: ForecastSettings) -> Window:
    """Return the window at the position of the controls.

    Raises:
        WindowError: the series is shorter than the context, or no calendar can predict its bar times.
    """
    if len(candles) < settings.context:
        raise WindowError(
            msg(
                "the series “{symbol}” has {count} candles; the context is set to {context}.",
                symbol=candles.symbol,
                count=len(candles),
                context=settings.context,
            ),
            msg("Shorten the context in the sidebar, or load more history."),
        )
    if window_mode(candles, settings) == "Latest":
        lag = min(int(state.LATEST_LAG.get()), _max_latest_lag(candles, settings))
        return _cached_latest_window(candles, settings, lag)
    return replay_window(candles, _cutoff_row(candles, settings), settings.context, settings.horizon)


def window_mode(candles: CandleFrame, settings: ForecastSettings) -> WindowMode:
    """Return the mode: Replay, unless Latest was chosen or the series leaves no room for actual candles."""
    if len(candles) < settings.context + settings.horizon:
        return "Latest"
    return "Latest" if state.WINDOW_MODE.get() == "Latest" else "Replay"


def step_window(candles: CandleFrame, settings: ForecastSettings, by: int) -> None:
    """Move the window by ``by`` bars, as far as the series allows. Call it before the page runs again."""
    stop_playback()
    if window_mode(candles, settings) == "Replay":
        _set_cutoff_row(candles, _cutoff_row(candles, settings) + by, settings)
    elif state.LATEST_LAG.is_set():
        lag = int(state.LATEST_LAG.get()) - by
        state.LATEST_LAG.set(min(max(lag, 0), _max_latest_lag(candles, settings)))


def window_controls(candles: CandleFrame, settings: ForecastSettings) -> None:
    """Draw the mode and what moves the window; belongs below the chart."""
    if window_mode(candles, settings) == "Replay":
        _replay_controls(candles, settings)
    else:
        _latest_controls(candles, settings)


def window_text(candles: CandleFrame, settings: ForecastSettings, window: Window) -> str:
    """Describe the position of the window in words."""
    if window_mode(candles, settings) == "Latest":
        return _latest_text(window)
    return _replay_text(candles, window, _cutoff_row(candles, settings))


def _mode_control(candles: CandleFrame, settings: ForecastSettings) -> None:
    can_replay = len(candles) >= settings.context + settings.horizon
    names = {"Replay": t("Historical"), "Latest": t("Live")}
    options = list(names) if can_replay else ["Latest"]
    if can_replay and not (state.WINDOW_MODE.is_set() and state.WINDOW_MODE.get() in names):
        state.WINDOW_MODE.set(options[0])
    st.segmented_control(
        t("Cutoff"),
        options,
        format_func=names.__getitem__,
        # Another key where Latest is the only option: the choice for longer series must survive.
        key=state.WINDOW_MODE.name if can_replay else "window_mode_latest_only",
        default=None if can_replay else "Latest",
        required=True,
        persist_state="session",
        label_visibility="collapsed",
        help=t(
            "Historical: pick a past cutoff; actual prices stay hidden until you reveal them. Live: forecast "
            "from the last candle."
        ),
    )


def _replay_controls(candles: CandleFrame, settings: ForecastSettings) -> None:
    row = _cutoff_row(candles, settings)
    first, last = settings.context, len(candles) - settings.horizon
    slider = state.WINDOW_SLIDER.of(_candles_id(candles))
    stops = _slider_stops(first, last)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="window"):
        _mode_control(candles, settings)
        for by, icon in _STEPS_BACK:
            _step_button(candles, settings, by, icon, disabled=row <= first)
        if len(stops) > 1:
            nearest_stop = int(np.abs(np.asarray(stops) - row).argmin())
            slider.set(stops[nearest_stop])
            st.select_slider(
                t("Last candle the model sees"),
                stops,
                format_func=_cached_stop_labels(candles, chart_labels(), stops).__getitem__,
                key=slider.name,
                on_change=lambda: _set_cutoff_row(candles, int(slider.get() or last), settings),
                label_visibility="collapsed",
            )
        for by, icon in _STEPS_FORWARD:
            _step_button(candles, settings, by, icon, disabled=row >= last)
        _step_button(candles, settings, len(candles), ":material/last_page:", disabled=row >= last)


def _latest_controls(candles: CandleFrame, settings: ForecastSettings) -> None:
    max_lag = _max_latest_lag(candles, settings)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="window"):
        _mode_control(candles, settings)
        if max_lag:
            state.LATEST_LAG.set(min(int(state.LATEST_LAG.get()), max_lag))
            st.slider(
                t("Hold back the last N bars"),
                0,
                max_lag,
                key=state.LATEST_LAG.name,
                persist_state="session",
                help=t("The first forecast bars then overlap known candles, so that both can be compared."),
            )


def _step_button(candles: CandleFrame, settings: ForecastSettings, by: int, icon: str, *, disabled: bool) -> None:
    labels = {-10: t("Back 10 bars"), -1: t("Back 1 bar"), 1: t("Forward 1 bar"), 10: t("Forward 10 bars")}
    icon_button(
        labels.get(by, t("Latest window with known outcome")),
        icon,
        key=f"step_{by}" if by in labels else "step_last",
        disabled=disabled,
        on_click=step_window,
        args=(candles, settings, by),
    )


def _replay_text(candles: CandleFrame, window: Window, row: int) -> str:
    times, format_time = window.context.local_index, _time_format(candles)
    return t(
        "Context {first} to **{cutoff}** (row {row}); forecast of {horizon} bars to {end}",
        first=format_time(times[0]),
        cutoff=format_time(times[-1]),
        row=f"{row:,}",
        horizon=window.horizon,
        end=format_time(window.local_future[-1]),
    )


def _latest_text(window: Window) -> str:
    """Describe where the context ends, and which bars come next by which calendar."""
    observed = 0 if window.partial_actual is None else len(window.partial_actual)
    following, format_time = window.local_future[observed:], _time_format(window.context)
    next_bars = (
        t(
            "Cutoff **{cutoff}**; next bars: {first}, {second} … {last}.",
            cutoff=format_time(window.context.local_index[-1]),
            first=format_time(following[0]),
            second=format_time(following[min(1, len(following) - 1)]),
            last=format_time(following[-1]),
        )
        if len(following)
        else ""
    )
    name = selected_calendar()
    calendar = "" if name == AUTO else t("Calendar: {name}.", name=escape_markdown(name))
    return " ".join(text for text in (next_bars, calendar, escape_markdown(translate(window.note))) if text)


def _time_format(candles: CandleFrame) -> Callable[[pd.Timestamp], str]:
    """Return the formatter of bar times: the date alone if a candle is a day or longer."""
    return format_date if candles.interval >= _DAY else format_datetime


def _max_latest_lag(candles: CandleFrame, settings: ForecastSettings) -> int:
    return max(0, min(settings.horizon, MAX_LATEST_LAG, len(candles) - settings.context))


def _candles_id(candles: CandleFrame) -> str:
    return candles.fingerprint[:12]


def _cutoff_row(candles: CandleFrame, settings: ForecastSettings) -> int:
    """Return the row of the last context candle, counted from 1, within what context and horizon leave."""
    last = len(candles) - settings.horizon
    row = state.CUTOFF_ROW.of(_candles_id(candles)).get()
    return min(max(last if row is None else int(row), settings.context), last)


def _set_cutoff_row(candles: CandleFrame, row: int, settings: ForecastSettings) -> None:
    last = len(candles) - settings.horizon
    state.CUTOFF_ROW.of(_candles_id(candles)).set(min(max(row, settings.context), last))


def _slider_stops(first: int, last: int) -> list[int]:
    """Return the rows that the slider offers: all of them, or evenly spaced ones."""
    if last - first < _MAX_SLIDER_STOPS:
        return list(range(first, last + 1))
    return [int(row) for row in np.unique(np.linspace(first, last, _MAX_SLIDER_STOPS).round())]


def _cached_latest_window(candles: CandleFrame, settings: ForecastSettings, lag: int) -> Window:
    """Return ``latest_window``; the last window is kept in the session: a calendar takes a while on a long series."""
    calendar = selected_calendar()
    key = (candles.fingerprint, settings.context, settings.horizon, calendar, lag)
    cached_key, window = state.LATEST_WINDOW.get()
    if cached_key != key or window is None:
        window = latest_window(candles, settings.context, settings.horizon, calendar, lag=lag)
        state.LATEST_WINDOW.set((key, window))
    return window


def _cached_stop_labels(candles: CandleFrame, words: ChartLabels, stops: list[int]) -> dict[int, str]:
    """Return the slider's labels by row; kept in the session while series, language and lengths stay the same."""
    key = (candles.fingerprint, words, stops[0], stops[-1])
    cached_key, labels = state.WINDOW_SLIDER_LABELS.get()
    if cached_key != key:
        labels = _stop_labels(candles, words, stops)
        state.WINDOW_SLIDER_LABELS.set((key, labels))
    return labels


def _stop_labels(candles: CandleFrame, words: ChartLabels, stops: list[int]) -> dict[int, str]:
    """Return the cutoff by row, in the session time zone."""
    times = candles.index[np.asarray(stops) - 1].tz_convert(candles.session_tz)
    is_daily = candles.interval >= _DAY
    return {
        row: words.day.format(day=time.day, month=words.months[time.month - 1])
        + (f" {time.year}" if is_daily else f" {time:%H:%M}")
        for row, time in zip(stops, times, strict=True)
    }
