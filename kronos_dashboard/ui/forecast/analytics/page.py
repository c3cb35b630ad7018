"""Probabilities and risk of one forecast as a grid of cards: values, their sampling error, the paths behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from kronos_dashboard.analytics import SampledPaths
from kronos_dashboard.errors import InvalidForecastError
from kronos_dashboard.ui.forecast.analytics.interactive_cards import bracket_card, direction_card, touch_card
from kronos_dashboard.ui.forecast.analytics.static_cards import (
    card_results,
    range_card,
    risk_card,
    scenario_card,
    surprisal_card,
    volatility_card,
)
from kronos_dashboard.ui.forecast.sampling import neutral_note
from kronos_dashboard.ui.i18n import t

if TYPE_CHECKING:
    from kronos_dashboard.ui.forecast.runs import ForecastResult

__all__ = ["show_analytics"]


def show_analytics(result: ForecastResult) -> None:
    """Draw all cards of one forecast. A card with an input redraws alone when it changes."""
    try:
        paths = SampledPaths.from_forecast(result.forecast, result.window.context)
    except InvalidForecastError:
        text = t("Some paths reach zero or below; probabilities and risk cannot be computed.")
        st.warning(text, icon=":material/warning:")
        return
    results = card_results(result, paths)
    st.caption(
        t(
            "Based on {count} sampled paths over {steps} bars. Intervals show sampling error only, not model error.",
            count=f"{paths.num_paths:,}",
            steps=paths.horizon,
        )
    )
    if note := neutral_note(result.forecast):
        st.caption(note)
    _row(
        lambda: direction_card(result, paths),
        lambda: touch_card(result, paths),
        lambda: bracket_card(result, paths),
    )
    _row(
        lambda: range_card(results.range),
        lambda: risk_card(paths),
        lambda: volatility_card(results.volatility),
    )
    _row(
        lambda: scenario_card(results.scenarios, result, paths),
        lambda: surprisal_card(result),
    )


def _row(*cards: Callable[[], None]) -> None:
    for column, card in zip(st.columns(len(cards), gap="small"), cards, strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            card()
