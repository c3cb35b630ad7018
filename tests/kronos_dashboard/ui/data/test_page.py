"""The Data page as Streamlit runs it, without a browser: empty, filled in every way, repaired, and after errors."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.feeds import FEEDS, FetchRequest
from kronos_dashboard.markets.share_link import (
    InvalidLinkError,
    Selection,
    selection_from_parameters,
    selection_to_parameters,
)
from kronos_dashboard.ui.data import fetch as data_fetch
from kronos_dashboard.ui.data.export import candles_parquet
from kronos_dashboard.ui.series import library as series
from tests.support import makers
from tests.support.feeds.loopback import Fault, Loopback
from tests.support.feeds.markets import Binance, History, ms
from tests.support.forecast_page import assert_no_exception, page_text, wait_for_key
from tests.support.paths import ROOT

HOME = str(ROOT / "Home.py")
DATA, FORECAST = "pages/1_Data.py", "pages/2_Forecast.py"


@pytest.fixture
def app(checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The Data page in a fresh session, with the tiny model and a cache of its own."""
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(checkpoint))
    monkeypatch.setenv("KRONOS_DASHBOARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KRONOS_DASHBOARD_FEED_RETRY_BUDGET_S", "1")
    st.cache_resource.clear()
    yield AppTest.from_file(HOME, default_timeout=30)
    st.cache_resource.clear()


def open_data_page(app: AppTest) -> AppTest:
    return assert_no_exception(app.run().switch_page(DATA).run())


def upload_files(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    field = app.file_uploader[0]
    for name, data in files:
        field.upload(name, data)
    return assert_no_exception(app.run())


def series_titles(app: AppTest) -> list[str]:
    return [one.title for one in app.session_state["series"].values()]


def current_series(app: AppTest) -> series.EditableSeries:
    return app.session_state["series"][app.session_state["selected_series"]]


def click(app: AppTest, key: str) -> AppTest:
    [button] = [button for button in app.button if str(button.key).startswith(key)]
    button.click()
    return assert_no_exception(app.run())


def test_an_empty_page_says_where_to_begin(app: AppTest) -> None:
    open_data_page(app)
    assert app.title[0].value == "Data"
    assert "No data yet" in app.info[0].value
    assert not app.radio


def test_a_sample_is_opened_shown_and_named_in_the_address(app: AppTest) -> None:
    open_data_page(app).segmented_control(key="data_source").set_value("sample")
    app.run().selectbox(key="data_sample").set_value("aapl_1d")
    click(app.run(), "data_open_sample")
    assert series_titles(app) == ["Apple, daily"]
    assert "1,509 candles" in page_text(app)
    assert app.query_params["sample"] in ("aapl_1d", ["aapl_1d"])
    assert "New York Stock Exchange" in page_text(app)
    assert len(app.dataframe[0].value) == 200
    assert len(app.get("download_button")) == 2


def test_uploaded_files_stand_side_by_side_are_renamed_removed_and_forecast(app: AppTest) -> None:
    upload_files(
        open_data_page(app), ("one.csv", makers.csv(200).encode()), ("two.csv", makers.csv(150, "1D").encode())
    )
    assert series_titles(app) == ["one", "two"]
    assert current_series(app).title == "two"
    assert "sample" not in app.query_params
    first = next(iter(app.session_state["series"]))
    app.radio(key="data_selected").set_value(first)
    assert_no_exception(app.run())
    assert current_series(app).title == "one"
    app.text_input(key=f"data_name_{first}").set_value("My <b>stock</b>")
    click(app, "data_rename_go")
    assert (current_series(app).title, current_series(app).candles.symbol) == ("My <b>stock</b>", "My <b>stock</b>")
    assert_no_exception(app.switch_page(FORECAST).run())
    app.number_input(key="context").set_value(60)
    app.number_input(key="horizon").set_value(10)
    assert "1h · 200 candles" in page_text(assert_no_exception(app.run()))
    assert "My \\<b\\>stock" in page_text(app)
    assert_no_exception(app.switch_page(DATA).run())
    click(app, "data_remove")
    assert series_titles(app) == ["two"]
    click(app, "data_remove")
    assert "No data yet" in app.info[0].value


def test_a_bad_file_is_explained_and_the_good_one_beside_it_is_read(app: AppTest) -> None:
    upload_files(open_data_page(app), ("bad.csv", b"a,b\n1,2\n"), ("good.csv", makers.csv(200).encode()))
    assert "has no column" in app.error[0].value
    assert series_titles(app) == ["good"]
    upload_files(app, ("next.csv", makers.csv(100).encode()))
    assert not app.error, "an error is gone with the next upload"


def tickers() -> bytes:
    parts = [pd.read_csv(io.StringIO(makers.csv(n, "1D"))).assign(symbol=s) for n, s in ((80, "AA"), (90, "BB"))]
    return pd.concat(parts).to_csv(index=False).encode()


def test_a_file_with_several_instruments_offers_them_and_is_read_again_in_place_or_beside(app: AppTest) -> None:
    upload_files(open_data_page(app), ("many.csv", tickers()))
    key = current_series(app).key
    assert current_series(app).candles.symbol == "AA"
    choice = app.selectbox(key=f"data_symbol_{key}")
    assert choice.options == ["AA", "BB"]
    choice.set_value("BB")
    click(app, f"data_again_{key}")
    assert [(one.candles.symbol, len(one.candles)) for one in app.session_state["series"].values()] == [("BB", 90)]
    assert current_series(app).key == key
    app.selectbox(key=f"data_symbol_{key}").set_value("AA")
    click(app, f"data_keep_both_{key}")
    assert series_titles(app) == ["BB", "AA"]


def test_the_clock_of_a_file_is_told_and_read_again(app: AppTest) -> None:
    upload_files(open_data_page(app), ("mine.csv", makers.csv(200).encode()))
    key, first = current_series(app).key, current_series(app).candles.index[0]
    app.selectbox(key=f"data_timezone_of_file_{key}").set_value("America/New_York")
    click(app, f"data_again_{key}")
    assert current_series(app).candles.session_tz == "America/New_York"
    assert current_series(app).candles.index[0] == first + pd.Timedelta(hours=5)


def test_findings_are_repaired_by_one_click_told_and_undone(app: AppTest) -> None:
    header, *rows = makers.csv(300).rstrip().split("\n")
    upload_files(open_data_page(app), ("gap.csv", "\n".join([header, *rows[:150], *rows[153:]]).encode()))
    assert len(current_series(app).candles) == 297
    click(app, "data_fix_fill-gaps")
    assert len(current_series(app).candles) == 300
    assert "Filled 3 missing bars" in page_text(app)
    assert not [button for button in app.button if str(button.key).startswith("data_fix_fill-gaps")]
    click(app, "data_undo")
    assert len(current_series(app).candles) == 297
    assert current_series(app).edits == ()


def test_rows_that_follow_each_other_are_told_as_one(app: AppTest) -> None:
    lines = makers.csv(300).rstrip().split("\n")
    close = lines[100].split(",")[4]
    for row in range(101, 131):
        lines[row] = ",".join([lines[row].split(",")[0], close, close, close, close, "0"])
    upload_files(open_data_page(app), ("flat.csv", "\n".join(lines).encode()))
    assert "30 candles in one period" in page_text(app)
    assert "(rows 101–130)" in page_text(app).replace("\\", "")


def test_resampling_clock_and_calendar_are_changed_and_taken_back(app: AppTest) -> None:
    upload_files(open_data_page(app), ("mine.csv", makers.csv(240).encode()))
    key = current_series(app).key
    app.selectbox(key=f"data_coarser_1h_{key}").set_value("4h")
    click(app.run(), "data_resample")
    assert (len(current_series(app).candles), current_series(app).candles.interval) == (60, pd.Timedelta(hours=4))
    app.selectbox(key=f"data_timezone_UTC_{key}").set_value("Asia/Tokyo")
    click(app.run(), "data_set_timezone")
    assert current_series(app).candles.session_tz == "Asia/Tokyo"
    app.selectbox(key=f"data_calendar_{key}").set_value("fx")
    assert_no_exception(app.run())
    assert current_series(app).calendar == "fx"
    click(app, "data_undo_all")
    assert (len(current_series(app).candles), current_series(app).candles.session_tz) == (240, "UTC")


def test_ticks_ask_for_an_interval_first(app: AppTest) -> None:
    seconds = pd.Series([1, 4, 9, 2, 17, 3] * 100).cumsum()
    times = (pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")).dt.strftime("%Y-%m-%d %H:%M:%S")
    data = "time,price,volume\n" + "\n".join(f"{time},{100 + row % 7},{1 + row % 3}" for row, time in enumerate(times))
    upload_files(open_data_page(app), ("ticks.csv", data.encode()))
    assert not app.session_state["series"]
    app.selectbox(key="data_choice_0").set_value("5m")
    click(app.run(), "data_choose_0")
    assert current_series(app).candles.interval == pd.Timedelta(minutes=5)


def exchange() -> Binance:
    return Binance(History(now=ms(pd.Timestamp.now("UTC"))))


def test_live_candles_are_searched_fetched_linked_and_told_from_the_cache(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Loopback(exchange()) as server:
        monkeypatch.setenv("KRONOS_DASHBOARD_FEED_PROXY_URL", server.url)
        open_data_page(app).segmented_control(key="data_source").set_value("fetch")
        assert_no_exception(app.run())
        app.text_input(key="fetch_symbol_ccxt").set_value("eth")
        wait_for_key(click(app, "fetch_search"), "background_task")
        found = app.selectbox(key="fetch_pick_fetch_symbol_ccxt_eth")
        assert any(option.startswith("ETH/USDT") for option in found.options)
        found.set_value("ETH/USDT")
        assert_no_exception(app.run())
        assert app.text_input(key="fetch_symbol_ccxt").value == "ETH/USDT"
        app.number_input(key="fetch_count").set_value(300)
        wait_for_key(click(app, "fetch_go"), "background_task")
        assert (current_series(app).candles.symbol, len(current_series(app).candles)) == ("ETH/USDT", 300)
        assert {name: app.query_params[name] for name in ("feed", "exchange", "count")} in (
            {"feed": "ccxt", "exchange": "binance", "count": "300"},
            {"feed": ["ccxt"], "exchange": ["binance"], "count": ["300"]},
        )
        server.faults.append(Fault(times=1_000, status=503))
        app.number_input(key="fetch_count").set_value(200)
        wait_for_key(click(app, "fetch_go"), "background_task")
        assert len(current_series(app).candles) == 200
        assert "cache" in page_text(app)


def test_a_feed_that_cannot_be_reached_is_an_error_in_words(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Loopback(exchange())
    server.__enter__()
    monkeypatch.setenv("KRONOS_DASHBOARD_FEED_PROXY_URL", server.url)
    server.close()
    for name, value in {"feed": "ccxt", "exchange": "binance", "symbol": "BTC/USDT", "count": "50"}.items():
        app.query_params[name] = value
    wait_for_key(open_data_page(app), "background_task")
    assert app.error
    assert "Traceback" not in page_text(app)
    assert "No data yet" in app.info[0].value


@pytest.mark.parametrize(("given", "words"), [
    ({"sample": "../../etc/passwd"}, "unknown sample"),
    ({"feed": "file", "symbol": "AAPL"}, "unknown source"),
    ({"feed": "ccxt"}, "no symbol"),
    ({"feed": "ccxt", "symbol": "http://x/../y?"}, "is not a valid symbol"),
    ({"feed": "ccxt", "symbol": "A" * 65}, "symbol in this link is not valid"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "exchange": "../x"}, "not a valid exchange name"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "count": "999999"}, "at most 50,000"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "count": "-1"}, "must be 1 to"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "interval": "1m", "start": "1970-01-01"}, "at most 50,000"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "start": "soon"}, "not a time"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "interval": "7x"}, "not a valid interval"),
])  # fmt: skip
def test_a_link_is_believed_nothing(given: dict[str, str], words: str) -> None:
    with pytest.raises(DashboardError, match=words):
        selection_from_parameters(given)


@pytest.mark.parametrize("selection", [
    Selection(sample="eurusd_1h"),
    Selection(feed="ccxt", request=FetchRequest(symbol="BTC/USDT", exchange="kraken", limit=20)),
    Selection(feed="yfinance", request=FetchRequest(
        symbol="AAPL", interval="1d", adjusted=False,
        start=pd.Timestamp("2024-01-01", tz="UTC"), end=pd.Timestamp("2024-03-01", tz="UTC"),
    )),
])  # fmt: skip
def test_a_selection_survives_its_link(selection: Selection) -> None:
    again = selection_from_parameters(selection_to_parameters(selection))
    assert again == selection
    assert again is not None
    assert again.key == selection.key


def test_a_bad_link_is_explained_on_the_page(app: AppTest) -> None:
    app.query_params["sample"] = "nothing"
    open_data_page(app)
    assert "Unknown sample" in app.error[0].value
    assert selection_from_parameters({"other": "x"}) is None
    with pytest.raises(InvalidLinkError):
        Selection(feed="nobody", request=FetchRequest(symbol="A", limit=1))


def test_the_session_holds_no_more_than_it_may(app: AppTest) -> None:
    open_data_page(app)
    files = [(f"{number}.csv", makers.csv(50, "1D").encode()) for number in range(series.MAX_SERIES + 1)]
    upload_files(app, *files[:7])
    upload_files(app, *files[7:])
    assert len(app.session_state["series"]) == series.MAX_SERIES
    assert "at most 12 series" in app.error[0].value


def test_parquet_gives_back_the_same_candles() -> None:
    candles = makers.candles(50, session_tz="Asia/Tokyo")
    table = pd.read_parquet(io.BytesIO(candles_parquet(candles)))
    assert list(table.columns) == ["timestamps", "open", "high", "low", "close", "volume", "amount"]
    assert (table["timestamps"] == candles.local_index).all()
    assert table["close"].to_list() == candles.frame["close"].to_list()


def test_the_page_offers_every_feed_and_needs_no_torch_and_no_exchange_library_to_be_shown() -> None:
    assert set(data_fetch._feed_names()) == set(FEEDS)
    code = (
        "import sys; from kronos_dashboard.ui.data import page; "
        "assert not {'torch', 'ccxt', 'yfinance'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(HOME).parent)
