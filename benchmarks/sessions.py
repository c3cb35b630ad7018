"""Many browser sessions at once on one server: do all get what each would have got alone, and how long do they wait?

    python benchmarks/sessions.py [--sessions 10] [--moves 15] [--only many beside] [--check]

Needs chromium and what requirements-dev.txt installs. Every session chooses its own sample, window and seed; all click
Run within a moment. Then: what a second session feels while another computes 200 paths. With --check it ends with 1
when a session failed or something wanted is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

from forecast_page import MOVE_MS, MOVED, open_forecast, set_number, timed
from playwright.sync_api import Browser
from report import Report

from kronos_dashboard.models.loading import load_model
from tests.browser.conftest import App, browse, launched, serve
from tests.browser.many import Session, wishes


def many(browser: Browser, url: str, count: int, report: Report, folder: Path) -> None:
    """So many sessions prepare, click, wait and download; then each is compared with a run alone."""
    wanted = wishes(count)
    with ExitStack() as stack:
        sessions = [Session(stack.enter_context(browse(browser, url)), wish) for wish in wanted]
        for session in sessions:
            session.prepare()
        began = time.time()
        for session in sessions:
            session.start()
        for session in sessions:
            session.wait()
        ended = sorted(float(s.app.page.evaluate("() => window.ended")) / 1_000 - began for s in sessions)
        placed = sum(any("ahead of you" in text for text in session.told()) for session in sessions)
        told_time = sum(any("ahead of you · " in text for text in session.told()) for session in sessions)
        records = [session.record(folder) for session in sessions]
        predictor = load_model("bundled")
        mistakes = [
            f"seed {session.wish.seed}: {mistake}"
            for session, record in zip(sessions, records, strict=True)
            for mistake in session.mistakes(record, wanted, session.wish.digest(predictor))
        ]
    report.line(f"{count} sessions of 30 paths x 120 steps: first drawn", ended[0], "s")
    report.line(f"{count} sessions of 30 paths x 120 steps: median", statistics.median(ended), "s")
    report.line(f"{count} sessions of 30 paths x 120 steps: last drawn", ended[-1], "s")
    report.line("sessions that were told their place", placed, "")
    report.line("sessions that were told a time to wait", told_time, "")
    for mistake in mistakes:
        print(mistake)
    report.line("sessions that failed or got something else than alone", len(mistakes), "", 0)


def beside(browser: Browser, url: str, count: int, report: Report) -> None:
    """Moves of the window in one session: while nobody computes, and while another session has 200 paths decoded."""
    with browse(browser, url) as other, browse(browser, url) as app:
        open_forecast(app)
        open_forecast(other)
        set_number(other, "paths", 200)
        set_number(other, "horizon", 512)
        quiet = moved(app, count)
        other.page.locator(".st-key-run button").first.click()
        other.page.get_by_text("Sampling step").wait_for()
        busy = moved(app, count)
        running = other.page.get_by_text("Sampling step").count()
        other.page.locator(".st-key-cancel button").first.click()
        other.settle()
    for name, taken in (("nobody computes", quiet), ("another session has 200 paths decoded", busy)):
        report.line(f"window move while {name}: median", statistics.median(taken), "ms", MOVE_MS)
        report.line(f"window move while {name}: slowest", max(taken), "ms")
    report.line("the other session was still computing (1: yes)", running, "")


def moved(app: App, count: int) -> list[float]:
    """Milliseconds from a click on the step button to the painted chart, of so many clicks and one before them."""
    button, taken = app.page.locator(".st-key-step_-1 button").first, []
    for _ in range(count + 1):
        taken.append(timed(app.page, button.click, "click", moved=MOVED)["moved"])
        app.settle()
    return taken[1:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("many", "beside")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--moves", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--check", action="store_true", help="end with 1 when something wanted is missed")
    given = parser.parse_args()
    report = Report()
    report.head()
    with (
        launched() as browser,
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "log", KRONOS_DASHBOARD_CACHE_DIR=folder) as url,
    ):
        if "many" in given.only:
            many(browser, url, given.sessions, report, Path(folder))
        if "beside" in given.only:
            beside(browser, url, given.moves, report)
    return report.tell() and given.check


if __name__ == "__main__":
    sys.exit(main())
