"""How the large chart looks: colors, paths, price levels, marks. Nothing here changes a number."""

from __future__ import annotations

import math
import re
from typing import Literal

import streamlit as st

from kronos_dashboard.charts import MAX_VISIBLE_PATHS, ChartStyle, PriceLevel, get_palette
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.messages import msg
from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import chart_labels, t
from kronos_dashboard.ui.layout import show_error

__all__ = [
    "MAX_LEVELS",
    "BaselineLayer",
    "appearance_controls",
    "baseline_layer",
    "chart_style",
    "parse_levels",
    "price_levels",
    "shows_surprisal",
    "small_chart_style",
]

BaselineLayer = Literal["volatility", "walk", "none"]
"""What is drawn behind the fan: the cone of historical volatility, the random walk, or nothing."""

MAX_LEVELS = 5
HEIGHT = 500
"""Pixels of the chart before the browser fits it to its window."""
_PATH_COUNTS = (0, 20, 50, MAX_VISIBLE_PATHS)
_WITH_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_KEYS: tuple[state.StateKey[str] | state.StateKey[int] | state.StateKey[bool], ...] = (
    state.PALETTE,
    state.VISIBLE_PATHS,
    state.BASELINE_LAYER,
    state.LOG_SCALE,
    state.SHOW_MEDOID_PATH,
    state.SHOW_SURPRISAL,
    state.HOLLOW_CANDLES,
    state.ACTUALS_AS_CANDLES,
    state.PRICE_LEVELS,
)


def chart_style() -> ChartStyle:
    """Return the chosen style, in the theme and the language of the session."""
    return ChartStyle(
        palette=get_palette(state.PALETTE.get(), dark=st.context.theme.type == "dark"),
        labels=chart_labels(),
        visible_paths=int(state.VISIBLE_PATHS.get()),
        show_medoid_path=bool(state.SHOW_MEDOID_PATH.get()),
        actuals_as_candles=bool(state.ACTUALS_AS_CANDLES.get()),
        hollow_candles=bool(state.HOLLOW_CANDLES.get()),
        log_scale=bool(state.LOG_SCALE.get()),
        height=HEIGHT,
    )


def small_chart_style(height: int = 560) -> ChartStyle:
    """Return the style of the charts below the large one: the chosen palette, without its other options."""
    return ChartStyle(palette=chart_style().palette, labels=chart_labels(), height=height)


def baseline_layer() -> BaselineLayer:
    """Return what is drawn behind the fan."""
    layer = state.BASELINE_LAYER.get()
    return "none" if layer == "none" else "walk" if layer == "walk" else "volatility"


def shows_surprisal() -> bool:
    """Return whether candles of high surprisal are marked."""
    return bool(state.SHOW_SURPRISAL.get())


def price_levels() -> tuple[PriceLevel, ...]:
    """Return the price levels to draw; none if the text is invalid, which is reported beside its input."""
    try:
        return tuple(PriceLevel(price=price) for price in parse_levels(state.PRICE_LEVELS.get()))
    except SettingsError:
        return ()


def parse_levels(text: str) -> list[float]:
    """Parse prices, each once.

    Args:
        text: numbers separated by blanks or semicolons; a point before decimals, commas between thousands.

    Raises:
        SettingsError: an entry is not a positive price, or there are more than ``MAX_LEVELS``.
    """
    prices: list[float] = []
    for entry in re.split(r"[\s;]+", text.strip()):
        bare = entry.strip(",")
        if not bare:
            continue
        number = bare.replace(",", "") if _WITH_THOUSANDS.fullmatch(bare) else bare
        try:
            price = float(number)
        except ValueError:
            price = math.nan
        if not (math.isfinite(price) and price > 0):
            raise SettingsError(
                msg("a level must be a price above zero; got {bare}.", bare=repr(bare[:20])),
                msg("Use a decimal point, and separate prices with spaces."),
            )
        prices.append(price)
    levels = list(dict.fromkeys(prices))
    if len(levels) > MAX_LEVELS:
        raise SettingsError(
            msg(
                "at most {limit} price levels can be shown; got {count}.",
                limit=MAX_LEVELS,
                count=len(levels),
            ),
            msg("Remove some."),
        )
    return levels


def appearance_controls() -> None:
    """Draw the controls in a popover."""
    for key in _KEYS:
        key.ensure()
    with st.popover(t("Appearance"), icon=":material/palette:"):
        _candle_controls()
        _fan_controls()
        st.text_input(
            t("Price levels"),
            key=state.PRICE_LEVELS.name,
            persist_state="session",
            placeholder="1.085 1.092",
            help=t("Up to {most} prices, separated by spaces.", most=MAX_LEVELS),
        )
        try:
            parse_levels(state.PRICE_LEVELS.get())
        except SettingsError as error:
            show_error(error)


def _candle_controls() -> None:
    names = {
        "classic": t("Green up, red down"),
        "east_asian": t("Red up, green down"),
        "colour_blind": t("Blue and orange"),
        "ink": t("Monochrome"),
    }
    st.segmented_control(
        t("Candles"),
        list(names),
        format_func=names.__getitem__,
        key=state.PALETTE.name,
        required=True,
        persist_state="session",
    )
    st.toggle(t("Hollow up candles"), key=state.HOLLOW_CANDLES.name, persist_state="session")
    st.toggle(t("Log scale"), key=state.LOG_SCALE.name, persist_state="session")
    st.toggle(t("Show actuals as candles"), key=state.ACTUALS_AS_CANDLES.name, persist_state="session")
    st.toggle(
        t("Highlight unusual candles (surprisal)"),
        key=state.SHOW_SURPRISAL.name,
        persist_state="session",
        help=t("How unlikely each recent candle was to the model, in standard deviations; available after a run."),
    )


def _fan_controls() -> None:
    st.segmented_control(
        t("Sample paths"),
        _PATH_COUNTS,
        format_func=lambda count: {0: t("None"), MAX_VISIBLE_PATHS: t("All")}.get(count, str(count)),
        key=state.VISIBLE_PATHS.name,
        required=True,
        persist_state="session",
    )
    st.toggle(t("Show one path as candles"), key=state.SHOW_MEDOID_PATH.name, persist_state="session")
    names = {"volatility": t("Volatility cone"), "walk": t("Random walk"), "none": t("None")}
    st.segmented_control(
        t("Baseline"),
        list(names),
        format_func=names.__getitem__,
        key=state.BASELINE_LAYER.name,
        required=True,
        persist_state="session",
        help=t("The forecast without a model: prices with the same volatility as the context."),
    )
