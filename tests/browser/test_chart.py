"""The chart in a real browser: the view survives a move, a fan grows without a blink, both themes, a phone."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from kronos_dashboard.charts import date_ticks
from tests.browser.conftest import App, browse, serve

PAGE = Path(__file__).with_name("chart_page.py")
SERIES = PAGE.with_name("series_page.py")
CHART = "window.kronosCharts.charts.get('chart').chart"


@pytest.fixture(scope="module")
def chart_server(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("chart") / "streamlit.log"
    with serve(log, PAGE) as url:
        yield url
    assert "Traceback" not in log.read_text()


@pytest.fixture
def chart(chromium: Browser, chart_server: str) -> Iterator[App]:
    with browse(chromium, chart_server) as app:
        yield opened(app)


def opened(app: App, query: str = "") -> App:
    app.open(f"/{query}")
    app.page.locator(".kd-plot .boxlayer .trace").first.wait_for()
    return app


def ask(app: App, what: str) -> Any:
    return app.page.evaluate(f"() => {CHART}.{what}")


def frames(app: App) -> int:
    return int(app.page.locator(".kd-plot").get_attribute("data-frames") or 0)


@contextlib.contextmanager
def redrawn(app: App) -> Iterator[None]:
    before = frames(app)
    yield
    app.page.wait_for_function(f"() => {CHART}.frames > {before}")
    app.settle()


def flip(app: App, label: str) -> None:
    with redrawn(app):
        app.page.get_by_text(label, exact=True).click()


def zoom(app: App) -> list[float]:
    """Turn the wheel over the candles; gives the view after it."""
    box = app.page.locator(".kd-plot").bounding_box()
    assert box is not None
    app.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 150)
    with redrawn(app):
        app.page.mouse.wheel(0, -400)
    app.page.wait_for_timeout(300)
    view = ask(app, "view")
    assert view is not None
    assert view[1] - view[0] < 500
    return list(view)


def row(app: App) -> int:
    return int(re.findall(r"row (\d+)", app.page.get_by_test_id("stMain").inner_text())[0])


def test_the_view_survives_a_move_of_the_window_and_prices_follow_it(chart: App) -> None:
    view = zoom(chart)
    first, element = chart.first_time(), chart.page.locator(".kd-plot .main-svg").first.element_handle()
    before = row(chart)
    chart.page.locator(".kd-chart").focus()
    with redrawn(chart):
        chart.page.keyboard.press("ArrowLeft")
    assert row(chart) == before - 1
    assert chart.first_time() != first
    assert ask(chart, "view") == view
    assert chart.page.evaluate("e => e.isConnected", element), "the chart was drawn in place"
    low, high = ask(chart, "element._fullLayout.yaxis.range")
    seen = ask(chart, f"data[0].low.filter((_, x) => x >= {view[0]} && x <= {view[1]})")
    assert low < min(seen.values() if isinstance(seen, dict) else seen)
    assert high - low < 3 * (max(seen.values() if isinstance(seen, dict) else seen) - low)


def test_steps_pressed_faster_than_charts_come_add_up(chart: App) -> None:
    before = row(chart)
    chart.page.locator(".kd-chart").focus()
    for _ in range(10):
        chart.page.keyboard.press("ArrowLeft")
    expect(chart.page.get_by_text(f"row {before - 10}")).to_be_visible()
    chart.page.keyboard.press("Shift+ArrowRight")
    expect(chart.page.get_by_text(f"row {before}")).to_be_visible()


def test_a_chart_that_changed_while_out_of_sight_is_drawn_once_it_is_back(chart: App) -> None:
    sight = "(display) => { document.querySelector('.kd-chart').style.display = display; }"
    first, drawn = chart.first_time(), frames(chart)
    chart.page.evaluate(sight, "none")
    with chart.rerun():
        chart.page.get_by_role("slider", name="Row").press("ArrowLeft")
    assert chart.first_time() == first
    assert frames(chart) == drawn, "nothing can be drawn that has no width"
    with redrawn(chart):
        chart.page.evaluate(sight, "")
    assert chart.first_time() < first


def test_a_fan_grows_by_patches_without_a_blink(chart: App) -> None:
    zoomed = zoom(chart)
    chart.page.evaluate(
        """() => {
        const svg = document.querySelector('.kd-plot .main-svg');
        const seen = (window.seen = { blank: 0, lengths: [], svg, heights: new Set() });
        const look = () => {
            const plot = document.querySelector('.kd-plot'), candles = plot?.querySelectorAll('.boxlayer path').length;
            if (!candles || !seen.svg.isConnected) seen.blank += 1;
            seen.heights.add(plot?.offsetHeight);
            const median = plot?.data?.find((trace) => trace.meta === 'median');
            const length = median ? median.x.length : 0;
            if (length !== seen.lengths.at(-1)) seen.lengths.push(length);
            requestAnimationFrame(look);
        };
        look();
    }"""
    )
    chart.page.get_by_role("button", name="Grow").click()
    chart.page.wait_for_function("() => window.seen.lengths.length >= 4")
    assert ask(chart, "view") == zoomed
    chart.page.wait_for_function("() => window.seen.lengths.at(-1) === 0 && window.seen.lengths.length > 4")
    seen = chart.page.evaluate("() => ({ ...window.seen, svg: null, heights: [...window.seen.heights] })")
    grown = seen["lengths"][:-1]
    assert seen["blank"] == 0
    assert grown == sorted(grown), "the fan never shrank"
    assert len(seen["heights"]) == 1, "nothing on the page jumped"


def test_traces_are_hidden_by_the_legend_and_stay_so_when_the_window_moves(chart: App) -> None:
    flip(chart, "Forecast")
    chip = chart.page.get_by_role("button", name="Median")
    with redrawn(chart):
        chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    chart.page.locator(".kd-chart").focus()
    with redrawn(chart):
        chart.page.keyboard.press("ArrowLeft")
    assert ask(chart, "data.find(trace => trace.meta === 'median').visible") == "legendonly"


def test_the_price_axis_turns_logarithmic_and_the_whole_window_comes_back(chart: App) -> None:
    whole = ask(chart, "element._fullLayout.xaxis.range")
    zoom(chart)
    with redrawn(chart):
        chart.page.get_by_role("button", name="Log scale").click()
    assert ask(chart, "element._fullLayout.yaxis.type") == "log"
    with redrawn(chart):
        chart.page.get_by_role("button", name="Reset zoom").click()
    assert ask(chart, "element._fullLayout.xaxis.range") == whole
    assert ask(chart, "view") is None


@pytest.mark.parametrize(("button", "ending", "start"), [("PNG", "png", b"\x89PNG"), ("SVG", "svg", b"<svg")])
def test_the_chart_is_saved_as_a_file(chart: App, tmp_path: Path, button: str, ending: str, start: bytes) -> None:
    flip(chart, "Forecast")
    with chart.page.expect_download() as started:
        chart.page.get_by_role("button", name=button).click()
    started.value.save_as(tmp_path / "picture")
    data = (tmp_path / "picture").read_bytes()
    assert started.value.suggested_filename == f"test.{ending}"
    assert data.startswith(start)
    assert len(data) > 20_000


def test_labels_of_the_browser_are_those_of_python(chart: App) -> None:
    for freq, count in (("5min", 520), ("1h", 520), ("1D", 520), ("1W", 300), ("1s", 300), ("B", 90)):
        times = pd.date_range("2021-03-05 07:31", periods=count, freq=freq)
        clock = {
            "seconds": (times.as_unit("ms").asi8 / 1000).tolist(),
            "months": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
            "day": "{day} {month}",
        }
        script = f"async (clock) => (await import('{module(chart)}')).ticks(clock, 0, {count - 1}, 9)"
        found = chart.page.evaluate(script, clock)
        assert (found["tickvals"], found["ticktext"]) == date_ticks(times)


def module(app: App) -> str:
    return f"{app.url}/_stcore/bidi-components/kronos_dashboard.client/core.js"


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_is_readable_in_both_themes(
    chromium: Browser, chart_server: str, width: int, height: int, scheme: str
) -> None:
    with browse(chromium, chart_server, width, height, scheme) as app:
        opened(app, "?shown=true")
        assert app.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        box = app.page.locator(".kd-plot .main-svg").first.bounding_box()
        assert box is not None
        assert width * 0.6 < box["width"] <= width
        assert box["height"] < height * 0.7, "there is room beside the chart to scroll the page by"
        text = app.page.locator(".kd-plot .ytick text").first.evaluate("e => getComputedStyle(e).fill")
        red, green, blue = map(int, re.findall(r"\d+", text)[:3])
        ground = app.page.locator('[data-testid="stApp"]').evaluate("e => getComputedStyle(e).backgroundColor")
        behind = list(map(int, re.findall(r"\d+", ground)[:3]))
        assert np.abs(np.mean([red, green, blue]) - np.mean(behind)) > 70, "labels stand out from the ground"
        labels = app.page.locator(".kd-plot .xtick text")
        ends = labels.evaluate_all("all => all.map(e => e.getBoundingClientRect()).map(r => [r.left, r.right])")
        assert len(ends) >= 3
        assert all(one[1] < other[0] for one, other in pairwise(ends)), "labels do not overlap"


def test_a_change_of_theme_repaints_the_chart_where_it_is(chart: App) -> None:
    view, light = zoom(chart), ask(chart, "element._fullLayout.hoverlabel.bgcolor")
    chart.page.emulate_media(color_scheme="dark")
    chart.page.wait_for_function(f"() => {CHART}.dark === true")
    chart.page.wait_for_function(f"() => {CHART}.element._fullLayout.hoverlabel.bgcolor !== {json.dumps(light)}")
    assert ask(chart, "view") == view


def test_a_long_series_is_refined_where_one_looks(chromium: Browser, tmp_path: Path) -> None:
    with serve(tmp_path / "log", SERIES) as url, browse(chromium, url) as app:
        opened(app)
        expect(app.page.get_by_text("view None")).to_be_visible()
        assert ask(app, "data[0].x.length") <= 1_700
        coarse = ask(app, "data[0].x[1]") - ask(app, "data[0].x[0]")
        box = app.page.locator(".kd-plot").first.bounding_box()
        assert box is not None
        app.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 200)
        for _ in range(6):
            app.page.mouse.wheel(0, -300)
            app.page.wait_for_timeout(100)
        expect(app.page.get_by_text("view None")).to_have_count(0)
        app.page.wait_for_function(f"() => {CHART}.data[0].x[1] - {CHART}.data[0].x[0] < {coarse}")
        first, last = ask(app, "view")
        assert last - first < 60_000
        assert ask(app, "data[0].x.length") <= 1_700
        assert "Traceback" not in (tmp_path / "log").read_text()
