"""One network request per session in the background, with its progress, a cancel button and a time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from kronos_dashboard.compute.queue import FunctionTask, Job
from kronos_dashboard.errors import DashboardError, FeedUnavailableError
from kronos_dashboard.messages import msg
from kronos_dashboard.ui import state
from kronos_dashboard.ui.layout import escape_markdown, show_error
from kronos_dashboard.ui.resources import request_queue, session_id
from kronos_dashboard.ui.widgets.job_status import poll, show_job

__all__ = ["collect_task", "start_task", "task_status"]

_KIND = "request"
_TIMEOUT_S = 240.0
"""A source that pages slowly needs up to two minutes for the largest request."""
_HALF_S = 10.0
"""Seconds after which the progress bar is at one half; how long a source takes is not known."""


@dataclass(eq=False)
class _BackgroundTask:
    text: str
    job: Job
    started_at: float
    """By ``time.monotonic``."""
    on_result: Callable[[Any], None]


def start_task(text: str, work: Callable[[], Any], on_result: Callable[[Any], None]) -> None:
    """Start ``work`` in a thread; a task of this session that has not ended is cancelled.

    Args:
        text: what is being done, in the language of the session.
        work: returns a result, or raises; it must not touch Streamlit.
        on_result: called with the result in a later run of the page.
    """
    state.BACKGROUND_TASK_ERROR.clear()
    try:
        job = request_queue().submit(session_id(), _KIND, FunctionTask(work))
    except DashboardError as error:
        state.BACKGROUND_TASK_ERROR.set(error)
        return
    state.BACKGROUND_TASK.set(_BackgroundTask(text, job, time.monotonic(), on_result))


def collect_task() -> None:
    """Hand over the result of a task that has ended. Call it before anything that shows the result."""
    task = _current_task()
    if task is None or not task.job.is_finished:
        return
    state.BACKGROUND_TASK.clear()
    if task.job.state == "failed":
        state.BACKGROUND_TASK_ERROR.set(task.job.error)
    elif task.job.state == "done":
        try:
            task.on_result(task.job.future.result())
        except DashboardError as error:
            state.BACKGROUND_TASK_ERROR.set(error)


def task_status() -> None:
    """Draw the error of the last task, and the progress of a running one."""
    error = state.BACKGROUND_TASK_ERROR.get()
    if error is not None:
        show_error(error)
    if _current_task() is not None:
        poll(_show_progress, key="background_task_status")()


def _show_progress() -> None:
    task = _current_task()
    if task is None:
        st.rerun()
        return
    waited_s = time.monotonic() - task.started_at
    if waited_s > _TIMEOUT_S and not task.job.is_finished:
        _cancel()
        state.BACKGROUND_TASK_ERROR.set(
            FeedUnavailableError(
                msg("no response within {seconds:.0f} s.", seconds=_TIMEOUT_S),
                msg("Request fewer candles, or try again later."),
            )
        )
        st.rerun()
    show_job(
        task.job,
        request_queue(),
        f"{escape_markdown(task.text)} … {waited_s:.0f} s",
        cancel=_cancel,
        key="background_task_cancel",
        fraction=min(0.95, waited_s / (waited_s + _HALF_S)),
    )


def _cancel() -> None:
    request_queue().cancel(session_id(), _KIND)
    state.BACKGROUND_TASK.clear()


def _current_task() -> _BackgroundTask | None:
    task: _BackgroundTask | None = state.BACKGROUND_TASK.get()
    return task
