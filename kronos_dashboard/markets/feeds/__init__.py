"""Live candles: from exchanges and Yahoo, in one form, with every change told in a note, remembered on disk.

``open_feed("ccxt")`` and a ``FetchRequest`` are all it takes. Importing this package is cheap; the clients are imported
when they are first used.
"""

from __future__ import annotations

from kronos_dashboard.errors import FeedRefused
from kronos_dashboard.markets.feeds.ashares import AkshareFeed
from kronos_dashboard.markets.feeds.base import Feed, Fetched, FetchRequest, Origin, SymbolInfo
from kronos_dashboard.markets.feeds.cached import CachedFeed
from kronos_dashboard.markets.feeds.candle_cache import CandleStore
from kronos_dashboard.markets.feeds.crypto import CcxtFeed
from kronos_dashboard.markets.feeds.transport import Transport
from kronos_dashboard.markets.feeds.yahoo import YahooFeed
from kronos_dashboard.settings import Settings

__all__ = [
    "FEEDS",
    "AkshareFeed",
    "CachedFeed",
    "CandleStore",
    "CcxtFeed",
    "Feed",
    "FetchRequest",
    "Fetched",
    "Origin",
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
        FeedRefused: there is no feed of that name.
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
        raise FeedRefused(f"There is no feed {name[:40]!r}.", f"Take one of {', '.join(FEEDS)}.")
    return CachedFeed(feed, CandleStore(settings.cache_path / "candles", settings.max_cache_mb * 1024 * 1024))
