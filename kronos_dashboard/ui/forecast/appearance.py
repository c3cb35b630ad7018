"""How the chart looks, as the reader chose: colours, paths, levels, marks. None of it changes a number."""

from __future__ import annotations

import math
import re
from typing import Literal

import streamlit as st

from kronos_dashboard.charts import MOST_PATHS, Level, Look, palette_of
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.ui.i18n import chart_words, t
from kronos_dashboard.ui.layout import show_error

__all__ = ["MOST_LEVELS", "Behind", "appearance", "behind", "levels", "look", "read_levels", "shows_surprise"]

Behind = Literal["volatility", "walk", "none"]
"""What is drawn behind the fan: the cone of historical volatility, the random walk, or nothing."""

MOST_LEVELS = 5
HEIGHT = 500
_PATHS = (0, 20, 50, MOST_PATHS)
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_DEFAULTS: dict[str, object] = {
    "colours": "classic",
    "drawn_paths": 0,
    "behind": "volatility",
    "show_log": False,
    "show_path": True,
    "show_surprise": False,
    "hollow": False,
    "truth_candles": False,
    "levels": "",
}


def look() -> Look:
    """What the reader chose, in the theme and the language of the session."""
    return Look(
        palette=palette_of(str(_chosen("colours")), dark=st.context.theme.type == "dark"),
        words=chart_words(),
        paths=int(str(_chosen("drawn_paths"))),
        candles=bool(_chosen("show_path")),
        truth_as_candles=bool(_chosen("truth_candles")),
        hollow=bool(_chosen("hollow")),
        log=bool(_chosen("show_log")),
        height=HEIGHT,
    )


def behind() -> Behind:
    """What is drawn behind the fan."""
    chosen = _chosen("behind")
    return "none" if chosen == "none" else "walk" if chosen == "walk" else "volatility"


def shows_surprise() -> bool:
    """Whether candles that surprised the model are marked."""
    return bool(_chosen("show_surprise"))


def levels() -> tuple[Level, ...]:
    """The prices that lines are drawn at; those that cannot be read are told where they are typed."""
    try:
        return tuple(Level(price=price) for price in read_levels(str(_chosen("levels"))))
    except SettingsError:
        return ()


def read_levels(text: str) -> list[float]:
    """Prices from a text, each once.

    Args:
        text: numbers with blanks or semicolons between them; a point before decimals, commas between thousands.

    Raises:
        SettingsError: one is no price, or there are too many.
    """
    found: list[float] = []
    for word in re.split(r"[\s;]+", text.strip()):
        plain = word.strip(",")
        if not plain:
            continue
        number = plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain
        try:
            price = float(number)
        except ValueError:
            price = math.nan
        if not (math.isfinite(price) and price > 0):
            raise SettingsError(
                f"a level must be a price above zero; got {plain[:20]!r}.",
                "Write prices with a point before decimals and a blank between them.",
            )
        found.append(price)
    levels = list(dict.fromkeys(found))
    if len(levels) > MOST_LEVELS:
        raise SettingsError(f"{MOST_LEVELS} levels at most are drawn; got {len(levels)}.", "Remove some.")
    return levels


def appearance() -> None:
    """The choices, behind a button."""
    for key, value in _DEFAULTS.items():
        st.session_state.setdefault(key, value)
    with st.popover(t("Appearance"), icon=":material/palette:"):
        _colours()
        _fan()
        st.text_input(
            t("Level lines"),
            key="levels",
            persist_state="session",
            placeholder="1.085 1.092",
            help=t("Up to {most} prices with blanks between them.", most=MOST_LEVELS),
        )
        try:
            read_levels(str(_chosen("levels")))
        except SettingsError as error:
            show_error(error)


def _colours() -> None:
    names = {
        "classic": t("Green and red"),
        "east_asian": t("Red rises"),
        "colour_blind": t("Blue and orange"),
        "ink": t("Ink"),
    }
    st.segmented_control(
        t("Candles"), list(names), format_func=names.__getitem__, key="colours", required=True, persist_state="session"
    )
    st.toggle(t("Rising candles hollow"), key="hollow", persist_state="session")
    st.toggle(t("Logarithmic prices"), key="show_log", persist_state="session")
    st.toggle(t("What came as candles"), key="truth_candles", persist_state="session")
    st.toggle(
        t("Mark candles that surprised the model"),
        key="show_surprise",
        persist_state="session",
        help=t("How unlikely each of the last candles was to the model, in standard deviations; known after a run."),
    )


def _fan() -> None:
    st.segmented_control(
        t("Sample paths"),
        _PATHS,
        format_func=lambda count: {0: t("None"), MOST_PATHS: t("All")}.get(count, str(count)),
        key="drawn_paths",
        required=True,
        persist_state="session",
    )
    st.toggle(t("One path as candles"), key="show_path", persist_state="session")
    names = {"volatility": t("Volatility cone"), "walk": t("Random walk"), "none": t("Nothing")}
    st.segmented_control(
        t("Behind the fan"),
        list(names),
        format_func=names.__getitem__,
        key="behind",
        required=True,
        persist_state="session",
        help=t("What you get without a model: prices that only swing as much as they did in the context."),
    )


def _chosen(key: str) -> object:
    return st.session_state.get(key, _DEFAULTS[key])
