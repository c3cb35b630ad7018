"""The controls in the sidebar: how long context and horizon are, how paths are drawn, which model draws them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from kronos_dashboard.forecasting.run import SamplingConfig
from kronos_dashboard.forecasting.windows import check_lengths
from kronos_dashboard.models.cache import ModelChoice, choices, devices
from kronos_dashboard.models.loading import DTYPES
from kronos_dashboard.ui.forecast.sampling import choose_sampling
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.resources import settings, shelf, warm_up

__all__ = ["CONTEXT", "HORIZON", "Setup", "choose_setup"]

CONTEXT = 400
HORIZON = 120
_BEST = ""
"""The device that is taken by itself."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """All that a forecast needs beside the place of its window."""

    context: int
    horizon: int
    sampling: SamplingConfig
    model: ModelChoice
    device: str | None = None
    """None: the best there is."""
    dtype: str = "float32"

    @property
    def engine(self) -> str:
        """Names the model together with device and type of numbers."""
        return f"{self.model.name}|{self.device or 'best'}|{self.dtype}"


def choose_setup() -> Setup:
    """Everything in the sidebar below the series.

    Raises:
        WindowError: the settings allow no such lengths.
    """
    offered = _offered()
    model = _model_of(offered)
    with st.sidebar:
        st.subheader(t("Window"), anchor=False)
        context, horizon = _lengths(model)
        st.subheader(t("Sampling"), anchor=False)
        sampling = choose_sampling()
        with st.expander(t("Model"), icon=":material/neurology:"):
            device, dtype = _model(offered, model)
    check_lengths(context, horizon, settings())
    return Setup(context=context, horizon=horizon, sampling=sampling, model=model, device=device, dtype=dtype)


def _offered() -> list[ModelChoice]:
    """The models to choose from; the configured one alone while torch is on its way, so that the page need not wait."""
    own = settings().model
    return [ModelChoice(name=own)] if warm_up().is_alive() else choices(own)


def _model_of(offered: list[ModelChoice]) -> ModelChoice:
    """The chosen model, with the limit that it is known to have once it is loaded."""
    wanted = st.session_state.get("model")
    model = next((choice for choice in offered if choice.name == wanted), offered[0])
    loaded = shelf().peek(model.name)
    if loaded is None or loaded.max_context == model.max_context:
        return model
    return ModelChoice(
        name=model.name,
        max_context=loaded.max_context,
        parameters=model.parameters,
        download_mb=model.download_mb,
    )


def _lengths(model: ModelChoice) -> tuple[int, int]:
    """Context and horizon; the context stays within what the model sees."""
    own, state = settings(), st.session_state
    most = max(own.min_context, min(own.max_context, model.max_context))
    state["context"] = min(max(int(state.get("context", CONTEXT)), own.min_context), most)
    state["horizon"] = min(max(int(state.get("horizon", HORIZON)), 1), own.max_horizon)
    left, right = st.columns(2)
    context = left.number_input(
        t("Context"),
        own.min_context,
        most,
        step=10,
        key="context",
        persist_state="session",
        help=t("Candles the model sees; this one sees at most {most}.", most=f"{most:,}"),
    )
    horizon = right.number_input(
        t("Horizon"),
        1,
        own.max_horizon,
        step=10,
        key="horizon",
        persist_state="session",
        help=t("Candles to forecast, at most {most}.", most=f"{own.max_horizon:,}"),
    )
    if context + horizon > model.max_context:
        st.caption(
            t(
                "Together more than the {most} candles that the model sees at once: late steps no longer see the "
                "oldest candles.",
                most=f"{model.max_context:,}",
            )
        )
    return int(context), int(horizon)


def _model(offered: list[ModelChoice], model: ModelChoice) -> tuple[str | None, str]:
    """Model, device and type of numbers."""
    by_name = {choice.name: choice for choice in offered}
    if st.session_state.get("model") not in by_name:
        st.session_state["model"] = model.name
    st.selectbox(
        t("Model"),
        list(by_name),
        format_func=lambda name: _label(by_name[name]),
        key="model",
        persist_state="session",
        help=t("The published models are fetched from the Hugging Face hub when they are first asked for."),
        label_visibility="collapsed",
    )
    st.caption(_limits(model))
    found = [] if warm_up().is_alive() else devices()
    left, right = st.columns(2)
    device = left.selectbox(
        t("Device"),
        [_BEST, *found] if len(found) > 1 else [_BEST],
        format_func=lambda name: name.upper() or t("Best: {device}", device=(found or ["cpu"])[0].upper()),
        key="device",
        persist_state="session",
        disabled=len(found) < 2,
    )
    dtype = right.selectbox(
        t("Numbers"),
        DTYPES,
        key="dtype",
        persist_state="session",
        help=t("bfloat16 is faster where the hardware has it, and less exact."),
    )
    return device or None, dtype


def _label(choice: ModelChoice) -> str:
    return choice.name if choice.parameters is None else f"{choice.name} · {choice.parameters / 1e6:.1f} M"


def _limits(model: ModelChoice) -> str:
    sees = t("Sees up to {count} candles.", count=f"{model.max_context:,}")
    if not model.download_mb:
        return sees
    return f"{sees} " + t("Downloads {size} MB the first time.", size=f"{model.download_mb:,.0f}")
