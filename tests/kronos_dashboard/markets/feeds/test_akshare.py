"""A-shares through a stand-in for akshare that gives tables in its format."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from kronos_dashboard.errors import FeedDependencyError, FeedUnavailableError, InvalidFeedRequestError, NoCandlesError
from kronos_dashboard.markets.feeds import AkshareFeed, FetchRequest, Transport
from tests.support import makers
from tests.support.feeds.loopback import FakeTime

ZONE = "Asia/Shanghai"
NOW = pd.Timestamp("2024-05-31 14:20", tz=ZONE)


def table(times: pd.DatetimeIndex, column: str, text: str) -> pd.DataFrame:
    """In akshare's words and order, volume in lots."""
    values = makers.values(len(times), seed=3)
    return pd.DataFrame(
        {
            column: times.strftime(text),
            "股票代码": "600519",
            "开盘": values["open"].round(2),
            "收盘": values["close"].round(2),
            "最高": (values["high"] + 0.01).round(2),
            "最低": (values["low"] - 0.01).round(2),
            "成交量": (values["volume"]).astype("int64"),
            "成交额": values["amount"].round(2) * 100,
            "振幅": 1.0,
            "涨跌幅": 0.5,
            "涨跌额": 0.3,
            "换手率": 0.2,
        }
    )


class Akshare:
    """The functions of akshare that are used, over sessions from 9:30 to 11:30 and 13:00 to 15:00."""

    def __init__(self, now: pd.Timestamp = NOW) -> None:
        self.now = now.tz_localize(None) if now.tz is None else now.tz_convert(ZONE).tz_localize(None)
        self.asked: list[dict[str, Any]] = []

    def stock_zh_a_hist(self, symbol: str, period: str, start_date: str, end_date: str, adjust: str) -> pd.DataFrame:
        self.asked.append({"symbol": symbol, "period": period, "adjust": adjust})
        days = pd.bdate_range(start_date, min(pd.Timestamp(end_date), self.now.normalize()))
        if period == "weekly":
            days = pd.DatetimeIndex(pd.Series(days, days).resample("W-FRI").max().to_numpy())
        if period == "monthly":
            days = pd.DatetimeIndex(pd.Series(days, days).resample("ME").max().to_numpy())
        return table(days, "日期", "%Y-%m-%d")

    def stock_zh_a_hist_min_em(
        self, symbol: str, start_date: str, end_date: str, period: str, adjust: str
    ) -> pd.DataFrame:
        self.asked.append({"symbol": symbol, "period": period, "adjust": adjust})
        step = pd.Timedelta(minutes=int(period))
        found: list[pd.Timestamp] = []
        for day in pd.bdate_range(start_date[:10], end_date[:10]):
            for opens, closes in (("09:30", "11:30"), ("13:00", "15:00")):
                start = pd.Timestamp(f"{day:%Y-%m-%d} {opens}")
                found += list(pd.date_range(start + step, f"{day:%Y-%m-%d} {closes}", freq=step))
        stamps = pd.DatetimeIndex(found)
        shown = stamps[(stamps - step < self.now) & (stamps >= start_date)]
        return table(shown, "时间", "%Y-%m-%d %H:%M:%S")

    def stock_info_a_code_name(self) -> pd.DataFrame:
        self.asked.append({})
        return pd.DataFrame({"code": ["600519", "000001"], "name": ["贵州茅台", "平安银行"]})


def feed(module: Any = None, **changes: Any) -> AkshareFeed:
    time = FakeTime()
    return AkshareFeed(Transport(sleep=time.sleep, clock=time.clock, **changes), module or Akshare())


def asked(symbol: str = "600519", interval: str = "1d", limit: int = 50, **fields: Any) -> FetchRequest:
    return FetchRequest(symbol=symbol, interval=interval, limit=limit, **fields)


def text_of(fetched) -> str:
    return "\n".join(f"{note.level}: {note.text}" for note in fetched.notes)


def test_daily_candles_with_volume_in_shares_and_the_running_day_left_out() -> None:
    fetched = feed().fetch(asked(), now=NOW)
    candles = fetched.candles
    assert (len(candles), candles.session_tz, candles.timestamp_at, candles.symbol) == (50, ZONE, "open", "600519")
    assert candles.local_index[-1] == pd.Timestamp("2024-05-30", tz=ZONE)
    assert candles.columns == ("open", "high", "low", "close", "volume", "amount")
    assert bool((candles.frame["volume"] % 100 == 0).all())
    ratio = candles.frame["amount"] / candles.frame["volume"] / candles.frame["close"]
    assert ratio.to_numpy() == pytest.approx(1.0, rel=0.05)
    assert "lots of 100 shares" in text_of(fetched)
    assert "Skipped the last bar, which is still forming: 2024-05-31" in text_of(fetched)
    evening = pd.Timestamp("2024-05-31 15:31", tz=ZONE)
    assert feed(Akshare(evening)).fetch(asked(), now=evening).candles.local_index[-1] == evening.normalize()


@pytest.mark.parametrize(("interval", "last"), [("5m", "14:20"), ("15m", "14:15"), ("30m", "14:00"), ("1h", "14:00")])
def test_intraday_candles_are_stamped_at_their_close(interval: str, last: str) -> None:
    fetched = feed().fetch(asked(interval=interval, limit=40), now=NOW)
    candles = fetched.candles
    assert candles.timestamp_at == "close"
    assert f"{candles.local_index[-1]:%m-%d %H:%M}" == f"05-31 {last}"
    hours = candles.local_index.hour * 60 + candles.local_index.minute
    assert not ((hours > 11 * 60 + 30) & (hours <= 13 * 60)).any()
    assert len(candles) == 40
    assert "carry close timestamps" in text_of(fetched)


def test_a_week_counts_when_it_is_over() -> None:
    for now, last in ((NOW, "05-24"), (pd.Timestamp("2024-05-31 16:00", tz=ZONE), "05-31")):
        fetched = feed(Akshare(now)).fetch(asked(interval="1w", limit=5), now=now)
        assert f"{fetched.candles.local_index[-1]:%m-%d}" == last
    months = feed().fetch(asked(interval="1M", limit=5), now=NOW)
    assert f"{months.candles.local_index[-1]:%m-%d}" == "04-30"


@pytest.mark.parametrize("symbol", ["600519", "sh600519", "600519.SH", "600519.SS"])
def test_a_code_is_known_in_its_usual_spellings(symbol: str) -> None:
    module = Akshare()
    assert feed(module).fetch(asked(symbol), now=NOW).candles.symbol == "600519"
    assert module.asked[0] == {"symbol": "600519", "period": "daily", "adjust": "qfq"}


def test_raw_prices_are_requested_as_such_and_minutes_are_raw_with_a_warning() -> None:
    module = Akshare()
    feed(module).fetch(asked(adjusted=False), now=NOW)
    minutes = feed(module).fetch(asked(interval="1m", limit=10), now=NOW)
    assert [entry["adjust"] for entry in module.asked] == ["", ""]
    assert "warning: akshare has no adjusted prices for 1m" in text_of(minutes)


def test_the_search_knows_codes_and_names_and_asks_once() -> None:
    module = Akshare()
    shares = feed(module)
    assert [info.symbol for info in shares.search("茅台")] == ["600519"]
    assert [info.name for info in shares.search("0000")] == ["平安银行"]
    assert len(module.asked) == 1


@pytest.mark.parametrize("symbol", ["AAPL", "60051", "6005199", "hk00700"])
def test_what_is_no_code_is_refused(symbol: str) -> None:
    with pytest.raises(InvalidFeedRequestError, match="not an A-share code"):
        feed().fetch(asked(symbol), now=NOW)


def test_an_interval_that_it_lacks_is_refused() -> None:
    with pytest.raises(InvalidFeedRequestError, match="no 4h candles"):
        feed().fetch(asked(interval="4h"), now=NOW)


def test_without_akshare_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "akshare", None)
    with pytest.raises(FeedDependencyError, match="pip install akshare"):
        AkshareFeed().fetch(asked(), now=NOW)


def test_a_network_error_is_tried_again_and_then_reported() -> None:
    calls = []

    def broken(**_: object) -> pd.DataFrame:
        calls.append(1)
        raise ConnectionError("no route")

    with pytest.raises(FeedUnavailableError, match="cannot reach its data source"):
        feed(SimpleNamespace(stock_zh_a_hist=broken)).fetch(asked(), now=NOW)
    assert len(calls) == 3


@pytest.mark.parametrize("error", [KeyError("data"), TypeError("NoneType"), ValueError("no json")])
def test_an_answer_that_akshare_cannot_read_is_reported(error: Exception) -> None:
    def broken(**_: object) -> pd.DataFrame:
        raise error

    with pytest.raises(FeedUnavailableError, match="cannot read the response"):
        feed(SimpleNamespace(stock_zh_a_hist=broken)).fetch(asked(), now=NOW)


def test_other_columns_and_empty_tables_are_errors() -> None:
    other = pd.DataFrame({"date": ["2024-01-01"], "open": [1.0]})
    with pytest.raises(FeedUnavailableError, match=r"unexpected columns: date, open.*pip install -U akshare"):
        feed(SimpleNamespace(stock_zh_a_hist=lambda **_: other)).fetch(asked(), now=NOW)
    with pytest.raises(NoCandlesError, match="no 1d candles of 600519"):
        feed(SimpleNamespace(stock_zh_a_hist=lambda **_: pd.DataFrame())).fetch(asked(), now=NOW)
    with pytest.raises(FeedDependencyError, match="pip install -U akshare"):
        feed(SimpleNamespace()).fetch(asked(), now=NOW)
