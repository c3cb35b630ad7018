"""From bars as they arrived to checked candles: one order, each bar once, only closed bars, every change a note.

Shapes: n bars; a frame of bars is float64 [n, 5 or 6] with NaN for what was not sent, its index UTC bar times in the
order of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kronos_dashboard.errors import FeedEmpty
from kronos_dashboard.markets.candles import COLUMNS, PRICES, TOLERANCE, CandleFrame, interval_label
from kronos_dashboard.markets.feeds.base import MONTH, Fetched, FetchRequest, Origin, step_of
from kronos_dashboard.notes import Note

__all__ = ["Clocks", "assemble", "bar_ends", "closing_notes", "count_of", "span_of"]

_SKEW = pd.Timedelta(seconds=30)
"""Clocks that differ by less are taken to agree."""
_LONGEST_PAUSE = pd.Timedelta(days=12)
"""Holidays of a market that has holidays."""


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """The time here, and the time that the feed's server told with its answer (None: it told none)."""

    now: pd.Timestamp
    feed: pd.Timestamp | None = None

    @property
    def closing(self) -> pd.Timestamp:
        """The time by which a bar must have ended: ``now``, but never later than the feed's own clock."""
        if self.feed is not None and self.now - self.feed > _SKEW:
            return self.feed.tz_convert("UTC")
        return self.now.tz_convert("UTC")

    def notes(self) -> list[Note]:
        """Says so when the clocks disagree."""
        if self.feed is None or abs(self.now - self.feed) <= _SKEW:
            return []
        ahead = self.now > self.feed
        apart = span_of(abs(self.now - self.feed))
        used = "the feed's clock decides which bars are closed" if ahead else "bars after this clock are left out"
        text = f"The clock here is {apart} {'ahead of' if ahead else 'behind'} the feed's; {used}."
        return [Note("warning", text)]


def assemble(
    bars: pd.DataFrame, origin: Origin, request: FetchRequest, clocks: Clocks, ends: pd.DatetimeIndex | None = None
) -> Fetched:
    """Candles out of bars [n, 5 or 6] and what was dropped or changed.

    Args:
        bars: as they arrived, duplicates included.
        origin: what is known about them.
        request: its span and count are cut out; more bars than wanted may have arrived.
        clocks: bars that end later are dropped: the forming one, and those from the future.
        ends: UTC times [n] at which the bars end, where that is known better than by adding the interval.

    Raises:
        FeedEmpty: no closed bar is left.
    """
    found = ends if ends is not None else bar_ends(pd.DatetimeIndex(bars.index), request.interval, origin)
    frame = bars.astype("float64").assign(_end=found)
    notes = clocks.notes()
    for change in (_timed, _ordered, _once, _possible):
        frame, told = change(frame, origin)
        notes += told
    frame = _within(frame, request)
    frame, told = _closed(frame, clocks, origin)
    notes += told
    frame = frame if request.count is None else frame.tail(request.count)
    if frame.empty:
        raise FeedEmpty(
            f"{origin.source} has no closed candles of {origin.symbol} at {request.interval} {_asked(request)}.",
            "Ask for another span, a longer interval or another symbol.",
        )
    frame, told = _volumes(frame)
    notes += told
    candles = CandleFrame(
        frame=frame.reindex(columns=list(COLUMNS), fill_value=0.0),
        symbol=origin.symbol,
        interval=step_of(request.interval),
        session_tz=origin.session_tz,
        stamped=origin.stamped,
        source=origin.source,
        has_volume="volume" in frame,
        has_amount="amount" in frame,
    )
    return Fetched(candles, (*notes, *closing_notes(request, candles, origin)), origin)


def closing_notes(request: FetchRequest, candles: CandleFrame, origin: Origin) -> tuple[Note, ...]:
    """How the candles compare with what was asked for, and their number and gaps."""
    got, first = len(candles), candles.local_index[0]
    begins = f"{first:%Y-%m-%d %H:%M} ({candles.session_tz})"
    notes = []
    if request.count is not None and got < request.count:
        text = f"{request.count:,} candles were asked for, {got:,} came; the first is of {begins}. {origin.limits}"
        notes.append(Note("warning", text.strip()))
    closed = pd.Timedelta(0) if origin.always_open else _LONGEST_PAUSE
    if request.start is not None and candles.index[0] - request.start > 2 * request.step + closed:
        text = f"The history begins at {begins}; {request.start:%Y-%m-%d %H:%M} was asked for. {origin.limits}"
        notes.append(Note("warning", text.strip()))
    return (*notes, _summary(candles, origin))


def bar_ends(index: pd.DatetimeIndex, interval: str, origin: Origin) -> pd.DatetimeIndex:
    """When bars with these UTC bar times [n] end: at their stamp, or an interval later on the session clock."""
    if origin.stamped == "close":
        return index
    if interval == MONTH or step_of(interval) >= pd.Timedelta(days=1):
        local = index.tz_convert(origin.session_tz).tz_localize(None)
        later = local + (pd.DateOffset(months=1) if interval == MONTH else step_of(interval))
        ambiguous = np.zeros(len(later), dtype=bool)
        zoned = later.tz_localize(origin.session_tz, ambiguous=ambiguous, nonexistent="shift_forward")
        return zoned.tz_convert("UTC")
    return index + step_of(interval)


def count_of(number: int, noun: str) -> str:
    """``1 bar``, ``2 bars``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _timed(frame: pd.DataFrame, _: Origin) -> tuple[pd.DataFrame, list[Note]]:
    lost = np.asarray(pd.isna(frame.index))
    if not lost.any():
        return frame, []
    return frame[~lost], [Note("warning", f"{count_of(int(lost.sum()), 'bar')} without a time dropped.")]


def _ordered(frame: pd.DataFrame, _: Origin) -> tuple[pd.DataFrame, list[Note]]:
    if frame.index.is_monotonic_increasing:
        return frame, []
    return frame.sort_index(kind="stable"), [Note("info", "The bars did not arrive in order of time; sorted.")]


def _once(frame: pd.DataFrame, origin: Origin) -> tuple[pd.DataFrame, list[Note]]:
    """Each bar time once; the bar that arrived last holds."""
    again = np.asarray(frame.index.duplicated(keep="last"))
    if not again.any():
        return frame, []
    same = np.asarray(frame.reset_index().duplicated(keep="last")) & again
    notes = []
    if same.any():
        notes.append(Note("info", f"{count_of(int(same.sum()), 'bar')} that arrived twice dropped once."))
    other = again & ~same
    if other.any():
        text = f"{count_of(int(other.sum()), 'bar')} arrived again with other values; the later ones hold: "
        notes.append(Note("warning", text + _named(frame.index[other], origin)))
    return frame[~again], notes


def _possible(frame: pd.DataFrame, origin: Origin) -> tuple[pd.DataFrame, list[Note]]:
    """Drop bars that no market could have made, by the rules of ``candles.check_values``."""
    prices = frame.loc[:, list(PRICES)].to_numpy()
    blank = np.isnan(prices).any(axis=1)
    with np.errstate(invalid="ignore"):
        opens, highs, lows, closes = prices.T
        wrong = ~np.isfinite(prices).all(axis=1) | (prices <= 0).any(axis=1)
        wrong |= highs < np.maximum(np.maximum(opens, closes), lows) * (1 - TOLERANCE)
        wrong |= lows > np.minimum(opens, closes) * (1 + TOLERANCE)
        for name in ("volume", "amount"):
            if name in frame:
                values = frame[name].to_numpy()
                wrong |= (values < 0) | np.isinf(values)
    notes = []
    for mask, what in ((blank, "without prices"), (wrong & ~blank, "with impossible values")):
        if mask.any():
            text = f"{count_of(int(mask.sum()), 'bar')} {what} dropped: {_named(frame.index[mask], origin)}"
            notes.append(Note("warning", text))
    return frame[~(blank | wrong)], notes


def _within(frame: pd.DataFrame, request: FetchRequest) -> pd.DataFrame:
    if request.start is not None:
        frame = frame[frame.index >= request.start]
    if request.end is not None:
        frame = frame[frame.index <= request.end]
    return frame


def _closed(frame: pd.DataFrame, clocks: Clocks, origin: Origin) -> tuple[pd.DataFrame, list[Note]]:
    """Only bars that ended by the clock. A bar that begins after it lies in the future; the others are forming."""
    still = np.asarray(frame["_end"] > clocks.closing)
    begun = np.asarray(frame.index <= clocks.closing)
    if origin.stamped == "close":  # its stamp is its end: one that has not ended is forming, more are the future
        begun = np.arange(len(frame)) <= int((~still).sum())
    notes = []
    forming, future = still & begun, still & ~begun
    if forming.any():
        what = "bar, which is still forming, is" if forming.sum() == 1 else f"{forming.sum()} bars, still forming, are"
        notes.append(Note("info", f"The last {what} left out: {_named(frame.index[forming], origin)}"))
    if future.any():
        text = f"{count_of(int(future.sum()), 'bar')} after the clock ({clocks.closing:%Y-%m-%d %H:%M} UTC) refused: "
        notes.append(Note("warning", text + _named(frame.index[future], origin)))
    return frame[~still].drop(columns="_end"), notes


def _volumes(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Blank volumes become 0; a column with nothing but zeros and blanks is left out."""
    notes = []
    for name in ("volume", "amount"):
        if name not in frame:
            continue
        blank = int(frame[name].isna().sum())
        if not frame[name].fillna(0).any():
            frame = frame.drop(columns=name)
            notes.append(Note("info", f"The feed gives no {name} for this symbol."))
        elif blank:
            frame = frame.assign(**{name: frame[name].fillna(0.0)})
            notes.append(Note("warning", f"{count_of(blank, 'bar')} without {name}; set to 0."))
    return frame, notes


def _summary(candles: CandleFrame, origin: Origin) -> Note:
    gaps = candles.gaps()
    told = f"{count_of(len(candles), 'candle')} at {interval_label(candles.interval)}"
    if not gaps:
        return Note("info", f"{told}, no gaps.")
    missing = count_of(sum(gap.missing for gap in gaps), "bar")
    if origin.always_open:
        first = f"the first after {gaps[0].after:%Y-%m-%d %H:%M} UTC"
        return Note("warning", f"{told}, {count_of(len(gaps), 'gap')} ({missing} missing), {first}.")
    return Note("info", f"{told}, {count_of(len(gaps), 'pause')} (closed hours or missing bars, {missing} in all).")


def _asked(request: FetchRequest) -> str:
    since = f"from {request.start:%Y-%m-%d %H:%M}" if request.start is not None else ""
    until = f"up to {request.end:%Y-%m-%d %H:%M}" if request.end is not None else "up to now"
    return f"{since} {until}".strip()


def _named(times: pd.Index, origin: Origin) -> str:
    """The first of these bar times, on the session clock."""
    local = pd.DatetimeIndex(times).tz_convert(origin.session_tz)
    shown = ", ".join(f"{time:%Y-%m-%d %H:%M}" for time in local[:3])
    more = f" and {len(times) - 3:,} more" if len(times) > 3 else ""
    return f"{shown}{more} ({origin.session_tz})."


def span_of(apart: pd.Timedelta) -> str:
    """A length of time in one unit."""
    seconds = apart.total_seconds()
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return count_of(round(seconds / size), noun)
    return count_of(round(seconds), "second")
