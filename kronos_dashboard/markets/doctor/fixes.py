"""Fixes: each takes candles and returns valid candles and a note. Every fix is idempotent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.calendars import AUTO, detect_calendar, expected_times
from kronos_dashboard.markets.calendars.timezones import from_seconds, to_seconds
from kronos_dashboard.markets.candles import PRICES, CandleFrame
from kronos_dashboard.markets.doctor.findings import Fix, FixResult, find_runs
from kronos_dashboard.markets.doctor.patterns import (
    count_incomplete_bars,
    find_duplicates,
    find_flat_stretches,
    find_spikes,
    find_splits,
    opens_at_previous_close,
)
from kronos_dashboard.messages import Message, join_messages, msg, nmsg
from kronos_dashboard.notes import Note

__all__ = ["FIX_TITLES", "find_longest_segment", "get_fix"]

_MAX_PASSES = 100
"""Bound on repeated applications of a fix, of which a few suffice."""

FIX_TITLES: Mapping[str, Message] = {
    "drop-incomplete": msg("Drop the incomplete bar"),
    "fill-gaps": msg("Fill gaps with flat candles"),
    "keep-longest-segment": msg("Keep only the longest gap-free segment"),
    "drop-flat": msg("Drop flat periods"),
    "drop-duplicates": msg("Drop duplicate candles"),
    "back-adjust": msg("Adjust history for the split"),
    "clip-outliers": msg("Clip outliers to neighboring candles"),
    "drop-volume": msg("Ignore volume"),
    "set-timezone": msg("Set the session time zone"),
    "use-close-timestamps": msg("Treat timestamps as bar closes"),
}
"""Every fix by name, with the label of its button."""


def get_fix(name: str, now: pd.Timestamp | None = None, calendar: str = AUTO) -> Fix:
    """The fix with this name.

    Args:
        name: one of ``FIX_TITLES``.
        now: time by which a bar must have closed to be complete.
        calendar: as for ``future_times``.

    Raises:
        DashboardError: there is no such fix.
    """
    fixes: dict[str, Callable[[CandleFrame], FixResult]] = {
        "drop-incomplete": partial(_drop_incomplete, now=now, calendar=calendar),
        "fill-gaps": partial(_fill_gaps, calendar=calendar),
        "keep-longest-segment": partial(_keep_longest_segment, calendar=calendar),
        "drop-flat": _drop_flat,
        "drop-duplicates": _drop_duplicates,
        "back-adjust": _back_adjust,
        "clip-outliers": _clip_outliers,
        "drop-volume": _drop_volume,
        "set-timezone": partial(_set_timezone, calendar=calendar),
        "use-close-timestamps": _use_close_timestamps,
    }
    if name not in fixes:
        raise DashboardError(
            msg("unknown fix {name}.", name=repr(name)),
            msg("Available fixes: {names}.", names=", ".join(FIX_TITLES)),
        )
    return Fix(name=name, title=FIX_TITLES[name], apply=partial(_apply_repeatedly, fixes[name]))


def find_longest_segment(candles: CandleFrame, calendar: str = AUTO) -> tuple[int, int]:
    """First row and one past the last row of the longest segment without missing bars or other intervals."""
    timestamps = to_seconds(candles.index)
    expected = to_seconds(expected_times(candles, calendar))
    missing = np.setdiff1d(expected, timestamps, assume_unique=True)
    breaks = np.searchsorted(timestamps, missing)
    uneven = np.flatnonzero(np.diff(timestamps) < int(candles.interval.total_seconds())) + 1
    edges = np.unique(np.r_[0, breaks, uneven, len(timestamps)])
    longest = int(np.diff(edges).argmax())
    return int(edges[longest]), int(edges[longest + 1])


def _apply_repeatedly(once: Callable[[CandleFrame], FixResult], candles: CandleFrame) -> FixResult:
    """Apply a fix until it changes nothing: without its outliers a series may show smaller ones."""
    fixed = once(candles)
    text = fixed.note.text
    for _ in range(_MAX_PASSES):
        again = once(fixed.candles)
        if again.candles is fixed.candles:
            break
        text = msg("{first} Then: {more}", first=text, more=again.note.text)
        fixed = FixResult(again.candles, fixed.note)
    return FixResult(fixed.candles, Note("info", text, fixed.note.rows))


def _changed(candles: CandleFrame, text: str, rows: np.ndarray | tuple[int, ...] = ()) -> FixResult:
    return FixResult(candles, Note("info", text, tuple(int(row) for row in rows[:200])))


def _unchanged(candles: CandleFrame, what: str) -> FixResult:
    return FixResult(candles, Note("info", msg("No changes: {what}.", what=what)))


def _drop_rows(candles: CandleFrame, keep: np.ndarray, what: Message, left_out: Callable[[int], Message]) -> FixResult:
    """Drop the rows that are not kept, unless fewer than two would remain."""
    dropped = np.flatnonzero(~keep) + 1
    if not len(dropped):
        return _unchanged(candles, msg("there are no {what}", what=what))
    if keep.sum() < 2:
        return _unchanged(candles, msg("all candles are {what}", what=what))
    return _changed(replace(candles, frame=candles.frame[keep]), left_out(len(dropped)), dropped)


def _drop_incomplete(candles: CandleFrame, now: pd.Timestamp | None, calendar: str) -> FixResult:
    keep = np.ones(len(candles), dtype=bool)
    if now is not None and len(candles) > 2:
        keep[len(candles) - count_incomplete_bars(candles, now, detect_calendar(candles, calendar)) :] = False
    return _drop_rows(
        candles,
        keep,
        msg("incomplete bars"),
        lambda n: nmsg("Dropped {n:,} incomplete bar.", "Dropped {n:,} incomplete bars.", n),
    )


def _fill_gaps(candles: CandleFrame, calendar: str) -> FixResult:
    """Insert flat candles at the last close, without volume, wherever the calendar expects a bar."""
    missing = expected_times(candles, calendar).difference(candles.index)
    if not len(missing):
        return _unchanged(candles, msg("no bars are missing"))
    filled = candles.frame.reindex(candles.index.union(missing))
    filled["close"] = filled["close"].ffill()
    for name in PRICES[:3]:
        filled[name] = filled[name].fillna(filled["close"])
    fixed = replace(candles, frame=filled.fillna({"volume": 0.0, "amount": 0.0}))
    rows = np.flatnonzero(fixed.index.isin(missing)) + 1
    return _changed(
        fixed,
        msg("Filled {count:,} missing bars with flat candles at the previous close.", count=len(missing)),
        rows,
    )


def _keep_longest_segment(candles: CandleFrame, calendar: str) -> FixResult:
    start, stop = find_longest_segment(candles, calendar)
    if stop - start == len(candles):
        return _unchanged(candles, msg("the series has no gaps"))
    if stop - start < 2:
        return _unchanged(candles, msg("no two consecutive candles are without a gap"))
    fixed = candles.rows(start, stop)
    first, last = fixed.local_index[0], fixed.local_index[-1]
    return _changed(
        fixed,
        msg(
            "Kept the longest gap-free segment: {count:,} candles, {first} to {last}.",
            count=len(fixed),
            first=first,
            last=last,
        ),
    )


def _drop_flat(candles: CandleFrame) -> FixResult:
    return _drop_rows(
        candles,
        ~find_flat_stretches(candles),
        msg("flat candles"),
        lambda n: nmsg("Dropped {n:,} flat candle.", "Dropped {n:,} flat candles.", n),
    )


def _drop_duplicates(candles: CandleFrame) -> FixResult:
    return _drop_rows(
        candles,
        ~find_duplicates(candles),
        msg("duplicate candles"),
        lambda n: nmsg("Dropped {n:,} duplicate candle.", "Dropped {n:,} duplicate candles.", n),
    )


def _back_adjust(candles: CandleFrame) -> FixResult:
    """Divide prices before each split and multiply volume, so that the series has one scale. Amounts do not change."""
    splits = find_splits(candles)
    if not splits:
        return _unchanged(candles, msg("no split was detected"))
    frame = candles.frame.copy()
    for row, factor in splits:
        frame.iloc[:row, :4] /= factor
        frame.iloc[:row, 4] *= factor
    text = nmsg(
        "Adjusted prices and volume before a split: {named}.",
        "Adjusted prices and volume before {n} splits: {named}.",
        len(splits),
        named=join_messages([_describe_split(factor, row) for row, factor in splits]),
    )
    return _changed(replace(candles, frame=frame), text, np.array([row + 1 for row, _ in splits]))


def _describe_split(factor: float, row: int) -> Message:
    if factor > 1:
        return msg("{factor:g}-for-1 before row {row}", factor=factor, row=row + 1)
    return msg("1-for-{factor:g} before row {row}", factor=1 / factor, row=row + 1)


def _clip_outliers(candles: CandleFrame) -> FixResult:
    """Clip the prices of spikes to the range of the neighboring candles."""
    outliers = find_spikes(candles)
    if not outliers.any():
        return _unchanged(candles, msg("no outliers were detected"))
    frame = candles.frame.copy()
    starts, lengths = find_runs(outliers)
    prices = frame.loc[:, list(PRICES)].to_numpy().copy()
    for start, length in zip(starts, lengths, strict=True):
        _clip_to_neighbors(prices, int(start), int(start + length))
    if (prices == frame.loc[:, list(PRICES)].to_numpy()).all():
        return _unchanged(candles, msg("the outliers are within the range of the neighboring candles"))
    frame.loc[:, list(PRICES)] = prices
    rows = np.flatnonzero(outliers) + 1
    text = nmsg(
        "Clipped {n:,} outlier to the range of the neighboring candles.",
        "Clipped {n:,} outliers to the range of the neighboring candles.",
        len(rows),
    )
    return _changed(replace(candles, frame=frame), text, rows)


def _clip_to_neighbors(prices: np.ndarray, start: int, stop: int) -> None:
    """Clip rows ``start`` to ``stop`` of prices [n, 4], in place, to the range of their neighbors.

    On exchanges without gaps the next candle opens at the wrong close: then its open and its high or low are wrong as
    well, while its close and its other extreme are right.
    """
    trusted = []
    if start > 0 and stop < len(prices) and opens_at_previous_close(prices[start - 1 : stop + 1]):
        up = prices[stop - 1, 3] > prices[stop, 3]
        trusted = [prices[stop, 3], prices[stop, 2 if up else 1]]
        stop += 1
    neighbors = [row for row in (start - 1, stop) if 0 <= row < len(prices)]
    low, high = min([*prices[neighbors, 2], *trusted]), max([*prices[neighbors, 1], *trusted])
    prices[start:stop] = np.clip(prices[start:stop], low, high)


def _drop_volume(candles: CandleFrame) -> FixResult:
    if not (candles.has_volume or candles.has_amount):
        return _unchanged(candles, msg("there is no volume"))
    frame = candles.frame.assign(volume=0.0, amount=0.0)
    fixed = replace(candles, frame=frame, has_volume=False, has_amount=False)
    return _changed(fixed, msg("Volume and amount are no longer used."))


def _set_timezone(candles: CandleFrame, calendar: str) -> FixResult:
    """Set the session timezone to the market's; timestamps that are its local times become instants."""
    detection = detect_calendar(candles, calendar)
    zone, interpretation = detection.fit.sessions.zone, detection.fit.interpretation
    if interpretation.offset_s or zone in (candles.session_tz, "UTC"):
        return _unchanged(candles, msg("the session time zone is {zone}", zone=candles.session_tz))
    if interpretation.zone is None:
        fixed = replace(candles, session_tz=zone)
        return _changed(fixed, msg("The session time zone is now {zone}; the bar times are unchanged.", zone=zone))
    instants = interpretation.to_instants(to_seconds(candles.index), candles.session_tz)
    if (np.diff(instants) <= 0).any():
        return _unchanged(candles, msg("some timestamps do not exist in the time zone {zone}", zone=zone))
    fixed = replace(candles, frame=candles.frame.set_axis(from_seconds(instants)), session_tz=zone)
    return _changed(
        fixed, msg("The session time zone is now {zone}, and timestamps are read as its local time.", zone=zone)
    )


def _use_close_timestamps(candles: CandleFrame) -> FixResult:
    if candles.timestamp_at == "close":
        return _unchanged(candles, msg("timestamps are already treated as bar closes"))
    return _changed(replace(candles, timestamp_at="close"), msg("Timestamps are now treated as bar closes."))
