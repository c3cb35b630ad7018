"""The status of a background job: its stage in words, its progress, and the button that cancels it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from kronos_dashboard.compute.queue import Job, JobQueue
from kronos_dashboard.ui.widgets.job_status import job_text


def test_the_stages_of_a_job_in_words() -> None:
    queue = JobQueue()
    job = Job(1, "owner", "kind")
    assert job_text(job, queue, "step") == "Queued: 0 ahead of you"
    job.future.set_running_or_notify_cancel()
    assert job_text(job, queue, "step") == "Loading model…"
    job.download = ("model*", 1_500_000, 3_000_000)
    assert job_text(job, queue, "step") == "Downloading model\\*: 1.5 / 3.0 MB"
    job.download = ("model", 1_500_000, None)
    assert job_text(job, queue, "step") == "Downloading model: 1.5 MB"
    job.download, job.total_steps = None, 10
    assert job_text(job, queue, "step") == "step"
    queue.close()


@pytest.mark.parametrize("fraction", [None, 0.75])
def test_progress_is_drawn_and_the_button_cancels(fraction: float | None) -> None:
    def page() -> None:
        import streamlit as st

        from kronos_dashboard.compute.queue import Job, JobQueue
        from kronos_dashboard.ui.widgets.job_status import show_job

        if "is_cancelled" in st.session_state:
            st.text("cancelled")
            return
        job = Job(1, "owner", "kind", done_steps=1, total_steps=4)
        fraction = st.session_state["fraction"]
        show_job(job, JobQueue(), "busy", cancel=lambda: st.session_state.update(is_cancelled=1), fraction=fraction)

    app = AppTest.from_function(page)
    app.session_state["fraction"] = fraction
    app.run()
    [bar] = app.get("progress")
    assert (bar.proto.text, bar.proto.value) == ("busy", 25 if fraction is None else 75)
    app.button(key="cancel").click()
    assert app.run().text[0].value == "cancelled"


def test_a_job_that_has_ended_runs_the_page_again() -> None:
    def page() -> None:
        import streamlit as st

        from kronos_dashboard.compute.queue import Job, JobQueue
        from kronos_dashboard.ui.widgets.job_status import show_job

        if st.session_state.setdefault("runs", 0) == 0:
            st.session_state["runs"] = 1
            job = Job(1, "owner", "kind")
            job.future.set_result(None)
            show_job(job, JobQueue(), "busy", cancel=lambda: None)
        st.text("after")

    app = AppTest.from_function(page).run()
    assert not app.get("progress")
    assert app.text[0].value == "after"
