"""One exchange as ccxt speaks to it: routed and bounded by a ``Transport``, every failure in words and with a type.

Slow to import (ccxt): import late.
"""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ccxt
import pandas as pd

from kronos_dashboard.errors import FeedError, FeedLimited, FeedRefused, FeedUnreachable, SymbolUnknown
from kronos_dashboard.markets.feeds.http_session import WebSession
from kronos_dashboard.markets.feeds.paging import Bar
from kronos_dashboard.markets.feeds.transport import Patience, Transport, patiently

__all__ = ["ExchangeClient", "exchange_names", "plain"]

T = TypeVar("T")
_MARKETS_LIVE_S = 3_600.0
"""The list of markets is asked for again after an hour."""
_LAST_MS = 4_102_444_800_000
"""The year 2100."""
_MOST_DIGITS = 100
_USUAL_PAGE = 100
"""Bars on a page of an exchange of which ccxt does not know it."""
_PASSING = frozenset({408, 418, 425, 429})
"""Answers of the 400s after which it is worth to ask again; the others will not change."""
_BARRED = frozenset({401, 403, 451})


class ExchangeClient:
    """One exchange. Its lock keeps sessions of the dashboard apart; ccxt itself keeps the rate limit."""

    def __init__(self, name: str, transport: Transport) -> None:
        self.name = name
        self.lock = threading.RLock()
        self._transport = transport
        self._session = WebSession(transport)
        self._api = _make(name, transport, self._session)
        self._loaded: float | None = None
        self._free = 0.0

    @property
    def title(self) -> str:
        """What people call the exchange."""
        return str(self._api.name)

    @property
    def intervals(self) -> tuple[str, ...]:
        """In ccxt's spelling, which is ours."""
        return tuple(self._api.timeframes or ())

    @property
    def server_time(self) -> pd.Timestamp | None:
        """The server's clock at its last answer."""
        return self._session.seen.time

    def markets(self) -> dict[str, dict[str, Any]]:
        """All markets by symbol, at most an hour old.

        Raises:
            FeedUnreachable: no usable answer.
        """
        age = None if self._loaded is None else self._transport.clock() - self._loaded
        if age is None or age > _MARKETS_LIVE_S:
            self._patiently(lambda: self._api.load_markets(age is not None))
            self._loaded = self._transport.clock()
        return dict(self._api.markets)

    def resolve(self, symbol: str) -> str:
        """The exchange's own spelling of a symbol: ``btcusdt`` and ``BTC-USDT`` are BTC/USDT.

        Raises:
            SymbolUnknown: there is none, or more than one; the hint names near ones.
        """
        markets = self.markets()
        if symbol in markets:
            return symbol
        wanted = plain(symbol)
        same = [name for name, market in markets.items() if wanted in (plain(name), plain(str(market.get("id"))))]
        spot = [name for name in same if markets[name].get("spot")]
        if len(same) == 1 or len(spot) == 1:
            return (spot or same)[0]
        near = same or _near(wanted, list(markets))
        hint = f"Near it: {', '.join(near[:6])}." if near else f"Search the symbols of {self.title} for one."
        raise SymbolUnknown(f"{self.title} has no market {symbol}.", hint)

    def page_limit(self, symbol: str) -> int:
        """Most bars on a page."""
        limit = self._api.feature_value(symbol, "fetchOHLCV", "limit", _USUAL_PAGE)
        return limit if isinstance(limit, int) and limit > 0 else _USUAL_PAGE

    def page(self, symbol: str, interval: str, since: int, limit: int, now: pd.Timestamp) -> Sequence[Bar]:
        """One page of bars from ``since`` (ms) on.

        Raises:
            FeedError: no usable answer.
        """
        self._api.milliseconds = lambda: int(now.timestamp() * 1000)
        bars = self._patiently(lambda: self._api.fetch_ohlcv(symbol, interval, since, limit))
        if not isinstance(bars, list):
            raise FeedUnreachable(f"{self.title} answered with something that is no list of candles.")
        return [_timed(bar) for bar in bars if isinstance(bar, (list, tuple)) and bar]

    def _patiently(self, work: Callable[[], T]) -> T:
        try:
            return patiently(work, self._transport, self._judge)
        except FeedError:
            raise
        except ccxt.BaseError as error:
            raise self._told(error) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # ccxt's parsers meet an answer that is not what the exchange usually sends
            raise FeedUnreachable(
                f"The answer of {self.title} cannot be read ({type(error).__name__}: {str(error)[:100]}).",
                "Try again later, or another exchange.",
            ) from error

    def _judge(self, error: BaseException) -> Patience:
        seen = self._session.seen
        if isinstance(error, _Broken):
            return Patience(self._transport.attempts)
        if not isinstance(error, ccxt.NetworkError):
            return Patience(1)
        if seen.status is None and not isinstance(error, ccxt.RequestTimeout):
            return Patience(2)  # nobody there: most likely there is no network
        if seen.status is not None and 400 <= seen.status < 500 and seen.status not in _PASSING:
            return Patience(1)
        attempts = 3 if isinstance(error, ccxt.RequestTimeout) else self._transport.attempts
        return Patience(attempts, seen.retry_after_s)

    def _told(self, error: ccxt.BaseError) -> FeedError:
        """An error of ccxt as one of ours."""
        seen, name = self._session.seen, self.title
        if seen.too_large:
            return FeedUnreachable(f"The answer of {name} is larger than {self._transport.max_bytes / 1e6:,.0f} MB.")
        if isinstance(error, ccxt.BadSymbol):
            return SymbolUnknown(f"{name} does not serve this symbol: {_short(error)}", "Search its symbols.")
        if isinstance(error, (ccxt.DDoSProtection, ccxt.RateLimitExceeded)):
            wait = f" for {seen.retry_after_s:.0f} seconds" if seen.retry_after_s else " for a while"
            return FeedLimited(
                f"{name} takes no more requests{wait}: too many came from this address.", "Wait, then ask again."
            )
        if seen.status in _BARRED:
            return FeedUnreachable(
                f"{name} refuses requests from this address (status {seen.status}).",
                "It may not serve your country or network; choose another exchange.",
            )
        if isinstance(error, ccxt.RequestTimeout):
            return FeedUnreachable(f"{name} did not answer in time.", "Try again, or check the network.")
        if isinstance(error, ccxt.NetworkError) and seen.status is None:
            return FeedUnreachable(f"{name} cannot be reached.", "Check the network.")
        if isinstance(error, ccxt.NetworkError):
            return FeedUnreachable(f"{name} answers with status {seen.status}: {_short(error)}", "Try again later.")
        return FeedUnreachable(f"{name} does not give the candles: {_short(error)}", "Check symbol and interval.")


class _Broken(FeedUnreachable):
    """An answer that breaks off; worth asking again."""


def exchange_names() -> tuple[str, ...]:
    """Exchanges that serve candles, in order of the alphabet."""
    return tuple(name for name in ccxt.exchanges if getattr(ccxt, name)().has.get("fetchOHLCV") is True)


def plain(symbol: str) -> str:
    """Letters and digits alone, in capitals."""
    return re.sub(r"[\W_]+", "", symbol).upper()


def _make(name: str, transport: Transport, session: WebSession) -> Any:
    """The exchange as ccxt has it, on our session and our clocks.

    Raises:
        FeedRefused: ccxt does not know it, or it serves no candles.
    """
    if name not in ccxt.exchanges:
        near = difflib.get_close_matches(name, ccxt.exchanges, n=3)
        raise FeedRefused(
            f"There is no exchange {name or '(none named)'}.", f"Did you mean {' or '.join(near or ['binance'])}?"
        )
    api = getattr(ccxt, name)({"enableRateLimit": True, "session": session, "timeout": int(transport.timeout_s * 1000)})
    if api.has.get("fetchOHLCV") is not True:
        raise FeedRefused(f"{api.name} serves no candles.", "Choose another exchange.")
    parse, precision = api.parse_json, api.parse_precision
    last = [float("-inf")]

    def pace(cost: float | None = None) -> None:
        """The pace that ccxt keeps, on the transport's clock."""
        pause = last[0] + api.rateLimit * (1 if cost is None else cost) / 1000 - transport.clock()
        if pause > 0:
            transport.sleep(pause)
        last[0] = transport.clock()

    def parse_whole(text: str) -> Any:
        """What ccxt makes of the text; an answer that says 200 and is no JSON is an error instead of a text."""
        parsed = parse(text)
        status = session.seen.status or 0
        if parsed is None and status < 300 and text.lstrip()[:1] in ("{", "["):
            raise _Broken(f"The answer of {api.name} breaks off.", "Try again, or check the network.")
        if parsed is None and status < 400:
            raise FeedUnreachable(
                f"{api.name} answered with a page instead of data: {_page_title(text)!r}.",
                "A login page of the network, a proxy or a block may stand in between; open the exchange in a browser.",
            )
        return parsed

    def parse_precision(text: Any) -> Any:
        """What ccxt makes of a number of digits: as many digits, so a large one would fill the memory."""
        if text is not None and abs(float(text)) > _MOST_DIGITS:
            raise ValueError("a precision of too many digits")
        return precision(text)

    api.throttle, api.parse_json, api.parse_precision = pace, parse_whole, parse_precision
    return api


def _timed(bar: Bar) -> Bar:
    """The bar, without its time when that is none."""
    time = bar[0]
    possible = isinstance(time, (int, float)) and 0 < time < _LAST_MS
    return bar if possible else [None, *bar[1:]]


def _near(wanted: str, symbols: list[str]) -> list[str]:
    by_plain = {plain(symbol): symbol for symbol in reversed(symbols) if ":" not in symbol or len(symbols) < 50}
    close = difflib.get_close_matches(wanted, list(by_plain), n=6, cutoff=0.6)
    return [by_plain[name] for name in close]


def _page_title(text: str) -> str:
    title = re.search(r"<title[^>]*>(.{0,200}?)</title>", text[:20_000], re.IGNORECASE | re.DOTALL)
    return " ".join((title.group(1) if title else re.sub(r"<[^>]*>", " ", text[:500])).split())[:80]


def _short(error: BaseException) -> str:
    """The first words of an error, without addresses."""
    words = re.sub(r"https?://\S+", "", str(error)).split()
    return f"{' '.join(words)[:160]}".strip() or type(error).__name__
