"""The line above the chart: run button, estimate, progress, cancel; and the preview of the fan while it is sampled."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import replace

import numpy as np
import streamlit as st

from engine.forecast import Forecast
from kronos_dashboard.charts import forecast_patch
from kronos_dashboard.export.metadata import describe_path_options
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui import state
from kronos_dashboard.ui.forecast.appearance import chart_style
from kronos_dashboard.ui.forecast.chart import CHART_KEY, chart_base
from kronos_dashboard.ui.forecast.controls import ForecastSettings
from kronos_dashboard.ui.forecast.runs import PendingRun, cancel, find_result, is_current, pending_run, submit
from kronos_dashboard.ui.forecast.runtime import runtime_text
from kronos_dashboard.ui.i18n import t, translate
from kronos_dashboard.ui.layout import escape_markdown, show_error
from kronos_dashboard.ui.resources import job_queue
from kronos_dashboard.ui.session_store import save_session
from kronos_dashboard.ui.widgets.chart import patch_chart
from kronos_dashboard.ui.widgets.job_status import job_text, poll, show_job

__all__ = ["auto_toggle", "run_button", "run_status"]

_POLL_S = 0.25
"""Seconds between two polls: the preview grows with each."""
_MAX_PREVIEW_PATHS = 20
"""Sample paths of the preview: all of it is sent again at every poll."""
_IDLE_S = 0.6
"""Seconds without a change before *Auto* runs the model: longer than the pauses of someone who moves the slider."""


def run_button(window: Window, settings: ForecastSettings) -> None:
    """Draw the run button; a run that another page requested starts here too."""
    label = t("Run again") if find_result(window) else t("Run forecast")
    is_clicked = st.button(label, key="run", type="primary", icon=":material/play_arrow:")
    # Cleared after the button only: a newer run of the page may end this one at the button.
    is_requested = state.RUN_ON_ARRIVAL.pop()
    if is_clicked or is_requested:
        submit(window, settings)


def auto_toggle() -> None:
    """Draw the toggle that runs the model once window and settings stop changing."""
    st.toggle(
        t("Auto"),
        key=state.AUTO_RUN.name,
        persist_state="session",
        help=t("Run automatically when the window and the settings stop changing."),
    )


def run_status(window: Window, settings: ForecastSettings) -> None:
    """Draw progress and cancel of a pending run, polled by itself; else one line about the forecast on the chart."""
    _track_idle(window, settings)
    is_busy = pending_run() is not None or _auto_run_due(window, settings)
    error = state.RUN_ERROR.get()
    if error is not None and not is_busy:
        show_error(error)
    if is_busy:
        poll(_poll, key="run_status", every_s=_POLL_S)(window, settings)
    else:
        st.caption(_idle_text(window, settings))


def _poll(window: Window, settings: ForecastSettings) -> None:
    """Draw the status once, and submit an automatic run that has become due."""
    if _auto_run_due(window, settings) and time.monotonic() - state.IDLE_SINCE.get()[1] >= _IDLE_S:
        state.AUTO_RUN_FOR.set(_identity(window, settings))
        submit(window, settings)
        if pending_run() is None:  # the queue is full; the whole page shows the error
            st.rerun()
        save_session()
    pending = pending_run()
    if pending is None:
        st.caption(_idle_text(window, settings))
        return
    job, queue = pending.job, job_queue()
    step_text = t("Sampling step {done} of {total}", done=job.done_steps, total=job.total_steps)
    show_job(job, queue, job_text(job, queue, step_text), cancel=cancel)
    _draw_preview(pending)


def _draw_preview(pending: PendingRun) -> None:
    """Lay the steps that are decoded so far over the chart of their window."""
    paths = pending.job.preview
    if not isinstance(paths, np.ndarray):
        return
    preview = Forecast(paths=paths, index=pending.window.future[: paths.shape[1]])  # [N, t, 6], t <= H
    style = chart_style()
    style = replace(style, visible_paths=min(style.visible_paths, _MAX_PREVIEW_PATHS))
    base = chart_base(pending.window)
    patch_chart(forecast_patch(pending.window, preview, style), chart=CHART_KEY, content_id=base)


def _idle_text(window: Window, settings: ForecastSettings) -> str:
    """Return what the forecast on the chart was made with, or how long one would take."""
    result = find_result(window)
    estimate = runtime_text(settings)
    if result is None:
        return t("No forecast for this window yet · {estimate}", estimate=estimate)
    sampling = result.record.sampling
    text = t(
        "{count} paths, temperature {temperature}, top-p {top_p}, seed {seed}, {begin} · {seconds} s · {model}",
        count=sampling.num_paths,
        temperature=f"{sampling.temperature:g}",
        top_p=f"{sampling.nucleus:g}",
        seed=sampling.seed,
        begin=describe_path_options(sampling),
        seconds=f"{result.record.seconds:.1f}",
        model=escape_markdown(translate(result.record.model_label)),
    )
    if is_current(result, settings):
        return text
    return f"{text} · :orange[{t('settings changed; run again')}] · {estimate}"


def _identity(window: Window, settings: ForecastSettings) -> Hashable:
    return (window.identity, settings.model_key, settings.sampling)


def _track_idle(window: Window, settings: ForecastSettings) -> None:
    """Remember since when window and settings are unchanged; a change removes the error of the run before."""
    identity = _identity(window, settings)
    previous, _ = state.IDLE_SINCE.get()
    if previous != identity:
        state.IDLE_SINCE.set((identity, time.monotonic()))
        if previous is not None:
            state.RUN_ERROR.clear()


def _auto_run_due(window: Window, settings: ForecastSettings) -> bool:
    """Return whether *Auto* has something to run here that it has not tried yet."""
    identity = _identity(window, settings)
    if not state.AUTO_RUN.get() or state.AUTO_RUN_FOR.get() == identity:
        return False
    pending, result = pending_run(), find_result(window)
    if pending is not None and _identity(pending.window, pending.settings) == identity:
        return False
    return result is None or not is_current(result, settings)
