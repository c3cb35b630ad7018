"""How fast the Forecast page is in a real browser, with the bundled model: moves, first band, finished fan, bytes.

    python benchmarks/forecast_page.py [--only move run bytes first] [--moves 20] [--runs 5] [--check]

Needs chromium and what requirements-dev.txt installs. Prints one line per figure and what is wanted of it; with --check
ends with 1 when something wanted is missed. A figure is taken when the chart has been painted, not when it was sent.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

from playwright.sync_api import Browser, Page, expect
from report import Report, Wire

from tests.browser.conftest import App, browse, launched, serve

MOVE_MS, BAND_S, FINISHED_S, FIRST_S, PAYLOAD_BYTES = 300, 1.0, 4.0, 10.0, 1_500_000
PATHS, HORIZON = 30, 120
PATIENCE_MS = 120_000

CHART = "window.kronosCharts?.charts.get('chart')?.chart"
CANDLES = f"{CHART}?.frames > 0 && document.querySelector('.st-key-chart .boxlayer .trace')"
MOVED = f"{CHART}?.frames > ({CHART} === before.chart ? before.frames : 0) && {CHART}.base !== before.base"
BANDS = f"{CHART}?.data?.filter((trace) => String(trace.meta).startsWith('band-')).length"
FILLED = "[...document.querySelectorAll('.st-key-chart .js-fill')].some((area) => area.getBBox().width > 1)"
GROWING = f"{BANDS} > 0 && {FILLED}"
FINISHED = f"{GROWING} && !{CHART}.patch && {CHART}.data === {CHART}.figure.data"
"""Conditions in the browser: candles are drawn, another window is, a band is, the forecast is with nothing over it."""

WATCH = """([kind, conditions]) => {
    const marks = (window.marks = {}), tests = {};
    const look = () => {
        for (const [name, met] of Object.entries(tests)) {
            if (marks[name] === undefined && met()) {
                marks[name] = null;
                requestAnimationFrame(() => (marks[name] = Date.now() - marks.begun)); // now it is on screen
            }
        }
        if (Object.keys(tests).some((name) => marks[name] == null)) requestAnimationFrame(look);
    };
    const begin = () => {
        if (marks.begun) return;
        marks.begun = Date.now();
        const before = { ...CHART, chart: CHART };
        for (const [name, text] of Object.entries(conditions)) {
            const met = new Function("before", `return ${text}`);
            tests[name] = () => met(before);
        }
        requestAnimationFrame(look);
    };
    kind ? addEventListener(kind, begin, { capture: true, once: true }) : begin();
}""".replace("CHART", CHART)
"""From the next event of a kind (or at once) note the milliseconds until each condition was met and painted."""


def timed(page: Page, act: Callable[[], None], kind: str, **conditions: str) -> dict[str, float]:
    """Milliseconds from the first event of ``kind`` that ``act`` causes until each condition is painted."""
    page.evaluate(WATCH, [kind, conditions])
    act()
    return {name: reached(page, name) for name in conditions}


def reached(page: Page, name: str) -> float:
    page.wait_for_function(f"() => window.marks.{name} != null", timeout=PATIENCE_MS)
    return float(page.evaluate(f"() => window.marks.{name}"))


def open_forecast(app: App) -> None:
    app.open("/Forecast")
    app.page.wait_for_function(f"() => {CANDLES}", timeout=PATIENCE_MS)
    app.settle()


def set_number(app: App, key: str, value: int) -> None:
    field = app.page.locator(f".st-key-{key} input")
    if field.input_value() != str(value):
        field.fill(str(value))
        with app.rerun():
            field.press("Enter")


def run(app: App) -> dict[str, float]:
    """Run the model on a window that has no forecast; milliseconds to the first band and to the finished chart."""
    expect(app.page.locator(".st-key-run button").first).to_be_enabled()
    click = app.page.locator(".st-key-run button").first.click
    taken = timed(app.page, click, "click", band=GROWING, finished=FINISHED)
    app.settle()
    return taken


def step_back(app: App) -> None:
    """One bar back, to a window that has no forecast."""
    moved = f"{MOVED} && !({BANDS})"
    timed(app.page, app.page.locator(".st-key-step_-1 button").first.click, "click", moved=moved)
    app.settle()


def moves(browser: Browser, url: str, count: int, report: Report) -> None:
    """A move of the window to the painted chart, by the button and by the arrow key."""
    with browse(browser, url) as app:
        open_forecast(app)
        button = app.page.locator(".st-key-step_-1 button").first
        chart = app.page.locator(".st-key-chart .kd-chart")

        def press() -> None:
            chart.focus()
            app.page.keyboard.press("ArrowLeft")

        for name, kind, act in (("step button", "click", button.click), ("arrow key", "keydown", press)):
            taken = []
            for _ in range(count + 1):  # the first one warms up
                taken.append(timed(app.page, act, kind, moved=MOVED)["moved"])
                app.settle()
            report.line(f"window move to painted chart, {name}: median of {count}", median(taken[1:]), "ms", MOVE_MS)
            report.line(f"window move to painted chart, {name}: slowest", max(taken[1:]), "ms")


def runs(browser: Browser, url: str, count: int, report: Report) -> None:
    """A click on Run to the first band, and to the finished chart of 30 paths."""
    with browse(browser, url) as app:
        open_forecast(app)
        set_number(app, "paths", PATHS)
        set_number(app, "horizon", HORIZON)
        taken = []
        for _ in range(count + 1):  # the first one may have to wait for the model
            step_back(app)
            taken.append(run(app))
        bands, ends = ([one[name] / 1_000 for one in taken[1:]] for name in ("band", "finished"))
        what = f"{PATHS} paths x {HORIZON} steps"
        report.line(f"click to the first band on screen: median of {count}", median(bands), "s", BAND_S)
        report.line("click to the first band on screen: slowest", max(bands), "s")
        report.line(f"click to {what} drawn: median of {count}", median(ends), "s", FINISHED_S)
        report.line(f"click to {what} drawn: slowest", max(ends), "s")


def payload(browser: Browser, url: str, report: Report) -> None:
    """Bytes for a new session that opens the page, makes 100 paths and looks at all of them."""
    with browse(browser, url) as app:
        wire = Wire(app.page)
        open_forecast(app)
        opened, answers, files = wire.taken()
        set_number(app, "paths", 100)
        app.page.get_by_role("button", name="Appearance").click()
        with app.rerun():
            app.page.locator(".st-key-visible_paths").get_by_role("radio", name="All").click()
        app.page.keyboard.press("Escape")
        changed = sum(wire.taken()[:2])
        run(app)
        app.page.wait_for_function(f"() => {CHART}.data.some((trace) => trace.name === '100 paths')")
        app.settle()
        grown = sum(wire.taken()[:2])
        report.line("opening the Forecast page: websocket", opened, "bytes")
        report.line("opening the Forecast page: other answers", answers, "bytes")
        report.line("100 paths chosen, all to be drawn", changed, "bytes")
        report.line("a forecast of 100 paths: growing, then all drawn", grown, "bytes")
        total = opened + answers + changed + grown
        report.line("payload of the page with 100 paths shown", total, "bytes", PAYLOAD_BYTES)
        report.line("apart from these: the app's own files, kept by the browser", files, "bytes")


def first(browser: Browser, folder: Path, report: Report) -> None:
    """From opening Home on a server that has just begun to answer, to the finished chart of the first forecast."""
    with serve(folder / "first.log") as url, browse(browser, url) as app:
        began = time.time()
        app.page.goto(url)
        button = app.page.get_by_role("button", name="Forecast EURUSD")
        button.wait_for()
        shown = time.time() - began
        button.click()
        app.page.evaluate(WATCH, ["", {"finished": FINISHED}])
        reached(app.page, "finished")
        ended = float(app.page.evaluate("() => window.marks.begun + window.marks.finished")) / 1_000
        app.settle()
        report.line("fresh server: opening Home to its first button", shown, "s")
        report.line("fresh server: opening Home to the finished first forecast", ended - began, "s", FIRST_S)


def median(values: list[float]) -> float:
    return float(statistics.median(values))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("move", "run", "bytes", "first")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="end with 1 when something wanted is missed")
    given = parser.parse_args()
    report = Report()
    report.head()
    with launched() as browser, tempfile.TemporaryDirectory() as folder:
        if set(given.only) - {"first"}:
            with serve(Path(folder) / "log") as url:
                if "move" in given.only:
                    moves(browser, url, given.moves, report)
                if "run" in given.only:
                    runs(browser, url, given.runs, report)
                if "bytes" in given.only:
                    payload(browser, url, report)
        if "first" in given.only:
            first(browser, Path(folder), report)
    return report.tell() and given.check


if __name__ == "__main__":
    sys.exit(main())
