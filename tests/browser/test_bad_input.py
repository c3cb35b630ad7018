"""Whatever is typed, uploaded or written into a link: words that say what to do, and what was there before stays."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import App, browse, serve
from tests.browser.test_app import button, forecast_ended, run, set_number
from tests.support import makers
from tests.support.feeds.loopback import Loopback
from tests.support.feeds.markets import Binance, History, ms

SCRIPT = "<img src=x onerror=alert(1)>"
"""What would run in a page that took text for markup; an alert fails the test by being there."""
BEYOND_MB = 1.2
MOST_MB = 1


@pytest.fixture(scope="module")
def address(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app that takes files of one megabyte, whose feeds go to an exchange on this machine."""
    log = tmp_path_factory.mktemp("bad") / "streamlit.log"
    with (
        Loopback(Binance(History(now=ms(pd.Timestamp.now("UTC"))))) as exchange,
        serve(
            log,
            KRONOS_DASHBOARD_FEED_PROXY_URL=exchange.url,
            KRONOS_DASHBOARD_FEED_RETRY_BUDGET_S="1",
            KRONOS_DASHBOARD_MAX_UPLOAD_MB=str(MOST_MB),
        ) as url,
    ):
        yield url


@pytest.fixture(scope="module")
def shared(chromium: Browser, address: str) -> Iterator[App]:
    """One session on the Forecast page for all that leaves it as it was."""
    with browse(chromium, address) as app:
        app.page.on("dialog", lambda box: app.problems.append(f"a script ran: {box.message}"))
        app.open("/Forecast")
        app.drawn()
        yield app


@pytest.fixture
def fresh(chromium: Browser, address: str) -> Iterator[App]:
    with browse(chromium, address) as app:
        app.page.on("dialog", lambda box: app.problems.append(f"a script ran: {box.message}"))
        yield app


def told(app: App, words: str) -> Locator:
    """A box that says this."""
    box = app.page.get_by_role("alert").filter(has_text=re.compile(words))
    expect(box.first).to_be_visible()
    return box.first


def give(app: App, place: str, name: str, data: bytes) -> None:
    field = app.page.locator(f"{place} input[type=file]")
    field.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})


@pytest.mark.parametrize(("key", "least", "most"), [
    ("context", 32, 512), ("horizon", 1, 512), ("paths", 1, 200), ("seed", 0, 2**31 - 1)
])  # fmt: skip
def test_a_number_stays_within_its_bounds_whatever_is_typed(shared: App, key: str, least: int, most: int) -> None:
    field = shared.page.locator(f".st-key-{key} input")
    before = field.input_value()
    for text in ("99999999999", "-7", "1e99", "0.5", "abc", ""):
        field.click()
        shared.page.keyboard.press("Control+A")
        shared.page.keyboard.press("Delete")
        shared.page.keyboard.type(text)
        shared.page.keyboard.press("Enter")
        field.blur()
        shared.settle()
    field.fill(before)
    field.press("Enter")
    shared.settle()
    expect(field).to_have_value(before)
    assert int(field.get_attribute("min") or 0) <= least
    assert int(field.get_attribute("max") or 0) == most
    assert "Candles" in shared.drawn()


@pytest.mark.parametrize(("text", "words"), [
    ("abc", "must be a price above zero"),
    ("1.1 -3", "must be a price above zero"),
    (SCRIPT, "must be a price above zero"),
    ("1 2 3 4 5 6", "At most 5 price levels"),
    ("1e999", "must be a price above zero"),
])  # fmt: skip
def test_level_lines_that_are_no_prices_are_explained_beside_the_field(shared: App, text: str, words: str) -> None:
    shared.page.get_by_role("button", name="Appearance").click()
    field = shared.page.get_by_role("textbox", name="Price levels")
    field.fill(text)
    field.press("Enter")
    told(shared, words)
    field.fill("")
    with shared.rerun():
        field.press("Enter")
    shared.page.keyboard.press("Escape")
    shared.settle()
    assert "Candles" in shared.drawn()


def parquet(rows: int = 60) -> bytes:
    out = io.BytesIO()
    makers.candles(rows).frame.to_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize(("name", "data", "words"), [
    ("cut.parquet", parquet()[:900], "Parquet"),
    ("empty.csv", b"", "empty"),
    ("binary.csv", bytes(range(256)) * 8, ""),
    ("page.json", b'{"name": "package", "version": "1.0.0", "scripts": {}}', ""),
    (f"{SCRIPT}.csv", f"a,{SCRIPT}\n1,2\n".encode(), "has no column"),
    ("big.csv", b"0" * int(BEYOND_MB * 2**20), ""),
])  # fmt: skip
def test_a_file_that_is_no_series_is_explained_and_the_series_stays(
    shared: App, name: str, data: bytes, words: str
) -> None:
    give(shared, ".st-key-upload", name, data)
    if name == "big.csv":  # the page refuses it before it is sent
        expect(shared.page.get_by_test_id("stFileChip").filter(has_text="big.csv")).to_be_visible()
    else:
        told(shared, words)
    shared.settle()
    expect(shared.page.get_by_text("· 6,225 candles ·")).to_be_visible()
    assert "Candles" in shared.drawn()


@pytest.mark.parametrize(("name", "data", "words"), [
    ("package.json", b'{"name": "package", "version": "1.0.0"}', ""),
    ("cut.json", b'{"format": "kronos', ""),
    ("other.parquet", parquet(), ""),
    ("cut.parquet", parquet()[:700], ""),
    ("other.html", b"<html><script>alert(1)</script></html>", ""),
    ("prices.csv", makers.csv(40).encode(), ""),
])  # fmt: skip
def test_a_file_that_is_no_exported_forecast_is_explained(forecast: App, name: str, data: bytes, words: str) -> None:
    give(forecast, ".st-key-export_upload", name, data)
    box = told(forecast, words)
    assert len(box.inner_text()) > 30, "it says what was wanted and what to do"
    forecast.settle()
    assert "Median" in forecast.drawn()


@pytest.fixture(scope="module")
def forecast(shared: App) -> App:
    """The shared session with a forecast, at its files."""
    set_number(shared, "Horizon", 12)
    run(shared)
    forecast_ended(shared)
    shared.page.get_by_role("tab", name="Export").click()
    shared.settle()
    return shared


LINKS = (
    ("sample=" + SCRIPT, "Unknown sample"),
    ("feed=nobody&symbol=BTC/USDT", "Unknown source"),
    ("feed=ccxt&exchange=nowhere&symbol=BTC/USDT", "nowhere"),
    ("feed=ccxt&exchange=binance", "no symbol"),
    ("feed=ccxt&exchange=binance&symbol=ETH/USDT&count=0", "1 to 1,000,000; got 0"),
    ("feed=ccxt&exchange=binance&symbol=ETH/USDT&count=9999999", "1 to 1,000,000"),
    ("feed=ccxt&exchange=binance&symbol=ETH/USDT&count=60000", "at most 50,000"),
    ("feed=ccxt&exchange=binance&symbol=ETH/USDT&count=ten", "1 to 50,000"),
    ("feed=ccxt&exchange=binance&symbol=ETH/USDT&interval=7q", "7q"),
    ("feed=ccxt&exchange=binance&symbol=ETH/USDT&start=yesterday", "not a time"),
    ("feed=ccxt&exchange=binance&symbol=ETH/USDT&start=2024-01-02&end=2023-01-01", "start|end"),
    ("feed=ccxt&exchange=binance&symbol=" + "X" * 200, "symbol in this link is not valid"),
    ("feed=ccxt&exchange=binance&symbol=NOSUCH/COIN&interval=1h", "NOSUCH"),
)


def test_a_link_of_the_data_page_that_cannot_be_opened_says_why(fresh: App) -> None:
    for query, words in LINKS:
        fresh.open(f"/Data?{query}")
        told(fresh, words)
        expect(fresh.page.get_by_text("No data yet")).to_be_visible()


def test_what_a_link_says_to_the_forecast_page_changes_nothing_but_the_language(fresh: App) -> None:
    fresh.open(f"/Forecast?lang=xx&context=99999&horizon=-3&model=../../etc/passwd&row=1e9&symbol={SCRIPT}")
    expect(fresh.page.get_by_role("spinbutton", name="Context")).to_have_value("400")
    assert "Candles" in fresh.drawn()


def test_a_symbol_that_no_exchange_has_is_searched_and_explained(fresh: App) -> None:
    fresh.open("/Data")
    with fresh.rerun():
        fresh.page.get_by_test_id("stButtonGroup").get_by_text("Online").click()
    field = fresh.page.get_by_role("textbox", name="Symbol")
    field.fill(SCRIPT)
    with fresh.rerun():
        field.press("Enter")
    fresh.page.get_by_role("button", name="Search").click()
    expect(fresh.page.get_by_text("No matches for")).to_contain_text("onerror")
    field.fill("")
    with fresh.rerun():
        field.press("Enter")
    fresh.page.get_by_role("button", name="Fetch", exact=True).click()
    told(fresh, "symbol")


def test_a_series_too_short_for_the_context_says_what_to_change_and_then_runs(fresh: App) -> None:
    fresh.open("/Forecast")
    give(fresh, ".st-key-upload", "short.csv", makers.csv(50).encode())
    told(fresh, "has 50 candles; the context is set to 400")
    set_number(fresh, "Context", 40)
    set_number(fresh, "Horizon", 5)
    assert "Candles" in fresh.drawn()
    run(fresh)
    forecast_ended(fresh)
    assert "Median" in fresh.drawn()


def test_prices_that_never_move_are_forecast_without_a_crash_in_any_tab(fresh: App) -> None:
    flat = makers.csv(480, open=5.0, high=5.0, low=5.0, close=5.0)
    fresh.open("/Forecast")
    give(fresh, ".st-key-upload", "flat.csv", flat.encode())
    expect(fresh.page.get_by_text("· 480 candles ·")).to_be_visible()
    set_number(fresh, "Horizon", 12)
    run(fresh)
    forecast_ended(fresh)
    with fresh.rerun():
        button(fresh, "reveal_all").click()
    for tab in ("Probabilities & risk", "Accuracy", "Export", "Sensitivity", "Compare runs"):
        fresh.page.get_by_role("tab", name=tab).click()
        fresh.settle()
        assert not re.search(r"\b(nan|inf|None|undefined)\b", fresh.page.get_by_test_id("stMain").inner_text())


def test_a_name_that_is_markup_is_shown_as_text_everywhere(fresh: App, tmp_path: Path) -> None:
    rows = makers.csv(480).rstrip().split("\n")
    data = "\n".join([f"{rows[0]},symbol", *(f'{row},"{SCRIPT}"' for row in rows[1:])]).encode()
    fresh.open("/Data")
    give(fresh, '[data-testid="stFileUploader"]', f"{SCRIPT}.csv", data)
    expect(fresh.page.get_by_text(SCRIPT).first).to_be_visible()
    fresh.page.locator(".st-key-data_chart .js-plotly-plot .boxlayer .trace").first.wait_for(state="attached")
    with fresh.rerun():
        fresh.page.get_by_role("button", name="Forecast this series").click()
    set_number(fresh, "Horizon", 5)
    run(fresh)
    forecast_ended(fresh)
    box = fresh.page.locator(".st-key-chart .js-plotly-plot").bounding_box()
    assert box is not None
    fresh.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    fresh.page.get_by_role("tab", name="Export").click()
    files = {}
    for key in ("export_report", "export_run", "export_steps"):
        with fresh.page.expect_download() as started:
            button(fresh, key).click()
        files[key] = tmp_path / key
        started.value.save_as(files[key])
    give(fresh, ".st-key-export_upload", f"{SCRIPT}.json", files["export_run"].read_bytes())
    fresh.page.locator(".st-key-export_window .js-plotly-plot, .st-key-export_chart .js-plotly-plot").first.wait_for()
    fresh.page.get_by_role("tab", name="Compare runs").click()
    fresh.settle()
    assert fresh.page.locator("img[src=x]").count() == 0
    report = files["export_report"].read_text(encoding="utf-8")
    assert "<img src=x" not in report
    assert json.loads(files["export_run"].read_text())["record"]["symbol"].startswith("<img")
    shown = fresh.page.context.new_page()
    shown.on("dialog", lambda box: fresh.problems.append(f"a script ran: {box.message}"))
    shown.goto(files["export_report"].rename(tmp_path / "report.html").as_uri())
    expect(shown.get_by_text(SCRIPT).first).to_be_visible()
    assert shown.locator("img[src=x]").count() == 0
