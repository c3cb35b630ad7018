"""Live candles from exchanges, Yahoo and akshare in one form, cached on disk; every change is noted.

Start with ``open_feed("ccxt")`` and a ``FetchRequest``. Importing this package is cheap: client libraries are imported
on first use.
"""

from __future__ import annotations

from kronos_dashboard.errors import InvalidFeedRequestError
from kronos_dashboard.markets.feeds.ashares import AkshareFeed
from kronos_dashboard.markets.feeds.base import Feed, FetchedCandles, FetchRequest, SeriesInfo, SymbolInfo
from kronos_dashboard.markets.feeds.cached import CachedFeed
from kronos_dashboard.markets.feeds.candle_cache import CandleCache
from kronos_dashboard.markets.feeds.crypto import CcxtFeed
from kronos_dashboard.markets.feeds.transport import Transport
from kronos_dashboard.markets.feeds.yahoo import YahooFeed
from kronos_dashboard.messages import msg
from kronos_dashboard.settings import Settings

__all__ = [
    "FEEDS",
    "AkshareFeed",
    "CachedFeed",
    "CandleCache",
    "CcxtFeed",
    "Feed",
    "FetchRequest",
    "FetchedCandles",
    "SeriesInfo",
    "SymbolInfo",
    "Transport",
    "YahooFeed",
    "open_feed",
]

FEEDS = {
    "ccxt": "Crypto exchanges",
    "yfinance": "Stocks, funds, indices and currencies (Yahoo)",
    "akshare": "A-shares (needs pip install akshare)",
}
"""Names of the feeds, and what they serve."""


def open_feed(name: str, settings: Settings | None = None, transport: Transport | None = None) -> CachedFeed:
    """A feed with its cache. It keeps its clients: make one and use it for long; sessions may share it.

    Raises:
        InvalidFeedRequestError: there is no feed of that name.
    """
    settings = settings or Settings()
    transport = transport or Transport.from_settings(settings)
    feed: Feed
    if name == "ccxt":
        feed = CcxtFeed(transport)
    elif name == "yfinance":
        feed = YahooFeed(transport)
    elif name == "akshare":
        feed = AkshareFeed(transport)
    else:
        raise InvalidFeedRequestError(
            msg("There is no feed named {name}.", name=repr(name[:40])),
            msg("Choose one of {feeds}.", feeds=", ".join(FEEDS)),
        )
    return CachedFeed(feed, CandleCache(settings.cache_path / "candles", settings.max_cache_mb * 1024 * 1024))
