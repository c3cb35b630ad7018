"""A job queue outside the browser sessions: the newest request of an owner wins, each can be watched and cancelled.

An owner is a browser session. Work runs in worker threads; it reports its steps and looks at its cancel token itself.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from engine.errors import Cancelled
from kronos_dashboard.errors import QueueFull

__all__ = ["Job", "JobQueue", "State", "Work"]

Result = TypeVar("Result")
Work = Callable[["Job"], Result]
"""Calls ``job.step(done, total)`` as it goes, and stops with ``Cancelled`` once ``job.cancel_token`` is set."""
State = Literal["waiting", "running", "done", "cancelled", "failed"]

_REMEMBERED = 20
_KEPT_S = 600.0
"""Seconds that a finished job is kept for an owner who does not ask for it."""


@dataclass(eq=False)
class Job:
    """One request, from submission to its result. Written by its worker, read by anybody."""

    number: int
    owner: str
    done_steps: int = 0
    total_steps: int = 0
    cancel_token: threading.Event = field(default_factory=threading.Event)
    last_seen: float = 0.0
    ended_at: float = 0.0
    partial: object | None = None
    """What there is of the result so far. Replaced as a whole, never changed: whoever has read it may keep it."""
    arriving: tuple[str, int, int | None] | None = None
    """The file that is being downloaded: its name, bytes so far, bytes in all (None: not known)."""
    future: Future[object] = field(default_factory=Future)

    def step(self, done: int, total: int) -> None:
        """Note the progress."""
        self.done_steps, self.total_steps = done, total

    @property
    def state(self) -> State:
        """Where the job stands."""
        if self.future.cancelled():
            return "cancelled"
        if not self.future.done():
            return "running" if self.future.running() else "waiting"
        error = self.future.exception()
        if error is None:
            return "done"
        return "cancelled" if isinstance(error, Cancelled) else "failed"

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.future.done()

    @property
    def error(self) -> BaseException | None:
        """What went wrong, when ``state`` is ``failed``."""
        return self.future.exception() if self.state == "failed" else None

    @property
    def fraction(self) -> float:
        """Share of the steps that are done, 0..1."""
        return self.done_steps / self.total_steps if self.total_steps else 0.0


class JobQueue:
    """First come, first served, over a few worker threads; one job per owner.

    Args:
        workers: jobs at the same time.
        max_waiting: jobs that may wait.
        orphan_after_s: seconds without ``get`` after which an unfinished job is cancelled.
        clock: seconds; an argument so that tests need not wait.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        max_waiting: int = 64,
        orphan_after_s: float = 90.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="forecast")
        self._workers = workers
        self._max_waiting = max_waiting
        self._orphan_after_s = orphan_after_s
        self._clock = clock
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}  # newest of each owner, in order of submission
        self._durations: deque[float] = deque(maxlen=_REMEMBERED)

    def submit(self, owner: str, work: Work[object]) -> Job:
        """Queue ``work``; an earlier unfinished job of the owner is cancelled.

        Raises:
            QueueFull: too many are waiting already.
        """
        with self._lock:
            self._drop(owner)
            self._sweep()
            if sum(job.state == "waiting" for job in self._jobs.values()) >= self._max_waiting:
                raise QueueFull("too many forecasts are waiting already.", "Try again in a minute.")
            job = Job(next(self._numbers), owner, last_seen=self._clock())
            self._jobs[owner] = job
            job.future = self._pool.submit(self._work, job, work)
            return job

    def get(self, owner: str) -> Job | None:
        """The owner's newest job; asking is the sign of life that keeps it from being cancelled."""
        with self._lock:
            job = self._jobs.get(owner)
            if job is not None:
                job.last_seen = self._clock()
            self._sweep()
            return job

    def cancel(self, owner: str) -> None:
        """Stop and forget the owner's job, if there is one."""
        with self._lock:
            self._drop(owner)

    def ahead(self, job: Job) -> int:
        """How many unfinished jobs were there before this one."""
        with self._lock:
            return sum(other.number < job.number and not other.finished for other in self._jobs.values())

    def expected_wait_s(self, job: Job) -> float | None:
        """Seconds until the job starts, from the last durations; None before the first job has ended."""
        if not self._durations:
            return None
        return self.ahead(job) / self._workers * sum(self._durations) / len(self._durations)

    def close(self) -> None:
        """Cancel everything and let the workers end."""
        with self._lock:
            for owner in list(self._jobs):
                self._drop(owner)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, job: Job, work: Work[object]) -> object:
        began = self._clock()
        try:
            if job.cancel_token.is_set():
                raise Cancelled("cancelled before it began.")
            result = work(job)
            self._durations.append(self._clock() - began)
            return result
        finally:
            job.ended_at = self._clock()
            job.partial = None

    def _drop(self, owner: str) -> None:
        job = self._jobs.pop(owner, None)
        if job is not None and not job.finished:
            job.cancel_token.set()
            job.future.cancel()

    def _sweep(self) -> None:
        """Cancel what nobody watches any more, forget what was never fetched."""
        now = self._clock()
        for owner, job in list(self._jobs.items()):
            if job.finished:
                forgotten = now - max(job.last_seen, job.ended_at) > _KEPT_S
            else:
                forgotten = now - job.last_seen > self._orphan_after_s
            if forgotten:
                self._drop(owner)
