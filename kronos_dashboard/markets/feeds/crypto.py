"""Candles of crypto exchanges through ccxt: every exchange that it supports and that serves candles."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from kronos_dashboard.errors import InvalidFeedRequestError
from kronos_dashboard.markets.feeds.assemble import Clocks, build_candles
from kronos_dashboard.markets.feeds.base import FetchedCandles, FetchRequest, SeriesInfo, SymbolInfo
from kronos_dashboard.markets.feeds.paging import Bar, fetch_pages
from kronos_dashboard.markets.feeds.transport import Transport
from kronos_dashboard.markets.intervals import min_interval_length, parse_interval
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

if TYPE_CHECKING:
    from kronos_dashboard.markets.feeds.ccxt_client import ExchangeClient

__all__ = ["CcxtFeed", "max_recent_bars"]

_COLUMNS = ("open", "high", "low", "close", "volume")
_RECENT_BARS_ONLY = {"kraken": 720}
"""Exchanges that serve only their newest bars, and how many."""
_MAX_EXTENSIONS = 6
"""Extensions of the span when gaps leave fewer bars than requested. They double: six reach back a hundredfold."""


def max_recent_bars(exchange: str) -> int | None:
    """Number of newest bars per interval that an exchange serves; None where it serves its whole history."""
    return _RECENT_BARS_ONLY.get(exchange)


class CcxtFeed:
    """Crypto exchanges. Clients and their market lists live as long as the feed."""

    name = "ccxt"
    supports_adjusted = False

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport or Transport()
        self._clients: dict[str, ExchangeClient] = {}
        self._lock = threading.Lock()

    def exchanges(self) -> tuple[str, ...]:
        """Names of all exchanges that serve candles."""
        return _exchange_names()

    def intervals(self, exchange: str = "") -> tuple[str, ...]:
        """The intervals of an exchange, shortest first.

        Raises:
            InvalidFeedRequestError: there is no such exchange.
        """
        return tuple(sorted(filter(_is_supported_interval, self._client(exchange).intervals), key=parse_interval))

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        """Markets whose symbol contains the query: exact matches first, spot before derivatives, short before long.

        Raises:
            FeedError: there is no such exchange, or its markets cannot be listed.
        """
        from kronos_dashboard.markets.feeds.ccxt_client import normalize_symbol

        client, text = self._client(exchange), normalize_symbol(query)
        with client.lock:
            markets = client.markets()
        ranked = []
        for symbol, market in markets.items():
            short = normalize_symbol(symbol)
            if text in short and market.get("active") is not False:
                rank = (
                    short != text,
                    normalize_symbol(str(market.get("base"))) != text,
                    not short.startswith(text),
                )
                ranked.append((*rank, not market.get("spot"), len(symbol), symbol))
        return [self._info(client, str(entry[-1]), markets[str(entry[-1])]) for entry in sorted(ranked)[:limit]]

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> FetchedCandles:
        """Candles of one market, page by page.

        Raises:
            FeedError: the fetch failed; each reason has its own subclass.
        """
        client = self._client(request.exchange)
        if request.interval not in client.intervals:
            raise InvalidFeedRequestError(
                msg("{title} has no {interval} candles.", title=client.title, interval=request.interval),
                msg("Available: {intervals}.", intervals=", ".join(self.intervals(request.exchange))),
            )
        with client.lock:
            symbol = client.resolve(request.symbol)
            span = _SpanFetcher(client, symbol, request, now)
            bars = span.fetch()
            clocks = Clocks(now=now, feed=client.server_time)
        recent_bars = max_recent_bars(client.name)
        history_note = (
            msg("{title} only provides the latest {count} candles per interval.", title=client.title, count=recent_bars)
            if recent_bars
            else ""
        )
        info = SeriesInfo(symbol=symbol, source=f"{client.title} (ccxt)", always_open=True, history_note=history_note)
        fetched = build_candles(_bars_frame(bars), info, request, clocks)
        return FetchedCandles(fetched.candles, (*_renaming_note(request.symbol, symbol), *fetched.notes), info)

    def _client(self, exchange: str) -> ExchangeClient:
        from kronos_dashboard.markets.feeds.ccxt_client import ExchangeClient

        with self._lock:
            if exchange not in self._clients:
                self._clients[exchange] = ExchangeClient(exchange, self._transport)
            return self._clients[exchange]

    def _info(self, client: ExchangeClient, symbol: str, market: dict[str, Any]) -> SymbolInfo:
        name = f"{market.get('base') or symbol} in {market.get('quote') or '?'}"
        kind = str(market.get("type") or "spot")
        return SymbolInfo(symbol=symbol, name=name, kind=kind, exchange=client.name, feed=self.name)


class _SpanFetcher:
    """Fetches the span of a request, extended backward while gaps leave it short of bars."""

    def __init__(self, client: ExchangeClient, symbol: str, request: FetchRequest, now: pd.Timestamp) -> None:
        self._client, self._symbol, self._request, self._now = client, symbol, request, now
        end = now if request.end is None else min(now, request.end)
        self.end = _to_ms(end)
        start = (
            request.start if request.start is not None else end - request.interval_length * ((request.limit or 0) + 1)
        )
        recent_bars = max_recent_bars(client.name)
        self._floor = (
            0 if recent_bars is None else max(0, _to_ms(now) - recent_bars * _length_ms(request.interval_length))
        )
        self.start = max(self._floor, _to_ms(start))

    def fetch(self) -> list[Bar]:
        """All bars of the span in order of arrival."""
        bars = self._fetch_span(self.start, self.end)
        if self._request.limit is None:
            return bars
        step = _length_ms(self._request.interval_length)
        for attempt in range(_MAX_EXTENSIONS):
            known = {bar[0] for bar in bars if _is_usable(bar)}
            missing = self._request.limit + 1 - len(known)
            if missing <= 0 or self.start == self._floor:
                break
            before = self.start - 1
            self.start = max(self._floor, self.start - missing * step * 2 ** (attempt + 1))
            earlier = self._fetch_span(self.start, before)
            if not any(_is_usable(bar) and bar[0] not in known for bar in earlier):
                break
            bars = earlier + bars
        return bars

    def _fetch_span(self, start: int, end: int) -> list[Bar]:
        interval = self._request.interval

        def page(since: int, limit: int) -> Sequence[Bar]:
            return self._client.page(self._symbol, interval, since, limit, self._now)

        limit = self._client.page_limit(self._symbol)
        return list(
            fetch_pages(page, start=start, end=end, step=_length_ms(min_interval_length(interval)), limit=limit).bars
        )


@lru_cache(maxsize=1)
def _exchange_names() -> tuple[str, ...]:
    """Cached for the life of the process: the exchanges of ccxt do not change."""
    from kronos_dashboard.markets.feeds.ccxt_client import exchange_names

    return exchange_names()


def _bars_frame(bars: Sequence[Bar]) -> pd.DataFrame:
    """Bars [n] as a frame with UTC bar times, in order of arrival."""
    rows = [[bar[0], *(list(bar[1:6]) + [None] * 5)[:5]] for bar in bars]
    frame = pd.DataFrame(rows, columns=["time", *_COLUMNS])
    times = pd.to_datetime(pd.to_numeric(frame.pop("time"), errors="coerce"), unit="ms", utc=True)
    frame = frame.apply(pd.to_numeric, errors="coerce").astype("float64")
    frame.index = pd.DatetimeIndex(times).as_unit("ns")
    return frame


def _is_usable(bar: Bar) -> bool:
    """Whether the bar will most likely become a candle."""
    prices = [price for price in bar[1:5] if price]
    return len(prices) == 4 and min(prices) > 0 and prices[1] >= prices[2]


def _renaming_note(requested: str, symbol: str) -> list[Note]:
    return (
        []
        if requested == symbol
        else [Note("info", msg("{requested} was interpreted as {symbol}.", requested=requested, symbol=symbol))]
    )


def _is_supported_interval(interval: str) -> bool:
    """Whether the dashboard has this interval of ccxt: all but years and several months."""
    return interval[-1] in "smhdw" or interval == "1M"


def _to_ms(time: pd.Timestamp) -> int:
    return int(time.timestamp() * 1000)


def _length_ms(step: pd.Timedelta) -> int:
    return int(step.total_seconds() * 1000)
