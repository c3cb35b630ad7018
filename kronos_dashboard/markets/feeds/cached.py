"""A feed with a memory on disk.

Only what is missing is fetched, and without a network the candles that are there are given.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from kronos_dashboard.markets.feeds.base import Feed, Fetched, FetchRequest, SymbolInfo
from kronos_dashboard.markets.feeds.cache_update import Extension
from kronos_dashboard.markets.feeds.candle_cache import CandleStore, SeriesKey
from kronos_dashboard.notes import Note

__all__ = ["CachedFeed"]


class CachedFeed:
    """``feed``, remembered in ``store``."""

    def __init__(self, feed: Feed, store: CandleStore) -> None:
        self.feed, self._store = feed, store

    @property
    def name(self) -> str:
        """As the feed is called."""
        return self.feed.name

    @property
    def adjusts(self) -> bool:
        """As the feed does."""
        return self.feed.adjusts

    def intervals(self, exchange: str = "") -> tuple[str, ...]:
        """As the feed serves them."""
        return self.feed.intervals(exchange)

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        """The feed's own search; not remembered on disk."""
        return self.feed.search(query, exchange=exchange, limit=limit)

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> Fetched:
        """The candles closed by ``now``, from the cache as far as it goes.

        Raises:
            FeedError: they cannot be had, and the cache has none of them.
        """
        key = SeriesKey(
            feed=self.name,
            exchange=request.exchange,
            symbol=request.symbol,
            interval=request.interval,
            adjusted=request.adjusted and self.adjusts,
        )
        with self._store.lock(key) as locked:
            if locked:
                return Extension(self.feed, self._store, key, request, now.tz_convert("UTC")).run()
        note = Note("warning", "The cache is in use or cannot be written to; the candles were fetched anew.")
        fetched = self.feed.fetch(request, now=now)
        return replace(fetched, notes=(*fetched.notes, note))
