"""The main job in a real browser: open, forecast, look, take away; and what happens when something is wrong."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Locator, expect

from kronos_dashboard.markets.samples import SAMPLES
from tests.browser.conftest import App, browse
from tests.support.paths import ROOT

SAMPLE_FILE = ROOT / "kronos_dashboard" / "markets" / "samples" / "aapl_1d.csv"


CHART = "window.kronosCharts.charts.get('chart').chart"


def forecast_ended(app: App) -> None:
    expect(app.page.get_by_role("button", name="Run again")).to_be_visible(timeout=60_000)
    app.settle()


def run(app: App) -> None:
    app.page.get_by_role("button", name="Run forecast").click()


def button(app: App, key: str) -> Locator:
    """A button by its key; one with a hint stands twice in the page."""
    return app.page.locator(f".st-key-{key} button:visible").first


def has_trace(name: str, points: int) -> str:
    """What holds in the browser once the chart draws a trace of so many points."""
    return f"() => {CHART}.data.some((trace) => trace.name === '{name}' && trace.x.length === {points})"


def number(app: App, label: str) -> Locator:
    return app.page.get_by_role("spinbutton", name=label)


def set_number(app: App, label: str, value: int) -> None:
    number(app, label).fill(str(value))
    with app.rerun():
        number(app, label).press("Enter")


def upload(app: App, name: str, data: bytes) -> None:
    field = app.page.locator(".st-key-upload input[type=file]")
    with app.rerun():
        field.set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})


def test_a_first_forecast_is_one_click_from_home(app: App) -> None:
    app.open("/")
    expect(app.page.get_by_text("not the published Kronos").first).to_be_visible()
    app.page.get_by_role("button", name="Forecast EURUSD").click()
    forecast_ended(app)
    drawn = set(app.drawn())
    assert {"Candles", "95% of paths", "50% of paths", "Median", "One path", "Volatility cone 95%"} <= drawn
    assert "Actual" not in drawn


def test_the_fan_grows_on_the_chart_while_it_is_decoded(app: App) -> None:
    app.open("/Forecast")
    set_number(app, "Paths", 60)
    set_number(app, "Horizon", 200)
    app.drawn()
    run(app)
    longer = f"""(before) => {{
        const points = {CHART}.patch && {CHART}.data.find((trace) => trace.name === 'Median')?.x.length;
        return points > before && points;
    }}"""
    first = app.page.wait_for_function(longer, arg=1).json_value()
    second = app.page.wait_for_function(longer, arg=first).json_value()
    assert 1 < first < second < 201
    forecast_ended(app)
    app.page.wait_for_function(has_trace("Median", 201))


def test_progress_is_counted_and_the_run_can_be_cancelled(app: App) -> None:
    app.open("/Forecast")
    set_number(app, "Paths", 200)
    set_number(app, "Horizon", 400)
    run(app)
    expect(app.page.get_by_text(re.compile(r"Sampling step \d+ of 400"))).to_be_visible()
    button(app, "cancel").click()
    expect(app.page.get_by_text("No forecast for this window yet")).to_be_visible()
    app.page.wait_for_function(f"() => !{CHART}.data.some((trace) => trace.name === 'Median')")


def test_the_window_moves_by_slider_buttons_and_keys_and_the_model_does_not_run(app: App) -> None:
    app.open("/Forecast")
    place = app.page.get_by_text(re.compile(r"\(row [\d,]+\)"))
    expect(place).to_contain_text("(row 6,105)")
    app.drawn()
    app.page.get_by_test_id("stMain").get_by_role("slider").press("ArrowLeft")
    expect(place).to_contain_text("(row 6,095)")
    button(app, "step_-10").click()
    expect(place).to_contain_text("(row 6,085)")
    app.page.locator(".kd-chart").focus()
    for _ in range(3):
        app.page.keyboard.press("ArrowLeft")
    expect(place).to_contain_text("(row 6,082)")
    app.page.keyboard.press("Shift+ArrowRight")
    expect(place).to_contain_text("(row 6,092)")
    app.settle()
    assert "Median" not in app.drawn()
    expect(app.page.get_by_text("No forecast for this window yet")).to_be_visible()


def test_what_came_is_hidden_revealed_and_played(app: App) -> None:
    app.open("/Forecast")
    set_number(app, "Horizon", 12)
    run(app)
    forecast_ended(app)
    assert "Actual" not in app.drawn()
    app.page.get_by_role("button", name="+10 bars").click()
    app.page.wait_for_function(has_trace("Actual", 11))
    app.page.get_by_role("button", name="Hide").click()
    app.page.wait_for_function(f"() => !{CHART}.data.some((trace) => trace.name === 'Actual')")
    drawn = app.page.locator(".st-key-chart .main-svg").first.element_handle()
    button(app, "reveal_play").click()
    app.page.wait_for_function(has_trace("Actual", 13))
    expect(app.page.get_by_role("button", name="Reveal all")).to_be_disabled()
    app.settle()
    assert app.page.evaluate("element => element.isConnected", drawn), "the chart was drawn in place"


def test_a_file_is_uploaded_the_window_moved_the_forecast_made_and_taken_away(app: App, tmp_path: Path) -> None:
    app.open("/Forecast")
    lines = SAMPLE_FILE.read_text().replace("timestamp", "Date", 1).splitlines()[:901]
    upload(app, "my stock.csv", ("\n".join(lines) + "\n").encode())
    expect(app.page.get_by_text("1d · 900 candles")).to_be_visible()
    set_number(app, "Horizon", 20)
    set_number(app, "Paths", 10)
    before = app.first_time()
    with app.rerun():
        button(app, "step_-1").click()
    assert app.first_time() != before
    run(app)
    forecast_ended(app)
    app.page.get_by_role("tab", name="Export").click()
    lines_saved = saved(app, "Forecast (CSV)", tmp_path).read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines_saved if not line.startswith("#")))
    last_seen = lines[879].split(",")[0]  # 900 rows less the horizon of 20, one step back
    assert len(rows) == 20
    assert rows[0]["time"].split("T")[0] == lines[880].split(",")[0] > last_seen
    for row in rows:
        assert float(row["low"]) <= min(float(row["open"]), float(row["close"]))
        assert float(row["close_q2.5"]) <= float(row["close_median"]) <= float(row["close_q97.5"])
    record = json.loads(saved(app, "Run file (JSON)", tmp_path).read_text(encoding="utf-8"))["record"]
    assert record["cutoff"].startswith(last_seen)
    assert (record["horizon"], record["sampling"]["num_paths"], record["source"]) == (20, 10, "my stock.csv")


def saved(app: App, button: str, folder: Path) -> Path:
    with app.page.expect_download() as started:
        app.page.get_by_role("button", name=button).click()
    download: Download = started.value
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


@pytest.mark.parametrize(("data", "words"), [
    (b"a,b\n1,2\n3,4\n", "has no column"),
    (b"time,open,high,low,close\n2024-01-01,1,2,0.5,1\n2024-01-02,1,nan,0.5,1\n", "missing or non-finite price"),
])  # fmt: skip
def test_a_bad_file_is_explained_and_the_series_before_it_stays(app: App, data: bytes, words: str) -> None:
    app.open("/Forecast")
    upload(app, "bad.csv", data)
    expect(app.page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    expect(app.page.get_by_text("· 6,225 candles ·")).to_be_visible()
    assert "Candles" in app.drawn()


def test_a_result_survives_a_change_of_page(app: App) -> None:
    app.open("/Forecast")
    set_number(app, "Horizon", 15)
    run(app)
    forecast_ended(app)
    with app.rerun():
        app.page.get_by_role("link", name="Home").click()
    expect(app.page.get_by_role("heading", name="Kronos Dashboard")).to_be_visible()
    with app.rerun():
        app.page.get_by_role("link", name="Forecast", exact=True).click()
    expect(number(app, "Horizon")).to_have_value("15")
    assert "Median" in app.drawn()


def test_window_and_result_survive_a_reload(app: App) -> None:
    app.open("/Forecast")
    set_number(app, "Horizon", 15)
    with app.rerun():
        button(app, "step_-10").click()
    run(app)
    forecast_ended(app)
    before = app.first_time()
    app.page.reload()
    forecast_ended(app)
    expect(number(app, "Horizon")).to_have_value("15")
    assert "Median" in app.drawn()
    assert app.first_time() == before


@pytest.mark.parametrize("leave", ["reload", "another page"])
def test_a_run_under_way_outlives_a_reload_and_a_change_of_page(app: App, leave: str) -> None:
    app.open("/Forecast")
    set_number(app, "Paths", 200)
    run(app)
    expect(app.page.get_by_text(re.compile(r"Sampling step \d+ of 120"))).to_be_visible()
    if leave == "reload":
        app.page.reload()
    else:
        app.page.get_by_role("link", name="Home").click()
        expect(app.page.get_by_role("heading", name="Kronos Dashboard")).to_be_visible()
        app.page.get_by_role("link", name="Forecast", exact=True).click()
    expect(app.page.get_by_text("200 paths, temperature 1")).to_be_visible(timeout=150_000)
    app.settle()
    assert "Median" in app.drawn()
    app.page.get_by_role("tab", name="Compare runs").click()
    expect(app.page.get_by_text("Only one forecast so far.")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_button_is_called_by_words(app: App, language: str) -> None:
    app.open(f"/Forecast?lang={language}")
    horizon = app.page.locator(".st-key-horizon input")
    horizon.fill("12")
    with app.rerun():
        horizon.press("Enter")
    app.drawn()
    button(app, "run").click()
    app.page.get_by_role("tab").first.wait_for(timeout=60_000)
    app.settle()
    names = button_names(app)
    assert len(names) > 20
    wanted = re.compile(r"[\u4e00-\u9fff]" if language == "zh" else r"[A-Za-z]{2}")
    icons = re.compile(r"\b[a-z]+_[a-z_]+\b")
    assert [name for name in names if not re.search(r"[A-Za-z]{2}|[\u4e00-\u9fff]", name) or icons.search(name)] == []
    ours = {
        key: button(app, key).inner_text() for key in ("step_-10", "step_1", "step_last", "reveal_play", "new_seed")
    }
    assert [key for key, name in ours.items() if not wanted.search(name)] == []


def button_names(app: App) -> list[str]:
    """What a screen reader calls the buttons that are on the page."""
    tree = app.page.context.new_cdp_session(app.page).send("Accessibility.getFullAXTree")
    nodes = [node for node in tree["nodes"] if not node["ignored"] and node["role"]["value"] == "button"]
    return [node["name"]["value"] for node in nodes]


@pytest.mark.parametrize(("width", "height", "scheme"), [(390, 844, "light"), (1280, 720, "dark")])
def test_both_pages_fit_a_phone_and_a_small_dark_screen(
    chromium: Browser, server: str, width: int, height: int, scheme: str
) -> None:
    with browse(chromium, server, width, height, scheme) as app:
        app.open("/")
        for sample in SAMPLES:
            expect(button(app, f"open_{sample.key}")).to_be_visible()
        assert fits(app)
        app.page.get_by_role("button", name="Forecast AAPL 1d").click()
        forecast_ended(app)
        assert fits(app)
        assert "Median" in app.drawn()


def fits(app: App) -> bool:
    """Nothing reaches beyond the right edge of the screen."""
    return bool(app.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"))


def test_two_sessions_at_once_get_their_own_forecasts(chromium: Browser, server: str) -> None:
    with browse(chromium, server) as one, browse(chromium, server) as other:
        for app, name in ((one, "Forecast AAPL 1d"), (other, "Forecast GOOGL 1d")):
            app.open("/")
            app.page.get_by_role("button", name=name).click()
        for app, mine, theirs in ((one, "AAPL", "GOOGL"), (other, "GOOGL", "AAPL")):
            forecast_ended(app)
            assert "Median" in app.drawn()
            text = app.page.get_by_test_id("stMain").inner_text()
            assert mine in text
            assert theirs not in text
