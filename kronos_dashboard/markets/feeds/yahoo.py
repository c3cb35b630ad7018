"""Candles of stocks, funds, indices and currencies from Yahoo, through yfinance.

What Yahoo serves of each interval is known beforehand (``LIMITS``), so that a request beyond it is refused with the
reason before it is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from kronos_dashboard.errors import FeedEmpty, FeedRefused
from kronos_dashboard.markets.feeds.assemble import Clocks, assemble, bar_ends
from kronos_dashboard.markets.feeds.base import Fetched, FetchRequest, Origin, SymbolInfo
from kronos_dashboard.markets.feeds.transport import Transport
from kronos_dashboard.notes import Note

if TYPE_CHECKING:
    from kronos_dashboard.markets.feeds.yahoo_client import Listing, YahooClient

__all__ = ["LIMITS", "YahooFeed"]

DAY = pd.Timedelta(days=1)
LIMITS: dict[str, int | None] = {
    "1m": 29,
    "2m": 59,
    "5m": 59,
    "15m": 59,
    "30m": 59,
    "1h": 729,
    "90m": 59,
    "1d": None,
    "1w": None,
    "1M": None,
}
"""Days back from now that Yahoo serves (it counts 30, 60 and 730, the running day included); None: all there is."""
_DAYS_AT_ONCE = {"1m": 7}
"""Days in one request, where that is less than the limit."""
_YAHOO_NAMES = {"1w": "1wk", "1M": "1mo"}
_SYMBOL = re.compile(r"[A-Za-z0-9.^=&_-]{1,32}")
_SETTLED = pd.Timedelta(minutes=30)
"""After the market has closed, the day's bar may still move for this long (delayed quotes)."""
_SHORTEST_DAY_H = 6.0
_AROUND_THE_CLOCK = frozenset({"CRYPTOCURRENCY"})
_PAYING = frozenset({"EQUITY", "ETF", "MUTUALFUND"})
"""Kinds that split and pay dividends."""
_FIRST = pd.Timestamp("1900-01-01", tz="UTC")


class YahooFeed:
    """Stocks, funds, indices, currencies and futures from Yahoo."""

    name = "yfinance"
    adjusts = True

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport or Transport()
        self._client: YahooClient | None = None

    def intervals(self, exchange: str = "") -> tuple[str, ...]:  # noqa: ARG002
        """The intervals that Yahoo serves; ``LIMITS`` says how far back."""
        return tuple(LIMITS)

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        """Symbols and company names that match, in Yahoo's order; ``exchange`` keeps those of one exchange.

        Raises:
            FeedUnreachable: Yahoo gives no usable answer.
        """
        found = []
        for quote in self._ready().search(query.strip()[:80], limit):
            info = SymbolInfo(
                symbol=str(quote["symbol"])[:32],
                name=" ".join(str(quote.get("longname") or quote.get("shortname") or quote["symbol"]).split())[:80],
                kind=str(quote.get("quoteType") or "").lower()[:20],
                exchange=str(quote.get("exchDisp") or quote.get("exchange") or "")[:40],
                feed=self.name,
            )
            if exchange.lower() in info.exchange.lower():
                found.append(info)
        return found

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> Fetched:
        """Candles of one symbol.

        Raises:
            FeedError: they cannot be had; each reason has its own type.
        """
        start, end = _span(request, now)
        client = self._ready()
        listing = client.listing(request.symbol)
        interval = _YAHOO_NAMES.get(request.interval, request.interval)
        days = _DAYS_AT_ONCE.get(request.interval)
        pieces = []
        for since, until in _pieces(start, end, days):
            piece = client.history(request.symbol, interval, since, until, adjusted=request.adjusted)
            if not piece.empty:
                pieces.append(piece)
        if not pieces:
            raise FeedEmpty(
                f"Yahoo has no {request.interval} candles of {request.symbol} from {start:%Y-%m-%d} to {end:%Y-%m-%d}.",
                "Ask for another span or a longer interval.",
            )
        bars = pd.concat(pieces)
        origin = Origin(
            symbol=request.symbol.upper(),
            source="Yahoo (yfinance)",
            session_tz=listing.zone,
            always_open=listing.kind in _AROUND_THE_CLOCK,
            limits=_limits(request.interval),
        )
        ends = _ends(pd.DatetimeIndex(bars.index), request.interval, origin, listing)
        fetched = assemble(bars, origin, request, Clocks(now=now, feed=client.server_time), ends)
        return Fetched(fetched.candles, (*_prices_note(request, listing), *fetched.notes), origin)

    def _ready(self) -> YahooClient:
        if self._client is None:
            from kronos_dashboard.markets.feeds.yahoo_client import YahooClient

            self._client = YahooClient(self._transport)
        return self._client


def _span(request: FetchRequest, now: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last bar time to ask Yahoo for.

    Raises:
        FeedRefused: Yahoo does not serve that interval, or not that far back.
    """
    if request.interval not in LIMITS:
        raise FeedRefused(f"Yahoo has no candles at {request.interval}.", f"It has {', '.join(LIMITS)}.")
    if not _SYMBOL.fullmatch(request.symbol):
        raise FeedRefused(
            f"{request.symbol!r} is not a symbol of Yahoo.", "Yahoo writes AAPL, BRK-B, ^GSPC, EURUSD=X or BTC-USD."
        )
    end = now if request.end is None else min(now, request.end)
    days = LIMITS[request.interval]
    oldest = _FIRST if days is None else now - days * DAY
    start = request.start if request.start is not None else max(oldest, end - _reach(request))
    if start < oldest or start > end:
        told = f"Yahoo serves {request.interval} candles of the last {days} days alone, from {oldest:%Y-%m-%d %H:%M} on"
        if days is None:
            told = f"the start {start:%Y-%m-%d} lies after the end {end:%Y-%m-%d}, or before 1900"
        longer = (
            "a longer interval (1h: 729 days, 1d: all there is)" if days and days < 700 else "1d, which has no limit"
        )
        asked = f"asked was {min(start, end):%Y-%m-%d %H:%M}"
        raise FeedRefused(f"{told}; {asked}.", f"Take a later start, or {longer}.")
    return start, end


def _reach(request: FetchRequest) -> pd.Timedelta:
    """How far back ``count`` bars reach at most: closed hours, weekends and holidays counted in."""
    count, step = request.count or 0, request.step
    if step >= 7 * DAY:
        return step * (count + 2) * 1.05
    trading_days = count if step >= DAY else count * step / pd.Timedelta(hours=_SHORTEST_DAY_H)
    return DAY * min(40_000.0, trading_days * 7 / 5 * 1.06 + 12)


def _pieces(start: pd.Timestamp, end: pd.Timestamp, days: int | None) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """The span in requests of at most ``days``."""
    if days is None:
        return [(start, end)]
    pieces, since = [], start
    while since <= end:
        until = min(end, since + days * DAY)
        pieces.append((since, until))
        since = until + pd.Timedelta(seconds=1)
    return pieces


def _ends(index: pd.DatetimeIndex, interval: str, origin: Origin, listing: Listing) -> pd.DatetimeIndex:
    """When the bars end; the bar of the running day ends when its market has closed, not at midnight."""
    ends = bar_ends(index, interval, origin)
    if interval != "1d" or listing.opens is None or listing.closes is None or origin.always_open:
        return ends
    today = listing.opens.tz_convert(listing.zone).normalize()
    settled = (listing.closes + _SETTLED).tz_convert("UTC")
    local_days = index.tz_convert(listing.zone).normalize()
    return pd.DatetimeIndex(ends.where(local_days != today, settled))


def _prices_note(request: FetchRequest, listing: Listing) -> list[Note]:
    if listing.kind not in _PAYING:
        return []
    if request.adjusted:
        text = "Prices are adjusted for splits and dividends; each new dividend changes all older prices."
    else:
        text = "Prices are adjusted for splits, as Yahoo always does, and not for dividends."
    return [Note("info", text)]


def _limits(interval: str) -> str:
    days = LIMITS[interval]
    return f"Yahoo serves {interval} candles of the last {days} days alone." if days else ""
