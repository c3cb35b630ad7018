"""Candles of stocks, funds, indices and currencies from Yahoo, through yfinance.

``MAX_HISTORY_DAYS`` is how far back Yahoo serves each interval: a request beyond it is rejected with the reason before
it is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from kronos_dashboard.errors import InvalidFeedRequestError, NoCandlesError
from kronos_dashboard.markets.feeds.assemble import Clocks, bar_end_times, build_candles
from kronos_dashboard.markets.feeds.base import FetchedCandles, FetchRequest, SeriesInfo, SymbolInfo
from kronos_dashboard.markets.feeds.transport import Transport
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

if TYPE_CHECKING:
    from kronos_dashboard.markets.feeds.yahoo_client import Listing, YahooClient

__all__ = ["MAX_HISTORY_DAYS", "YahooFeed"]

DAY = pd.Timedelta(days=1)
MAX_HISTORY_DAYS: dict[str, int | None] = {
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
"""Days of history by interval (Yahoo counts 30, 60 and 730 including the current day); None: unlimited."""
_MAX_DAYS_PER_REQUEST = {"1m": 7}
"""Days in one request, where Yahoo serves fewer than in total."""
_YAHOO_NAMES = {"1w": "1wk", "1M": "1mo"}
_SYMBOL_PATTERN = re.compile(r"[A-Za-z0-9.^=&_-]{1,32}")
_CLOSE_DELAY = pd.Timedelta(minutes=30)
"""Time after the close for which the daily bar may still change: quotes are delayed by up to 20 minutes."""
_MIN_TRADING_HOURS = 6.0
"""Shorter than the trading day of most exchanges, so that ``_lookback`` errs on the long side."""
_ALWAYS_OPEN_KINDS = frozenset({"CRYPTOCURRENCY"})
_ADJUSTED_KINDS = frozenset({"EQUITY", "ETF", "MUTUALFUND"})
"""Instruments with splits and dividends."""
_FIRST_TIME = pd.Timestamp("1900-01-01", tz="UTC")
"""Before the first bar of every series that Yahoo has."""


class YahooFeed:
    """Stocks, funds, indices, currencies and futures from Yahoo."""

    name = "yfinance"
    supports_adjusted = True

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport or Transport()
        self._client: YahooClient | None = None

    def intervals(self, exchange: str = "") -> tuple[str, ...]:  # noqa: ARG002
        """The intervals that Yahoo serves."""
        return tuple(MAX_HISTORY_DAYS)

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        """Matching symbols and company names in Yahoo's order; ``exchange`` limits them to one exchange.

        Raises:
            FeedUnavailableError: no usable response.
        """
        matches = []
        for quote in self._get_client().search(query.strip()[:80], limit):
            info = SymbolInfo(
                symbol=str(quote["symbol"])[:32],
                name=" ".join(str(quote.get("longname") or quote.get("shortname") or quote["symbol"]).split())[:80],
                kind=str(quote.get("quoteType") or "").lower()[:20],
                exchange=str(quote.get("exchDisp") or quote.get("exchange") or "")[:40],
                feed=self.name,
            )
            if exchange.lower() in info.exchange.lower():
                matches.append(info)
        return matches

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> FetchedCandles:
        """Candles of one symbol.

        Raises:
            FeedError: the fetch failed; each reason has its own subclass.
        """
        start, end = _span(request, now)
        client = self._get_client()
        listing = client.listing(request.symbol)
        interval = _YAHOO_NAMES.get(request.interval, request.interval)
        days = _MAX_DAYS_PER_REQUEST.get(request.interval)
        chunks = []
        for since, until in _split_span(start, end, days):
            chunk = client.history(request.symbol, interval, since, until, adjusted=request.adjusted)
            if not chunk.empty:
                chunks.append(chunk)
        if not chunks:
            raise NoCandlesError(
                msg(
                    "Yahoo has no {interval} candles of {symbol} from {start:%Y-%m-%d} to {end:%Y-%m-%d}.",
                    interval=request.interval,
                    symbol=request.symbol,
                    start=start,
                    end=end,
                ),
                msg("Try another date range or a longer interval."),
            )
        bars = pd.concat(chunks)
        info = SeriesInfo(
            symbol=request.symbol.upper(),
            source="Yahoo (yfinance)",
            session_tz=listing.zone,
            always_open=listing.kind in _ALWAYS_OPEN_KINDS,
            history_note=_history_note(request.interval),
        )
        ends = _bar_end_times(pd.DatetimeIndex(bars.index), request.interval, info, listing)
        fetched = build_candles(bars, info, request, Clocks(now=now, feed=client.server_time), ends)
        return FetchedCandles(fetched.candles, (*_adjustment_note(request, listing), *fetched.notes), info)

    def _get_client(self) -> YahooClient:
        if self._client is None:
            from kronos_dashboard.markets.feeds.yahoo_client import YahooClient

            self._client = YahooClient(self._transport)
        return self._client


def _span(request: FetchRequest, now: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last bar time to request from Yahoo.

    Raises:
        InvalidFeedRequestError: Yahoo does not serve that interval, or not that far back.
    """
    if request.interval not in MAX_HISTORY_DAYS:
        raise InvalidFeedRequestError(
            msg("Yahoo has no {interval} candles.", interval=request.interval),
            msg("Available: {intervals}.", intervals=", ".join(MAX_HISTORY_DAYS)),
        )
    if not _SYMBOL_PATTERN.fullmatch(request.symbol):
        raise InvalidFeedRequestError(
            msg("{symbol} is not a Yahoo symbol.", symbol=repr(request.symbol)),
            msg("Yahoo symbols look like AAPL, BRK-B, ^GSPC, EURUSD=X or BTC-USD."),
        )
    end = now if request.end is None else min(now, request.end)
    days = MAX_HISTORY_DAYS[request.interval]
    oldest = _FIRST_TIME if days is None else now - days * DAY
    start = request.start if request.start is not None else max(oldest, end - _lookback(request))
    if start < oldest or start > end:
        requested = min(start, end)
        if days is None:
            raise InvalidFeedRequestError(
                msg(
                    "the start {start:%Y-%m-%d} is after the end {end:%Y-%m-%d}, or before 1900; requested "
                    "from {requested:%Y-%m-%d %H:%M}.",
                    start=start,
                    end=end,
                    requested=requested,
                ),
                msg("Choose a later start, or 1d, which has no limit."),
            )
        raise InvalidFeedRequestError(
            msg(
                "Yahoo only provides the last {days} days of {interval} candles, from {oldest:%Y-%m-%d %H:%M}; "
                "requested from {requested:%Y-%m-%d %H:%M}.",
                interval=request.interval,
                days=days,
                oldest=oldest,
                requested=requested,
            ),
            msg("Choose a later start, or a longer interval (1h: 729 days, 1d: full history).")
            if days < 700
            else msg("Choose a later start, or 1d, which has no limit."),
        )
    return start, end


def _lookback(request: FetchRequest) -> pd.Timedelta:
    """Upper bound of the time that ``limit`` bars span.

    Five trading days take seven days; 6 % and 12 days on top cover the holidays of a year and the longest closure.
    """
    num_bars, step = request.limit or 0, request.interval_length
    if step >= 7 * DAY:
        return step * (num_bars + 2) * 1.05
    trading_days = num_bars if step >= DAY else num_bars * step / pd.Timedelta(hours=_MIN_TRADING_HOURS)
    return DAY * min(40_000.0, trading_days * 7 / 5 * 1.06 + 12)


def _split_span(start: pd.Timestamp, end: pd.Timestamp, days: int | None) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Split the span into requests of at most ``days``."""
    if days is None:
        return [(start, end)]
    spans, since = [], start
    while since <= end:
        until = min(end, since + days * DAY)
        spans.append((since, until))
        since = until + pd.Timedelta(seconds=1)
    return spans


def _bar_end_times(index: pd.DatetimeIndex, interval: str, info: SeriesInfo, listing: Listing) -> pd.DatetimeIndex:
    """UTC times at which bars end; the daily bar of today ends when its market has closed, not at midnight."""
    ends = bar_end_times(index, interval, info)
    if interval != "1d" or listing.opens is None or listing.closes is None or info.always_open:
        return ends
    today = listing.opens.tz_convert(listing.zone).normalize()
    final_at = (listing.closes + _CLOSE_DELAY).tz_convert("UTC")
    local_days = index.tz_convert(listing.zone).normalize()
    return pd.DatetimeIndex(ends.where(local_days != today, final_at))


def _adjustment_note(request: FetchRequest, listing: Listing) -> list[Note]:
    if listing.kind not in _ADJUSTED_KINDS:
        return []
    if request.adjusted:
        text = msg("Prices are adjusted for splits and dividends; each new dividend changes all earlier prices.")
    else:
        text = msg("Prices are adjusted for splits, as always on Yahoo, but not for dividends.")
    return [Note("info", text)]


def _history_note(interval: str) -> str:
    days = MAX_HISTORY_DAYS[interval]
    if not days:
        return ""
    return msg("Yahoo only provides the last {days} days of {interval} candles.", interval=interval, days=days)
