import threading
import time
from collections.abc import Callable, Iterator

import pytest

from engine import CancelledError
from kronos_dashboard.compute.queue import FunctionTask, JobQueue, TaskContext
from kronos_dashboard.errors import QueueFullError, WindowError

KIND = "forecast"


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    made = JobQueue(max_concurrent_jobs=1, max_queued_jobs=2)
    yield made
    made.close()


class Work:
    """A task that runs step by step until it is released or canceled."""

    def __init__(self) -> None:
        self.started, self.go = threading.Event(), threading.Event()

    def run(self, context: TaskContext) -> str:
        self.started.set()
        for step in range(10_000):
            context.report_progress(step, 10_000)
            if context.cancel_token.is_set():
                raise CancelledError("stopped.")
            if self.go.wait(0.001):
                return f"result of {context.job.owner}"
        raise AssertionError("nobody let it go")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def test_a_job_reports_its_steps_and_returns_its_result(queue: JobQueue) -> None:
    work = Work()
    job = queue.submit("me", KIND, work)
    until(lambda: job.done_steps > 3)
    assert (job.state, job.total_steps) == ("running", 10_000)
    assert 0 < job.fraction < 1
    work.go.set()
    until(lambda: job.is_finished)
    assert (job.state, job.future.result(), queue.get("me", KIND)) == ("done", "result of me", job)


def test_the_newest_job_of_an_owner_and_kind_wins(queue: JobQueue) -> None:
    first, second = Work(), Work()
    old = queue.submit("me", KIND, first)
    assert first.started.wait(5)
    new = queue.submit("me", KIND, second)
    until(lambda: old.is_finished)
    assert old.state == "cancelled"
    assert second.started.wait(5)
    second.go.set()
    until(lambda: new.state == "done")
    assert queue.get("me", KIND) is new


def test_jobs_run_in_order_and_know_how_many_are_ahead(queue: JobQueue) -> None:
    works = [Work(), Work()]
    running = queue.submit("a", KIND, works[0])
    assert works[0].started.wait(5)
    waiting = queue.submit("b", KIND, works[1])
    assert (waiting.state, queue.num_jobs_ahead(waiting), queue.num_jobs_ahead(running)) == ("waiting", 1, 0)
    assert queue.estimated_wait_s(waiting) is None
    works[0].go.set()
    assert works[1].started.wait(5)
    assert queue.num_jobs_ahead(waiting) == 0
    assert queue.estimated_wait_s(waiting) == 0.0
    works[1].go.set()
    until(lambda: waiting.is_finished)
    assert waiting.future.result() == "result of b", "no owner sees another's result"


def test_a_waiting_job_that_is_canceled_never_runs(queue: JobQueue) -> None:
    first, second = Work(), Work()
    queue.submit("a", KIND, first)
    job = queue.submit("b", KIND, second)
    queue.cancel("b", KIND)
    assert (job.state, queue.get("b", KIND)) == ("cancelled", None)
    first.go.set()
    time.sleep(0.05)
    assert not second.started.is_set()


def test_a_running_job_that_is_canceled_stops_at_its_next_step(queue: JobQueue) -> None:
    work = Work()
    job = queue.submit("a", KIND, work)
    assert work.started.wait(5)
    queue.cancel("a", KIND)
    until(lambda: job.is_finished)
    assert (job.state, job.error) == ("cancelled", None)


def test_the_queue_is_bounded(queue: JobQueue) -> None:
    work = Work()
    queue.submit("runs", KIND, work)
    assert work.started.wait(5)
    queue.submit("waits 1", KIND, Work())
    queue.submit("waits 2", KIND, Work())
    with pytest.raises(QueueFullError, match="queue is full"):
        queue.submit("one too many", KIND, Work())


def test_a_failed_job_reports_its_error_and_the_worker_continues(queue: JobQueue) -> None:
    def fail() -> object:
        raise WindowError("no.")

    job = queue.submit("a", KIND, FunctionTask(fail))
    until(lambda: job.is_finished)
    assert job.state == "failed"
    assert isinstance(job.error, WindowError)
    work = Work()
    work.go.set()
    after = queue.submit("a", KIND, work)
    until(lambda: after.state == "done")


def test_an_abandoned_job_is_canceled() -> None:
    now = [0.0]
    queue = JobQueue(abandon_after_s=10, clock=lambda: now[0])
    left, watched = Work(), Work()
    orphan = queue.submit("left", KIND, left)
    assert left.started.wait(5)
    queue.submit("stays", KIND, watched)
    now[0] = 9.0
    assert queue.get("stays", KIND) is not None
    now[0] = 11.0
    queue.get("stays", KIND)
    until(lambda: orphan.is_finished)
    assert orphan.state == "cancelled"
    assert watched.started.wait(5)
    queue.close()


def test_the_preview_is_available_until_the_job_is_done(queue: JobQueue) -> None:
    go = threading.Event()

    class Growing:
        def run(self, context: TaskContext) -> str:
            for text in ("a", "ab"):
                context.show_preview(text)
            assert go.wait(10)
            return "abc"

    job = queue.submit("me", KIND, Growing())
    until(lambda: job.preview == "ab")
    go.set()
    until(lambda: job.state == "done")
    assert job.preview is None
    assert job.future.result() == "abc"


def test_an_owner_has_one_job_of_each_kind() -> None:
    queue = JobQueue(max_concurrent_jobs=2)
    tasks = {"forecast": Work(), "sensitivity": Work()}
    jobs = {kind: queue.submit("me", kind, task) for kind, task in tasks.items()}
    assert all(task.started.wait(5) for task in tasks.values()), "no job replaces one of another kind"
    queue.cancel("me", "sensitivity")
    until(lambda: jobs["sensitivity"].is_finished)
    tasks["forecast"].go.set()
    until(lambda: jobs["forecast"].state == "done")
    assert (queue.get("me", "sensitivity"), queue.get("me", "forecast")) == (None, jobs["forecast"])
    queue.close()


def test_the_preview_of_a_failed_job_remains(queue: JobQueue) -> None:
    class Failing:
        def run(self, context: TaskContext) -> object:
            context.show_preview("half")
            raise WindowError("no.")

    job = queue.submit("me", KIND, Failing())
    until(lambda: job.is_finished)
    assert (job.state, job.preview) == ("failed", "half")
