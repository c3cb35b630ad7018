"""Received bars to checked candles: sorted, unique, closed bars only; every change is noted.

Shapes: n bars; a frame of bars is float64 [n, 5 or 6] with NaN for missing values, its index UTC bar times in order of
arrival.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kronos_dashboard.errors import NoCandlesError
from kronos_dashboard.markets.candles import COLUMNS, CandleFrame, clean_volume, invalid_rows
from kronos_dashboard.markets.feeds.base import FetchedCandles, FetchRequest, SeriesInfo
from kronos_dashboard.markets.intervals import MONTH, interval_label, parse_interval
from kronos_dashboard.messages import Message, msg, nmsg, sentences, term
from kronos_dashboard.notes import Note

__all__ = ["Clocks", "bar_end_times", "build_candles", "format_duration", "summary_notes"]

_MAX_CLOCK_SKEW = pd.Timedelta(seconds=30)
"""Largest difference of two clocks that agree: servers without NTP drift by seconds, answers take seconds."""
_MAX_HOLIDAY_GAP = pd.Timedelta(days=12)
"""Longest closure of a market: Golden Week in China with both weekends. A start that much later has lost no history."""


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """The local time, and the time of the feed's server (None: unknown)."""

    now: pd.Timestamp
    feed: pd.Timestamp | None = None

    @property
    def closed_before(self) -> pd.Timestamp:
        """Bars that end later are not closed: ``now``, but never later than the feed's own clock."""
        if self.feed is not None and self.now - self.feed > _MAX_CLOCK_SKEW:
            return self.feed.tz_convert("UTC")
        return self.now.tz_convert("UTC")

    def notes(self) -> list[Note]:
        """A warning when the clocks disagree."""
        if self.feed is None or abs(self.now - self.feed) <= _MAX_CLOCK_SKEW:
            return []
        is_ahead = self.now > self.feed
        apart = format_duration(abs(self.now - self.feed))
        text = (
            msg(
                "This computer's clock is {difference} ahead of the feed's; the feed's clock decides which "
                "bars are closed.",
                difference=apart,
            )
            if is_ahead
            else msg(
                "This computer's clock is {difference} behind the feed's; bars after this computer's time are skipped.",
                difference=apart,
            )
        )
        return [Note("warning", text)]


def build_candles(
    bars: pd.DataFrame, info: SeriesInfo, request: FetchRequest, clocks: Clocks, ends: pd.DatetimeIndex | None = None
) -> FetchedCandles:
    """Build candles from bars [n, 5 or 6], and note what was dropped or changed.

    Args:
        bars: as received, duplicates included.
        info: properties of the series.
        request: limits the span and the number of candles; more bars may have been received.
        clocks: later bars are dropped: the incomplete one, and those from the future.
        ends: UTC times [n] at which the bars end; by default one interval after they open.

    Raises:
        NoCandlesError: no closed bar is left.
    """
    bar_ends = ends if ends is not None else bar_end_times(pd.DatetimeIndex(bars.index), request.interval, info)
    frame = bars.astype("float64").assign(_end=bar_ends)
    notes = clocks.notes()
    for change in (_drop_untimed, _sort_by_time, _drop_duplicates, _drop_invalid):
        frame, added = change(frame, info)
        notes += added
    frame = _select_span(frame, request)
    frame, added = _drop_unclosed(frame, clocks, info)
    notes += added
    frame = frame if request.limit is None else frame.tail(request.limit)
    if frame.empty:
        raise NoCandlesError(
            msg(
                "{source} has no closed {interval} candles of {symbol} {span}.",
                source=info.source,
                symbol=info.symbol,
                interval=request.interval,
                span=_span_text(request),
            ),
            msg("Try another date range, a longer interval or another symbol."),
        )
    frame, added = _fill_volume(frame)
    notes += added
    candles = CandleFrame(
        frame=frame.reindex(columns=list(COLUMNS), fill_value=0.0),
        symbol=info.symbol,
        interval=parse_interval(request.interval),
        session_tz=info.session_tz,
        timestamp_at=info.timestamp_at,
        source=info.source,
        has_volume="volume" in frame,
        has_amount="amount" in frame,
    )
    return FetchedCandles(candles, (*notes, *summary_notes(request, candles, info)), info)


def summary_notes(request: FetchRequest, candles: CandleFrame, info: SeriesInfo) -> tuple[Note, ...]:
    """Notes that compare the candles with the request and count them and their gaps."""
    received, first = len(candles), candles.local_index[0]
    notes = []
    if request.limit is not None and received < request.limit:
        text = msg(
            "Requested {limit:,} candles, received {received:,}; the first is {first:%Y-%m-%d %H:%M} ({zone}).",
            limit=request.limit,
            received=received,
            first=first,
            zone=candles.session_tz,
        )
        notes.append(Note("warning", sentences(text, info.history_note)))
    max_closure = pd.Timedelta(0) if info.always_open else _MAX_HOLIDAY_GAP
    if request.start is not None and candles.index[0] - request.start > 2 * request.interval_length + max_closure:
        text = msg(
            "The history starts at {first:%Y-%m-%d %H:%M} ({zone}); requested from {start:%Y-%m-%d %H:%M}.",
            first=first,
            zone=candles.session_tz,
            start=request.start,
        )
        notes.append(Note("warning", sentences(text, info.history_note)))
    return (*notes, _summary_note(candles, info))


def bar_end_times(index: pd.DatetimeIndex, interval: str, info: SeriesInfo) -> pd.DatetimeIndex:
    """UTC times [n] at which bars end: at their timestamp, or one interval later in the session timezone."""
    if info.timestamp_at == "close":
        return index
    if interval == MONTH or parse_interval(interval) >= pd.Timedelta(days=1):
        local = index.tz_convert(info.session_tz).tz_localize(None)
        later = local + (pd.DateOffset(months=1) if interval == MONTH else parse_interval(interval))
        ambiguous = np.zeros(len(later), dtype=bool)
        zoned = later.tz_localize(info.session_tz, ambiguous=ambiguous, nonexistent="shift_forward")
        return zoned.tz_convert("UTC")
    return index + parse_interval(interval)


def _drop_untimed(frame: pd.DataFrame, _: SeriesInfo) -> tuple[pd.DataFrame, list[Note]]:
    untimed = np.asarray(pd.isna(frame.index))
    if not untimed.any():
        return frame, []
    return frame[~untimed], [
        Note(
            "warning",
            nmsg("Dropped {n:,} bar without a time.", "Dropped {n:,} bars without a time.", int(untimed.sum())),
        )
    ]


def _sort_by_time(frame: pd.DataFrame, _: SeriesInfo) -> tuple[pd.DataFrame, list[Note]]:
    if frame.index.is_monotonic_increasing:
        return frame, []
    return frame.sort_index(kind="stable"), [Note("info", msg("The bars were not in time order; sorted."))]


def _drop_duplicates(frame: pd.DataFrame, info: SeriesInfo) -> tuple[pd.DataFrame, list[Note]]:
    """Keep one bar per time, the last that arrived: exchanges correct bars by sending them again."""
    repeated = np.asarray(frame.index.duplicated(keep="last"))
    if not repeated.any():
        return frame, []
    same = np.asarray(frame.reset_index().duplicated(keep="last")) & repeated
    notes = []
    if same.any():
        notes.append(
            Note(
                "info",
                nmsg(
                    "Dropped {n:,} duplicate bar.",
                    "Dropped {n:,} duplicate bars.",
                    int(same.sum()),
                ),
            )
        )
    changed = repeated & ~same
    if changed.any():
        text = nmsg(
            "{n:,} bar was received again with other values; kept the latest: {times}.",
            "{n:,} bars were received again with other values; kept the latest: {times}.",
            int(changed.sum()),
            times=_times_text(frame.index[changed], info),
        )
        notes.append(Note("warning", text))
    return frame[~repeated], notes


def _drop_invalid(frame: pd.DataFrame, info: SeriesInfo) -> tuple[pd.DataFrame, list[Note]]:
    """Drop bars that cannot be candles (``candles.invalid_rows``)."""
    masks = invalid_rows(frame)
    missing_volume = ("missing_volume", "missing_amount")  # set to 0 later, with a note
    blank = masks["missing_price"]
    wrong = np.logical_or.reduce([mask for reason, mask in masks.items() if reason not in missing_volume])
    notes = []
    if blank.any():
        text = nmsg(
            "Dropped {n:,} bar without prices: {times}.",
            "Dropped {n:,} bars without prices: {times}.",
            int(blank.sum()),
            times=_times_text(frame.index[blank], info),
        )
        notes.append(Note("warning", text))
    impossible = wrong & ~blank
    if impossible.any():
        text = nmsg(
            "Dropped {n:,} bar with impossible values: {times}.",
            "Dropped {n:,} bars with impossible values: {times}.",
            int(impossible.sum()),
            times=_times_text(frame.index[impossible], info),
        )
        notes.append(Note("warning", text))
    return frame[~(blank | wrong)], notes


def _select_span(frame: pd.DataFrame, request: FetchRequest) -> pd.DataFrame:
    if request.start is not None:
        frame = frame[frame.index >= request.start]
    if request.end is not None:
        frame = frame[frame.index <= request.end]
    return frame


def _drop_unclosed(frame: pd.DataFrame, clocks: Clocks, info: SeriesInfo) -> tuple[pd.DataFrame, list[Note]]:
    """Drop bars that are not closed: incomplete ones, and those that open in the future."""
    unclosed = np.asarray(frame["_end"] > clocks.closed_before)
    opened = np.asarray(frame.index <= clocks.closed_before)
    if info.timestamp_at == "close":  # the next bar to close is incomplete, the rest lies in the future
        opened = np.arange(len(frame)) <= int((~unclosed).sum())
    notes = []
    incomplete, future = unclosed & opened, unclosed & ~opened
    if incomplete.any():
        text = nmsg(
            "Skipped the last bar, which is still forming: {times}.",
            "Skipped the last {n} bars, which are still forming: {times}.",
            int(incomplete.sum()),
            times=_times_text(frame.index[incomplete], info),
        )
        notes.append(Note("info", text))
    if future.any():
        text = nmsg(
            "Rejected {n:,} bar later than the current time ({clock:%Y-%m-%d %H:%M} UTC): {times}.",
            "Rejected {n:,} bars later than the current time ({clock:%Y-%m-%d %H:%M} UTC): {times}.",
            int(future.sum()),
            clock=clocks.closed_before,
            times=_times_text(frame.index[future], info),
        )
        notes.append(Note("warning", text))
    return frame[~unclosed].drop(columns="_end"), notes


def _fill_volume(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Apply ``candles.clean_volume`` to volume and amount; an unknown column is dropped."""
    notes = []
    for name in ("volume", "amount"):
        if name not in frame:
            continue
        cleaned = clean_volume(frame[name].to_numpy())
        blank = int(cleaned.blank.sum())
        if cleaned.values is None:
            frame = frame.drop(columns=name)
            notes.append(Note("info", msg("The feed provides no {name} for this symbol.", name=term(name))))
        elif blank:
            frame = frame.assign(**{name: cleaned.values})
            notes.append(
                Note(
                    "warning",
                    nmsg(
                        "Set missing {name} to 0 in {n:,} bar.",
                        "Set missing {name} to 0 in {n:,} bars.",
                        blank,
                        name=term(name),
                    ),
                )
            )
    return frame, notes


def _summary_note(candles: CandleFrame, info: SeriesInfo) -> Note:
    gaps = candles.gaps()
    candle_count = nmsg(
        "{n:,} candle at {interval}",
        "{n:,} candles at {interval}",
        len(candles),
        interval=interval_label(candles.interval),
    )
    if not gaps:
        return Note("info", msg("{candles}, no gaps.", candles=candle_count))
    missing = nmsg("{n:,} bar", "{n:,} bars", sum(gap.missing for gap in gaps))
    if info.always_open:
        return Note(
            "warning",
            msg(
                "{candles}, {gaps} ({missing} missing), the first after {time:%Y-%m-%d %H:%M} UTC.",
                candles=candle_count,
                gaps=nmsg("{n:,} gap", "{n:,} gaps", len(gaps)),
                missing=missing,
                time=gaps[0].after,
            ),
        )
    return Note(
        "info",
        msg(
            "{candles}, {pauses}.",
            candles=candle_count,
            pauses=nmsg(
                "{n:,} gap (closed hours or missing bars; {missing} in total)",
                "{n:,} gaps (closed hours or missing bars; {missing} in total)",
                len(gaps),
                missing=missing,
            ),
        ),
    )


def _span_text(request: FetchRequest) -> Message:
    until = msg("until {end:%Y-%m-%d %H:%M}", end=request.end) if request.end is not None else msg("until now")
    if request.start is None:
        return until
    return msg("from {start:%Y-%m-%d %H:%M} {until}", start=request.start, until=until)


def _times_text(times: pd.Index, info: SeriesInfo) -> Message:
    """The first of these bar times, in the session timezone."""
    local = pd.DatetimeIndex(times).tz_convert(info.session_tz)
    shown = ", ".join(f"{time:%Y-%m-%d %H:%M}" for time in local[:3])
    if len(times) > 3:
        return msg("{times} and {count:,} more ({zone})", times=shown, count=len(times) - 3, zone=info.session_tz)
    return msg("{times} ({zone})", times=shown, zone=info.session_tz)


def format_duration(duration: pd.Timedelta) -> Message:
    """A length of time in its largest fitting unit: minutes from 90 seconds on, and so forth."""
    seconds = duration.total_seconds()
    if seconds >= 1.5 * 86_400:
        return nmsg("{n:,} day", "{n:,} days", round(seconds / 86_400))
    if seconds >= 1.5 * 3_600:
        return nmsg("{n:,} hour", "{n:,} hours", round(seconds / 3_600))
    if seconds >= 1.5 * 60:
        return nmsg("{n:,} minute", "{n:,} minutes", round(seconds / 60))
    return nmsg("{n:,} second", "{n:,} seconds", round(seconds))
