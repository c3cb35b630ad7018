"""Candles of crypto exchanges, through ccxt: any exchange that it knows and that serves candles."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from kronos_dashboard.errors import FeedRefused
from kronos_dashboard.markets.feeds.assemble import Clocks, assemble
from kronos_dashboard.markets.feeds.base import Fetched, FetchRequest, Origin, SymbolInfo, least_step, step_of
from kronos_dashboard.markets.feeds.paging import Bar, walk
from kronos_dashboard.markets.feeds.transport import Transport
from kronos_dashboard.notes import Note

if TYPE_CHECKING:
    from kronos_dashboard.markets.feeds.ccxt_client import ExchangeClient

__all__ = ["CcxtFeed", "most_bars"]

_COLUMNS = ("open", "high", "low", "close", "volume")
_KEEPS = {"kraken": 720}
"""Exchanges that serve their newest bars alone, however far back one asks."""
_ROUNDS = 6
"""How often more history is asked for when gaps leave fewer bars than wanted; the span doubles each time."""


def most_bars(exchange: str) -> int | None:
    """How many of its newest bars of an interval an exchange serves; None where it serves older ones too."""
    return _KEEPS.get(exchange)


class CcxtFeed:
    """Crypto exchanges. Clients (with their list of markets) are kept for the life of the feed."""

    name = "ccxt"
    adjusts = False

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport or Transport()
        self._clients: dict[str, ExchangeClient] = {}
        self._lock = threading.Lock()

    def exchanges(self) -> tuple[str, ...]:
        """Names of all exchanges that serve candles."""
        return _exchanges()

    def intervals(self, exchange: str = "") -> tuple[str, ...]:
        """The intervals of an exchange, shortest first.

        Raises:
            FeedRefused: there is no such exchange.
        """
        return tuple(sorted(filter(_ours, self._client(exchange).intervals), key=step_of))

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        """Markets whose symbol holds the query: exact matches first, spot before the rest, short before long.

        Raises:
            FeedError: there is no such exchange, or it gives no list of its markets.
        """
        from kronos_dashboard.markets.feeds.ccxt_client import plain

        client, wanted = self._client(exchange), plain(query)
        with client.lock:
            markets = client.markets()
        ranked = []
        for symbol, market in markets.items():
            short = plain(symbol)
            if wanted in short and market.get("active") is not False:
                place = (short != wanted, plain(str(market.get("base"))) != wanted, not short.startswith(wanted))
                ranked.append((*place, not market.get("spot"), len(symbol), symbol))
        return [self._info(client, str(entry[-1]), markets[str(entry[-1])]) for entry in sorted(ranked)[:limit]]

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> Fetched:
        """Candles of one market, page by page.

        Raises:
            FeedError: they cannot be had; each reason has its own type.
        """
        client = self._client(request.exchange)
        if request.interval not in client.intervals:
            raise FeedRefused(
                f"{client.title} has no candles at {request.interval}.",
                f"It has {', '.join(self.intervals(request.exchange))}.",
            )
        with client.lock:
            symbol = client.resolve(request.symbol)
            span = _Span(client, symbol, request, now)
            bars = span.fetch()
            clocks = Clocks(now=now, feed=client.server_time)
        keeps = most_bars(client.name)
        limits = f"{client.title} serves its newest {keeps} bars of an interval alone." if keeps else ""
        origin = Origin(symbol=symbol, source=f"{client.title} (ccxt)", always_open=True, limits=limits)
        fetched = assemble(_frame(bars), origin, request, clocks)
        return Fetched(fetched.candles, (*_renamed(request.symbol, symbol), *fetched.notes), origin)

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


class _Span:
    """The stretch of history that a request needs, which grows backward while gaps leave it short of bars."""

    def __init__(self, client: ExchangeClient, symbol: str, request: FetchRequest, now: pd.Timestamp) -> None:
        self._client, self._symbol, self._request, self._now = client, symbol, request, now
        end = now if request.end is None else min(now, request.end)
        self.end = _ms(end)
        back = request.start if request.start is not None else end - request.step * ((request.count or 0) + 1)
        keeps = most_bars(client.name)
        self._floor = 0 if keeps is None else max(0, _ms(now) - keeps * _ms_of(request.step))
        self.start = max(self._floor, _ms(back))

    def fetch(self) -> list[Bar]:
        """All bars of the span, in the order of arrival."""
        bars = self._walk(self.start, self.end)
        if self._request.count is None:
            return bars
        step = _ms_of(self._request.step)
        for attempt in range(_ROUNDS):
            known = {bar[0] for bar in bars if _usable(bar)}
            missing = self._request.count + 1 - len(known)
            if missing <= 0 or self.start == self._floor:
                break
            before = self.start - 1
            self.start = max(self._floor, self.start - missing * step * 2 ** (attempt + 1))
            earlier = self._walk(self.start, before)
            if not any(_usable(bar) and bar[0] not in known for bar in earlier):
                break
            bars = earlier + bars
        return bars

    def _walk(self, start: int, end: int) -> list[Bar]:
        interval = self._request.interval

        def page(since: int, limit: int) -> Sequence[Bar]:
            return self._client.page(self._symbol, interval, since, limit, self._now)

        limit = self._client.page_limit(self._symbol)
        return list(walk(page, start=start, end=end, step=_ms_of(least_step(interval)), limit=limit).bars)


@lru_cache(maxsize=1)
def _exchanges() -> tuple[str, ...]:
    """Asked once per process: what ccxt knows does not change while it runs."""
    from kronos_dashboard.markets.feeds.ccxt_client import exchange_names

    return exchange_names()


def _frame(bars: Sequence[Bar]) -> pd.DataFrame:
    """Bars [n] as a frame with UTC bar times, in order of arrival."""
    rows = [[bar[0], *(list(bar[1:6]) + [None] * 5)[:5]] for bar in bars]
    frame = pd.DataFrame(rows, columns=["time", *_COLUMNS])
    times = pd.to_datetime(pd.to_numeric(frame.pop("time"), errors="coerce"), unit="ms", utc=True)
    frame = frame.apply(pd.to_numeric, errors="coerce").astype("float64")
    frame.index = pd.DatetimeIndex(times).as_unit("ns")
    return frame


def _usable(bar: Bar) -> bool:
    """Whether the bar will most likely become a candle."""
    prices = [price for price in bar[1:5] if price]
    return len(prices) == 4 and min(prices) > 0 and prices[1] >= prices[2]


def _renamed(asked: str, symbol: str) -> list[Note]:
    return [] if asked == symbol else [Note("info", f"{asked} was read as {symbol}.")]


def _ours(interval: str) -> bool:
    """Whether ccxt's spelling is one of ours (of months, the single one)."""
    return interval[-1] in "smhdw" or interval == "1M"


def _ms(time: pd.Timestamp) -> int:
    return int(time.timestamp() * 1000)


def _ms_of(step: pd.Timedelta) -> int:
    return int(step.total_seconds() * 1000)
