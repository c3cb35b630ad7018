"""Serve one request from a cached series: fetch the missing bars, and check the bars that overlap.

Words: the *overlap* is a few bars at the border of the cached series that are fetched again, to see whether the feed
has changed its history; a *chunk* is what is fetched between two writes to the cache.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kronos_dashboard.errors import FeedUnavailableError, InvalidFeedRequestError, NoCandlesError
from kronos_dashboard.markets.candles import PRICES, CandleFrame
from kronos_dashboard.markets.feeds.assemble import bar_end_times, format_duration, summary_notes
from kronos_dashboard.markets.feeds.base import Feed, FetchedCandles, FetchRequest
from kronos_dashboard.markets.feeds.candle_cache import CachedSeries, CandleCache, CorruptCacheError, SeriesKey
from kronos_dashboard.markets.intervals import min_interval_length
from kronos_dashboard.messages import Message, msg, nmsg, sentences
from kronos_dashboard.notes import Note, NoteLevel

__all__ = ["CacheUpdate"]

_OVERLAP_BARS = 5
"""Enough to tell a corrected last bar from a changed history, and never a page of its own."""
_PRICE_TOLERANCE = 2e-5
"""Relative tolerance of a price that is fetched again: adjusted prices are rounded, and differ by no more."""
_FRESH_FOR = pd.Timedelta(seconds=20)
"""A series fetched so recently is not requested again: pages rerun many times a minute."""
_MAX_BRIDGE_BARS = 5_000
"""Largest distance to the cached series that is fetched to keep one series (a few pages); beyond, it is replaced."""
_CHUNK_BARS = 50_000
"""Bars fetched between two writes, so that a failure late in a long history loses little."""
_EPOCH = pd.Timestamp(0, tz="UTC")
_DAY = pd.Timedelta(days=1)

_log = logging.getLogger(__name__)


class _HistoryChangedError(Exception):
    """Bars that were fetched again have different prices."""


@dataclass
class CacheUpdate:
    """One request for one series, made while its lock is held."""

    feed: Feed
    cache: CandleCache
    key: SeriesKey
    request: FetchRequest
    now: pd.Timestamp

    def __post_init__(self) -> None:
        """Start without notes or requests."""
        self.notes: list[Note] = []
        self.has_fetched = False

    def run(self) -> FetchedCandles:
        """Read the cache, fetch what is missing, write it, and select what was requested."""
        cached = self._read()
        if cached is None or self._is_too_far(cached):
            return self._refetch(self.request)
        try:
            return self._extend(cached)
        except FeedUnavailableError as error:
            return self._offline(cached, error)

    def _extend(self, cached: CachedSeries) -> FetchedCandles:
        try:
            extended = self._extend_backward(self._extend_forward(cached))
        except _HistoryChangedError:
            return self._refetch_changed(cached)
        except InvalidFeedRequestError:  # the feed no longer reaches back to the end of the cached series
            fetched = self._refetch(self.request)
            self._note("info", msg("The cached candles were too old to extend; all were fetched again."))
            return replace(fetched, notes=tuple(self.notes))
        if self.has_fetched:
            self._write(extended)
        if self.has_fetched:
            text = nmsg(
                "{n:,} candle was loaded from the cache.",
                "{n:,} candles were loaded from the cache.",
                len(cached.candles),
            )
        else:
            text = nmsg(
                "{n:,} candle was loaded from the cache, fetched {age}.",
                "{n:,} candles were loaded from the cache, fetched {age}.",
                len(cached.candles),
                age=self._age(cached),
            )
        self._note("info", text)
        return self._select(extended)

    # ------------------------------------------------------------------------------------------------------- cache

    def _read(self) -> CachedSeries | None:
        try:
            return self.cache.read(self.key)
        except CorruptCacheError as error:
            _log.warning("%s", error)
            self.cache.remove(self.key)
            self._note("warning", msg("The cached candles could not be read; they were deleted and fetched again."))
            return None

    def _write(self, cached: CachedSeries) -> None:
        try:
            self.cache.write(self.key, cached)
        except OSError as error:
            _log.warning("cannot write to %s: %s", self.cache.folder, error)
            self._note("warning", msg("The candles could not be cached: {error}.", error=error.strerror))

    def _is_too_far(self, cached: CachedSeries) -> bool:
        """Whether the request is so far from the cached series that fetching it alone is cheaper."""
        start, end = self._requested_span()
        return (
            max(start - cached.covered_end, cached.candles.index[0] - end)
            > _MAX_BRIDGE_BARS * self.request.interval_length
        )

    def _requested_span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """First and last bar time; with a ``limit``, the first one if the market never closed."""
        end = self.now if self.request.end is None else min(self.now, self.request.end.tz_convert("UTC"))
        if self.request.start is not None:
            return self.request.start.tz_convert("UTC"), end
        return end - (self.request.limit or 0) * self.request.interval_length, end

    # --------------------------------------------------------------------------------------------------- extension

    def _extend_forward(self, cached: CachedSeries) -> CachedSeries:
        """Fetch the bars that have closed since the last fetch."""
        end, step = self._requested_span()[1], min_interval_length(self.request.interval)
        up_to_date = cached.covered_end + self.request.interval_length >= cached.fetched_at
        is_fresh = pd.Timedelta(0) <= self.now - cached.fetched_at < min(_FRESH_FOR, step / 3)
        if end <= cached.covered_end or (is_fresh and up_to_date) or self._next_close(cached) > self.now:
            return cached
        while True:
            last = cached.candles.index[-1]
            start = cached.candles.index[-min(_OVERLAP_BARS, len(cached.candles))]
            chunk_end = last + _CHUNK_BARS * self.request.interval_length
            is_last = chunk_end >= end
            fetch_end = self.request.end if is_last else chunk_end
            longer = self._merge_fetched(cached, start=start, end=fetch_end, limit=None)
            covered_end = self._covered_until(end if is_last else chunk_end)
            cached = replace(longer, covered_end=max(cached.covered_end, covered_end))
            if is_last:
                return cached
            self._write(cached)
            if cached.candles.index[-1] == last:  # a gap longer than a chunk: let the feed find its end
                longer = self._merge_fetched(cached, start=start, end=self.request.end, limit=None)
                return replace(longer, covered_end=max(cached.covered_end, self._covered_until(end)))

    def _covered_until(self, end: pd.Timestamp) -> pd.Timestamp:
        """Last bar time from which no bar is missing, once everything up to ``end`` was requested."""
        return min(end, self.now - self.request.interval_length)

    def _next_close(self, cached: CachedSeries) -> pd.Timestamp:
        """Earliest time at which a bar after the cached ones can close."""
        last, step = cached.candles.index[-1], min_interval_length(self.request.interval)
        ends_early = step >= _DAY and not cached.info.always_open  # a daily bar ends when its market closes
        return last + step if ends_early or cached.candles.timestamp_at == "close" else last + 2 * step

    def _extend_backward(self, cached: CachedSeries) -> CachedSeries:
        """Fetch requested bars before the cached series."""
        start, end = self._requested_span()
        overlap = min(_OVERLAP_BARS, len(cached.candles))
        border = cached.candles.index[overlap - 1]
        if self.request.limit is None:
            if start >= cached.covered_start:
                return cached
            longer = self._merge_fetched(cached, start=min(start, border), end=border, limit=None)
            return replace(longer, covered_start=start)
        while (missing := self.request.limit - len(self._available(cached))) > 0 and cached.covered_start > _EPOCH:
            border = cached.candles.index[overlap - 1]
            num_between = max(0, math.ceil((cached.candles.index[0] - end) / self.request.interval_length))
            num_fetched = min(missing + num_between, _CHUNK_BARS)
            longer = self._merge_fetched(cached, start=None, end=border, limit=num_fetched + overlap)
            is_complete = len(longer.candles) - len(cached.candles) >= num_fetched
            # fewer bars than requested: the history of the feed begins there
            cached = replace(longer, covered_start=longer.candles.index[0] if is_complete else _EPOCH)
            if num_fetched == _CHUNK_BARS:
                self._write(cached)
        return cached

    def _merge_fetched(
        self, cached: CachedSeries, *, start: pd.Timestamp | None, end: pd.Timestamp | None, limit: int | None
    ) -> CachedSeries:
        """Merge the feed's bars of this span into the cached series; where they overlap, the feed wins.

        Raises:
            _HistoryChangedError: more than the last cached bar differs. That one may be corrected after it closed.
        """
        request = replace(self.request, start=start, end=end, limit=limit)
        self.has_fetched = True
        try:
            fetched = self.feed.fetch(request, now=self.now)
        except NoCandlesError:
            return replace(cached, fetched_at=self.now)
        self._add_notes_of(fetched, request)
        old, new = cached.candles, fetched.candles
        self._check_overlap(cached, fetched)
        frame = pd.concat([old.frame[~old.index.isin(new.index)], new.frame]).sort_index()
        volume, amount = old.has_volume or new.has_volume, old.has_amount or new.has_amount
        candles = replace(new, frame=frame, has_volume=volume, has_amount=amount)
        return replace(cached, candles=candles, info=fetched.info, fetched_at=self.now)

    def _check_overlap(self, cached: CachedSeries, fetched: FetchedCandles) -> None:
        """Raise _HistoryChangedError when bars in the overlap differ."""
        old, new = cached.candles, fetched.candles
        if (old.session_tz, old.timestamp_at) != (new.session_tz, new.timestamp_at):
            raise _HistoryChangedError
        common = old.index.intersection(new.index)
        if not len(common):
            if new.index[0] > old.index[-1]:
                text = msg(
                    "The feed no longer provides the candles between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d "
                    "%H:%M} UTC, where the cache ends.",
                    start=old.index[-1],
                    end=new.index[0],
                )
                self._note("warning", text)
            return
        old_prices = old.frame.loc[common, list(PRICES)].to_numpy()
        new_prices = new.frame.loc[common, list(PRICES)].to_numpy()
        differs = (np.abs(old_prices / new_prices - 1) > _PRICE_TOLERANCE).any(axis=1)
        before_last = np.asarray(common != old.index[-1])
        if (differs & before_last).any() or (differs.any() and not before_last.any()):
            raise _HistoryChangedError
        if differs.any():
            self._note("info", msg("The feed has since corrected the last cached candle."))

    # ----------------------------------------------------------------------------------------------------- refetch

    def _refetch(self, request: FetchRequest) -> FetchedCandles:
        """Fetch everything and replace the cached series; a long history is written chunk by chunk."""
        start, end = (
            self._requested_span()
            if request.start is None
            else (request.start.tz_convert("UTC"), self._requested_span()[1])
        )
        chunk = request
        if request.limit is not None and request.limit > _CHUNK_BARS:
            chunk = replace(request, limit=_CHUNK_BARS)
        elif request.start is not None and end - start > _CHUNK_BARS * request.interval_length:
            chunk = replace(request, end=start + _CHUNK_BARS * request.interval_length)
        try:
            fetched = self.feed.fetch(chunk, now=self.now)
        except NoCandlesError:  # history begins after this chunk: let the feed find where
            if chunk is request:
                raise
            chunk, fetched = request, self.feed.fetch(request, now=self.now)
        self._add_notes_of(fetched, chunk)
        if chunk.limit is not None:
            start = fetched.candles.index[0] if len(fetched.candles) >= chunk.limit else _EPOCH
        cached = CachedSeries(
            candles=fetched.candles,
            info=fetched.info,
            fetched_at=self.now,
            covered_start=start,
            covered_end=self._covered_until(end if chunk.end is None else min(end, chunk.end)),
        )
        self._write(cached)
        if chunk is not request:
            cached = self._extend_backward(self._extend_forward(cached))
            self._write(cached)
        return self._select(cached)

    def _refetch_changed(self, cached: CachedSeries) -> FetchedCandles:
        """Fetch the whole series again, as far back as it was cached, because its history has changed."""
        if self.request.limit is None:
            whole = replace(self.request, start=min(cached.candles.index[0], self._requested_span()[0]))
        else:
            whole = replace(self.request, limit=max(self.request.limit, len(cached.candles)))
        self.notes.clear()
        text = msg(
            "The feed's history has changed since it was cached (dividend, split or correction); all candles "
            "were fetched again."
        )
        self._note("warning", text)
        try:
            return self._refetch(whole)
        except InvalidFeedRequestError:  # the feed no longer goes that far back
            return self._refetch(self.request)

    def _offline(self, cached: CachedSeries, error: FeedUnavailableError) -> FetchedCandles:
        self.notes.clear()
        text = msg("The candles were loaded from the cache, fetched {age}.", age=self._age(cached))
        self._note("warning", sentences(error.message, text))
        try:
            return self._select(cached)
        except NoCandlesError:
            raise error from None

    # ------------------------------------------------------------------------------------------------------ result

    def _available(self, cached: CachedSeries) -> CandleFrame:
        """The cached candles up to the requested end that had closed by ``now`` (which may precede the last fetch)."""
        candles = cached.candles.until(self._requested_span()[1])
        if self.now >= cached.fetched_at:
            return candles
        ended = bar_end_times(candles.index, self.request.interval, cached.info) <= self.now
        return candles.rows(0, int(ended.sum()))

    def _select(self, cached: CachedSeries) -> FetchedCandles:
        candles, (start, end) = self._available(cached), self._requested_span()
        if self.request.limit is not None:
            candles = candles.tail(self.request.limit)
        else:
            candles = candles.rows(int(candles.index.searchsorted(start)), len(candles))
        if not len(candles):
            raise NoCandlesError(
                msg(
                    "{source} has no candles of {symbol} from {start:%Y-%m-%d} to {end:%Y-%m-%d}.",
                    source=candles.source,
                    symbol=candles.symbol,
                    start=start,
                    end=end,
                ),
                msg("Try another date range."),
            )
        self._add(summary_notes(self.request, candles, cached.info))
        return FetchedCandles(candles, tuple(self.notes), cached.info)

    def _age(self, cached: CachedSeries) -> Message:
        return msg(
            "{duration} ago, the latest at {time:%Y-%m-%d %H:%M} ({zone})",
            duration=format_duration(max(self.now - cached.fetched_at, pd.Timedelta(0))),
            time=cached.candles.local_index[-1],
            zone=cached.candles.session_tz,
        )

    def _add_notes_of(self, fetched: FetchedCandles, request: FetchRequest) -> None:
        """Add the notes of a fetch but for its summary, which describes only a piece of the result."""
        summary = summary_notes(request, fetched.candles, fetched.info)
        self._add(tuple(note for note in fetched.notes if note not in summary))

    def _note(self, level: NoteLevel, text: str) -> None:
        self._add((Note(level, text),))

    def _add(self, notes: tuple[Note, ...]) -> None:
        self.notes += [note for note in notes if note not in self.notes]
