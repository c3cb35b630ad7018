"""Asking for a forecast and keeping what came. The model runs in the job queue, never in a page."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from engine.errors import Cancelled
from engine.forecast import Forecast
from kronos_dashboard.analytics import RecentSurprise, recent_surprise
from kronos_dashboard.compute.queue import Job
from kronos_dashboard.compute.runtime_model import Timings
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.forecasting.baselines import random_walk, volatility_cone
from kronos_dashboard.forecasting.run import RunRecord, model_frame, run
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.models.cache import DownloadProgress, ModelShelf
from kronos_dashboard.ui.forecast.controls import Setup
from kronos_dashboard.ui.forecast.runtime import timing_of, timings
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.resources import job_queue, session_id, settings, shelf

if TYPE_CHECKING:
    from engine import KronosPredictor

__all__ = [
    "Asked",
    "Result",
    "asked",
    "cancel",
    "fetch",
    "keep_result",
    "kept_result",
    "kept_results",
    "request_on_arrival",
    "run_error",
    "same_settings",
    "stopped",
    "submit",
]

MOST_KEPT = 8
MOST_BYTES = 64 * 1024 * 1024
"""Results kept per session: so many, and so many bytes of paths; the oldest goes first, the newest stays."""
_JUDGED = 100
"""Most candles at the end of the context whose surprise is worked out."""
_CONE_PATHS = 600


@dataclass(frozen=True, eq=False)
class Result:
    """A finished forecast, and all that is shown beside it."""

    window: Window
    forecast: Forecast
    record: RunRecord
    baseline: Forecast
    """A random walk made of the context's own returns."""
    cone: Forecast | None = None
    """A random walk of the context's volatility: the textbook's cone."""
    surprise: RecentSurprise | None = None
    """What the model thought of the last candles of the context; None where that is not known."""
    setup: Setup | None = None
    """What was asked for."""

    @property
    def key(self) -> str:
        """Names this result among all others."""
        return self.record.run_id

    @property
    def size(self) -> int:
        """Bytes of all paths."""
        return sum(forecast.paths.nbytes for forecast in (self.forecast, self.baseline, self.cone) if forecast)


@dataclass(frozen=True, eq=False)
class Asked:
    """A forecast that was asked for and has not been fetched."""

    job: Job
    window: Window
    setup: Setup


def request_on_arrival() -> None:
    """Have the forecast page run once by itself when it is opened next."""
    st.session_state["run_on_arrival"] = True


def asked() -> Asked | None:
    """The forecast that is under way for this session. Asking is the sign of life that keeps it going."""
    found: Asked | None = st.session_state.get("job")
    if found is not None:
        job_queue().get(found.job.owner)
    return found


def run_error() -> BaseException | None:
    """What went wrong with the last forecast that was asked for."""
    found: BaseException | None = st.session_state.get("run_error")
    return found


def kept_results() -> list[Result]:
    """The results of this session, newest first."""
    return list(reversed(_results().values()))


def kept_result(window: Window) -> Result | None:
    """The newest result of this session for this very window."""
    return next((result for result in kept_results() if result.window.key == window.key), None)


def same_settings(result: Result, setup: Setup) -> bool:
    """Whether a result is what the controls would make now."""
    made = result.setup
    return made is not None and (made.sampling, made.engine) == (setup.sampling, setup.engine)


def submit(window: Window, setup: Setup) -> None:
    """Ask for a forecast; an unfinished one of this session is cancelled."""
    st.session_state.pop("run_error", None)
    models, learned = shelf(), timings()
    try:
        job = job_queue().submit(session_id(), lambda job: _work(job, window, setup, models, learned))
    except DashboardError as error:
        st.session_state["run_error"] = error
        return
    st.session_state["job"] = Asked(job, window, setup)


def cancel() -> None:
    """Stop what is under way."""
    found: Asked | None = st.session_state.pop("job", None)
    if found is not None:
        job_queue().cancel(found.job.owner)


def fetch() -> None:
    """Move a finished job's result, or its error, into the session."""
    found = asked()
    if found is None or not found.job.finished:
        return
    del st.session_state["job"]
    if found.job.state == "failed":
        st.session_state["run_error"] = found.job.error
    elif found.job.state == "cancelled":  # a reader who cancels takes the job away; it was somebody else
        st.session_state["run_error"] = stopped(t("the forecast"))
    elif found.job.state == "done":
        result = found.job.future.result()
        assert isinstance(result, Result)
        keep_result(result)


def stopped(what: str) -> DashboardError:
    """What is said of work that has ended before it was done though nobody has cancelled it."""
    return DashboardError(
        t(
            "{what} was stopped before it was done: nobody looked at it for {seconds} s, or another tab began one.",
            what=what,
            seconds=f"{settings().orphan_after_s:g}",
        ),
        t("Run it again, and leave the page open."),
    )


def keep_result(result: Result) -> None:
    """Have a forecast among the results of this session; the oldest go where there are too many."""
    results = _results()
    results[result.key] = result
    while len(results) > 1 and (len(results) > MOST_KEPT or sum(kept.size for kept in results.values()) > MOST_BYTES):
        results.popitem(last=False)


def _results() -> OrderedDict[str, Result]:
    results: OrderedDict[str, Result] = st.session_state.setdefault("results", OrderedDict())
    return results


def _work(job: Job, window: Window, setup: Setup, models: ModelShelf, learned: Timings) -> Result:
    """What the worker thread does; it must not touch Streamlit."""
    predictor = models.get(setup.model.name, setup.device, setup.dtype, progress=_downloads(job))
    job.arriving = None
    _stop_if_asked(job)

    def show(_: int, paths: np.ndarray) -> None:
        job.partial = paths

    [(forecast, record)] = run(
        [window], setup.sampling, predictor, job.step, job.cancel_token, partial=show, model_name=setup.model.name
    )
    learned.add(timing_of(setup, record.seconds))
    return Result(
        window,
        forecast,
        record,
        random_walk(window, seed=setup.sampling.seed),
        volatility_cone(window, num_paths=_CONE_PATHS, seed=setup.sampling.seed),
        _surprise(predictor, window),
        setup,
    )


def _surprise(predictor: KronosPredictor, window: Window) -> RecentSurprise | None:
    """The last candles as the model saw them coming; milliseconds, next to a forecast."""
    seen = min(window.context_length, predictor.max_context)
    last = min(_JUDGED, seen // 2)
    return recent_surprise(predictor, model_frame(window.context), last=last) if last else None


def _downloads(job: Job) -> DownloadProgress:
    def tell(name: str, done: int, total: int | None) -> None:
        job.arriving = (name, done, total)
        _stop_if_asked(job)

    return tell


def _stop_if_asked(job: Job) -> None:
    if job.cancel_token.is_set():
        raise Cancelled("cancelled before the first step.")
