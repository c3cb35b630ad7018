"""The real ccxt client against servers on this machine that speak the formats of Binance, Kraken and OKX."""

import json

import pandas as pd
import pytest

from kronos_dashboard.errors import (
    FeedUnavailableError,
    InvalidFeedRequestError,
    NoCandlesError,
    RateLimitedError,
    UnknownSymbolError,
)
from kronos_dashboard.markets.feeds import CcxtFeed, FetchRequest
from tests.support.feeds.loopback import Fault, Loopback
from tests.support.feeds.markets import HOUR, NOW, Binance, History, Kraken, Okx, ms

KLINES = "api/v3/klines"


def asked(exchange: str = "binance", **fields: object) -> FetchRequest:
    given = {"symbol": "BTC/USD" if exchange == "kraken" else "BTC/USDT", "interval": "1h", **fields}
    if "start" not in given:
        given.setdefault("limit", 50)
    return FetchRequest(exchange=exchange, **given)  # type: ignore[arg-type]


def text_of(fetched) -> str:
    return "\n".join(f"{note.level}: {note.text}" for note in fetched.notes)


def closed_hours(history: History, count: int) -> list[int]:
    """The last bar times (ms) of hours that have ended."""
    return [t for t in history.times(HOUR, 0, history.now) if t + HOUR <= history.now][-count:]


def times_of(fetched) -> list[int]:
    return [ms(time) for time in fetched.candles.index]


# ------------------------------------------------------------------------------------------------ the ordinary way


@pytest.mark.parametrize(("exchange", "market"), [("binance", Binance()), ("okx", Okx())])
def test_a_long_history_comes_page_by_page_and_is_what_the_market_traded(exchange, market) -> None:
    with Loopback(market, NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked(exchange, limit=2_345), now=NOW)
    history = market.history
    assert times_of(fetched) == closed_hours(history, 2_345)
    opens, high, low, close, volume = (float(value) for value in history.bar(times_of(fetched)[7], HOUR))
    assert fetched.candles.frame.iloc[7].tolist() == [opens, high, low, close, volume, 0.0]
    candles = fetched.candles
    assert (candles.has_volume, candles.has_amount, candles.session_tz, candles.timestamp_at) == (
        True,
        False,
        "UTC",
        "open",
    )
    assert (candles.symbol, candles.interval) == ("BTC/USDT", pd.Timedelta(hours=1))
    assert "Skipped the last bar, which is still forming: 2024-06-01 12:00" in text_of(fetched)


def test_a_span_from_start_to_end_is_fetched_and_nothing_around_it() -> None:
    start, end = pd.Timestamp("2024-03-01", tz="UTC"), pd.Timestamp("2024-05-10 05:00", tz="UTC")
    with Loopback(Binance(), NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked(start=start, end=end), now=NOW)
        assert server.count(KLINES) == 2
    assert (fetched.candles.index[0], fetched.candles.index[-1]) == (start, end)
    assert len(fetched.candles) == (end - start) // pd.Timedelta(hours=1) + 1


def test_kraken_serves_its_newest_720_bars_and_the_note_says_so() -> None:
    with Loopback(Kraken(), NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked("kraken", limit=2_000), now=NOW)
        assert server.count("OHLC") == 1
        from_2023 = asked("kraken", start=pd.Timestamp("2023-01-01", tz="UTC"))
        long = CcxtFeed(server.transport()).fetch(from_2023, now=NOW)
    assert len(fetched.candles) == 719  # the 720th is forming
    assert "warning: Requested 2,000 candles, received 719" in text_of(fetched)
    assert "Kraken only provides the latest 720 candles" in text_of(fetched)
    assert "The history starts at 2024-05-02" in text_of(long)
    assert "requested from 2023-01-01 00:00" in text_of(long)


def test_history_begins_at_the_listing_and_the_way_there_is_short() -> None:
    market = Okx(History(listed=ms("2024-05-20")))
    with Loopback(market, NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked("okx", start=pd.Timestamp("2019-01-01", tz="UTC")), now=NOW)
        assert server.count("candles") < 25
    assert fetched.candles.index[0] == pd.Timestamp("2024-05-20", tz="UTC")
    assert "The history starts at 2024-05-20" in text_of(fetched)


def test_daily_weekly_and_minute_bars_come_too() -> None:
    with Loopback(Binance(), NOW) as server:
        feed = CcxtFeed(server.transport())
        found = {name: feed.fetch(asked(interval=name, limit=3), now=NOW).candles for name in ("1m", "1d", "1w")}
    assert [f"{candles.index[-1]:%m-%d %H:%M}" for candles in found.values()] == [
        "06-01 12:29",
        "05-31 00:00",
        "05-23 00:00",
    ]


# ---------------------------------------------------------------------------------------- what exchanges do to pages


def test_an_empty_page_in_the_middle_is_a_gap_and_not_the_end() -> None:
    hole = (ms("2024-04-01"), ms("2024-04-29"))  # 672 hours: more than two pages of OKX
    market = Okx(History(holes=[hole]))
    with Loopback(market, NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked("okx", start=pd.Timestamp("2024-03-20", tz="UTC")), now=NOW)
    assert times_of(fetched)[0] == ms("2024-03-20")
    assert times_of(fetched)[-1] == ms("2024-06-01 11:00")
    assert "1 gap (672 bars missing), the first after 2024-03-31 23:00 UTC" in text_of(fetched)


def test_a_gap_makes_a_count_reach_further_back() -> None:
    history = History(holes=[(ms("2024-05-30"), ms("2024-05-31"))])
    with Loopback(Binance(history), NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked(limit=100), now=NOW)
    assert times_of(fetched) == closed_hours(history, 100)


def test_bars_that_come_again_at_page_borders_are_dropped_once() -> None:
    market = Kraken()
    normalize_symbol = market.__call__

    def doubled(path: str, query: dict[str, str]):
        answer = normalize_symbol(path, query)
        if path.endswith("OHLC"):
            rows = answer["result"]["XXBTZUSD"]
            answer["result"]["XXBTZUSD"] = [*rows[:30], *rows[20:]]
        return answer

    with Loopback(doubled, NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked("kraken", limit=60), now=NOW)
    assert times_of(fetched) == closed_hours(market.history, 60)
    assert "Dropped 10 duplicate bars" in text_of(fetched)


def test_bars_before_the_requested_time_at_a_page_border_do_no_harm() -> None:
    market = Binance(border=3, page=300)
    with Loopback(market, NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked(limit=800), now=NOW)
    assert times_of(fetched) == closed_hours(market.history, 800)


def test_short_pages_unsorted_rows_and_null_volumes_are_survived() -> None:
    def mangled(rows: list) -> list:
        for row in rows[::50]:
            row[5] = None
        return rows[::-1]

    market = Binance(page=170, edit=mangled)
    with Loopback(market, NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked(limit=600), now=NOW)
    assert times_of(fetched) == closed_hours(market.history, 600)
    assert "Set missing volume to 0" in text_of(fetched)


def test_impossible_bars_of_an_exchange_are_dropped_with_their_times() -> None:
    def broken(rows: list) -> list:
        for row in rows:
            if row[0] == ms("2024-06-01 05:00"):
                row[3] = "0"
        return rows

    with Loopback(Binance(edit=broken), NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked(limit=20), now=NOW)
    assert len(fetched.candles) == 20
    assert "Dropped 1 bar with impossible values: 2024-06-01 05:00 (UTC)" in text_of(fetched)


def test_clocks_that_disagree_are_reported_and_the_incomplete_bar_stays_out() -> None:
    with Loopback(Binance(), NOW) as server:
        ahead = CcxtFeed(server.transport()).fetch(asked(limit=5), now=NOW + pd.Timedelta(hours=3))
        behind = CcxtFeed(server.transport()).fetch(asked(limit=5), now=NOW - pd.Timedelta(hours=3))
    assert ahead.candles.index[-1] == pd.Timestamp("2024-06-01 11:00", tz="UTC")
    assert "3 hours ahead of the feed's" in text_of(ahead)
    assert behind.candles.index[-1] == pd.Timestamp("2024-06-01 08:00", tz="UTC")
    assert "3 hours behind the feed's" in text_of(behind)


# ------------------------------------------------------------------------------------------------------- symbols


@pytest.mark.parametrize("spelling", ["btc/usdt", "BTCUSDT", "btc-usdt", "BTC_USDT"])
def test_a_symbol_is_found_in_other_spellings_and_the_note_says_how_it_was_read(spelling: str) -> None:
    with Loopback(Binance(), NOW) as server:
        fetched = CcxtFeed(server.transport()).fetch(asked(symbol=spelling, limit=3), now=NOW)
    assert fetched.candles.symbol == "BTC/USDT"
    assert f"{spelling} was interpreted as BTC/USDT" in text_of(fetched)


def test_an_unknown_symbol_is_refused_with_near_ones() -> None:
    with Loopback(Binance(), NOW) as server, pytest.raises(UnknownSymbolError) as caught:
        CcxtFeed(server.transport()).fetch(asked(symbol="BTC/USDX"), now=NOW)
    assert "Binance has no market BTC/USDX." in str(caught.value)
    assert "BTC/USDT" in caught.value.hint


def test_the_search_puts_exact_and_spot_matches_first_and_asks_for_the_markets_once() -> None:
    with Loopback(Binance(), NOW) as server:
        feed = CcxtFeed(server.transport())
        found = [(info.symbol, info.kind) for info in feed.search("btc", exchange="binance")]
        assert [info.symbol for info in feed.search("ethusdt", exchange="binance")] == ["ETH/USDT"]
        assert feed.search("nothing", exchange="binance") == []
        assert len(feed.search("btc", exchange="binance", limit=2)) == 2
        assert server.count("api/v3/exchangeInfo") == 1
        server.time.seconds += 4_000.0
        feed.search("btc", exchange="binance")
        assert server.count("api/v3/exchangeInfo") == 2
    assert found[:3] == [("BTC/EUR", "spot"), ("BTC/USDT", "spot"), ("BTC/USDT:USDT", "swap")]
    assert ("WBTC/BTC", "spot") in found[3:]


@pytest.mark.parametrize("name", ["binanse", "", "__class__", "exchange"])
def test_an_exchange_that_ccxt_does_not_know_is_refused(name: str) -> None:
    with pytest.raises(InvalidFeedRequestError, match="There is no exchange"):
        CcxtFeed().fetch(asked(name), now=NOW)


def test_an_interval_that_the_exchange_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(
        InvalidFeedRequestError, match=r"Kraken has no 2h candles\. Available: 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w"
    ):
        CcxtFeed().fetch(asked("kraken", interval="2h"), now=NOW)


def test_all_exchanges_that_serve_candles_are_offered() -> None:
    names = CcxtFeed().exchanges()
    assert {"binance", "kraken", "okx", "coinbase", "bybit"} <= set(names)
    assert len(names) > 80


# -------------------------------------------------------------------------------------------------------- failures


def test_too_many_requests_are_repeated_after_the_pause_that_the_exchange_wants() -> None:
    with Loopback(Binance(), NOW) as server:
        body = json.dumps({"code": -1003, "msg": "Too many requests"})
        server.faults.append(Fault(match=KLINES, status=429, headers={"Retry-After": "7"}, times=2, body=body))
        fetched = CcxtFeed(server.transport()).fetch(asked(limit=5), now=NOW)
        assert server.count(KLINES) == 3
        assert sum(nap >= 7 for nap in server.time.naps) == 2
    assert len(fetched.candles) == 5


def test_a_ban_that_outlasts_our_retry_budget_is_reported_at_once() -> None:
    with Loopback(Binance(), NOW) as server:
        server.faults.append(Fault(match=KLINES, status=418, headers={"Retry-After": "3600"}, times=9))
        with pytest.raises(RateLimitedError, match="no requests for 3600 seconds"):
            CcxtFeed(server.transport()).fetch(asked(limit=5), now=NOW)
        assert server.count(KLINES) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_of_the_server_that_passes_is_not_noticed(status: int) -> None:
    with Loopback(Okx(), NOW) as server:
        server.faults.append(Fault(match="market/candles", status=status, times=3, body="<html>Bad Gateway</html>"))
        fetched = CcxtFeed(server.transport()).fetch(asked("okx", limit=5), now=NOW)
        assert server.count("market/candles") == 4
        naps = [nap for nap in server.time.naps if nap > 0.4]
    assert len(fetched.candles) == 5
    assert len(naps) == 3
    assert naps[0] < naps[1] < naps[2]


def test_an_error_that_stays_is_reported_after_bounded_time() -> None:
    with Loopback(Kraken(), NOW) as server:
        server.faults.append(Fault(match="OHLC", status=503, times=99))
        with pytest.raises(FeedUnavailableError, match="Kraken responded with status 503"):
            CcxtFeed(server.transport(retry_budget_s=20.0)).fetch(asked("kraken"), now=NOW)
        assert server.time.seconds < 30
        assert 3 <= server.count("OHLC") <= 6


def test_an_answer_that_does_not_come_is_given_up() -> None:
    with Loopback(Kraken(), NOW) as server:
        server.faults.append(Fault("slow", match="OHLC", times=9))
        with pytest.raises(FeedUnavailableError, match="Kraken did not respond in time"):
            CcxtFeed(server.transport(timeout_s=0.15)).fetch(asked("kraken"), now=NOW)
        assert server.count("OHLC") <= 3  # on a busy machine a connection may be given up before it is heard
        assert len(server.time.naps) >= 2


@pytest.mark.parametrize("kind", ["truncated", "cut"])
def test_an_answer_that_breaks_off_is_requested_again(kind: str) -> None:
    with Loopback(Binance(), NOW) as server:
        server.faults.append(Fault(kind, match=KLINES, times=1))
        fetched = CcxtFeed(server.transport()).fetch(asked(limit=30), now=NOW)
        assert server.count(KLINES) == 2
    assert len(fetched.candles) == 30


def test_answers_that_always_break_off_are_an_error() -> None:
    with Loopback(Binance(), NOW) as server:
        server.faults.append(Fault("truncated", match=KLINES, times=99))
        with pytest.raises(FeedUnavailableError, match="is incomplete"):
            CcxtFeed(server.transport()).fetch(asked(), now=NOW)


def test_a_page_instead_of_data_is_called_what_it_is() -> None:
    with Loopback(Binance(), NOW) as server:
        server.faults.append(Fault("html", times=99))
        with pytest.raises(FeedUnavailableError, match="a web page instead of data: 'Sign in to the hotel network'"):
            CcxtFeed(server.transport()).fetch(asked(), now=NOW)


@pytest.mark.parametrize("status", [403, 451])
def test_a_country_that_is_barred_is_reported_without_repetition(status: int) -> None:
    with Loopback(Binance(), NOW) as server:
        server.faults.append(Fault(status=status, times=99, body="{}"))
        with pytest.raises(FeedUnavailableError, match=f"rejected the request from this address .status {status}"):
            CcxtFeed(server.transport()).fetch(asked(), now=NOW)
        assert len(server.asked) == 1


def test_an_answer_beyond_the_bound_is_not_read() -> None:
    with Loopback(Binance(), NOW) as server:
        server.faults.append(Fault("large", match=KLINES, times=99))
        with pytest.raises(FeedUnavailableError, match="larger than 0 MB"):
            CcxtFeed(server.transport(max_bytes=200_000)).fetch(asked(), now=NOW)


def test_a_redirect_is_not_followed() -> None:
    with Loopback(Binance(), NOW) as server:
        headers = {"Location": f"{server.url}/elsewhere"}
        server.faults.append(Fault(match=KLINES, status=302, headers=headers, times=99, body=""))
        with pytest.raises(FeedUnavailableError):
            CcxtFeed(server.transport()).fetch(asked(), now=NOW)
        assert server.count("elsewhere") == 0


def test_nobody_there_is_reported_soon() -> None:
    with Loopback(Binance(), NOW) as server:
        transport = server.transport()
    with pytest.raises(FeedUnavailableError, match="Binance cannot be reached"):
        CcxtFeed(transport).fetch(asked(), now=NOW)
    assert server.time.seconds < 3


def test_no_candles_in_a_span_are_an_error_of_their_own() -> None:
    start, end = pd.Timestamp("2015-01-01", tz="UTC"), pd.Timestamp("2015-02-01", tz="UTC")
    with Loopback(Binance(), NOW) as server, pytest.raises(NoCandlesError, match="no closed 1h candles of BTC/USDT"):
        CcxtFeed(server.transport()).fetch(asked(start=start, end=end), now=NOW)


def test_the_rate_limit_of_the_exchange_is_kept() -> None:
    with Loopback(Kraken(), NOW) as server:
        feed = CcxtFeed(server.transport())
        for _ in range(4):
            feed.fetch(asked("kraken", limit=5), now=NOW)
        assert server.time.seconds >= 4 * 1.0  # ccxt gives Kraken one request a second


def test_a_proxy_of_the_settings_carries_all_requests() -> None:
    with Loopback(Binance(), NOW) as server:
        CcxtFeed(server.transport()).fetch(asked(limit=3), now=NOW)
        hosts = {path.split("/")[0] for path, _ in server.asked}
    assert hosts == {"api.binance.com", "fapi.binance.com", "dapi.binance.com"}


def test_a_market_of_endless_digits_does_not_fill_the_memory() -> None:
    normalize_symbol = Binance()

    def endless(path: str, query: dict[str, str]):
        answer = normalize_symbol(path, query)
        if "exchangeInfo" in path:
            for symbol in answer["symbols"]:
                symbol |= dict.fromkeys(("quotePrecision", "baseAssetPrecision", "pricePrecision"), 10**15)
        return answer

    with Loopback(endless, NOW) as server, pytest.raises(FeedUnavailableError, match="too many digits"):
        CcxtFeed(server.transport()).fetch(asked(), now=NOW)
