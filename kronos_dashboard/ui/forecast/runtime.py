"""How long a forecast will take, in words, from what earlier ones took on this machine."""

from __future__ import annotations

import streamlit as st

from kronos_dashboard.compute.runtime_model import Timing, Timings
from kronos_dashboard.ui.forecast.controls import Setup
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.resources import settings

__all__ = ["duration", "estimate_text", "timing_of", "timings"]

_FILE = "timings.json"


@st.cache_resource(show_spinner=False)
def timings() -> Timings:
    """What all sessions of this machine have learned. Lives as long as the process, and in a file beyond it."""
    return Timings(settings().cache_path / _FILE)


def timing_of(setup: Setup, seconds: float) -> Timing:
    """A run with this setup, to remember."""
    return Timing(
        model=setup.engine,
        paths=setup.sampling.num_paths,
        horizon=setup.horizon,
        context=min(setup.context, setup.model.max_context),
        seconds=max(seconds, 1e-3),
    )


def estimate_text(setup: Setup) -> str:
    """“About 2 s”, and whether that is a first guess."""
    found = timings().estimate(
        setup.engine,
        paths=setup.sampling.num_paths,
        horizon=setup.horizon,
        context=min(setup.context, setup.model.max_context),
        size=setup.model.size,
    )
    text = t("about {time}", time=duration(found.seconds))
    return text if found.learned else t("{estimate} (a first guess)", estimate=text)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 1:
        return t("{count} s", count=f"{max(0.1, seconds):.1f}")
    if seconds < 100:
        return t("{count} s", count=f"{seconds:.0f}")
    return t("{count} min", count=f"{seconds / 60:.0f}")
