"""What the sampled paths answer, as a grid of cards: each with its value, how sure it is, and the paths it rests on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from kronos_dashboard.analytics import Fan
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.forecasting.record import is_mirrored
from kronos_dashboard.ui.forecast.analytics.interactive_cards import ask_level, ask_step, ask_trade
from kronos_dashboard.ui.forecast.analytics.static_cards import (
    answers_of,
    tell_range,
    tell_risk,
    tell_scenarios,
    tell_surprise,
    tell_volatility,
)
from kronos_dashboard.ui.forecast.sampling import left_open
from kronos_dashboard.ui.i18n import t

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import Result

__all__ = ["show_questions"]


def show_questions(result: Result) -> None:
    """All questions to one forecast. Those with an input redraw themselves alone when it changes."""
    try:
        fan = Fan.of(result.forecast, result.window.context)
    except SettingsError:
        text = t("Some paths fall to zero or below, where returns mean nothing: they answer no questions.")
        st.warning(text, icon=":material/warning:")
        return
    found, made = answers_of(result, fan), result.record.sampling_config
    mirrored = is_mirrored(made)
    st.caption(
        t(
            "Read off {count} sampled paths of {steps} bars. An interval says how far the draw alone may have moved a "
            "number; how far the model itself is off, no number of paths tells.",
            count=f"{fan.num_paths:,}",
            steps=fan.horizon,
        )
    )
    if mirrored:
        st.caption(left_open(made))
    _row(
        lambda: ask_step(fan, mirrored=mirrored),
        lambda: ask_level(result, fan),
        lambda: ask_trade(result, fan),
    )
    _row(
        lambda: tell_range(found.range),
        lambda: tell_risk(fan),
        lambda: tell_volatility(found.volatility),
    )
    _row(
        lambda: tell_scenarios(found.scenarios, fan, mirrored=mirrored),
        lambda: tell_surprise(result),
    )


def _row(*cards: Callable[[], None]) -> None:
    for column, card in zip(st.columns(len(cards), gap="small"), cards, strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            card()
