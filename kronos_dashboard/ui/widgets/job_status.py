"""Status of a background job: a progress bar with a cancel button, redrawn by itself until the job has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

from kronos_dashboard.compute.queue import Job, JobQueue
from kronos_dashboard.ui.format import format_duration
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.layout import escape_markdown
from kronos_dashboard.ui.widgets.icon_button import icon_button

__all__ = ["POLL_S", "job_text", "poll", "show_job"]

P = ParamSpec("P")

POLL_S = 0.5
"""Seconds between two looks at a job of which only the progress bar is redrawn."""


def poll(draw: Callable[P, None], key: str, every_s: float = POLL_S) -> Callable[P, None]:
    """Return ``draw`` as a fragment that is drawn again and again.

    Use it only while a job is unfinished, never on an idle page: a late poll would start a run of the page there, and
    if the run before has ended but was not sent yet, Streamlit drops what it still has to send.

    Args:
        draw: what is redrawn; it ends the polling by ``st.rerun()``, as ``show_job`` does for a finished job.
        key: of the fragment, unlike that of any idle fragment in its place.
        every_s: seconds between two draws.
    """
    return st.fragment(draw, run_every=every_s, key=key)


def show_job(
    job: Job,
    queue: JobQueue,
    text: str,
    *,
    cancel: Callable[[], None],
    key: str = "cancel",
    label: str | None = None,
    fraction: float | None = None,
) -> None:
    """Draw progress and cancel button once; run the page again if the job has ended or is cancelled here.

    Looking at a job also keeps its queue from abandoning it.

    Args:
        job: an unfinished job, or one that has just ended.
        queue: the queue that it was submitted to.
        text: in the progress bar; see ``job_text``.
        cancel: called when the button is pressed.
        key: of the cancel button.
        label: of the cancel button, for screen readers and its tooltip; None = "Cancel".
        fraction: of the progress bar, 0..1; None = the finished fraction of the job's steps.
    """
    queue.get(job.owner, job.kind)
    if job.is_finished:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{key}_progress"):
        st.progress(job.fraction if fraction is None else fraction, text=text)
        if icon_button(label or t("Cancel"), ":material/close:", key=key):
            cancel()
            st.rerun()


def job_text(job: Job, queue: JobQueue, step_text: str) -> str:
    """Return the stage of a job in words: waiting, downloading, loading the model, else ``step_text``."""
    if job.state == "waiting":
        wait_s = queue.estimated_wait_s(job)
        text = t("Queued: {count} ahead of you", count=queue.num_jobs_ahead(job))
        return f"{text} · {t('about {time}', time=format_duration(wait_s))}" if wait_s else text
    if job.download is not None:
        name, done, total = job.download
        size = f"{done / 1e6:,.1f}" if total is None else f"{done / 1e6:,.1f} / {total / 1e6:,.1f}"
        return t("Downloading {file}: {size} MB", file=escape_markdown(name), size=size)
    return step_text if job.total_steps else t("Loading model…")
