"""Client of Yahoo through yfinance: routed and bounded by a ``Transport``, every failure a typed error.

yfinance keeps one session, one cookie and one crumb per process, so all calls go through one lock. It also caches
responses in memory, failed ones included; that cache is cleared before each call, since candles have a cache of their
own on disk. Its databases on disk are disabled. Slow to import (yfinance): import it lazily.
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

from kronos_dashboard.errors import (
    FeedError,
    FeedUnavailableError,
    NoCandlesError,
    RateLimitedError,
    UnknownSymbolError,
)
from kronos_dashboard.markets.feeds.transport import ResponseInfo, RetryPolicy, Transport, with_retries
from kronos_dashboard.messages import msg

__all__ = ["Listing", "YahooClient"]

T = TypeVar("T")
_LOCK = threading.Lock()
_COLUMNS = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}
_RESAMPLED_INTERVAL = "30m"
"""yfinance makes these bars from 15m bars, and fills closed hours with blanks if asked to keep them."""
_PARSER_ERRORS = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)
"""Raised by the parsers of yfinance on a response of unexpected structure."""
_MAX_TIME_S = 4_102_444_800
"""The year 2100: later times are garbage."""
_CURLE_FILESIZE_EXCEEDED = 63
"""Error code of libcurl for a response beyond ``MAXFILESIZE``."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Where a symbol is traded."""

    zone: str
    """Time zone of its exchange."""
    kind: str
    """As Yahoo names it: EQUITY, ETF, INDEX, CURRENCY, CRYPTOCURRENCY, FUTURE ..."""
    opens: pd.Timestamp | None
    """Regular hours of the current trading day, or of the last one."""
    closes: pd.Timestamp | None


class YahooSession(curl.Session):
    """Sends requests through its transport, and records each response in ``last_response``."""

    def __init__(self, transport: Transport) -> None:
        options: dict[Any, Any] = {CurlOpt.MAXFILESIZE_LARGE: transport.max_bytes}
        if transport.proxy_url:
            super().__init__(curl_options=options, trust_env=False)
        else:
            super().__init__(curl_options=options, impersonate="chrome")
        self.transport = transport
        self.last_response = ResponseInfo()

    def request(self, method: Any, url: str, *args: Any, **options: Any) -> curl.Response:
        """Send one request; redirects to private addresses are not followed."""
        self.last_response.on_request()
        options["allow_redirects"] = False if self.transport.proxy_url else "safe"
        options["timeout"] = self.transport.timeout_s
        response = super().request(method, self.transport.route(url), *args, **options)
        headers = response.headers
        self.last_response.on_response(
            response.status_code, headers.get("Date"), headers.get("Age"), headers.get("Retry-After")
        )
        return response


class YahooClient:
    """Yahoo through yfinance."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._session = YahooSession(transport)
        yfinance.config.debug.hide_exceptions = False  # they are translated below
        _disable_disk_caches()

    @property
    def server_time(self) -> pd.Timestamp | None:
        """Yahoo's clock at its last response."""
        return self._session.last_response.server_time

    def listing(self, symbol: str) -> Listing:
        """Where a symbol is traded.

        Raises:
            UnknownSymbolError: Yahoo has no such symbol.
            FeedUnavailableError: no usable response.
        """
        url = f"{_BASE_URL_}/v8/finance/chart/{symbol.upper()}"
        response = self._call(lambda: self._json(url, {"range": "1d", "interval": "1d"}))
        chart = response.get("chart") if isinstance(response, dict) else None
        if isinstance(chart, dict) and chart.get("error"):
            raise _symbol_error(symbol, chart["error"])
        try:
            meta = chart["result"][0]["meta"]  # type: ignore[index]
            zone = str(meta["exchangeTimezoneName"])
            pd.Timestamp(0, tz=zone)
            hours = meta.get("currentTradingPeriod", {}).get("regular", {})
            opens, closes = _to_time(hours.get("start")), _to_time(hours.get("end"))
            kind = str(meta.get("instrumentType") or "")
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise FeedUnavailableError(
                msg("Yahoo's response for {symbol} cannot be read.", symbol=symbol), msg("Try again later.")
            ) from error
        _TIMEZONES.store(symbol.upper(), zone)
        return Listing(zone=zone, kind=kind, opens=opens, closes=closes)

    def history(
        self, symbol: str, interval: str, start: pd.Timestamp, end: pd.Timestamp, *, adjusted: bool
    ) -> pd.DataFrame:
        """Bars [n, 5] on UTC bar times with NaN where Yahoo has no value; empty when there are no bars.

        Raises:
            FeedUnavailableError: no usable response.
        """

        def work() -> pd.DataFrame:
            table = yfinance.Ticker(symbol, session=self._session).history(
                start=start.tz_convert("UTC").to_pydatetime(),
                end=(end + pd.Timedelta(seconds=1)).tz_convert("UTC").to_pydatetime(),
                interval=interval,
                auto_adjust=adjusted,
                actions=False,
                keepna=interval != _RESAMPLED_INTERVAL,
                timeout=self._transport.timeout_s,
            )
            if table.empty:
                return pd.DataFrame()
            bars = table.rename(columns=_COLUMNS).loc[:, list(_COLUMNS.values())].astype("float64")
            bars.index = pd.DatetimeIndex(table.index).tz_convert("UTC").as_unit("ns")
            return bars

        try:
            return self._call(work)
        except NoCandlesError:
            return pd.DataFrame()

    def search(self, query: str, limit: int) -> list[dict[str, Any]]:
        """Yahoo's quotes for a query.

        Raises:
            FeedUnavailableError: no usable response.
        """

        def work() -> list[dict[str, Any]]:
            results = yfinance.Search(
                query,
                max_results=limit,
                news_count=0,
                lists_count=0,
                recommended=0,
                include_cb=False,
                session=self._session,
                timeout=self._transport.timeout_s,
            )
            if self._session.last_response.status != 200:
                raise FeedUnavailableError(
                    msg("Yahoo responded with status {status}.", status=self._session.last_response.status),
                    msg("Try again later."),
                )
            return list(results.quotes)[:limit]

        return [] if not query else self._call(work)

    def _json(self, url: str, params: dict[str, str]) -> Any:
        response = YfData(session=self._session).get(url, params=params, timeout=self._transport.timeout_s)
        if response.status_code >= 400 and response.status_code != 404:
            raise FeedUnavailableError(
                msg("Yahoo responded with status {status}.", status=response.status_code),
                msg("Try again later."),
            )
        return response.json()

    def _call(self, work: Callable[[], T]) -> T:
        """Call ``work`` with retries, and raise the dashboard's errors for its failures."""
        with _LOCK, warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="yfinance")  # deprecations of pandas, no concern of users
            YfData.cache_get.cache_clear()
            try:
                return with_retries(work, self._transport, self._retry_policy)
            except FeedError:
                raise
            except exceptions.YFRateLimitError as error:
                raise RateLimitedError(
                    msg("Yahoo rate limit reached: too many requests from this address."),
                    msg("Wait a few minutes, then try again."),
                ) from error
            except exceptions.YFTickerMissingError as error:
                raise self._missing_error(error) from error
            except (exceptions.YFException, curl.exceptions.RequestException, *_PARSER_ERRORS) as error:
                raise self._translate_error(error) from error

    def _retry_policy(self, error: BaseException) -> RetryPolicy:
        response = self._session.last_response
        if isinstance(error, exceptions.YFRateLimitError):
            return RetryPolicy(3, response.retry_after_s)
        if isinstance(error, curl.exceptions.Timeout):
            return RetryPolicy(3)
        if isinstance(error, curl.exceptions.RequestException):
            return RetryPolicy(1 if error.code == _CURLE_FILESIZE_EXCEEDED else 2)
        if response.status is not None and response.status >= 500:
            return RetryPolicy(self._transport.max_attempts, response.retry_after_s)
        return RetryPolicy(3 if isinstance(error, ValueError) and not isinstance(error, FeedError) else 1)

    def _missing_error(self, error: exceptions.YFTickerMissingError) -> FeedError:
        """The error for missing data; with a status of 500 or more it is the server that fails."""
        status = self._session.last_response.status
        if status is not None and status >= 500:
            return FeedUnavailableError(
                msg("Yahoo responded with status {status}.", status=status), msg("Try again later.")
            )
        return NoCandlesError(
            msg("Yahoo has no candles: {reason}.", reason=" ".join(str(error.rationale).split())[:160])
        )

    def _translate_error(self, error: Exception) -> FeedError:
        response = self._session.last_response
        if isinstance(error, curl.exceptions.RequestException):
            if error.code == _CURLE_FILESIZE_EXCEEDED:
                return FeedUnavailableError(
                    msg(
                        "Yahoo's response is larger than {size:,.0f} MB.",
                        size=self._transport.max_bytes / 1e6,
                    )
                )
            if isinstance(error, curl.exceptions.Timeout):
                return FeedUnavailableError(
                    msg("Yahoo did not respond in time."), msg("Try again, or check the network connection.")
                )
            return FeedUnavailableError(
                msg("Yahoo cannot be reached, or its response was incomplete."), msg("Check the network connection.")
            )
        if response.status in (401, 403, 451):
            return FeedUnavailableError(
                msg("Yahoo rejected the request from this address (status {status}).", status=response.status)
            )
        if response.status is not None and response.status >= 400:
            return FeedUnavailableError(
                msg("Yahoo responded with status {status}.", status=response.status), msg("Try again later.")
            )
        return FeedUnavailableError(
            msg("Yahoo responded with a web page or incomplete data."),
            msg("A network login page, a proxy or a block may be the cause; try again later."),
        )


class _TimezoneCache:
    """In-memory replacement of yfinance's time zone database."""

    tz_db = None

    def __init__(self) -> None:
        self._zones: dict[str, str] = {}

    def lookup(self, symbol: str) -> str | None:
        return self._zones.get(symbol)

    def store(self, symbol: str, zone: str | None) -> None:
        if zone is None:
            self._zones.pop(symbol, None)
        else:
            self._zones[symbol] = zone


_TIMEZONES = _TimezoneCache()
"""By symbol, for the life of the process, as yfinance is global itself."""


def _disable_disk_caches() -> None:
    """Keep yfinance from writing databases to the home folder, among them cookies that it reads back as pickles."""
    cache._TzCacheManager._tz_cache = _TIMEZONES
    cache._CookieCacheManager._Cookie_cache = cache._CookieCacheDummy()
    cache._ISINCacheManager._isin_cache = cache._ISINCacheDummy()


def _symbol_error(symbol: str, detail: Any) -> FeedError:
    """The error for Yahoo's error about a symbol."""
    words = detail.get("description") if isinstance(detail, dict) else detail
    if isinstance(detail, dict) and detail.get("code") not in ("Not Found", None):
        return FeedUnavailableError(
            msg("Yahoo returned an error for {symbol}: {reason}", symbol=symbol, reason=str(words)[:160]),
            msg("Try again later."),
        )
    return UnknownSymbolError(
        msg("Yahoo has no symbol {symbol}: {reason}.", symbol=symbol, reason=str(words)[:160]),
        msg("Search by company name."),
    )


def _to_time(seconds: Any) -> pd.Timestamp | None:
    """Seconds since 1970 as a time; None for a missing or impossible one."""
    return pd.Timestamp(int(seconds), unit="s", tz="UTC") if seconds and 0 < int(seconds) < _MAX_TIME_S else None
