"""Estimated run time of a forecast in words, from earlier runs on this machine."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.compute.runtime_model import RuntimeModel, RunTiming
from kronos_dashboard.ui.forecast.controls import ForecastSettings
from kronos_dashboard.ui.format import format_duration
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.resources import settings as app_settings

__all__ = ["run_timing", "runtime_model", "runtime_text"]

_FILE_NAME = "timings.json"
_MIN_SECONDS = 1e-3
"""The runtime model fits logarithms; a clock of coarse resolution may report zero."""


@st.cache_resource(show_spinner=False)
def runtime_model() -> RuntimeModel:
    """Return the runtime model of this machine, shared by all sessions; its measurements are stored in a file."""
    return RuntimeModel(app_settings().cache_path / _FILE_NAME)


def run_timing(settings: ForecastSettings, seconds: float) -> RunTiming:
    """Return the measurement of a run with these settings."""
    return RunTiming(
        model=str(settings.model_key),
        num_paths=settings.sampling.num_paths,
        horizon=settings.horizon,
        context=_visible_context(settings),
        seconds=max(seconds, _MIN_SECONDS),
    )


def runtime_text(settings: ForecastSettings) -> str:
    """Return “about 2 s”, and whether that is a first guess."""
    estimate = runtime_model().estimate(
        str(settings.model_key),
        num_paths=settings.sampling.num_paths,
        horizon=settings.horizon,
        context=_visible_context(settings),
        relative_cost=settings.model.relative_cost,
    )
    text = t("about {time}", time=format_duration(estimate.seconds))
    return text if estimate.measured else t("{estimate} (estimate)", estimate=text)


def _visible_context(settings: ForecastSettings) -> int:
    """Bars of the context that the model sees, hence computes."""
    return min(settings.context, settings.model.max_context)
