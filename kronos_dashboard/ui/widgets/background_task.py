"""Requests to feeds in the background: one per session, with progress, a way to cancel and an end to patience."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from kronos_dashboard.compute.queue import Job, JobQueue
from kronos_dashboard.errors import DashboardError, FeedUnreachable
from kronos_dashboard.markets.feeds import CachedFeed, open_feed
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import escape, show_error
from kronos_dashboard.ui.resources import session_id, settings

__all__ = ["collect", "feed", "start", "watch"]

_POLL_S = 0.5
_AT_ONCE = 4
"""Requests of all sessions at the same time."""
_LONGEST_S = 240.0
"""Seconds after which nobody waits any longer."""
_STATE, _ERROR = "data_task", "data_task_error"


@dataclass(eq=False)
class _Task:
    text: str
    job: Job
    began: float
    take: Callable[[Any], None]
    """What is done with the result, in a run of the page."""


@st.cache_resource(show_spinner=False, on_release=JobQueue.close)
def _queue() -> JobQueue:
    """The queue of all sessions for what waits for a network. Lives as long as the process."""
    return JobQueue(workers=_AT_ONCE, max_waiting=settings().max_waiting, orphan_after_s=settings().orphan_after_s)


@st.cache_resource(show_spinner=False)
def feed(name: str) -> CachedFeed:
    """A feed, shared by all sessions. Lives as long as the process, by name."""
    return open_feed(name, settings())


def start(text: str, work: Callable[[], Any], take: Callable[[Any], None]) -> None:
    """Begin ``work`` in a thread (it must not touch Streamlit); what came before it is given up.

    Args:
        text: what is being done, for the page.
        work: gives a result, or raises.
        take: what to do with the result, in a later run of the page.
    """
    st.session_state.pop(_ERROR, None)
    try:
        job = _queue().submit(session_id(), lambda _: work())
    except DashboardError as error:
        st.session_state[_ERROR] = error
        return
    st.session_state[_STATE] = _Task(text, job, time.monotonic(), take)


def collect() -> None:
    """Take what has ended since the last run; call this before anything that shows it."""
    task: _Task | None = st.session_state.get(_STATE)
    if task is None or not task.job.finished:
        return
    del st.session_state[_STATE]
    if task.job.state == "failed":
        st.session_state[_ERROR] = task.job.error
    elif task.job.state == "done":
        try:
            task.take(task.job.future.result())
        except DashboardError as error:
            st.session_state[_ERROR] = error


def watch() -> None:
    """Progress of what is under way, else what went wrong with the last request."""
    if _ERROR in st.session_state:
        show_error(st.session_state[_ERROR])
    if _STATE in st.session_state:
        st.fragment(_progress, run_every=_POLL_S)()


def _progress() -> None:
    task: _Task | None = st.session_state.get(_STATE)
    if task is None or task.job.finished:
        st.rerun()
        return
    _queue().get(task.job.owner)  # the sign of life
    waited = time.monotonic() - task.began
    if waited > _LONGEST_S:
        _give_up(FeedUnreachable(f"no answer came within {_LONGEST_S:.0f} s.", "Ask for fewer candles, or try later."))
    st.progress(min(0.95, waited / (waited + 10)), text=f"{escape(task.text)} … {waited:.0f} s")
    if st.button(t("Cancel"), key="data_cancel", icon=":material/close:"):
        _give_up(None)


def _give_up(error: DashboardError | None) -> None:
    _queue().cancel(session_id())
    st.session_state.pop(_STATE, None)
    if error is not None:
        st.session_state[_ERROR] = error
    st.rerun()
