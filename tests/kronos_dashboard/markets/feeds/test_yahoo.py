"""The real yfinance client against a server on this machine that speaks Yahoo's format."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from kronos_dashboard.errors import (
    FeedUnavailableError,
    InvalidFeedRequestError,
    NoCandlesError,
    RateLimitedError,
    UnknownSymbolError,
)
from kronos_dashboard.markets.feeds import FetchRequest, YahooFeed
from tests.support.feeds.loopback import Fault, Loopback
from tests.support.feeds.yahoo_market import NOW, Yahoo
from tests.support.paths import ROOT

CHART = "v8/finance/chart"
NY = "America/New_York"


def asked(symbol: str = "AAPL", interval: str = "1d", **fields: object) -> FetchRequest:
    given = {"symbol": symbol, "interval": interval, **fields}
    if "start" not in given:
        given.setdefault("limit", 20)
    return FetchRequest(**given)  # type: ignore[arg-type]


def text_of(fetched) -> str:
    return "\n".join(f"{note.level}: {note.text}" for note in fetched.notes)


def test_daily_candles_stand_on_the_clock_of_their_exchange() -> None:
    market = Yahoo()
    with Loopback(market, NOW) as server:
        fetched = YahooFeed(server.transport()).fetch(asked(limit=300), now=NOW)
    candles = fetched.candles
    assert len(candles) == 300
    assert (candles.session_tz, candles.symbol, candles.has_volume, candles.has_amount) == (NY, "AAPL", True, False)
    assert {f"{time:%H:%M}" for time in candles.local_index} == {"00:00"}
    assert candles.local_index[-1] == pd.Timestamp("2024-05-30", tz=NY)
    assert "Skipped the last bar, which is still forming: 2024-05-31 00:00 (America/New_York)" in text_of(fetched)
    assert "no gaps" not in text_of(fetched)
    assert "gaps (closed hours" in text_of(fetched)


def test_the_bar_of_the_day_counts_once_its_market_has_closed_and_settled() -> None:
    for clock, last in (("16:10", "2024-05-30"), ("16:31", "2024-05-31")):
        now = pd.Timestamp(f"2024-05-31 {clock}", tz=NY).tz_convert("UTC")
        with Loopback(Yahoo(now=now), now) as server:
            fetched = YahooFeed(server.transport()).fetch(asked(), now=now)
        assert f"{fetched.candles.local_index[-1]:%Y-%m-%d}" == last


def test_adjusted_prices_take_dividends_out_and_raw_ones_do_not() -> None:
    start = pd.Timestamp("2023-12-20", tz="UTC")
    with Loopback(Yahoo(factor=0.5), NOW) as server:
        feed = YahooFeed(server.transport())
        adjusted = feed.fetch(asked(start=start), now=NOW)
        raw = feed.fetch(asked(start=start, adjusted=False), now=NOW)
    before = raw.candles.index < pd.Timestamp("2024-01-01", tz="UTC")
    ratio = adjusted.candles.frame["close"] / raw.candles.frame["close"]
    assert ratio[before].to_numpy() == pytest.approx(0.5, rel=1e-4)
    assert ratio[~before].to_numpy() == pytest.approx(1.0)
    assert "adjusted for splits and dividends" in text_of(adjusted)
    assert "not for dividends" in text_of(raw)


def test_minute_candles_are_fetched_in_pieces_of_a_week() -> None:
    with Loopback(Yahoo(), NOW) as server:
        fetched = YahooFeed(server.transport()).fetch(asked(interval="1m", limit=3_000), now=NOW)
        spans = [int(query["period2"]) - int(query["period1"]) for _, query in server.asked if "period1" in query]
    assert len(fetched.candles) == 3_000
    assert fetched.candles.local_index[-1] == pd.Timestamp("2024-05-31 15:44", tz=NY)
    assert len(spans) >= 3
    assert max(spans) <= 7 * 86_400 + 2


def test_hours_half_hours_weeks_and_months_come_too() -> None:
    with Loopback(Yahoo(), NOW) as server:
        feed = YahooFeed(server.transport())
        found = {name: feed.fetch(asked(interval=name, limit=4), now=NOW) for name in ("30m", "1h", "1w", "1M")}
    newest = {name: f"{fetched.candles.local_index[-1]:%m-%d %H:%M}" for name, fetched in found.items()}
    assert newest == {"30m": "05-31 15:00", "1h": "05-31 14:30", "1w": "05-20 00:00", "1M": "04-01 00:00"}
    assert "without prices" not in text_of(found["30m"])


def test_a_currency_has_no_volume_and_a_coin_no_pauses() -> None:
    with Loopback(Yahoo(), NOW) as server:
        feed = YahooFeed(server.transport())
        euro = feed.fetch(asked("EURUSD=X"), now=NOW)
        coin = feed.fetch(asked("BTC-USD", "1h", limit=200), now=NOW)
    assert not euro.candles.has_volume
    assert "dividends" not in text_of(euro)
    assert coin.info.always_open
    assert "200 candles at 1h, no gaps" in text_of(coin)


@pytest.mark.parametrize(
    ("interval", "days", "words"),
    [
        ("1m", 40, "the last 29 days of 1m candles"),
        ("5m", 61, "the last 59 days of 5m candles"),
        ("90m", 61, "the last 59 days of 90m candles"),
        ("1h", 731, "the last 729 days of 1h candles"),
    ],
)
def test_a_limit_of_yahoo_is_explained_before_anything_is_requested(interval, days, words) -> None:
    with Loopback(Yahoo(), NOW) as server:
        start = NOW - pd.Timedelta(days=days)
        with pytest.raises(InvalidFeedRequestError, match=words) as caught:
            YahooFeed(server.transport()).fetch(asked(interval=interval, start=start), now=NOW)
        assert server.asked == []
    assert "Choose a later start, or" in caught.value.hint


def test_a_count_beyond_the_limit_gives_what_there_is_and_says_why() -> None:
    with Loopback(Yahoo(), NOW) as server:
        fetched = YahooFeed(server.transport()).fetch(asked(interval="15m", limit=5_000), now=NOW)
    assert 900 < len(fetched.candles) < 1_500
    assert "Requested 5,000 candles" in text_of(fetched)
    assert "the last 59 days of 15m candles" in text_of(fetched)


def test_days_whose_values_are_null_are_dropped_and_named() -> None:
    with Loopback(Yahoo(holes=("2024-05-21", "2024-05-22")), NOW) as server:
        fetched = YahooFeed(server.transport()).fetch(asked(), now=NOW)
    assert pd.Timestamp("2024-05-21", tz=NY) not in fetched.candles.index
    told = text_of(fetched)
    assert "warning: Dropped 2 bars without prices: 2024-05-21 00:00, 2024-05-22 00:00 (America/New_York)" in told


def test_an_unknown_symbol_is_reported_as_such() -> None:
    with Loopback(Yahoo(), NOW) as server, pytest.raises(UnknownSymbolError, match="Yahoo has no symbol NOPE"):
        YahooFeed(server.transport()).fetch(asked("NOPE"), now=NOW)


@pytest.mark.parametrize("symbol", ["BTC/USDT", "A#B", "A!B"])
def test_a_symbol_that_yahoo_cannot_have_is_refused(symbol: str) -> None:
    with pytest.raises(InvalidFeedRequestError, match="not a Yahoo symbol"):
        YahooFeed().fetch(asked(symbol), now=NOW)


def test_an_interval_that_yahoo_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(InvalidFeedRequestError, match=r"no 4h candles\. Available: 1m, 2m, 5m"):
        YahooFeed().fetch(asked(interval="4h"), now=NOW)


def test_the_search_gives_symbols_names_and_exchanges() -> None:
    with Loopback(Yahoo(), NOW) as server:
        feed = YahooFeed(server.transport())
        found = feed.search("apple")
        assert [info.symbol for info in feed.search("apple", exchange="nyse")] == ["APLE"]
        assert feed.search("   ") == []
    assert [(info.symbol, info.kind, info.exchange) for info in found] == [
        ("AAPL", "equity", "NASDAQ"),
        ("APLE", "equity", "NYSE"),
    ]
    assert found[0].name == "Apple Inc."


# -------------------------------------------------------------------------------------------------------- failures


def test_too_many_requests_are_reported_after_some_retries() -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault(status=429, times=999, body="Too Many Requests"))
        with pytest.raises(RateLimitedError, match=r"Yahoo rate limit reached.*Wait a few minutes"):
            YahooFeed(server.transport()).fetch(asked(), now=NOW)
        assert 1 < server.time.seconds < 60


def test_a_short_spell_of_too_many_requests_passes() -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault(match=CHART, status=429, times=2, headers={"Retry-After": "5"}, body="{}"))
        fetched = YahooFeed(server.transport()).fetch(asked(), now=NOW)
        assert max(server.time.naps) >= 5
    assert len(fetched.candles) == 20


@pytest.mark.parametrize("times", [2, 3])
def test_an_error_of_the_server_that_passes_is_not_noticed(times: int) -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault(match=CHART, status=502, times=times, body="<html>Bad Gateway</html>"))
        assert len(YahooFeed(server.transport()).fetch(asked(), now=NOW).candles) == 20


def test_an_error_that_stays_is_reported_after_bounded_time() -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault(match=CHART, status=503, times=999))
        with pytest.raises(FeedUnavailableError, match="Yahoo responded with status 503"):
            YahooFeed(server.transport()).fetch(asked(), now=NOW)
        assert server.time.seconds <= 61


@pytest.mark.parametrize("kind", ["truncated", "cut"])
def test_an_answer_that_breaks_off_is_requested_again(kind: str) -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault(kind, match=CHART, times=1))
        assert len(YahooFeed(server.transport()).fetch(asked(), now=NOW).candles) == 20


def test_answers_that_always_break_off_are_an_error() -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault("truncated", match=CHART, times=99))
        with pytest.raises(FeedUnavailableError, match="a web page or incomplete data"):
            YahooFeed(server.transport()).fetch(asked(), now=NOW)


def test_a_page_instead_of_data_is_an_error_and_not_an_empty_series() -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault("html", times=999))
        with pytest.raises(FeedUnavailableError, match="a web page or incomplete data"):
            YahooFeed(server.transport()).fetch(asked(), now=NOW)


def test_an_answer_that_does_not_come_is_given_up() -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault("slow", match=CHART, times=99))
        with pytest.raises(FeedUnavailableError, match="Yahoo did not respond in time"):
            YahooFeed(server.transport(timeout_s=0.15)).fetch(asked(), now=NOW)


def test_an_answer_beyond_the_bound_is_not_read() -> None:
    with Loopback(Yahoo(), NOW) as server:
        server.faults.append(Fault("large", match=CHART, times=99))
        with pytest.raises(FeedUnavailableError, match="larger than 0 MB"):
            YahooFeed(server.transport(max_bytes=300_000)).fetch(asked(), now=NOW)


def test_nobody_there_is_reported_soon() -> None:
    with Loopback(Yahoo(), NOW) as server:
        transport = server.transport()
    with pytest.raises(FeedUnavailableError, match="Yahoo cannot be reached"):
        YahooFeed(transport).fetch(asked(), now=NOW)
    assert server.time.seconds < 3


def test_an_answer_without_bars_is_an_error_of_its_own() -> None:
    start, end = pd.Timestamp("2010-01-01", tz="UTC"), pd.Timestamp("2010-02-01", tz="UTC")
    with (
        Loopback(Yahoo(), NOW) as server,
        pytest.raises(NoCandlesError, match="no 1d candles of AAPL from 2010-01"),
    ):
        YahooFeed(server.transport()).fetch(asked(start=start, end=end), now=NOW)


@pytest.mark.parametrize("answer", [[], {}, {"chart": None}, {"chart": {"result": []}}, {"chart": {"result": [{}]}}])
def test_an_answer_of_another_shape_is_an_error(answer: object) -> None:
    market = Yahoo(edit=lambda _: answer)
    with Loopback(market, NOW) as server, pytest.raises(FeedUnavailableError, match="cannot be read"):
        YahooFeed(server.transport()).fetch(asked(), now=NOW)


def test_a_failed_answer_is_not_remembered() -> None:
    start, end = pd.Timestamp("2024-02-01", tz="UTC"), pd.Timestamp("2024-03-01", tz="UTC")
    with Loopback(Yahoo(), NOW) as server:
        feed = YahooFeed(server.transport())
        server.faults.append(Fault(match=CHART, status=503, times=999))
        with pytest.raises(FeedUnavailableError):
            feed.fetch(asked(start=start, end=end), now=NOW)
        server.faults.clear()
        assert len(feed.fetch(asked(start=start, end=end), now=NOW).candles) == 21


def test_clocks_that_disagree_are_reported() -> None:
    with Loopback(Yahoo(), NOW) as server:
        now = NOW + pd.Timedelta(hours=5)
        fetched = YahooFeed(server.transport()).fetch(asked(interval="1h"), now=now)
    assert fetched.candles.local_index[-1] == pd.Timestamp("2024-05-31 14:30", tz=NY)
    assert "5 hours ahead of the feed's" in text_of(fetched)


def test_nothing_is_written_into_the_home_folder(tmp_path: Path) -> None:
    script = """
import sys
import pandas as pd
from kronos_dashboard.markets.feeds import FetchRequest, Transport, YahooFeed

now = pd.Timestamp(sys.argv[2])
feed = YahooFeed(Transport(proxy_url=sys.argv[1]))
print(len(feed.fetch(FetchRequest(symbol="AAPL", interval="1d", limit=20), now=now).candles))
"""
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "USERPROFILE")}
    with Loopback(Yahoo(), NOW) as server:
        command = [sys.executable, "-c", script, server.url, NOW.isoformat()]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | home, capture_output=True, text=True, check=False)
        hosts = {path.split("/")[0] for path, _ in server.asked}
    assert (done.stdout.strip(), done.stderr) == ("20", "")
    assert list(tmp_path.rglob("*")) == []
    assert hosts == {"fc.yahoo.com", "query1.finance.yahoo.com", "query2.finance.yahoo.com"}
