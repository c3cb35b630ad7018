"""One request against one cached series: what is missing is fetched, what overlaps is compared.

Words: the *overlap* is the few bars at a border that are fetched again to see that history is still the same; a *part*
is what is fetched between two writes.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kronos_dashboard.errors import FeedEmpty, FeedRefused, FeedUnreachable
from kronos_dashboard.markets.candles import PRICES, CandleFrame
from kronos_dashboard.markets.feeds.assemble import bar_ends, closing_notes, count_of, span_of
from kronos_dashboard.markets.feeds.base import Feed, Fetched, FetchRequest, least_step
from kronos_dashboard.markets.feeds.candle_cache import CandleStore, Corrupt, Held, SeriesKey
from kronos_dashboard.notes import Level, Note

__all__ = ["Extension"]

_OVERLAP = 5
_SAME = 2e-5
"""Relative room between a price and the same price fetched again: adjusted prices carry rounding, not more."""
_JUST_NOW = pd.Timedelta(seconds=20)
_BRIDGE = 5_000
"""Bars between the cached series and the wanted ones that are fetched to keep one series; beyond, it starts anew."""
_PART = 50_000
"""Bars that are fetched between two writes: what a long history has cost so far is kept when the rest fails."""
_BEGINNING = pd.Timestamp(0, tz="UTC")
_DAY = pd.Timedelta(days=1)

_log = logging.getLogger(__name__)


class _Restated(Exception):
    """Bars that were fetched again have other prices."""


@dataclass
class Extension:
    """One request against one series, under its lock."""

    feed: Feed
    store: CandleStore
    key: SeriesKey
    request: FetchRequest
    now: pd.Timestamp

    def __post_init__(self) -> None:
        """Nothing has been told or asked yet."""
        self.notes: list[Note] = []
        self.asked = False

    def run(self) -> Fetched:
        """Read, fetch what is missing, write, cut out what was asked for."""
        held = self._read()
        if held is None or self._too_far(held):
            return self._anew(self.request)
        try:
            return self._extended(held)
        except FeedUnreachable as error:
            return self._offline(held, error)

    def _extended(self, held: Held) -> Fetched:
        try:
            longer = self._earlier(self._later(held))
        except _Restated:
            return self._restated(held)
        except FeedRefused:  # what is held ends so long ago that the feed has nothing left from there on
            fetched = self._anew(self.request)
            self._say("info", "The cached candles were too old to be extended; all were fetched anew.")
            return replace(fetched, notes=tuple(self.notes))
        if self.asked:
            self._write(longer)
        when = "" if self.asked else f", fetched {self._ago(held)}"
        self._say("info", f"{count_of(len(held.candles), 'candle')} came from the cache{when}.")
        return self._cut(longer)

    # ------------------------------------------------------------------------------------------------ what is held

    def _read(self) -> Held | None:
        try:
            return self.store.read(self.key)
        except Corrupt as error:
            _log.warning("%s", error)
            self.store.remove(self.key)
            self._say("warning", "The cached candles could not be read; they were removed and fetched anew.")
            return None

    def _write(self, held: Held) -> None:
        try:
            self.store.write(self.key, held)
        except OSError as error:
            _log.warning("cannot write to %s: %s", self.store.folder, error)
            self._say("warning", f"The candles could not be kept in the cache: {error.strerror}.")

    def _too_far(self, held: Held) -> bool:
        """Whether so many bars lie between the cached series and the wanted one that a new series is cheaper."""
        start, end = self._wanted()
        return max(start - held.covered_end, held.candles.index[0] - end) > _BRIDGE * self.request.step

    def _wanted(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """First and last bar time; for a count, the first one if the market never closed."""
        end = self.now if self.request.end is None else min(self.now, self.request.end.tz_convert("UTC"))
        if self.request.start is not None:
            return self.request.start.tz_convert("UTC"), end
        return end - (self.request.count or 0) * self.request.step, end

    # --------------------------------------------------------------------------------------------------- extending

    def _later(self, held: Held) -> Held:
        """Fetch what has closed since."""
        end, step = self._wanted()[1], least_step(self.request.interval)
        up_to_date = held.covered_end + self.request.step >= held.fetched_at
        recent = pd.Timedelta(0) <= self.now - held.fetched_at < min(_JUST_NOW, step / 3)
        if end <= held.covered_end or (recent and up_to_date) or self._next_close(held) > self.now:
            return held
        while True:
            last = held.candles.index[-1]
            start = held.candles.index[-min(_OVERLAP, len(held.candles))]
            part_end = last + _PART * self.request.step
            whole = part_end >= end
            longer = self._joined(held, start=start, end=self.request.end if whole else part_end, count=None)
            held = replace(longer, covered_end=max(held.covered_end, self._covered(end if whole else part_end)))
            if whole:
                return held
            self._write(held)
            if held.candles.index[-1] == last:  # a gap of a whole part: the feed finds its own way across
                longer = self._joined(held, start=start, end=self.request.end, count=None)
                return replace(longer, covered_end=max(held.covered_end, self._covered(end)))

    def _covered(self, end: pd.Timestamp) -> pd.Timestamp:
        """Up to which bar time nothing is missing once everything up to ``end`` was asked for."""
        return min(end, self.now - self.request.step)

    def _next_close(self, held: Held) -> pd.Timestamp:
        """Before this, no bar after the cached ones can have closed."""
        last, step = held.candles.index[-1], least_step(self.request.interval)
        early = step >= _DAY and not held.origin.always_open  # a day's bar ends when its market closes
        return last + step if early or held.candles.stamped == "close" else last + 2 * step

    def _earlier(self, held: Held) -> Held:
        """Fetch what lies before the cached series, when it is wanted."""
        start, end = self._wanted()
        overlap = min(_OVERLAP, len(held.candles))
        border = held.candles.index[overlap - 1]
        if self.request.count is None:
            if start >= held.covered_start:
                return held
            longer = self._joined(held, start=min(start, border), end=border, count=None)
            return replace(longer, covered_start=start)
        while (missing := self.request.count - len(self._known(held))) > 0 and held.covered_start > _BEGINNING:
            border = held.candles.index[overlap - 1]
            between = max(0, math.ceil((held.candles.index[0] - end) / self.request.step))
            more = min(missing + between, _PART)
            longer = self._joined(held, start=None, end=border, count=more + overlap)
            whole = len(longer.candles) - len(held.candles) >= more
            held = replace(longer, covered_start=longer.candles.index[0] if whole else _BEGINNING)
            if more == _PART:
                self._write(held)
        return held

    def _joined(self, held: Held, *, start: pd.Timestamp | None, end: pd.Timestamp | None, count: int | None) -> Held:
        """The cached series with what the feed has of this span; where they overlap, what the feed says holds.

        Raises:
            _Restated: they disagree in more than the last cached bar, which may be corrected after it closed.
        """
        part = replace(self.request, start=start, end=end, count=count)
        self.asked = True
        try:
            fetched = self.feed.fetch(part, now=self.now)
        except FeedEmpty:
            return replace(held, fetched_at=self.now)
        closing = closing_notes(part, fetched.candles, fetched.origin)
        self._add(tuple(note for note in fetched.notes if note not in closing))
        old, new = held.candles, fetched.candles
        self._compare(held, fetched)
        frame = pd.concat([old.frame[~old.index.isin(new.index)], new.frame]).sort_index()
        volume, amount = old.has_volume or new.has_volume, old.has_amount or new.has_amount
        candles = replace(new, frame=frame, has_volume=volume, has_amount=amount)
        return replace(held, candles=candles, origin=fetched.origin, fetched_at=self.now)

    def _compare(self, held: Held, fetched: Fetched) -> None:
        """Raises _Restated when the feed's history is not what it was."""
        old, new = held.candles, fetched.candles
        if (old.session_tz, old.stamped) != (new.session_tz, new.stamped):
            raise _Restated
        common = old.index.intersection(new.index)
        if not len(common):
            if new.index[0] > old.index[-1]:
                lost = f"{old.index[-1]:%Y-%m-%d %H:%M} and {new.index[0]:%Y-%m-%d %H:%M} UTC"
                self._say("warning", f"The feed no longer has the candles between {lost}, where the cache ended.")
            return
        were = old.frame.loc[common, list(PRICES)].to_numpy()
        are = new.frame.loc[common, list(PRICES)].to_numpy()
        other = (np.abs(were / are - 1) > _SAME).any(axis=1)
        before_last = np.asarray(common != old.index[-1])
        if (other & before_last).any() or (other.any() and not before_last.any()):
            raise _Restated
        if other.any():
            self._say("info", "The last cached candle has been corrected by the feed since.")

    # --------------------------------------------------------------------------------------------- whole or nothing

    def _anew(self, request: FetchRequest) -> Fetched:
        """Fetch all, and let it take the place of what was held. A long history is kept part by part."""
        start, end = self._wanted() if request.start is None else (request.start.tz_convert("UTC"), self._wanted()[1])
        part = request
        if request.count is not None and request.count > _PART:
            part = replace(request, count=_PART)
        elif request.start is not None and end - start > _PART * request.step:
            part = replace(request, end=start + _PART * request.step)
        try:
            fetched = self.feed.fetch(part, now=self.now)
        except FeedEmpty:  # history begins later: the feed finds out where
            if part is request:
                raise
            part, fetched = request, self.feed.fetch(request, now=self.now)
        closing = closing_notes(part, fetched.candles, fetched.origin)
        self._add(tuple(note for note in fetched.notes if note not in closing))
        if part.count is not None:
            start = fetched.candles.index[0] if len(fetched.candles) >= part.count else _BEGINNING
        held = Held(
            candles=fetched.candles,
            origin=fetched.origin,
            fetched_at=self.now,
            covered_start=start,
            covered_end=self._covered(end if part.end is None else min(end, part.end)),
        )
        self._write(held)
        if part is not request:
            held = self._earlier(self._later(held))
            self._write(held)
        return self._cut(held)

    def _restated(self, held: Held) -> Fetched:
        """History is not what it was: the whole series again, as far back as it was known."""
        if self.request.count is None:
            whole = replace(self.request, start=min(held.candles.index[0], self._wanted()[0]))
        else:
            whole = replace(self.request, count=max(self.request.count, len(held.candles)))
        self.notes.clear()
        text = "The feed's history has changed since it was cached (a dividend, a split or a correction); "
        self._say("warning", f"{text}all candles were fetched anew.")
        try:
            return self._anew(whole)
        except FeedRefused:  # the feed no longer goes that far back
            return self._anew(self.request)

    def _offline(self, held: Held, error: FeedUnreachable) -> Fetched:
        self.notes.clear()
        self._say("warning", f"{error.message} The candles come from the cache, fetched {self._ago(held)}.")
        try:
            return self._cut(held)
        except FeedEmpty:
            raise error from None

    # ------------------------------------------------------------------------------------------------- what is told

    def _known(self, held: Held) -> CandleFrame:
        """The candles up to the wanted end; those closed by ``now``, when that lies before the cached ones."""
        candles = held.candles.until(self._wanted()[1])
        if self.now >= held.fetched_at:
            return candles
        ended = bar_ends(candles.index, self.request.interval, held.origin) <= self.now
        return candles.rows(0, int(ended.sum()))

    def _cut(self, held: Held) -> Fetched:
        candles, (start, end) = self._known(held), self._wanted()
        if self.request.count is not None:
            candles = candles.tail(self.request.count)
        else:
            candles = candles.rows(int(candles.index.searchsorted(start)), len(candles))
        if not len(candles):
            raise FeedEmpty(
                f"{candles.source} has no candles of {candles.symbol} from {start:%Y-%m-%d} to {end:%Y-%m-%d}.",
                "Ask for another span.",
            )
        self._add(closing_notes(self.request, candles, held.origin))
        return Fetched(candles, tuple(self.notes), held.origin)

    def _ago(self, held: Held) -> str:
        newest = f"the newest of {held.candles.local_index[-1]:%Y-%m-%d %H:%M} ({held.candles.session_tz})"
        return f"{span_of(max(self.now - held.fetched_at, pd.Timedelta(0)))} ago, {newest}"

    def _say(self, level: Level, text: str) -> None:
        self._add((Note(level, text),))

    def _add(self, notes: tuple[Note, ...]) -> None:
        self.notes += [note for note in notes if note not in self.notes]
