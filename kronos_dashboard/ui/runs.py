"""Asking for a forecast, watching it, and keeping what came. The model runs in the job queue, never in a page."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import streamlit as st

from engine.errors import Cancelled
from engine.forecast import Forecast
from kronos_dashboard.baselines import random_walk
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.forecasting import RunRecord, SamplingConfig, run
from kronos_dashboard.jobs import Job
from kronos_dashboard.models import ModelShelf
from kronos_dashboard.ui.page import show_error
from kronos_dashboard.ui.shared import job_queue, session_id, settings, shelf
from kronos_dashboard.windows import Window

__all__ = ["Result", "kept_result", "request_on_arrival", "run_controls"]

_POLL_S = 0.5
_KEPT = 4
"""Results kept per session; the oldest goes first."""


@dataclass(frozen=True, eq=False)
class Result:
    """A finished forecast, and all that is shown beside it."""

    window: Window
    forecast: Forecast
    record: RunRecord
    baseline: Forecast


def request_on_arrival() -> None:
    """Have the forecast page run once by itself when it is opened next."""
    st.session_state["run_on_arrival"] = True


def kept_result(window: Window) -> Result | None:
    """The newest result of this session for this very window."""
    results: dict[tuple[str, int, str], Result] = st.session_state.get("results", {})
    return results.get(window.key)


def run_controls(window: Window, sampling: SamplingConfig) -> None:
    """The button that runs one forecast; while it runs, its progress and a button to cancel it."""
    _fetch()
    arrived = st.session_state.pop("run_on_arrival", False)
    label = "Run again" if kept_result(window) else "Run forecast"
    left, right = st.columns([1, 3], vertical_alignment="center", gap="medium")
    if left.button(label, key="run", type="primary", icon=":material/play_arrow:", width="stretch") or arrived:
        _submit(window, sampling)
    with right:
        if "run_error" in st.session_state:
            show_error(st.session_state["run_error"])
        active = "job" in st.session_state
        st.fragment(_watch, run_every=_POLL_S if active else None)(window, sampling)


def _submit(window: Window, sampling: SamplingConfig) -> None:
    st.session_state.pop("run_error", None)
    models, model = shelf(), settings().model
    try:
        job = job_queue().submit(session_id(), lambda job: _work(job, window, sampling, models, model))
    except DashboardError as error:
        st.session_state["run_error"] = error
        return
    st.session_state["job"] = job


def _work(job: Job, window: Window, sampling: SamplingConfig, models: ModelShelf, model: str) -> Result:
    """What the worker thread does; it must not touch Streamlit."""
    predictor = models.get(model)
    _stop_if_asked(job.cancel_token)
    [(forecast, record)] = run([window], sampling, predictor, job.step, job.cancel_token, model_name=model)
    return Result(window, forecast, record, random_walk(window, seed=sampling.seed))


def _stop_if_asked(token: threading.Event) -> None:
    if token.is_set():
        raise Cancelled("cancelled before the first step.")


def _watch(window: Window, sampling: SamplingConfig) -> None:
    """Progress and cancel while a job is active, else one line on what is shown."""
    job: Job | None = st.session_state.get("job")
    if job is None:
        _idle(window, sampling)
        return
    job_queue().get(job.owner)  # the sign of life
    if job.finished:
        st.rerun()
    bar, stop = st.columns([4, 1], vertical_alignment="center")
    bar.progress(job.fraction, text=_progress_text(job))
    if stop.button("Cancel", key="cancel", width="stretch"):
        job_queue().cancel(job.owner)
        st.session_state.pop("job", None)
        st.rerun()


def _progress_text(job: Job) -> str:
    if job.state == "waiting":
        queue = job_queue()
        wait = queue.expected_wait_s(job)
        about = f", about {wait:.0f} s" if wait else ""
        return f"Waiting: {queue.ahead(job)} ahead of you{about}"
    if job.total_steps == 0:
        return "Getting the model ready…"
    return f"Sampling step {job.done_steps} of {job.total_steps}"


def _idle(window: Window, sampling: SamplingConfig) -> None:
    result = kept_result(window)
    if result is None:
        st.caption("This window has no forecast yet. Moving the window or a control does not run the model.")
        return
    made = result.record.sampling_config
    text = f"{made.num_paths} paths, temperature {made.temperature:g}, top-p {made.nucleus:g}, seed {made.seed}"
    changed = "" if made == sampling else " The controls have changed since: run again to apply them."
    st.caption(f"{text} · {result.record.seconds:.1f} s · {result.record.model_label}.{changed}")


def _fetch() -> None:
    """Move a finished job's result, or its error, into the session."""
    job: Job | None = st.session_state.get("job")
    if job is None or not job.finished:
        return
    del st.session_state["job"]
    if job.state == "failed":
        st.session_state["run_error"] = job.error
    elif job.state == "done":
        result = job.future.result()
        assert isinstance(result, Result)
        results: dict[tuple[str, int, str], Result] = st.session_state.setdefault("results", {})
        results.pop(result.window.key, None)
        results[result.window.key] = result
        while len(results) > _KEPT:
            del results[next(iter(results))]
