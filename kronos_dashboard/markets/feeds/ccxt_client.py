"""Client of one exchange through ccxt: routed and bounded by a ``Transport``, every failure a typed error.

Slow to import (ccxt): import it lazily.
"""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ccxt
import pandas as pd

from kronos_dashboard.errors import (
    FeedError,
    FeedUnavailableError,
    InvalidFeedRequestError,
    RateLimitedError,
    UnknownSymbolError,
)
from kronos_dashboard.markets.feeds.http_session import HttpSession
from kronos_dashboard.markets.feeds.paging import Bar
from kronos_dashboard.markets.feeds.transport import RetryPolicy, Transport, with_retries
from kronos_dashboard.messages import join_messages, msg

__all__ = ["ExchangeClient", "exchange_names", "normalize_symbol"]

T = TypeVar("T")
_MARKETS_MAX_AGE_S = 3_600.0
"""Markets are listed and delisted a few times a day: an hour-old list is recent enough."""
_MAX_TIME_MS = 4_102_444_800_000
"""The year 2100: later bar times are garbage."""
_MAX_PRECISION = 100
"""Digits of a price: far beyond every market, far below what would exhaust the memory."""
_DEFAULT_PAGE_LIMIT = 100
"""Bars on a page where ccxt does not know the exchange's limit: the smallest limit in use."""
_RETRYABLE_STATUS = frozenset({408, 418, 425, 429})
"""4xx statuses worth a retry (time-outs and rate limits); the others will not change."""
_FORBIDDEN_STATUS = frozenset({401, 403, 451})
"""Refusals by address; 451 is the answer to countries that an exchange does not serve."""


class ExchangeClient:
    """Client of one exchange. Hold ``lock`` during calls: sessions share the client, and ccxt is not thread-safe."""

    def __init__(self, name: str, transport: Transport) -> None:
        self.name = name
        self.lock = threading.RLock()
        self._transport = transport
        self._session = HttpSession(transport)
        self._api = _create_api(name, transport, self._session)
        self._loaded_at: float | None = None

    @property
    def title(self) -> str:
        """Name of the exchange, for display."""
        return str(self._api.name)

    @property
    def intervals(self) -> tuple[str, ...]:
        """Intervals in ccxt's spelling, which is the dashboard's as well."""
        return tuple(self._api.timeframes or ())

    @property
    def server_time(self) -> pd.Timestamp | None:
        """The server's clock at its last response."""
        return self._session.last_response.server_time

    def markets(self) -> dict[str, dict[str, Any]]:
        """All markets by symbol, at most an hour old.

        Raises:
            FeedUnavailableError: no usable response.
        """
        age = None if self._loaded_at is None else self._transport.clock() - self._loaded_at
        if age is None or age > _MARKETS_MAX_AGE_S:
            self._call(lambda: self._api.load_markets(age is not None))
            self._loaded_at = self._transport.clock()
        return dict(self._api.markets)

    def resolve(self, symbol: str) -> str:
        """The exchange's own spelling of a symbol: ``btcusdt`` and ``BTC-USDT`` are BTC/USDT.

        Raises:
            UnknownSymbolError: no market or several match; the hint names similar ones.
        """
        markets = self.markets()
        if symbol in markets:
            return symbol
        text = normalize_symbol(symbol)
        matches = [
            name
            for name, market in markets.items()
            if text in (normalize_symbol(name), normalize_symbol(str(market.get("id"))))
        ]
        spot = [name for name in matches if markets[name].get("spot")]
        if len(matches) == 1 or len(spot) == 1:
            return (spot or matches)[0]
        near = matches or _similar_symbols(text, list(markets))
        hint = (
            msg("Similar: {near}.", near=", ".join(near[:6]))
            if near
            else msg("Search the symbols of {title}.", title=self.title)
        )
        raise UnknownSymbolError(msg("{title} has no market {symbol}.", title=self.title, symbol=symbol), hint)

    def page_limit(self, symbol: str) -> int:
        """Maximal number of bars on a page."""
        limit = self._api.feature_value(symbol, "fetchOHLCV", "limit", _DEFAULT_PAGE_LIMIT)
        return limit if isinstance(limit, int) and limit > 0 else _DEFAULT_PAGE_LIMIT

    def page(self, symbol: str, interval: str, since: int, limit: int, now: pd.Timestamp) -> Sequence[Bar]:
        """One page of bars from ``since`` (ms) on.

        Raises:
            FeedError: no usable response.
        """
        self._api.milliseconds = lambda: int(now.timestamp() * 1000)
        bars = self._call(lambda: self._api.fetch_ohlcv(symbol, interval, since, limit))
        if not isinstance(bars, list):
            raise FeedUnavailableError(
                msg("{title} responded with something other than a list of candles.", title=self.title)
            )
        return [_without_bad_time(bar) for bar in bars if isinstance(bar, (list, tuple)) and bar]

    def _call(self, work: Callable[[], T]) -> T:
        try:
            return with_retries(work, self._transport, self._retry_policy)
        except FeedError:
            raise
        except ccxt.BaseError as error:
            raise self._translate_error(error) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # raised by the parsers of ccxt on a response of unexpected structure
            raise FeedUnavailableError(
                msg(
                    "The response of {title} cannot be read ({type}: {error}).",
                    title=self.title,
                    type=type(error).__name__,
                    error=str(error)[:100],
                ),
                msg("Try again later, or choose another exchange."),
            ) from error

    def _retry_policy(self, error: BaseException) -> RetryPolicy:
        response = self._session.last_response
        if isinstance(error, _TruncatedResponseError):
            return RetryPolicy(self._transport.max_attempts)
        if not isinstance(error, ccxt.NetworkError):
            return RetryPolicy(1)
        if response.status is None and not isinstance(error, ccxt.RequestTimeout):
            return RetryPolicy(2)  # no response at all: most likely there is no network
        if response.status is not None and 400 <= response.status < 500 and response.status not in _RETRYABLE_STATUS:
            return RetryPolicy(1)
        attempts = 3 if isinstance(error, ccxt.RequestTimeout) else self._transport.max_attempts
        return RetryPolicy(attempts, response.retry_after_s)

    def _translate_error(self, error: ccxt.BaseError) -> FeedError:
        """The dashboard's error for an error of ccxt."""
        response, name = self._session.last_response, self.title
        if response.too_large:
            return FeedUnavailableError(
                msg(
                    "The response of {name} is larger than {size:,.0f} MB.",
                    name=name,
                    size=self._transport.max_bytes / 1e6,
                )
            )
        if isinstance(error, ccxt.BadSymbol):
            return UnknownSymbolError(
                msg("{name} does not provide this symbol: {error}", name=name, error=_short_message(error)),
                msg("Search its symbols."),
            )
        if isinstance(error, (ccxt.DDoSProtection, ccxt.RateLimitExceeded)):
            wait = response.retry_after_s
            return RateLimitedError(
                msg(
                    "{name} rate limit reached: too many requests from this address. It accepts no requests "
                    "for {seconds:.0f} seconds.",
                    name=name,
                    seconds=wait,
                )
                if wait
                else msg("{name} rate limit reached: too many requests from this address.", name=name),
                msg("Try again later."),
            )
        if response.status in _FORBIDDEN_STATUS:
            return FeedUnavailableError(
                msg(
                    "{name} rejected the request from this address (status {status}).",
                    name=name,
                    status=response.status,
                ),
                msg("It may not be available in your country or network; choose another exchange."),
            )
        if isinstance(error, ccxt.RequestTimeout):
            return FeedUnavailableError(
                msg("{name} did not respond in time.", name=name), msg("Try again, or check the network connection.")
            )
        if isinstance(error, ccxt.NetworkError) and response.status is None:
            return FeedUnavailableError(
                msg("{name} cannot be reached.", name=name), msg("Check the network connection.")
            )
        if isinstance(error, ccxt.NetworkError):
            return FeedUnavailableError(
                msg(
                    "{name} responded with status {status}: {error}",
                    name=name,
                    status=response.status,
                    error=_short_message(error),
                ),
                msg("Try again later."),
            )
        return FeedUnavailableError(
            msg("{name} returned no candles: {error}", name=name, error=_short_message(error)),
            msg("Check the symbol and the interval."),
        )


class _TruncatedResponseError(FeedUnavailableError):
    """A response that breaks off; worth a retry."""


def exchange_names() -> tuple[str, ...]:
    """Exchanges that serve candles, in alphabetical order."""
    return tuple(name for name in ccxt.exchanges if getattr(ccxt, name)().has.get("fetchOHLCV") is True)


def normalize_symbol(symbol: str) -> str:
    """The letters and digits of a symbol, in upper case."""
    return re.sub(r"[\W_]+", "", symbol).upper()


def _create_api(name: str, transport: Transport, session: HttpSession) -> Any:
    """Create the ccxt object of an exchange, on the transport's session, clock and sleep.

    Raises:
        InvalidFeedRequestError: ccxt has no such exchange, or it serves no candles.
    """
    if name not in ccxt.exchanges:
        near = difflib.get_close_matches(name, ccxt.exchanges, n=3)
        raise InvalidFeedRequestError(
            msg("There is no exchange named {name}.", name=name or msg("(none specified)")),
            msg("Did you mean {near}?", near=join_messages(near or ["binance"], "{left} or {right}")),
        )
    api = getattr(ccxt, name)({"enableRateLimit": True, "session": session, "timeout": int(transport.timeout_s * 1000)})
    if api.has.get("fetchOHLCV") is not True:
        raise InvalidFeedRequestError(
            msg("{name} provides no candles.", name=api.name), msg("Choose another exchange.")
        )
    parse, precision = api.parse_json, api.parse_precision
    last_call = [float("-inf")]

    def throttle(cost: float | None = None) -> None:
        """The rate limit of ccxt, on the transport's clock."""
        pause = last_call[0] + api.rateLimit * (1 if cost is None else cost) / 1000 - transport.clock()
        if pause > 0:
            transport.sleep(pause)
        last_call[0] = transport.clock()

    def parse_json(text: str) -> Any:
        """Parse as ccxt does, but raise for a successful response that is not JSON, which ccxt would return as text."""
        parsed = parse(text)
        status = session.last_response.status or 0
        if parsed is None and status < 300 and text.lstrip()[:1] in ("{", "["):
            raise _TruncatedResponseError(
                msg("The response of {name} is incomplete.", name=api.name),
                msg("Try again, or check the network connection."),
            )
        if parsed is None and status < 400:
            raise FeedUnavailableError(
                msg(
                    "{name} responded with a web page instead of data: {text}.",
                    name=api.name,
                    text=repr(_page_title(text)),
                ),
                msg("A network login page, a proxy or a block may be the cause; open the exchange in a browser."),
            )
        return parsed

    def parse_precision(text: Any) -> Any:
        """Parse as ccxt does, but bounded: it writes out as many digits as the exchange says."""
        if text is not None and abs(float(text)) > _MAX_PRECISION:
            raise ValueError("a precision of too many digits")
        return precision(text)

    api.throttle, api.parse_json, api.parse_precision = throttle, parse_json, parse_precision
    return api


def _without_bad_time(bar: Bar) -> Bar:
    """The bar, with None for an impossible time."""
    time = bar[0]
    is_possible = isinstance(time, (int, float)) and 0 < time < _MAX_TIME_MS
    return bar if is_possible else [None, *bar[1:]]


def _similar_symbols(text: str, symbols: list[str]) -> list[str]:
    by_text = {
        normalize_symbol(symbol): symbol for symbol in reversed(symbols) if ":" not in symbol or len(symbols) < 50
    }
    close = difflib.get_close_matches(text, list(by_text), n=6, cutoff=0.6)
    return [by_text[name] for name in close]


def _page_title(text: str) -> str:
    title = re.search(r"<title[^>]*>(.{0,200}?)</title>", text[:20_000], re.IGNORECASE | re.DOTALL)
    return " ".join((title.group(1) if title else re.sub(r"<[^>]*>", " ", text[:500])).split())[:80]


def _short_message(error: BaseException) -> str:
    """The start of an error message, without URLs."""
    words = re.sub(r"https?://\S+", "", str(error)).split()
    return f"{' '.join(words)[:160]}".strip() or type(error).__name__
