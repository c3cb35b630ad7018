"""How paths are drawn: how boldly (two presets with a reason each, or by hand), where they begin, if they may lean."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from engine.config import BEGINNINGS, LEANINGS
from kronos_dashboard.forecasting.record import is_mirrored
from kronos_dashboard.forecasting.run import SamplingConfig
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.resources import settings
from kronos_dashboard.ui.widgets.icon_button import icon_button

__all__ = ["PRESETS", "Preset", "choose_sampling", "drawn_as", "left_open", "preset_of"]

MOST_PATHS = 200
_MOST_SEED = 2**31 - 1
_CUSTOM = "custom"

Name = Literal["point", "distribution"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Settings that belong together."""

    temperature: float
    top_p: float
    top_k: int = 0


PRESETS: dict[Name, Preset] = {
    "point": Preset(temperature=0.6, top_p=0.9),
    "distribution": Preset(temperature=1.0, top_p=1.0),
}
"""``point``: paths near the likeliest one; ``distribution``: as the model believes, so that bands mean something."""

_DEFAULTS: dict[str, float | int | str | None] = {
    "paths": 30,
    "seed": 0,
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": None,
    "begin": "model",
    "leaning": "model",
}


def preset_of(temperature: float, top_p: float, top_k: int) -> Name | None:
    """The preset that these are the settings of."""
    mine = Preset(temperature=temperature, top_p=top_p, top_k=top_k)
    return next((name for name, preset in PRESETS.items() if preset == mine), None)


def drawn_as(made: SamplingConfig) -> str:
    """Where the paths of a run begin and whether every second is mirrored, as its record has it, in a few words."""
    if is_mirrored(made):
        return (
            t("starting at the last close, every second mirrored")
            if made.from_last_close
            else t("starting at the model's own level, every second mirrored")
        )
    return t("starting at the last close") if made.from_last_close else t("starting at the model's own level")


def left_open(made: SamplingConfig) -> str:
    """What must be said of a forecast whose paths lean neither up nor down; nothing of another."""
    if not is_mirrored(made):
        return ""
    return ":material/swap_vert: " + t(
        "Every second path is mirrored at the last close: this forecast says how far the price may move, not which way."
    )


def choose_sampling() -> SamplingConfig:
    """How many paths, and how boldly they are drawn; where it is called."""
    state = st.session_state
    for key, value in _DEFAULTS.items():
        state.setdefault(key, value)
    _preset()
    left, right, roll = st.columns([1, 1.1, 0.45], vertical_alignment="bottom", gap="small")
    paths = left.number_input(
        t("Paths"),
        min_value=1,
        max_value=min(settings().max_paths, MOST_PATHS),
        step=10,
        key="paths",
        persist_state="session",
        help=t("Sampled futures. More paths: smoother bands, longer wait."),
    )
    seed = right.number_input(
        t("Seed"),
        min_value=0,
        max_value=_MOST_SEED,
        step=1,
        key="seed",
        persist_state="session",
        help=t("Same seed, same paths."),
    )
    with roll:
        icon_button(t("Another seed"), ":material/casino:", key="reroll", on_click=_roll, width="stretch")
    with st.expander(t("How paths are drawn"), icon=":material/tune:"):
        temperature, top_p, top_k = _knobs()
        min_p, begin, leaning = _least(), _beginning(), _leaning()
    return SamplingConfig(
        num_paths=int(paths),
        temperature=temperature,
        top_p=top_p,
        top_k=top_k or None,
        min_p=min_p,
        seed=int(seed),
        from_last_close=begin,
        mirrored=leaning,
    )


def _preset() -> None:
    """Two presets; what was changed by hand is neither."""
    state = st.session_state
    names = {"point": t("Point"), "distribution": t("Distribution"), _CUSTOM: t("Custom")}
    mine = preset_of(state["temperature"], state["top_p"], state["top_k"])
    state["preset"] = mine or _CUSTOM
    st.segmented_control(
        t("Sampling"),
        [*PRESETS, *([] if mine else [_CUSTOM])],
        format_func=names.__getitem__,
        key="preset",
        required=True,
        on_change=_take_preset,
        width="stretch",
        label_visibility="collapsed",
    )
    told = {
        "point": t("Temperature 0.6, top-p 0.9: paths near the likeliest one. Their spread is too narrow to trust."),
        "distribution": t("Temperature 1, top-p 1: paths as the model believes, so that the bands mean something."),
        _CUSTOM: t("Changed by hand."),
    }
    st.caption(told[mine or _CUSTOM])


def _knobs() -> tuple[float, float, int]:
    temperature = st.slider(
        t("Temperature"),
        0.0,
        2.0,
        step=0.05,
        key="temperature",
        persist_state="session",
        help=t("1 draws as the model believes; lower is more timid; 0 always takes the likeliest candle."),
    )
    top_p = st.slider(
        t("Top-p"),
        0.05,
        1.0,
        step=0.05,
        key="top_p",
        persist_state="session",
        help=t("Draw only among the likeliest candles that make up this share of probability; 1 leaves none out."),
    )
    top_k = st.number_input(
        t("Top-k"),
        min_value=0,
        max_value=1_024,
        step=10,
        key="top_k",
        persist_state="session",
        help=t("Draw only among so many of the likeliest candles; 0 leaves none out."),
    )
    return round(float(temperature), 2), round(float(top_p), 2), int(top_k)


def _least() -> float | None:
    """The part of the likeliest token's probability below which none is drawn; None = as the model says."""
    chosen = st.number_input(
        t("Min-p"),
        min_value=0.0,
        max_value=0.5,
        value=None,
        step=0.001,
        format="%.3f",
        key="min_p",
        persist_state="session",
        placeholder=t("as the model asks"),
        help=t(
            "Leave out candles whose probability is below this part of the likeliest one's: about 0.004 keeps sudden "
            "leaps out of the paths; 0 leaves none out. Empty: as the model asks."
        ),
    )
    return None if chosen is None else round(float(chosen), 3)


def _beginning() -> bool | None:
    """Whether the paths begin at the last close; None = as the model says. No preset touches it."""
    names = {
        "model": t("As the model asks"),
        "close": t("At the last close"),
        "tokens": t("At the model's own level"),
    }
    explained = t(
        "The model reads candles as tokens, which miss the last close by a part of a one-bar change. Left there, "
        "all paths jump together at the first step; at the last close, the miss, which is known beforehand, is "
        "taken off all their prices. The reference implementation does not shift them."
    )
    return BEGINNINGS[_one_of(t("Paths begin"), names, "begin", explained)]


def _leaning() -> bool | None:
    """Whether every second path is mirrored; None = as the model says. No preset touches it."""
    names = {
        "model": t("As the model asks"),
        "none": t("Left open (mirrored)"),
        "drawn": t("As the model draws it"),
    }
    explained = t(
        "Left open, every second path is turned upside down at the last close: up and down are equally likely, and "
        "the forecast says how far the price may move, not where to. That is for models whose word on direction is "
        "measured to be worth nothing."
    )
    return LEANINGS[_one_of(t("Direction"), names, "leaning", explained)]


def _one_of(label: str, names: Mapping[str, str], key: str, explained: str) -> str:
    """Which of the choices, shown by their ``names``, is taken."""
    return st.selectbox(
        label, list(names), format_func=names.__getitem__, key=key, persist_state="session", help=explained
    )


def _take_preset() -> None:
    """Set the knobs as the chosen preset has them."""
    preset = PRESETS.get(st.session_state["preset"])
    if preset is not None:
        st.session_state.update(temperature=preset.temperature, top_p=preset.top_p, top_k=preset.top_k)


def _roll() -> None:
    st.session_state["seed"] = secrets.randbelow(1_000_000)
