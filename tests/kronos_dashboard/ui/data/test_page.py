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
from kronos_dashboard.ui.data import fetch as data_fetch
from kronos_dashboard.ui.data.table import candles_parquet
from kronos_dashboard.ui.series import library as series
from kronos_dashboard.ui.series.share_link import LinkRefused, Selection, from_parameters, to_parameters
from tests.support import makers
from tests.support.feeds.loopback import Fault, Loopback
from tests.support.feeds.markets import Binance, History, ms
from tests.support.forecast_page import ended, sound, texts
from tests.support.paths import ROOT

HOME = str(ROOT / "Home.py")
DATA, FORECAST = "pages/1_Data.py", "pages/2_Forecast.py"


@pytest.fixture
def app(checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The Data page in a fresh session, with the tiny model and a cache of its own."""
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(checkpoint))
    monkeypatch.setenv("KRONOS_DASHBOARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KRONOS_DASHBOARD_FEED_PATIENCE_S", "1")
    st.cache_resource.clear()
    yield AppTest.from_file(HOME, default_timeout=30)
    st.cache_resource.clear()


def opened(app: AppTest) -> AppTest:
    return sound(app.run().switch_page(DATA).run())


def uploaded(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    field = app.file_uploader[0]
    for name, data in files:
        field.upload(name, data)
    return sound(app.run())


def titles(app: AppTest) -> list[str]:
    return [held.title for held in app.session_state["series"].values()]


def now(app: AppTest) -> series.Series:
    return app.session_state["series"][app.session_state["source"]]


def click(app: AppTest, key: str) -> AppTest:
    [button] = [button for button in app.button if str(button.key).startswith(key)]
    button.click()
    return sound(app.run())


def test_an_empty_page_says_where_to_begin(app: AppTest) -> None:
    opened(app)
    assert app.title[0].value == "Data"
    assert "No candles yet" in app.info[0].value
    assert not app.radio


def test_a_sample_is_opened_shown_and_named_in_the_address(app: AppTest) -> None:
    opened(app).segmented_control(key="data_way").set_value("sample")
    app.run().selectbox(key="data_sample").set_value("aapl_1d")
    click(app.run(), "data_open_sample")
    assert titles(app) == ["Apple, daily"]
    assert "1,509 candles" in texts(app)
    assert app.query_params["sample"] in ("aapl_1d", ["aapl_1d"])
    assert "New York Stock Exchange" in texts(app)
    assert len(app.dataframe[0].value) == 200
    assert len(app.get("download_button")) == 2


def test_uploaded_files_stand_side_by_side_are_renamed_removed_and_forecast(app: AppTest) -> None:
    uploaded(opened(app), ("one.csv", makers.csv(200).encode()), ("two.csv", makers.csv(150, "1D").encode()))
    assert titles(app) == ["one", "two"]
    assert now(app).title == "two"
    assert "sample" not in app.query_params
    first = next(iter(app.session_state["series"]))
    app.radio(key="data_chosen").set_value(first)
    sound(app.run())
    assert now(app).title == "one"
    app.text_input(key=f"data_name_{first}").set_value("My <b>stock</b>")
    click(app, "data_rename_go")
    assert (now(app).title, now(app).candles.symbol) == ("My <b>stock</b>", "My <b>stock</b>")
    sound(app.switch_page(FORECAST).run())
    app.number_input(key="context").set_value(60)
    app.number_input(key="horizon").set_value(10)
    assert "1h · 200 candles" in texts(sound(app.run()))
    assert "My \\<b\\>stock" in texts(app)
    sound(app.switch_page(DATA).run())
    click(app, "data_remove")
    assert titles(app) == ["two"]
    click(app, "data_remove")
    assert "No candles yet" in app.info[0].value


def test_a_bad_file_is_explained_and_the_good_one_beside_it_is_read(app: AppTest) -> None:
    uploaded(opened(app), ("bad.csv", b"a,b\n1,2\n"), ("good.csv", makers.csv(200).encode()))
    assert "lacks the column" in app.error[0].value
    assert titles(app) == ["good"]
    uploaded(app, ("next.csv", makers.csv(100).encode()))
    assert not app.error, "an error is gone with the next upload"


def tickers() -> bytes:
    parts = [pd.read_csv(io.StringIO(makers.csv(n, "1D"))).assign(symbol=s) for n, s in ((80, "AA"), (90, "BB"))]
    return pd.concat(parts).to_csv(index=False).encode()


def test_a_file_with_several_instruments_offers_them_and_is_read_again_in_place_or_beside(app: AppTest) -> None:
    uploaded(opened(app), ("many.csv", tickers()))
    key = now(app).key
    assert now(app).candles.symbol == "AA"
    choice = app.selectbox(key=f"data_ticker_{key}")
    assert choice.options == ["AA", "BB"]
    choice.set_value("BB")
    click(app, f"data_again_{key}")
    assert [(held.candles.symbol, len(held.candles)) for held in app.session_state["series"].values()] == [("BB", 90)]
    assert now(app).key == key
    app.selectbox(key=f"data_ticker_{key}").set_value("AA")
    click(app, f"data_beside_{key}")
    assert titles(app) == ["BB", "AA"]


def test_the_clock_of_a_file_is_told_and_read_again(app: AppTest) -> None:
    uploaded(opened(app), ("mine.csv", makers.csv(200).encode()))
    key, first = now(app).key, now(app).candles.index[0]
    app.selectbox(key=f"data_zone_{key}").set_value("America/New_York")
    click(app, f"data_again_{key}")
    assert now(app).candles.session_tz == "America/New_York"
    assert now(app).candles.index[0] == first + pd.Timedelta(hours=5)


def test_findings_are_repaired_by_one_click_told_and_undone(app: AppTest) -> None:
    header, *rows = makers.csv(300).rstrip().split("\n")
    uploaded(opened(app), ("gap.csv", "\n".join([header, *rows[:150], *rows[153:]]).encode()))
    assert len(now(app).candles) == 297
    click(app, "data_fix_fill-gaps")
    assert len(now(app).candles) == 300
    assert "3 missing bars were filled" in texts(app)
    assert not [button for button in app.button if str(button.key).startswith("data_fix_fill-gaps")]
    click(app, "data_undo")
    assert len(now(app).candles) == 297
    assert now(app).done == ()


def test_rows_that_follow_each_other_are_told_as_one(app: AppTest) -> None:
    lines = makers.csv(300).rstrip().split("\n")
    close = lines[100].split(",")[4]
    for row in range(101, 131):
        lines[row] = ",".join([lines[row].split(",")[0], close, close, close, close, "0"])
    uploaded(opened(app), ("flat.csv", "\n".join(lines).encode()))
    assert "30 candles in one stretch" in texts(app)
    assert "(rows 101–130)" in texts(app).replace("\\", "")


def test_resampling_clock_and_calendar_are_changed_and_taken_back(app: AppTest) -> None:
    uploaded(opened(app), ("mine.csv", makers.csv(240).encode()))
    key = now(app).key
    app.selectbox(key=f"data_coarser_1h_{key}").set_value("4h")
    click(app.run(), "data_resample")
    assert (len(now(app).candles), now(app).candles.interval) == (60, pd.Timedelta(hours=4))
    app.selectbox(key=f"data_clock_UTC_{key}").set_value("Asia/Tokyo")
    click(app.run(), "data_set_clock")
    assert now(app).candles.session_tz == "Asia/Tokyo"
    app.selectbox(key=f"data_calendar_{key}").set_value("fx")
    sound(app.run())
    assert now(app).calendar == "fx"
    click(app, "data_undo_all")
    assert (len(now(app).candles), now(app).candles.session_tz) == (240, "UTC")


def test_ticks_ask_for_an_interval_first(app: AppTest) -> None:
    seconds = pd.Series([1, 4, 9, 2, 17, 3] * 100).cumsum()
    times = (pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")).dt.strftime("%Y-%m-%d %H:%M:%S")
    data = "time,price,volume\n" + "\n".join(f"{time},{100 + row % 7},{1 + row % 3}" for row, time in enumerate(times))
    uploaded(opened(app), ("ticks.csv", data.encode()))
    assert not app.session_state["series"]
    app.selectbox(key="data_choice_0").set_value("5m")
    click(app.run(), "data_choose_0")
    assert now(app).candles.interval == pd.Timedelta(minutes=5)


def exchange() -> Binance:
    return Binance(History(now=ms(pd.Timestamp.now("UTC"))))


def test_live_candles_are_searched_fetched_linked_and_told_from_the_cache(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Loopback(exchange()) as server:
        monkeypatch.setenv("KRONOS_DASHBOARD_FEED_GATEWAY", server.url)
        opened(app).segmented_control(key="data_way").set_value("fetch")
        sound(app.run())
        app.text_input(key="fetch_symbol_ccxt").set_value("eth")
        ended(click(app, "fetch_search"), "data_task")
        found = app.selectbox(key="fetch_symbol_ccxt_pick_eth")
        assert any(option.startswith("ETH/USDT") for option in found.options)
        found.set_value("ETH/USDT")
        sound(app.run())
        assert app.text_input(key="fetch_symbol_ccxt").value == "ETH/USDT"
        app.number_input(key="fetch_count").set_value(300)
        ended(click(app, "fetch_go"), "data_task")
        assert (now(app).candles.symbol, len(now(app).candles)) == ("ETH/USDT", 300)
        assert {name: app.query_params[name] for name in ("feed", "exchange", "count")} in (
            {"feed": "ccxt", "exchange": "binance", "count": "300"},
            {"feed": ["ccxt"], "exchange": ["binance"], "count": ["300"]},
        )
        server.faults.append(Fault(times=1_000, status=503))
        app.number_input(key="fetch_count").set_value(200)
        ended(click(app, "fetch_go"), "data_task")
        assert len(now(app).candles) == 200
        assert "cache" in texts(app)


def test_a_feed_that_cannot_be_reached_is_an_error_in_words(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Loopback(exchange())
    server.__enter__()
    monkeypatch.setenv("KRONOS_DASHBOARD_FEED_GATEWAY", server.url)
    server.close()
    for name, value in {"feed": "ccxt", "exchange": "binance", "symbol": "BTC/USDT", "count": "50"}.items():
        app.query_params[name] = value
    ended(opened(app), "data_task")
    assert app.error
    assert "Traceback" not in texts(app)
    assert "No candles yet" in app.info[0].value


@pytest.mark.parametrize(("given", "words"), [
    ({"sample": "../../etc/passwd"}, "no sample"),
    ({"feed": "file", "symbol": "AAPL"}, "no feed"),
    ({"feed": "ccxt"}, "no symbol"),
    ({"feed": "ccxt", "symbol": "http://x/../y?"}, "is not a symbol"),
    ({"feed": "ccxt", "symbol": "A" * 65}, "is no symbol"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "exchange": "../x"}, "not the name of an exchange"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "count": "999999"}, "at most 50,000"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "count": "-1"}, "must be 1 to"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "interval": "1m", "start": "1970-01-01"}, "at most 50,000"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "start": "soon"}, "not a time"),
    ({"feed": "ccxt", "symbol": "BTC/USDT", "interval": "7x"}, "not the name of an interval"),
])  # fmt: skip
def test_a_link_is_believed_nothing(given: dict[str, str], words: str) -> None:
    with pytest.raises(DashboardError, match=words):
        from_parameters(given)


@pytest.mark.parametrize("selection", [
    Selection(sample="eurusd_1h"),
    Selection(feed="ccxt", request=FetchRequest(symbol="BTC/USDT", exchange="kraken", count=20)),
    Selection(feed="yfinance", request=FetchRequest(
        symbol="AAPL", interval="1d", adjusted=False,
        start=pd.Timestamp("2024-01-01", tz="UTC"), end=pd.Timestamp("2024-03-01", tz="UTC"),
    )),
])  # fmt: skip
def test_a_selection_survives_its_link(selection: Selection) -> None:
    again = from_parameters(to_parameters(selection))
    assert again == selection
    assert again is not None
    assert again.key == selection.key


def test_a_bad_link_is_explained_on_the_page(app: AppTest) -> None:
    app.query_params["sample"] = "nothing"
    opened(app)
    assert "no sample" in app.error[0].value
    assert from_parameters({"other": "x"}) is None
    with pytest.raises(LinkRefused):
        Selection(feed="nobody", request=FetchRequest(symbol="A", count=1))


def test_the_session_holds_no_more_than_it_may(app: AppTest) -> None:
    opened(app)
    files = [(f"{number}.csv", makers.csv(50, "1D").encode()) for number in range(series.MOST_SERIES + 1)]
    uploaded(app, *files[:7])
    uploaded(app, *files[7:])
    assert len(app.session_state["series"]) == series.MOST_SERIES
    assert "12 series at most" in app.error[0].value


def test_parquet_gives_back_the_same_candles() -> None:
    candles = makers.candles(50, session_tz="Asia/Tokyo")
    table = pd.read_parquet(io.BytesIO(candles_parquet(candles)))
    assert list(table.columns) == ["timestamps", "open", "high", "low", "close", "volume", "amount"]
    assert (table["timestamps"] == candles.local_index).all()
    assert table["close"].to_list() == candles.frame["close"].to_list()


def test_the_page_offers_every_feed_and_needs_no_torch_and_no_exchange_library_to_be_shown() -> None:
    assert set(data_fetch._feeds()) == set(FEEDS)
    code = (
        "import sys; from kronos_dashboard.ui import data; assert not {'torch', 'ccxt', 'yfinance'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(HOME).parent)
