"""Sampling controls in the sidebar, and the note on mirrored paths of a finished forecast."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import streamlit as st

from engine.forecast import Forecast
from kronos_dashboard.export.metadata import NEUTRAL_NOTE
from kronos_dashboard.forecasting.defaults import PRESETS, Preset, PresetName
from kronos_dashboard.forecasting.run import SamplingConfig
from kronos_dashboard.ui import state
from kronos_dashboard.ui.i18n import t, translate
from kronos_dashboard.ui.resources import settings
from kronos_dashboard.ui.widgets.icon_button import icon_button

__all__ = ["find_preset", "neutral_note", "sampling_controls"]

MAX_PATHS = 200
"""Upper limit of the page, whatever the application allows: every path is drawn in the browser."""
_MAX_SEED = 2**31 - 1
_MAX_NEW_SEED = 1_000_000
"""Random seeds stay short enough to be read out and typed again."""
_CUSTOM = "custom"
_MODEL_OR_BOOL: dict[state.ModelOrBool, bool | None] = {"model": None, "on": True, "off": False}
"""Value in ``SamplingConfig`` by the value of a select box; None leaves the choice to the model."""


def find_preset(temperature: float, top_p: float, top_k: int) -> PresetName | None:
    """Return the preset with these settings, or None."""
    current = Preset(temperature=temperature, top_p=top_p, top_k=top_k)
    return next((name for name, preset in PRESETS.items() if preset == current), None)


def neutral_note(forecast: Forecast) -> str:
    """Return the note that a forecast of mirrored paths shows no direction; "" if its paths are not mirrored."""
    return f":material/swap_vert: {translate(NEUTRAL_NOTE)}" if forecast.is_mirrored else ""


def sampling_controls() -> SamplingConfig:
    """Draw the controls at the current position and return the chosen settings."""
    for key in (state.PATHS, state.SEED, state.TEMPERATURE, state.TOP_P, state.TOP_K, state.MIN_P):
        key.ensure()
    _preset_control()
    left, right, roll = st.columns([1, 1.1, 0.45], vertical_alignment="bottom", gap="small")
    paths = left.number_input(
        t("Paths"),
        min_value=1,
        max_value=min(settings().max_paths, MAX_PATHS),
        step=10,
        key=state.PATHS.name,
        persist_state="session",
        help=t("Number of sampled futures. More paths: smoother bands, longer run."),
    )
    seed = right.number_input(
        t("Seed"),
        min_value=0,
        max_value=_MAX_SEED,
        step=1,
        key=state.SEED.name,
        persist_state="session",
        help=t("Same seed, same paths."),
    )
    with roll:
        icon_button(t("Another seed"), ":material/casino:", key="new_seed", on_click=_set_new_seed, width="stretch")
    with st.expander(t("Sampling options"), icon=":material/tune:"):
        temperature, top_p, top_k = _advanced()
        min_p, anchor, mirror = _min_p(), _anchor(), _mirror()
    return SamplingConfig(
        num_paths=int(paths),
        temperature=temperature,
        top_p=top_p,
        top_k=top_k or None,
        min_p=min_p,
        seed=int(seed),
        anchor_to_last_close=anchor,
        mirror_paths=mirror,
    )


def _preset_control() -> None:
    """Draw the presets; settings that match none of them are shown as a third option."""
    names = {"point": t("Focused"), "distribution": t("Full distribution"), _CUSTOM: t("Custom")}
    current = find_preset(state.TEMPERATURE.get(), state.TOP_P.get(), state.TOP_K.get())
    state.PRESET.set(current or _CUSTOM)
    st.segmented_control(
        t("Sampling"),
        [*PRESETS, *([] if current else [_CUSTOM])],
        format_func=names.__getitem__,
        key=state.PRESET.name,
        required=True,
        on_change=_apply_preset,
        width="stretch",
        label_visibility="collapsed",
    )
    explanations = {
        "point": t("Temperature 0.6, top-p 0.9. Paths stay near the most likely one; bands are too narrow to use."),
        "distribution": t(
            "Temperature 1, top-p 1. Paths follow the model's own distribution, so the bands are meaningful."
        ),
        _CUSTOM: t("Custom settings."),
    }
    st.caption(explanations[current or _CUSTOM])


def _advanced() -> tuple[float, float, int]:
    """Draw the settings that presets change; return temperature, top-p and top-k (0 = off)."""
    temperature = st.slider(
        t("Temperature"),
        0.0,
        2.0,
        step=0.05,
        key=state.TEMPERATURE.name,
        persist_state="session",
        help=t("1 samples the model's own distribution. Lower values give more conservative paths; 0 is greedy."),
    )
    top_p = st.slider(
        t("Top-p"),
        0.05,
        1.0,
        step=0.05,
        key=state.TOP_P.name,
        persist_state="session",
        help=t("Sample only from the most likely tokens whose probabilities add up to this value. 1 = off."),
    )
    top_k = st.number_input(
        t("Top-k"),
        min_value=0,
        max_value=1_024,  # tokens of one level of the codebook
        step=10,
        key=state.TOP_K.name,
        persist_state="session",
        help=t("Sample only from this many of the most likely tokens. 0 = off."),
    )
    # A slider adds its step up in binary; rounding makes settings of equal labels compare equal.
    return round(float(temperature), 2), round(float(top_p), 2), int(top_k)


def _min_p() -> float | None:
    """Draw the input of min-p, which no preset changes; None leaves it to the model."""
    value = st.number_input(
        t("Min-p"),
        min_value=0.0,
        max_value=0.5,
        value=None,
        step=0.001,
        format="%.3f",
        key=state.MIN_P.name,
        persist_state="session",
        placeholder=t("model default"),
        help=t(
            "Drop tokens whose probability is below this fraction of the most likely one's. About 0.004 "
            "suppresses sudden jumps; 0 = off. Empty: model default."
        ),
    )
    return None if value is None else round(float(value), 3)


def _anchor() -> bool | None:
    """Draw the select box of ``anchor_to_last_close``, which no preset changes."""
    names: dict[state.ModelOrBool, str] = {
        "model": t("Model default"),
        "on": t("Last close"),
        "off": t("Decoded level"),
    }
    help = t(
        "Tokens round the last close by a fraction of a one-bar move, so unadjusted paths all start with the "
        "same small jump. “Last close” subtracts this offset, which is known in advance, from all prices. The "
        "reference implementation does not adjust them."
    )
    return _model_or_bool(t("Starting price"), names, state.ANCHOR_TO_LAST_CLOSE, help)


def _mirror() -> bool | None:
    """Draw the select box of ``mirror_paths``, which no preset changes."""
    names: dict[state.ModelOrBool, str] = {
        "model": t("Model default"),
        "on": t("Neutral (antithetic pairs)"),
        "off": t("As sampled"),
    }
    help = t(
        "Neutral pairs each path with its own mirror image about the last close, so up and down are equally "
        "likely: the forecast shows how far the price may move, not which way. Use it for models without "
        "measured skill on direction."
    )
    return _model_or_bool(t("Direction"), names, state.MIRROR_PATHS, help)


def _model_or_bool(
    label: str, names: Mapping[state.ModelOrBool, str], key: state.StateKey[state.ModelOrBool], help: str
) -> bool | None:
    """Draw a select box of "model default", "on" and "off"; return None, True or False."""
    key.ensure()
    value = st.selectbox(
        label, list(names), format_func=names.__getitem__, key=key.name, persist_state="session", help=help
    )
    return _MODEL_OR_BOOL[value]


def _apply_preset() -> None:
    """Copy the settings of the chosen preset into the controls."""
    preset = {str(name): preset for name, preset in PRESETS.items()}.get(state.PRESET.get())
    if preset is not None:
        state.TEMPERATURE.set(preset.temperature)
        state.TOP_P.set(preset.top_p)
        state.TOP_K.set(preset.top_k)


def _set_new_seed() -> None:
    state.SEED.set(secrets.randbelow(_MAX_NEW_SEED))
