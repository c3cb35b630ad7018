"""Sidebar of the Forecast page: lengths of the window, sampling, and the model with its device and precision."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from kronos_dashboard.forecasting.defaults import DEFAULT_CONTEXT, DEFAULT_HORIZON
from kronos_dashboard.forecasting.run import SamplingConfig
from kronos_dashboard.forecasting.windows import check_lengths
from kronos_dashboard.models.catalog import ModelChoice, ModelKey, devices, model_options
from kronos_dashboard.models.loading import DTYPES
from kronos_dashboard.ui import state
from kronos_dashboard.ui.forecast.sampling import sampling_controls
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.resources import model_cache, warm_up
from kronos_dashboard.ui.resources import settings as app_settings

__all__ = ["ForecastSettings", "forecast_controls"]

_BEST_DEVICE = ""
"""Option of the select box that stands for ``ForecastSettings.device = None``."""


@dataclass(frozen=True, kw_only=True)
class ForecastSettings:
    """Everything a forecast depends on besides the position of its window."""

    context: int
    horizon: int
    sampling: SamplingConfig
    model: ModelChoice
    device: str | None = None
    """None: the best one available."""
    dtype: str = "float32"

    @property
    def model_key(self) -> ModelKey:
        """Identifies the model together with its device and dtype."""
        return ModelKey(name=self.model.name, device=self.device, dtype=self.dtype)


def forecast_controls() -> ForecastSettings:
    """Draw the sidebar below the series and return the chosen settings.

    Raises:
        WindowError: the application's settings do not allow these lengths.
    """
    options = _available_models()
    model = _selected_model(options)
    with st.sidebar:
        st.subheader(t("Window"), anchor=False)
        context, horizon = _length_inputs(model)
        st.subheader(t("Sampling"), anchor=False)
        sampling = sampling_controls()
        with st.expander(t("Model"), icon=":material/neurology:"):
            device, dtype = _model_controls(options, model)
    check_lengths(context, horizon, app_settings())
    return ForecastSettings(
        context=context, horizon=horizon, sampling=sampling, model=model, device=device, dtype=dtype
    )


def _available_models() -> list[ModelChoice]:
    """Return the models on offer; only the configured one until torch is imported, so that the page need not wait."""
    configured = app_settings().model
    return [ModelChoice(name=configured)] if warm_up().is_alive() else model_options(configured)


def _selected_model(options: list[ModelChoice]) -> ModelChoice:
    """Return the selected model, with the context limit read from its checkpoint once that is loaded."""
    selected = state.MODEL.get()
    model = next((option for option in options if option.name == selected), options[0])
    loaded = model_cache().get_if_loaded(model.name)
    return model if loaded is None else replace(model, max_context=loaded.max_context)


def _length_inputs(model: ModelChoice) -> tuple[int, int]:
    """Draw the inputs of context and horizon; the context is clamped to what the model can see."""
    limits = app_settings()
    max_context = max(limits.min_context, min(limits.max_context, model.max_context))
    # Clamp before drawing: a widget whose stored value is out of its range raises.
    context = state.CONTEXT.get() or DEFAULT_CONTEXT
    horizon = state.HORIZON.get() or DEFAULT_HORIZON
    state.CONTEXT.set(min(max(int(context), limits.min_context), max_context))
    state.HORIZON.set(min(max(int(horizon), 1), limits.max_horizon))
    left, right = st.columns(2)
    context = left.number_input(
        t("Context"),
        limits.min_context,
        max_context,
        step=10,
        key=state.CONTEXT.name,
        persist_state="session",
        help=t("Number of past candles the model sees (max. {most}).", most=f"{max_context:,}"),
    )
    horizon = right.number_input(
        t("Horizon"),
        1,
        limits.max_horizon,
        step=10,
        key=state.HORIZON.name,
        persist_state="session",
        help=t("Number of bars to forecast (max. {most}).", most=f"{limits.max_horizon:,}"),
    )
    if context + horizon > model.max_context:
        st.caption(
            t(
                "Context + horizon exceed the model's limit of {most} candles; late bars ignore the oldest ones.",
                most=f"{model.max_context:,}",
            )
        )
    return int(context), int(horizon)


def _model_controls(options: list[ModelChoice], model: ModelChoice) -> tuple[str | None, str]:
    """Draw the select boxes of model, device and dtype; return device and dtype."""
    by_name = {option.name: option for option in options}
    if state.MODEL.get() not in by_name:
        state.MODEL.set(model.name)
    st.selectbox(
        t("Model"),
        list(by_name),
        format_func=lambda name: _model_label(by_name[name]),
        key=state.MODEL.name,
        persist_state="session",
        help=t("Published models are downloaded from the Hugging Face Hub on first use."),
        label_visibility="collapsed",
    )
    st.caption(_model_limits_text(model))
    available = [] if warm_up().is_alive() else devices()
    left, right = st.columns(2)
    device = left.selectbox(
        t("Device"),
        [_BEST_DEVICE, *available] if len(available) > 1 else [_BEST_DEVICE],
        format_func=lambda name: name.upper() or t("Auto ({device})", device=(available or ["cpu"])[0].upper()),
        key=state.DEVICE.name,
        persist_state="session",
        disabled=len(available) < 2,
    )
    dtype = right.selectbox(
        t("Precision"),
        DTYPES,
        key=state.DTYPE.name,
        persist_state="session",
        help=t("bfloat16 is faster on hardware that supports it, but less precise."),
    )
    return device or None, dtype


def _model_label(model: ModelChoice) -> str:
    return model.name if model.parameters is None else f"{model.name} · {model.parameters / 1e6:.1f} M"


def _model_limits_text(model: ModelChoice) -> str:
    text = t("Context limit: {count} candles.", count=f"{model.max_context:,}")
    if not model.download_mb:
        return text
    return f"{text} " + t("First use downloads {size} MB.", size=f"{model.download_mb:,.0f}")
