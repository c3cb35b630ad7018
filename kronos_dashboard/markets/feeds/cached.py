"""A feed with a cache on disk: only missing candles are fetched, and the cache serves alone when the feed is down."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from kronos_dashboard.markets.feeds.base import Feed, FetchedCandles, FetchRequest, SymbolInfo
from kronos_dashboard.markets.feeds.cache_update import CacheUpdate
from kronos_dashboard.markets.feeds.candle_cache import CandleCache, SeriesKey
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["CachedFeed"]


class CachedFeed:
    """``feed`` with its candles cached in ``cache``."""

    def __init__(self, feed: Feed, cache: CandleCache) -> None:
        self.feed, self._cache = feed, cache

    @property
    def name(self) -> str:
        """Name of the feed."""
        return self.feed.name

    @property
    def supports_adjusted(self) -> bool:
        """Whether the feed adjusts prices."""
        return self.feed.supports_adjusted

    def intervals(self, exchange: str = "") -> tuple[str, ...]:
        """Intervals of the feed."""
        return self.feed.intervals(exchange)

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        """The feed's own search; not cached."""
        return self.feed.search(query, exchange=exchange, limit=limit)

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> FetchedCandles:
        """The candles closed by ``now``, from the cache as far as it reaches.

        Raises:
            FeedError: the fetch failed, and the cache has none of the candles.
        """
        key = SeriesKey(
            feed=self.name,
            exchange=request.exchange,
            symbol=request.symbol,
            interval=request.interval,
            adjusted=request.adjusted and self.supports_adjusted,
        )
        with self._cache.lock(key) as locked:
            if locked:
                return CacheUpdate(self.feed, self._cache, key, request, now.tz_convert("UTC")).run()
        note = Note("warning", msg("The cache is in use or not writable; the candles were fetched again."))
        fetched = self.feed.fetch(request, now=now)
        return replace(fetched, notes=(*fetched.notes, note))
