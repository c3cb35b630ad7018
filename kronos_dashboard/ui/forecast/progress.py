"""The line above the chart: run, how long it will take, how far it is, cancel; and the fan that grows meanwhile."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import replace

import streamlit as st

from engine.forecast import Forecast
from kronos_dashboard.charts import fan_patch
from kronos_dashboard.compute.queue import Job
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui.forecast.appearance import look
from kronos_dashboard.ui.forecast.controls import Setup
from kronos_dashboard.ui.forecast.runs import Asked, asked, cancel, kept_result, run_error, same_settings, submit
from kronos_dashboard.ui.forecast.runtime import duration, estimate_text
from kronos_dashboard.ui.forecast.sampling import drawn_as
from kronos_dashboard.ui.i18n import said, t
from kronos_dashboard.ui.layout import escape, show_error
from kronos_dashboard.ui.resources import job_queue
from kronos_dashboard.ui.session_store import keep_desk
from kronos_dashboard.ui.widgets.chart import grow_chart
from kronos_dashboard.ui.widgets.icon_button import icon_button

__all__ = ["CHART", "auto_toggle", "base_of", "run_button", "watch"]

CHART = "chart"
"""The key of the chart on the page."""
_POLL_S = 0.25
_MOST_GROWING = 20
"""Sample paths drawn of a fan that still grows: it is sent again at every look."""
_REST_S = 0.6
"""How long the window must lie still before *Auto* runs the model."""


def base_of(window: Window) -> str:
    """What the chart of a window is of, for patches that are laid over it."""
    return "|".join(map(str, window.key))


def run_button(window: Window, setup: Setup) -> None:
    """The button that runs one forecast; also obeys who sent the reader here to have one."""
    label = t("Run again") if kept_result(window) else t("Run forecast")
    clicked = st.button(label, key="run", type="primary", icon=":material/play_arrow:")
    arrived = st.session_state.pop("run_on_arrival", False)  # a newer run may end this one above
    if clicked or arrived:
        submit(window, setup)


def auto_toggle() -> None:
    """Whether the model runs by itself once the window has come to rest."""
    st.toggle(
        t("Auto"),
        key="auto",
        persist_state="session",
        help=t("Run the model by itself once the window and the settings have come to rest."),
    )


def watch(window: Window, setup: Setup) -> None:
    """Progress and cancel while a forecast is under way, else one line on what is shown; looks again by itself."""
    _note_rest(window, setup)
    busy = asked() is not None or _is_due(window, setup)
    error = run_error()
    if error is not None and not busy:
        show_error(error)
    if busy:
        st.fragment(_look_again, run_every=_POLL_S, key="watch")(window, setup)
    else:
        st.caption(_idle_text(window, setup))


def _look_again(window: Window, setup: Setup) -> None:
    """One look.

    It must not be a fragment of a page at rest: a look that comes late would begin a run there, and where the run
    before has ended but was not sent yet, Streamlit drops what it still has to send, the result with it.
    """
    if _is_due(window, setup) and time.monotonic() - st.session_state["rest"][1] >= _REST_S:
        st.session_state["auto_tried"] = _identity(window, setup)
        submit(window, setup)
        if asked() is None:  # the queue is full, which is told beside the button
            st.rerun()
        keep_desk()
    found = asked()
    if found is None:
        st.caption(_idle_text(window, setup))
        return
    if found.job.finished:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="progress"):
        st.progress(found.job.fraction, text=_progress_text(found.job))
        if icon_button(t("Cancel"), ":material/close:", key="cancel"):
            cancel()
            st.rerun()
    _grow(found)


def _grow(found: Asked) -> None:
    """Lay what is decoded so far over the chart of its window."""
    paths = found.job.partial
    if paths is None:
        return
    so_far = Forecast(paths=paths, index=found.window.future[: paths.shape[1]])  # type: ignore[arg-type, attr-defined]
    few = replace(look(), paths=min(look().paths, _MOST_GROWING))  # all of them come once, with the finished chart
    grow_chart(fan_patch(found.window, so_far, few), chart=CHART, base=base_of(found.window))


def _progress_text(job: Job) -> str:
    if job.state == "waiting":
        queue = job_queue()
        wait = queue.expected_wait_s(job)
        text = t("Waiting: {count} ahead of you", count=queue.ahead(job))
        return f"{text} · {t('about {time}', time=duration(wait))}" if wait else text
    if job.arriving is not None:
        name, done, total = job.arriving
        size = f"{done / 1e6:,.1f}" if total is None else f"{done / 1e6:,.1f} / {total / 1e6:,.1f}"
        return t("Downloading {file}: {size} MB", file=escape(name), size=size)
    if job.total_steps == 0:
        return t("Getting the model ready …")
    return t("Sampling step {done} of {total}", done=job.done_steps, total=job.total_steps)


def _idle_text(window: Window, setup: Setup) -> str:
    """What the forecast on the screen was made with, or what one would take."""
    result = kept_result(window)
    time_text = estimate_text(setup)
    if result is None:
        return t("No forecast of this window yet · {estimate}", estimate=time_text)
    made = result.record.sampling_config
    text = t(
        "{count} paths, temperature {temperature}, top-p {top_p}, seed {seed}, {begin} · {seconds} s · {model}",
        count=made.num_paths,
        temperature=f"{made.temperature:g}",
        top_p=f"{made.nucleus:g}",
        seed=made.seed,
        begin=drawn_as(made),
        seconds=f"{result.record.seconds:.1f}",
        model=escape(said(result.record.model_label)),
    )
    if same_settings(result, setup):
        return text
    return f"{text} · :orange[{t('changed since: run again')}] · {time_text}"


def _identity(window: Window, setup: Setup) -> Hashable:
    return (window.key, setup.engine, setup.sampling)


def _note_rest(window: Window, setup: Setup) -> None:
    """Since when window and settings have been as they are; what went wrong with others is no longer told."""
    identity = _identity(window, setup)
    before = st.session_state.get("rest", (None, 0.0))[0]
    if before != identity:
        st.session_state["rest"] = (identity, time.monotonic())
        if before is not None:
            st.session_state.pop("run_error", None)


def _is_due(window: Window, setup: Setup) -> bool:
    """Whether *Auto* has something to run here that it has not tried."""
    if not st.session_state.get("auto") or st.session_state.get("auto_tried") == _identity(window, setup):
        return False
    found, result = asked(), kept_result(window)
    under_way = found is not None and _identity(found.window, found.setup) == _identity(window, setup)
    return not under_way and (result is None or not same_settings(result, setup))
