"""A job queue outside the browser sessions: the newest job of an owner and kind wins; jobs can be watched and canceled.

An owner is a browser session, a kind is what a page runs one of at a time ("forecast", "sensitivity", ...). The work of
a job is a ``Task``: a picklable value, so that other processes can run it as well as the worker threads here.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from engine.callbacks import CancelToken
from engine.errors import CancelledError
from kronos_dashboard.errors import QueueFullError
from kronos_dashboard.messages import msg

if TYPE_CHECKING:
    from engine import KronosPredictor
    from kronos_dashboard.models.cache import ModelCache
    from kronos_dashboard.models.catalog import ModelKey

__all__ = ["FunctionTask", "Job", "JobQueue", "State", "Task", "TaskContext"]

Output = TypeVar("Output")
OutputCo = TypeVar("OutputCo", covariant=True)
State = Literal["waiting", "running", "done", "cancelled", "failed"]

_MAX_DURATIONS = 20
"""Newest jobs whose durations estimate the waiting time: few, so that it follows the load."""
_RESULT_LIFETIME_S = 600.0
"""Seconds for which a finished job is stored for an owner who does not collect it."""


@dataclass(eq=False)
class Job:
    """One request, from submission to its result. Written by its worker, read by any thread."""

    number: int
    owner: str
    kind: str
    done_steps: int = 0
    total_steps: int = 0
    cancel_token: threading.Event = field(default_factory=threading.Event)
    last_seen: float = 0.0
    """Time of submission or of the last ``get``, by the queue's clock."""
    ended_at: float = 0.0
    preview: object | None = None
    """The result so far; None once the job is done. Replaced as a whole and never changed: readers may store it."""
    download: tuple[str, int, int | None] | None = None
    """The file that is being downloaded: its name, bytes so far, bytes in total (None: unknown)."""
    future: Future[object] = field(default_factory=Future)

    @property
    def state(self) -> State:
        """Stage of the job."""
        if self.future.cancelled():
            return "cancelled"
        if not self.future.done():
            return "running" if self.future.running() else "waiting"
        error = self.future.exception()
        if error is None:
            return "done"
        return "cancelled" if isinstance(error, CancelledError) else "failed"

    @property
    def is_finished(self) -> bool:
        """Whether the state is final."""
        return self.future.done()

    @property
    def error(self) -> BaseException | None:
        """The error of the task, if ``state`` is ``failed``."""
        return self.future.exception() if self.state == "failed" else None

    @property
    def fraction(self) -> float:
        """Fraction of the steps that are done, 0..1."""
        return self.done_steps / self.total_steps if self.total_steps else 0.0


@dataclass(frozen=True)
class TaskContext:
    """What a running task may use: the models of its process, and the channels to the reader of its job."""

    job: Job
    models: ModelCache | None = None

    @property
    def cancel_token(self) -> CancelToken:
        """Set once the task must stop by raising ``CancelledError``."""
        return self.job.cancel_token

    def report_progress(self, done: int, total: int) -> None:
        """Report the steps that are done, and their total."""
        self.job.done_steps, self.job.total_steps = done, total

    def show_preview(self, preview: object) -> None:
        """Publish the result so far; it must not be changed afterwards."""
        self.job.preview = preview

    def raise_if_cancelled(self) -> None:
        """Stop before the first step.

        Raises:
            CancelledError: the job was canceled.
        """
        if self.job.cancel_token.is_set():
            raise CancelledError(msg("canceled before the first step."))

    def load_model(self, key: ModelKey) -> KronosPredictor:
        """A model of this process, loaded on first use, with its download reported.

        Raises:
            CheckpointError, SettingsError: as ``ModelCache.get``.
            CancelledError: the job was canceled meanwhile.
        """
        if self.models is None:
            raise RuntimeError("this queue was made without models")
        predictor = self.models.get(key.name, key.device, key.dtype, progress=self._report_download)
        self.job.download = None
        self.raise_if_cancelled()
        return predictor

    def _report_download(self, name: str, done: int, total: int | None) -> None:
        self.job.download = (name, done, total)
        self.raise_if_cancelled()


class Task(Protocol[OutputCo]):
    """The work of a job: a picklable value (a frozen dataclass of plain data, not a closure)."""

    def run(self, context: TaskContext) -> OutputCo:
        """Compute the result; stop with ``CancelledError`` once ``context.cancel_token`` is set."""
        ...


@dataclass(frozen=True)
class FunctionTask(Generic[Output]):
    """A function without arguments as a task, for work that only threads run (a request to a network, for example)."""

    function: Callable[[], Output]
    """Picklable if it is a function of a module."""

    def run(self, context: TaskContext) -> Output:
        """Call the function; it reports no progress and cannot be stopped."""
        del context
        return self.function()


class JobQueue:
    """First come, first served, over a few worker threads; one job per owner and kind.

    Args:
        models: the models that tasks load from; None if no task needs one.
        max_concurrent_jobs: worker threads.
        max_queued_jobs: jobs that may wait.
        abandon_after_s: seconds without ``get`` after which an unfinished job is canceled.
        clock: seconds; an argument so that tests need not wait.
    """

    def __init__(
        self,
        *,
        models: ModelCache | None = None,
        max_concurrent_jobs: int = 1,
        max_queued_jobs: int = 64,
        abandon_after_s: float = 90.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._pool = ThreadPoolExecutor(max_workers=max_concurrent_jobs, thread_name_prefix="job")
        self._max_concurrent_jobs = max_concurrent_jobs
        self._max_queued_jobs = max_queued_jobs
        self._abandon_after_s = abandon_after_s
        self._clock = clock
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._jobs: dict[tuple[str, str], Job] = {}  # (owner, kind) -> newest job, in order of submission
        self._durations: deque[float] = deque(maxlen=_MAX_DURATIONS)

    def submit(self, owner: str, kind: str, task: Task[object]) -> Job:
        """Queue ``task``; an earlier unfinished job of the same owner and kind is canceled.

        Raises:
            QueueFullError: too many jobs are waiting already.
        """
        with self._lock:
            self._drop((owner, kind))
            self._sweep()
            if sum(job.state == "waiting" for job in self._jobs.values()) >= self._max_queued_jobs:
                raise QueueFullError(msg("the queue is full."), msg("Try again in a minute."))
            job = Job(next(self._numbers), owner, kind, last_seen=self._clock())
            self._jobs[owner, kind] = job
            job.future = self._pool.submit(self._run, job, task)
            return job

    def get(self, owner: str, kind: str) -> Job | None:
        """The owner's newest job of a kind; each call keeps the job from being abandoned."""
        with self._lock:
            job = self._jobs.get((owner, kind))
            if job is not None:
                job.last_seen = self._clock()
            self._sweep()
            return job

    def cancel(self, owner: str, kind: str) -> None:
        """Stop and forget the owner's job of a kind, if there is one."""
        with self._lock:
            self._drop((owner, kind))

    def num_jobs_ahead(self, job: Job) -> int:
        """Number of unfinished jobs that were submitted before this one."""
        with self._lock:
            return sum(other.number < job.number and not other.is_finished for other in self._jobs.values())

    def estimated_wait_s(self, job: Job) -> float | None:
        """Estimated seconds until the job starts, from recent durations; None before the first job has ended."""
        if not self._durations:
            return None
        return self.num_jobs_ahead(job) / self._max_concurrent_jobs * sum(self._durations) / len(self._durations)

    def close(self) -> None:
        """Cancel all jobs and let the workers end."""
        with self._lock:
            for key in list(self._jobs):
                self._drop(key)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, job: Job, task: Task[object]) -> object:
        """What a worker does for one job."""
        started_at = self._clock()
        try:
            if job.cancel_token.is_set():
                raise CancelledError(msg("canceled before it started."))
            result = task.run(TaskContext(job, self._models))
            self._durations.append(self._clock() - started_at)
            job.preview = None
            return result
        finally:
            job.ended_at = self._clock()

    def _drop(self, key: tuple[str, str]) -> None:
        job = self._jobs.pop(key, None)
        if job is not None and not job.is_finished:
            job.cancel_token.set()
            job.future.cancel()

    def _sweep(self) -> None:
        """Cancel abandoned jobs, and forget results that were never collected."""
        now = self._clock()
        for key, job in list(self._jobs.items()):
            if job.is_finished:
                expired = now - max(job.last_seen, job.ended_at) > _RESULT_LIFETIME_S
            else:
                expired = now - job.last_seen > self._abandon_after_s
            if expired:
                self._drop(key)
