"""How fast the chart is in a real browser: a move of the window, a growing fan, 100,000 candles under the mouse.

    python benchmarks/chart_in_browser.py [--moves 20]

Needs chromium and what requirements-dev.txt installs. Prints one line per figure with what is wanted of it; ends with 1
when something wanted is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests are not installed

from playwright.sync_api import Browser
from report import Report, Wire

from tests.browser.conftest import browse, launched, serve
from tests.browser.test_chart import PAGE, SERIES

FIRST = "window.kronosCharts.charts.get('chart').chart"
MOVE_MS, PAYLOAD_BYTES, FRAME_MS = 300, 1_500_000, 120

WATCH = f"""() => {{
    window.moves = [];
    addEventListener('keydown', () => {{
        const start = performance.now(), before = {FIRST}.frames;
        const look = () => {{
            if ({FIRST}.frames === before) return requestAnimationFrame(look);
            requestAnimationFrame(() => window.moves.push(performance.now() - start)); // now it is on screen
        }};
        requestAnimationFrame(look);
    }}, true);
}}"""
PACE = """() => {
    window.gaps = [];
    let last = performance.now();
    const look = (now) => { window.gaps.push(now - last); last = now; if (!window.still) requestAnimationFrame(look); };
    window.still = false;
    requestAnimationFrame(look);
}"""


def moves(browser: Browser, url: str, count: int, report: Report) -> None:
    """Arrow key to painted chart, with the fan alone and with 100 paths."""
    with browse(browser, url) as app:
        wire = Wire(app.page)
        app.open("/?shown=true")
        app.page.locator(".kd-plot .boxlayer .trace").first.wait_for()
        app.settle()
        app.page.evaluate(WATCH)
        for paths in (0, 100):
            if paths:
                slider = app.page.get_by_role("slider", name="Paths")
                slider.focus()
                for _ in range(10):
                    slider.press("PageUp")
                app.page.wait_for_function(f"() => {FIRST}.data.some((trace) => trace.name === '100 paths')")
                app.settle()
            app.page.locator(".kd-chart").focus()
            app.page.keyboard.press("ArrowLeft")  # the first one warms up
            app.page.wait_for_timeout(1_500)
            app.page.evaluate("() => { window.moves = []; }")
            wire.taken()
            for number in range(count):
                app.page.keyboard.press("ArrowLeft")
                app.page.wait_for_function(f"() => window.moves.length > {number}")
                app.settle()
            taken = sorted(app.page.evaluate("() => window.moves"))
            label = f"{paths} paths" if paths else "fan alone"
            report.line(f"move to painted chart, {label}: median of {count}", statistics.median(taken), "ms", MOVE_MS)
            report.line(f"move to painted chart, {label}: slowest", taken[-1], "ms")
            report.line(f"one move over the wire, {label}", wire.taken()[0] / count, "bytes", PAYLOAD_BYTES)


def growth(browser: Browser, url: str, report: Report) -> None:
    """A fan that grows for six seconds."""
    with browse(browser, url) as app:
        wire = Wire(app.page)
        app.open("/")
        app.page.locator(".kd-plot .boxlayer .trace").first.wait_for()
        app.settle()
        wire.taken()
        before = app.page.evaluate(f"() => {FIRST}.frames")
        app.page.evaluate(PACE)
        app.page.get_by_role("button", name="Grow").click()
        app.page.wait_for_timeout(9_000)
        gaps = app.page.evaluate("() => { window.still = true; return window.gaps; }")
        drawn = app.page.evaluate(f"() => {FIRST}.frames") - before
        report.line("fan grown by patches: frames drawn", drawn, "")
        report.line("fan grown by patches: bytes in all", wire.taken()[0], "bytes", PAYLOAD_BYTES)
        report.line("fan grown by patches: longest time without a frame", max(gaps), "ms")


def long_series(browser: Browser, url: str, report: Report) -> None:
    """100,000 candles: all, zoomed, and panned by the mouse."""
    with browse(browser, url) as app:
        wire = Wire(app.page)
        app.open("/")
        app.page.locator(".kd-plot .boxlayer .trace").first.wait_for()
        app.settle()
        report.line("100,000 candles: page over the wire", wire.taken()[0], "bytes", PAYLOAD_BYTES)
        box = app.page.locator(".kd-plot").first.bounding_box()
        assert box is not None
        middle = (box["x"] + box["width"] * 0.5, box["y"] + 200)
        for name in ("all in view", "a tenth in view"):
            app.page.mouse.move(*middle)
            app.page.mouse.down()
            app.page.evaluate(PACE)
            for step in range(40):
                app.page.mouse.move(middle[0] - step * 6, middle[1])
            gaps = sorted(app.page.evaluate("() => { window.still = true; return window.gaps; }")[1:])
            app.page.mouse.up()
            app.page.wait_for_timeout(1_500)
            report.line(f"100,000 candles, {name}: pan, median frame", statistics.median(gaps), "ms")
            report.line(f"100,000 candles, {name}: pan, slowest frame", gaps[-1], "ms", FRAME_MS)
            if name == "all in view":
                app.page.mouse.move(*middle)
                for _ in range(8):
                    app.page.mouse.wheel(0, -240)
                    app.page.wait_for_timeout(60)
                app.page.wait_for_timeout(2_500)
                wire.taken()
        view = app.page.evaluate(f"() => {FIRST}.view")
        bars = app.page.evaluate(f"() => {FIRST}.data[0].x.length")
        report.line("100,000 candles: candles in view after zooming", view[1] - view[0], "")
        report.line("100,000 candles: bars that the browser has", bars, "", 1_700)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=20)
    count = parser.parse_args().moves
    report = Report()
    report.head()
    with launched() as browser, tempfile.TemporaryDirectory() as folder:
        with serve(Path(folder) / "log", PAGE) as url:
            moves(browser, url, count, report)
            growth(browser, url, report)
        with serve(Path(folder) / "log", SERIES) as url:
            long_series(browser, url, report)
    return report.tell()


if __name__ == "__main__":
    sys.exit(main())
