"""The Data page in a real browser: files of every sort, an exchange on this machine, repairs, links, downloads."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import App, browse, serve
from tests.support import makers
from tests.support.feeds.loopback import Fault, Loopback
from tests.support.feeds.markets import Binance, History, ms

LINK = "/Data?feed=ccxt&exchange=binance&symbol=ETH/USDT&interval=1h&count=300"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Loopback]:
    with Loopback(Binance(History(now=ms(pd.Timestamp.now("UTC"))))) as server:
        yield server


@pytest.fixture(scope="module")
def address(chromium: Browser, exchange: Loopback, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a cache of its own, whose feeds go to the exchange on this machine."""
    folder = tmp_path_factory.mktemp("data")
    log = folder / "streamlit.log"
    cache = str(folder / "cache")
    with serve(
        log,
        KRONOS_DASHBOARD_FEED_PROXY_URL=exchange.url,
        KRONOS_DASHBOARD_CACHE_DIR=cache,
        KRONOS_DASHBOARD_FEED_RETRY_BUDGET_S="1",
    ) as url:
        yield url
    assert "Traceback" not in log.read_text()


@pytest.fixture
def data(chromium: Browser, address: str) -> Iterator[App]:
    with opened(chromium, address) as app:
        yield app


@contextlib.contextmanager
def opened(
    chromium: Browser, address: str, path: str = "/Data", width: int = 1280, height: int = 720, scheme: str = "light"
) -> Iterator[App]:
    with browse(chromium, address, width, height, scheme) as app:
        yield app.open(path)


def upload(app: App, name: str, data: bytes) -> None:
    field = app.page.get_by_test_id("stFileUploader").locator("input[type=file]")
    field.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})


def facts(app: App) -> Locator:
    """The line of facts on the chosen series."""
    return app.page.get_by_test_id("stCaptionContainer").filter(has_text="time zone").first


def pick(app: App, label: str, value: str) -> None:
    """Choose in a select box."""
    box = app.page.get_by_role("combobox", name=label)
    box.click()
    app.page.get_by_role("option", name=value, exact=True).click()


def european(n: int = 120) -> bytes:
    """A spreadsheet's export from Germany: title, semicolons, decimal commas, day first, newest first."""
    rows = ["Kursdaten Beispiel AG", "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen"]
    frame = makers.values(n).round(2)
    for row, day in reversed(list(enumerate(pd.bdate_range("2024-01-02", periods=n)))):
        o, h, low, c, v, _ = frame.iloc[row]
        h, low = max(h, o, c), min(low, o, c)
        prices = ";".join(f"{price:.2f}".replace(".", ",") for price in (o, h, low, c))
        rows.append(f"{day:%d.%m.%Y};{prices};{v:,.0f}".replace(",000", ".000"))
    return "\n".join(rows).encode("cp1252")


def test_a_file_as_spreadsheets_export_it_is_read_charted_and_taken_to_a_forecast(data: App, tmp_path: Path) -> None:
    expect(data.page.get_by_text("No data yet")).to_be_visible()
    upload(data, "beispiel.csv", european())
    expect(facts(data)).to_contain_text("1d · 120 candles · 02 Jan 2024")
    data.page.locator(".st-key-data_chart .js-plotly-plot .boxlayer .trace").first.wait_for(state="attached")
    data.page.get_by_role("tab", name="Export & share").click()
    with data.page.expect_download() as started:
        data.page.get_by_role("button", name="Candles (CSV)").click()
    started.value.save_as(tmp_path / "taken.csv")
    with (tmp_path / "taken.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 120
    assert rows[0]["timestamps"].startswith("2024-01-02")
    with data.rerun():
        data.page.get_by_role("button", name="Forecast this series").click()
    expect(data.page.get_by_role("heading", name="Forecast")).to_be_visible()
    expect(data.page.get_by_text("· 120 candles ·")).to_be_visible()


def test_a_file_with_several_instruments_lets_one_choose(data: App) -> None:
    lines = makers.csv(80, "1D").rstrip().split("\n")
    rows = [f"{line},{name}" for name in ("AAA", "BBB") for line in lines[1:]]
    upload(data, "many.csv", "\n".join([f"{lines[0]},symbol", *rows]).encode())
    expect(data.page.get_by_role("heading", name="AAA")).to_be_visible()
    pick(data, "Instrument", "BBB")
    with data.rerun():
        data.page.get_by_role("button", name="Import as new series").click()
    expect(data.page.get_by_role("heading", name="BBB")).to_be_visible()
    expect(data.page.get_by_text("Loaded data (2)")).to_be_visible()
    with data.rerun():
        data.page.get_by_test_id("stRadio").get_by_text("AAA", exact=True).click()
    expect(data.page.get_by_role("heading", name="AAA")).to_be_visible()


def test_a_bad_file_is_explained(data: App) -> None:
    upload(data, "bad.csv", b"a,b\n1,2\n3,4\n")
    expect(data.page.get_by_role("alert").filter(has_text="has no column")).to_be_visible()
    expect(data.page.get_by_text("No data yet")).to_be_visible()


def test_a_gap_is_filled_by_one_click_and_opened_again_by_another(data: App) -> None:
    header, *rows = makers.csv(300).rstrip().split("\n")
    upload(data, "gap.csv", "\n".join([header, *rows[:150], *rows[153:]]).encode())
    expect(facts(data)).to_contain_text("297 candles")
    data.page.get_by_role("button", name="Fill gaps with flat candles").click()
    expect(facts(data)).to_contain_text("300 candles")
    expect(data.page.get_by_text("Filled 3 missing bars")).to_be_visible()
    data.page.get_by_role("button", name="Undo").click()
    expect(facts(data)).to_contain_text("297 candles")


def test_live_candles_are_found_fetched_and_opened_again_by_their_link(
    chromium: Browser, address: str, exchange: Loopback
) -> None:
    with opened(chromium, address) as data:
        with data.rerun():
            data.page.get_by_test_id("stButtonGroup").get_by_text("Online").click()
        field = data.page.get_by_role("textbox", name="Symbol")
        field.fill("eth")
        with data.rerun():
            field.press("Enter")
        data.page.get_by_role("button", name="Search").click()
        box = data.page.get_by_role("combobox", name="Results for “eth”")
        box.click()
        data.page.get_by_role("option", name="ETH/USDT").first.click()
        expect(field).to_have_value("ETH/USDT")
        data.settle()
        data.page.get_by_role("button", name="Fetch", exact=True).click()
        expect(facts(data)).to_contain_text("1h · 1,000 candles")
        expect(data.page).to_have_url(re.compile(r"feed=ccxt&exchange=binance&symbol=ETH%2FUSDT.*count=1000"))
        link = data.page.url.removeprefix(address)
    with opened(chromium, address, link) as data:
        expect(facts(data)).to_contain_text("1h · 1,000 candles")
        expect(data.page.get_by_role("heading", name="ETH/USDT · Binance")).to_be_visible()


def test_an_exchange_that_is_down_is_told_and_the_cache_answers_where_it_can(
    chromium: Browser, address: str, exchange: Loopback
) -> None:
    with opened(chromium, address, LINK) as data:
        expect(facts(data)).to_contain_text("300 candles")
    exchange.faults.append(Fault(times=10_000, status=503))
    try:
        with opened(chromium, address, LINK.replace("count=300", "count=200")) as data:
            expect(facts(data)).to_contain_text("200 candles")
            expect(
                data.page.get_by_text(re.compile("candles were loaded from the cache, fetched .* ago"))
            ).to_be_visible()
        with opened(chromium, address, LINK.replace("ETH/USDT", "BTC/EUR")) as data:
            expect(data.page.get_by_role("alert").filter(has_text="Binance")).to_be_visible(timeout=30_000)
            expect(data.page.get_by_text("No data yet")).to_be_visible()
    finally:
        exchange.faults.clear()


def test_a_link_that_makes_no_sense_is_explained(chromium: Browser, address: str) -> None:
    with opened(chromium, address, "/Data?sample=../../etc/passwd") as data:
        expect(data.page.get_by_role("alert").filter(has_text="Unknown sample")).to_be_visible()


@pytest.mark.parametrize(("width", "height", "scheme"), [(390, 844, "dark"), (1280, 720, "light")])
def test_the_page_fits_a_phone_and_a_small_screen(
    chromium: Browser, address: str, width: int, height: int, scheme: str
) -> None:
    with opened(chromium, address, "/Data?sample=aapl_1h", width, height, scheme) as data:
        expect(facts(data)).to_contain_text("3,478 candles")
        data.page.locator(".st-key-data_chart .js-plotly-plot .boxlayer .trace").first.wait_for(state="attached")
        assert data.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        chart = data.page.locator(".st-key-data_chart")
        assert chart.evaluate("e => e.getBoundingClientRect().right <= window.innerWidth")
