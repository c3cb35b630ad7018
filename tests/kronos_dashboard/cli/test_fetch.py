import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from kronos_dashboard.cli.app import app
from kronos_dashboard.cli.fetch import run_fetch
from kronos_dashboard.cli.options import FetchOptions
from kronos_dashboard.errors import FeedError, InvalidFeedRequestError
from kronos_dashboard.export.candles import write_candles_csv
from kronos_dashboard.markets.feeds import CachedFeed, open_feed
from kronos_dashboard.markets.importers import read_file
from kronos_dashboard.settings import Settings
from tests.support import makers
from tests.support.feeds.loopback import Loopback
from tests.support.feeds.markets import NOW, Binance
from tests.support.feeds.yahoo_market import NOW as YAHOO_NOW
from tests.support.feeds.yahoo_market import Yahoo


def options(*words: object) -> FetchOptions:
    """The options of a command line."""
    _, bound, _ = app.parse_args(["fetch", *map(str, words)], exit_on_error=False, print_error=False)
    bound.apply_defaults()
    return bound.arguments["options"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=str(tmp_path / "cache"))


def test_candles_are_fetched_summarised_and_written_so_that_the_importers_read_them(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "candles.csv"
    with Loopback(Binance(), NOW) as server:
        run_fetch(
            options("--symbol", "BTC/USDT", "--limit", 1_200, "--out", out),
            settings,
            now=NOW,
            transport=server.transport(),
        )
    shown = capsys.readouterr()
    assert "symbol    BTC/USDT" in shown.out
    assert "rows      1,200" in shown.out
    assert f"written   {out}" in shown.out
    assert "still forming" in shown.err
    with out.open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["timestamps", "open", "high", "low", "close", "volume"]
    assert rows[-1][0] == "2024-06-01T11:00:00+00:00"
    candles = read_file(out).candles
    assert (len(candles), candles.interval) == (1_200, pd.Timedelta(hours=1))
    assert candles.index[-1] == pd.Timestamp("2024-06-01 11:00", tz="UTC")


def test_stocks_are_written_in_their_timezone_and_no_cell_can_be_a_formula(tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "aapl.csv"
    words = (
        "--provider",
        "yfinance",
        "--symbol",
        "AAPL",
        "--interval",
        "1d",
        "--start",
        "2024-02-20",
        "--end",
        "2024-04-01",
    )
    with Loopback(Yahoo(), YAHOO_NOW) as server:
        run_fetch(options(*words, "--unadjusted", "--out", out), settings, now=YAHOO_NOW, transport=server.transport())
        fetched = open_feed("yfinance", settings, server.transport())
    assert isinstance(fetched, CachedFeed)
    text = out.read_text()
    assert "2024-03-08T00:00:00-05:00" in text
    assert "2024-03-11T00:00:00-04:00" in text
    cells = [cell for row in csv.reader(text.splitlines()[1:]) for cell in row]
    assert all(cell[0].isdigit() for cell in cells)
    candles = read_file(out).candles
    assert candles.index[0] == pd.Timestamp("2024-02-20", tz="America/New_York")


def test_prices_survive_the_file_to_the_bit(tmp_path: Path, settings: Settings) -> None:
    with Loopback(Binance(), NOW) as server:
        run_fetch(
            options("--symbol", "BTC/USDT", "--limit", 60, "--out", tmp_path / "a.csv"),
            settings,
            now=NOW,
            transport=server.transport(),
        )
    candles = read_file(tmp_path / "a.csv").candles
    again = read_file(_written(tmp_path / "b.csv", write_candles_csv(candles))).candles
    assert again.frame.equals(candles.frame)


def test_adjusted_candles_survive_the_file_to_the_bit(tmp_path: Path) -> None:
    plain = makers.candles(80)
    frame = plain.frame / 3  # as after an adjustment: numbers that need all their digits
    candles = read_file(_written(tmp_path / "a.csv", write_candles_csv(replace(plain, frame=frame)))).candles
    assert (candles.frame.to_numpy() == frame.to_numpy())[:, :5].all()


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_exchanges_intervals_and_symbols_are_listed(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run_fetch(options("--list", "exchanges"), settings)
    assert {"binance", "kraken", "okx"} <= set(capsys.readouterr().out.split())
    run_fetch(options("--list", "intervals", "--exchange", "kraken"), settings)
    assert capsys.readouterr().out.split() == ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "2w"]
    run_fetch(options("--list", "intervals", "--provider", "yfinance"), settings)
    assert "90m" in capsys.readouterr().out
    with Loopback(Binance(), NOW) as server:
        run_fetch(options("--search", "eth"), settings, transport=server.transport())
        assert capsys.readouterr().out.split()[:3] == ["ETH/BTC", "spot", "binance"]
        with pytest.raises(InvalidFeedRequestError, match="No symbol matches"):
            run_fetch(options("--search", "zzzz"), settings, transport=server.transport())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "No symbol was given"),
        (("--symbol", "BTC/USDT", "--start", "soon"), "the start 'soon' is not a valid time"),
        (("--symbol", "BTC/USDT", "--out", "/nowhere/at/all.csv"), "cannot be written"),
        (("--list", "exchanges", "--provider", "yfinance"), "does not list exchanges"),
        (("--symbol", "BTC/USDT", "--limit", "0"), "must be 1 to"),
        (("--symbol", "BTC/USDT", "--exchange", "binanse"), "Did you mean binance"),
        (("--symbol", "BTC/USDT", "--interval", "1y"), "not a valid interval"),
    ],
)
def test_an_impossible_request_fails_before_anything_is_sent(
    words: tuple[str, ...], message: str, settings: Settings
) -> None:
    with Loopback(Binance(), NOW) as server:
        with pytest.raises(FeedError, match=message):
            run_fetch(options(*words), settings, now=NOW, transport=server.transport())
        assert server.asked == []


def test_an_unknown_feed_is_rejected() -> None:
    with pytest.raises(InvalidFeedRequestError, match="There is no feed named 'bloomberg'"):
        open_feed("bloomberg")


def test_the_settings_carry_proxy_and_timeout_into_the_feeds(settings: Settings, tmp_path: Path) -> None:
    with Loopback(Binance(), NOW) as server:
        given = Settings(cache_dir=str(tmp_path), feed_proxy_url=f"{server.url}/", feed_timeout_s=3)
        run_fetch(options("--symbol", "BTC/USDT", "--limit", 5), given, now=NOW)
        assert server.count("klines") == 1
    assert list((tmp_path / "candles").glob("ccxt-binance-BTC-USDT-1h-*.parquet"))
