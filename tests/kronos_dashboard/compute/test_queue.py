import threading
import time
from collections.abc import Callable, Iterator

import pytest

from engine import Cancelled
from kronos_dashboard.compute.queue import Job, JobQueue
from kronos_dashboard.errors import QueueFull, WindowError


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    made = JobQueue(workers=1, max_waiting=2)
    yield made
    made.close()


class Work:
    """Work that goes step by step until it is let go or told to stop."""

    def __init__(self) -> None:
        self.started, self.go = threading.Event(), threading.Event()

    def __call__(self, job: Job) -> str:
        self.started.set()
        for step in range(10_000):
            job.step(step, 10_000)
            if job.cancel_token.is_set():
                raise Cancelled("stopped.")
            if self.go.wait(0.001):
                return f"result of {job.owner}"
        raise AssertionError("nobody let it go")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def test_a_job_reports_its_steps_and_gives_its_result(queue: JobQueue) -> None:
    work = Work()
    job = queue.submit("me", work)
    until(lambda: job.done_steps > 3)
    assert (job.state, job.total_steps) == ("running", 10_000)
    assert 0 < job.fraction < 1
    work.go.set()
    until(lambda: job.finished)
    assert (job.state, job.future.result(), queue.get("me")) == ("done", "result of me", job)


def test_the_newest_request_of_an_owner_wins(queue: JobQueue) -> None:
    first, second = Work(), Work()
    old = queue.submit("me", first)
    assert first.started.wait(5)
    new = queue.submit("me", second)
    until(lambda: old.finished)
    assert old.state == "cancelled"
    assert second.started.wait(5)
    second.go.set()
    until(lambda: new.state == "done")
    assert queue.get("me") is new


def test_owners_wait_in_line_and_see_their_place(queue: JobQueue) -> None:
    works = [Work(), Work()]
    running = queue.submit("a", works[0])
    assert works[0].started.wait(5)
    waiting = queue.submit("b", works[1])
    assert (waiting.state, queue.ahead(waiting), queue.ahead(running)) == ("waiting", 1, 0)
    assert queue.expected_wait_s(waiting) is None
    works[0].go.set()
    assert works[1].started.wait(5)
    assert queue.ahead(waiting) == 0
    assert queue.expected_wait_s(waiting) == 0.0
    works[1].go.set()
    until(lambda: waiting.finished)
    assert waiting.future.result() == "result of b", "no owner sees another's result"


def test_a_waiting_job_that_is_cancelled_never_runs(queue: JobQueue) -> None:
    first, second = Work(), Work()
    queue.submit("a", first)
    job = queue.submit("b", second)
    queue.cancel("b")
    assert (job.state, queue.get("b")) == ("cancelled", None)
    first.go.set()
    time.sleep(0.05)
    assert not second.started.is_set()


def test_a_running_job_that_is_cancelled_stops_at_its_next_step(queue: JobQueue) -> None:
    work = Work()
    job = queue.submit("a", work)
    assert work.started.wait(5)
    queue.cancel("a")
    until(lambda: job.finished)
    assert (job.state, job.error) == ("cancelled", None)


def test_the_queue_is_bounded(queue: JobQueue) -> None:
    work = Work()
    queue.submit("runs", work)
    assert work.started.wait(5)
    queue.submit("waits 1", Work())
    queue.submit("waits 2", Work())
    with pytest.raises(QueueFull, match="too many"):
        queue.submit("one too many", Work())


def test_a_failure_is_kept_and_the_worker_goes_on(queue: JobQueue) -> None:
    def fail(job: Job) -> object:
        raise WindowError("no.")

    job = queue.submit("a", fail)
    until(lambda: job.finished)
    assert job.state == "failed"
    assert isinstance(job.error, WindowError)
    work = Work()
    work.go.set()
    after = queue.submit("a", work)
    until(lambda: after.state == "done")


def test_a_job_that_nobody_watches_is_cancelled() -> None:
    now = [0.0]
    queue = JobQueue(orphan_after_s=10, clock=lambda: now[0])
    left, watched = Work(), Work()
    orphan = queue.submit("left", left)
    assert left.started.wait(5)
    queue.submit("stays", watched)
    now[0] = 9.0
    assert queue.get("stays") is not None
    now[0] = 11.0
    queue.get("stays")
    until(lambda: orphan.finished)
    assert orphan.state == "cancelled"
    assert watched.started.wait(5)
    queue.close()


def test_what_there_is_so_far_can_be_looked_at_until_the_job_ends(queue: JobQueue) -> None:
    go = threading.Event()

    def work(job: Job) -> str:
        for part in ("a", "ab"):
            job.partial = part
        assert go.wait(10)
        return "abc"

    job = queue.submit("me", work)
    until(lambda: job.partial == "ab")
    go.set()
    until(lambda: job.state == "done")
    assert job.partial is None
    assert job.future.result() == "abc"
