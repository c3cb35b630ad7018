"""Runs of the session: submit a forecast to the job queue, collect its result, keep the newest results.

The model runs in a worker thread, never in a page.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from engine.forecast import Forecast
from kronos_dashboard.analytics import RecentSurprisal
from kronos_dashboard.compute.queue import Job
from kronos_dashboard.compute.tasks import ForecastOutcome, ForecastTask
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui import state
from kronos_dashboard.ui.eviction import evict_oldest
from kronos_dashboard.ui.forecast.controls import ForecastSettings
from kronos_dashboard.ui.forecast.runtime import run_timing, runtime_model
from kronos_dashboard.ui.i18n import t
from kronos_dashboard.ui.resources import job_queue, session_id
from kronos_dashboard.ui.resources import settings as app_settings

__all__ = [
    "ForecastResult",
    "PendingRun",
    "add_result",
    "cancel",
    "collect_result",
    "find_result",
    "interrupted_error",
    "is_current",
    "pending_run",
    "session_results",
    "submit",
]

MAX_RESULTS = 8
MAX_BYTES = 64 * 1024 * 1024
"""Results kept per session: so many, and so many bytes of paths. The oldest goes first, the newest always stays."""
_KIND = "forecast"
"""Of these jobs in the queue; the newest of a session wins."""


@dataclass(frozen=True, eq=False)
class ForecastResult:
    """A finished forecast, and everything that is shown beside it."""

    window: Window
    forecast: Forecast
    record: RunRecord
    baseline: Forecast
    """Random walk resampled from the context's own returns."""
    cone: Forecast | None = None
    """Random walk with the context's volatility."""
    surprisal: RecentSurprisal | None = None
    """Surprisal of the last context candles; None if it was not computed."""
    settings: ForecastSettings | None = None
    """The settings it was requested with; None for a forecast from a file."""

    @property
    def key(self) -> str:
        """Identifies this result among all others."""
        return self.record.run_id

    @property
    def size(self) -> int:
        """Bytes of all paths."""
        return sum(forecast.paths.nbytes for forecast in (self.forecast, self.baseline, self.cone) if forecast)


@dataclass(frozen=True, eq=False)
class PendingRun:
    """A forecast that was submitted and not yet collected."""

    job: Job
    window: Window
    settings: ForecastSettings


def pending_run() -> PendingRun | None:
    """Return this session's pending run; the queue abandons a job that nobody looks up for a while."""
    pending: PendingRun | None = state.PENDING_RUN.get()
    if pending is not None:
        job_queue().get(pending.job.owner, _KIND)
    return pending


def session_results() -> list[ForecastResult]:
    """Return the results of this session, newest first."""
    return list(reversed(_results().values()))


def find_result(window: Window) -> ForecastResult | None:
    """Return the newest result of this session for exactly this window."""
    return next((result for result in session_results() if result.window.identity == window.identity), None)


def is_current(result: ForecastResult, settings: ForecastSettings) -> bool:
    """Return whether a result was made with the sampling and the model that are set now."""
    used = result.settings
    return used is not None and (used.sampling, used.model_key) == (settings.sampling, settings.model_key)


def submit(window: Window, settings: ForecastSettings) -> None:
    """Submit a forecast; an unfinished one of this session is cancelled by the queue."""
    state.RUN_ERROR.clear()
    task = ForecastTask(window=window, sampling=settings.sampling, model_key=settings.model_key)
    try:
        job = job_queue().submit(session_id(), _KIND, task)
    except DashboardError as error:
        state.RUN_ERROR.set(error)
        return
    state.PENDING_RUN.set(PendingRun(job, window, settings))


def cancel() -> None:
    """Cancel the pending run."""
    pending: PendingRun | None = state.PENDING_RUN.pop()
    if pending is not None:
        job_queue().cancel(pending.job.owner, _KIND)


def collect_result() -> None:
    """Move the result of a finished job, or its error, into the session."""
    pending = pending_run()
    if pending is None or not pending.job.is_finished:
        return
    state.PENDING_RUN.clear()
    if pending.job.state == "failed":
        state.RUN_ERROR.set(pending.job.error)
    elif pending.job.state == "cancelled":  # not by this session: its own cancel removes the pending run
        state.RUN_ERROR.set(interrupted_error(t("the forecast")))
    elif pending.job.state == "done":
        outcome = pending.job.future.result()
        assert isinstance(outcome, ForecastOutcome)
        runtime_model().add(run_timing(pending.settings, outcome.record.seconds))
        add_result(
            ForecastResult(
                pending.window,
                outcome.forecast,
                outcome.record,
                outcome.baseline,
                outcome.cone,
                outcome.surprisal,
                pending.settings,
            )
        )


def interrupted_error(what: str) -> DashboardError:
    """Return the error of a job that ended early although this session did not cancel it."""
    return DashboardError(
        t(
            "{what} was cancelled: the page was inactive for {seconds} s, or another tab started a run.",
            what=what,
            seconds=f"{app_settings().abandon_after_s:g}",
        ),
        t("Run it again and keep the page open."),
    )


def add_result(result: ForecastResult) -> None:
    """Add a result to the session; the oldest ones are dropped above the limits."""
    results = _results()
    results[result.key] = result
    evict_oldest(results, max_entries=MAX_RESULTS, max_bytes=MAX_BYTES, num_bytes=lambda other: other.size)


def _results() -> OrderedDict[str, ForecastResult]:
    return state.RESULTS.ensure()
