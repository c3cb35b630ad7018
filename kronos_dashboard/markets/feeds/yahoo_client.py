"""yfinance as one client: routed and bounded by a ``Transport``, every failure in words and with a type.

yfinance keeps one session, one cookie and one crumb per process; all calls from here go through one lock. It also keeps
answers in memory, failed ones too: they are forgotten before each call, since candles have their own cache on disk. Its
own databases are kept off the disk.
Slow to import (yfinance): import late.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import yfinance
from curl_cffi import CurlOpt
from curl_cffi import requests as curl
from yfinance import cache, exceptions
from yfinance.const import _BASE_URL_
from yfinance.data import YfData

from kronos_dashboard.errors import FeedEmpty, FeedError, FeedLimited, FeedUnreachable, SymbolUnknown
from kronos_dashboard.markets.feeds.transport import Patience, Seen, Transport, patiently

__all__ = ["Listing", "YahooClient"]

T = TypeVar("T")
_ONE_AT_A_TIME = threading.Lock()
_COLUMNS = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}
_MADE_OF_15M = "30m"
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What yfinance's parsers raise when an answer is not what Yahoo usually sends."""
_LAST_S = 4_102_444_800
_TOO_LARGE = 63
"""libcurl's number for an answer beyond the bound."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Where a symbol is traded."""

    zone: str
    """Time zone of its exchange."""
    kind: str
    """Yahoo's word: EQUITY, ETF, INDEX, CURRENCY, CRYPTOCURRENCY, FUTURE ..."""
    opens: pd.Timestamp | None
    """Regular hours of the running (or else the last) trading day."""
    closes: pd.Timestamp | None


class YahooSession(curl.Session):
    """Sends requests where its transport says, and remembers in ``seen`` what came back."""

    def __init__(self, transport: Transport) -> None:
        options: dict[Any, Any] = {CurlOpt.MAXFILESIZE_LARGE: transport.max_bytes}
        if transport.gateway:
            super().__init__(curl_options=options, trust_env=False)
        else:
            super().__init__(curl_options=options, impersonate="chrome")
        self.transport = transport
        self.seen = Seen()

    def request(self, method: Any, url: str, *args: Any, **options: Any) -> curl.Response:
        """One request; redirects to addresses inside a network are not followed."""
        self.seen.begin()
        options["allow_redirects"] = False if self.transport.gateway else "safe"
        options["timeout"] = self.transport.timeout_s
        response = super().request(method, self.transport.route(url), *args, **options)
        headers = response.headers
        self.seen.answer(response.status_code, headers.get("Date"), headers.get("Age"), headers.get("Retry-After"))
        return response


class YahooClient:
    """Yahoo through yfinance."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._session = YahooSession(transport)
        yfinance.config.debug.hide_exceptions = False  # we put them into words ourselves
        _keep_off_the_disk()

    @property
    def server_time(self) -> pd.Timestamp | None:
        """Yahoo's clock at its last answer."""
        return self._session.seen.time

    def listing(self, symbol: str) -> Listing:
        """Where a symbol is traded.

        Raises:
            SymbolUnknown: Yahoo does not know it.
            FeedUnreachable: no usable answer.
        """
        url = f"{_BASE_URL_}/v8/finance/chart/{symbol.upper()}"
        answer = self._ask(lambda: self._json(url, {"range": "1d", "interval": "1d"}))
        chart = answer.get("chart") if isinstance(answer, dict) else None
        if isinstance(chart, dict) and chart.get("error"):
            raise _no_symbol(symbol, chart["error"])
        try:
            meta = chart["result"][0]["meta"]  # type: ignore[index]
            zone = str(meta["exchangeTimezoneName"])
            pd.Timestamp(0, tz=zone)
            hours = meta.get("currentTradingPeriod", {}).get("regular", {})
            opens, closes = _time(hours.get("start")), _time(hours.get("end"))
            kind = str(meta.get("instrumentType") or "")
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise FeedUnreachable(f"Yahoo's answer about {symbol} cannot be read.", "Try again later.") from error
        _ZONES.store(symbol.upper(), zone)
        return Listing(zone=zone, kind=kind, opens=opens, closes=closes)

    def history(
        self, symbol: str, interval: str, start: pd.Timestamp, end: pd.Timestamp, *, adjusted: bool
    ) -> pd.DataFrame:
        """Bars [n, 5] on UTC bar times with NaN where Yahoo has no value; empty when it has no bars there.

        Raises:
            FeedUnreachable: no usable answer.
        """

        def work() -> pd.DataFrame:
            table = yfinance.Ticker(symbol, session=self._session).history(
                start=start.tz_convert("UTC").to_pydatetime(),
                end=(end + pd.Timedelta(seconds=1)).tz_convert("UTC").to_pydatetime(),
                interval=interval,
                auto_adjust=adjusted,
                actions=False,
                keepna=interval != _MADE_OF_15M,  # where yfinance fills closed hours with blank bars
                timeout=self._transport.timeout_s,
            )
            if table.empty:
                return pd.DataFrame()
            bars = table.rename(columns=_COLUMNS).loc[:, list(_COLUMNS.values())].astype("float64")
            bars.index = pd.DatetimeIndex(table.index).tz_convert("UTC").as_unit("ns")
            return bars

        try:
            return self._ask(work)
        except FeedEmpty:
            return pd.DataFrame()

    def search(self, query: str, limit: int) -> list[dict[str, Any]]:
        """Yahoo's quotes for a query.

        Raises:
            FeedUnreachable: no usable answer.
        """

        def work() -> list[dict[str, Any]]:
            found = yfinance.Search(
                query,
                max_results=limit,
                news_count=0,
                lists_count=0,
                recommended=0,
                include_cb=False,
                session=self._session,
                timeout=self._transport.timeout_s,
            )
            if self._session.seen.status != 200:
                raise FeedUnreachable(f"Yahoo answers with status {self._session.seen.status}.", "Try again later.")
            return list(found.quotes)[:limit]

        return [] if not query else self._ask(work)

    def _json(self, url: str, params: dict[str, str]) -> Any:
        answer = YfData(session=self._session).get(url, params=params, timeout=self._transport.timeout_s)
        if answer.status_code >= 400 and answer.status_code != 404:
            raise FeedUnreachable(f"Yahoo answers with status {answer.status_code}.", "Try again later.")
        return answer.json()

    def _ask(self, work: Callable[[], T]) -> T:
        """``work`` with patience, its failures as ours."""
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="yfinance")  # it lags behind pandas, which is no concern of users
            YfData.cache_get.cache_clear()
            try:
                return patiently(work, self._transport, self._judge)
            except FeedError:
                raise
            except exceptions.YFRateLimitError as error:
                raise FeedLimited(
                    "Yahoo takes no more requests for now: too many came from this address.",
                    "Wait some minutes, then ask again.",
                ) from error
            except exceptions.YFTickerMissingError as error:
                raise self._missing(error) from error
            except (exceptions.YFException, curl.exceptions.RequestException, *_UNREADABLE) as error:
                raise self._told(error) from error

    def _judge(self, error: BaseException) -> Patience:
        seen = self._session.seen
        if isinstance(error, exceptions.YFRateLimitError):
            return Patience(3, seen.retry_after_s)
        if isinstance(error, curl.exceptions.Timeout):
            return Patience(3)
        if isinstance(error, curl.exceptions.RequestException):
            return Patience(1 if error.code == _TOO_LARGE else 2)
        if seen.status is not None and seen.status >= 500:
            return Patience(self._transport.attempts, seen.retry_after_s)
        return Patience(3 if isinstance(error, ValueError) and not isinstance(error, FeedError) else 1)

    def _missing(self, error: exceptions.YFTickerMissingError) -> FeedError:
        """Yahoo's word that there is nothing; with a status beyond 404 it is the server that fails."""
        status = self._session.seen.status
        if status is not None and status >= 500:
            return FeedUnreachable(f"Yahoo answers with status {status}.", "Try again later.")
        return FeedEmpty(f"Yahoo has no candles: {' '.join(str(error.rationale).split())[:160]}.")

    def _told(self, error: Exception) -> FeedError:
        seen = self._session.seen
        if isinstance(error, curl.exceptions.RequestException):
            if error.code == _TOO_LARGE:
                return FeedUnreachable(f"Yahoo's answer is larger than {self._transport.max_bytes / 1e6:,.0f} MB.")
            if isinstance(error, curl.exceptions.Timeout):
                return FeedUnreachable("Yahoo did not answer in time.", "Try again, or check the network.")
            return FeedUnreachable("Yahoo cannot be reached, or broke off its answer.", "Check the network.")
        if seen.status in (401, 403, 451):
            return FeedUnreachable(f"Yahoo refuses requests from this address (status {seen.status}).")
        if seen.status is not None and seen.status >= 400:
            return FeedUnreachable(f"Yahoo answers with status {seen.status}.", "Try again later.")
        return FeedUnreachable(
            "Yahoo answered with something that is no data: a page, or an answer that broke off.",
            "A login page of the network, a proxy or a block may stand in between; try again later.",
        )


class _Zones:
    """In place of yfinance's database of time zones: what this process has learned."""

    tz_db = None

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def lookup(self, symbol: str) -> str | None:
        return self._known.get(symbol)

    def store(self, symbol: str, zone: str | None) -> None:
        if zone is None:
            self._known.pop(symbol, None)
        else:
            self._known[symbol] = zone


_ZONES = _Zones()
"""By symbol, for the life of the process, like everything that yfinance knows."""


def _keep_off_the_disk() -> None:
    """Yfinance would keep databases in the home folder, with cookies that it reads back as pickles."""
    cache._TzCacheManager._tz_cache = _ZONES
    cache._CookieCacheManager._Cookie_cache = cache._CookieCacheDummy()
    cache._ISINCacheManager._isin_cache = cache._ISINCacheDummy()


def _no_symbol(symbol: str, told: Any) -> FeedError:
    """Yahoo's own error about a symbol."""
    words = told.get("description") if isinstance(told, dict) else told
    if isinstance(told, dict) and told.get("code") not in ("Not Found", None):
        return FeedUnreachable(f"Yahoo does not answer for {symbol}: {str(words)[:160]}", "Try again later.")
    return SymbolUnknown(f"Yahoo has no symbol {symbol}: {str(words)[:160]}.", "Search for it by company name.")


def _time(seconds: Any) -> pd.Timestamp | None:
    """Seconds since 1970 as a time; None for what is none (beyond the year 2100, too)."""
    return pd.Timestamp(int(seconds), unit="s", tz="UTC") if seconds and 0 < int(seconds) < _LAST_S else None
