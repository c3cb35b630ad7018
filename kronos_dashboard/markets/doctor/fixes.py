"""The repairs: each takes candles and gives valid candles and a note; applied twice, it changes nothing more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.calendars import AUTO, detect, expected_times
from kronos_dashboard.markets.calendars.timezones import seconds_of, times_of
from kronos_dashboard.markets.candles import PRICES, CandleFrame
from kronos_dashboard.markets.doctor.findings import Fix, Fixed, runs_of
from kronos_dashboard.markets.doctor.patterns import carried, flat_stretches, forming, repeated, spikes, splits
from kronos_dashboard.notes import Note

__all__ = ["FIX_TITLES", "fix", "longest_stretch"]

_PASSES = 100
"""Most times that a fix is applied again to what it left; a few suffice."""

FIX_TITLES = {
    "drop-forming": "Leave out the forming bar",
    "fill-gaps": "Fill the gaps with flat candles",
    "keep-longest": "Keep the longest stretch without a break",
    "drop-flat": "Leave out the flat stretches",
    "drop-repeats": "Leave out the repeated candles",
    "back-adjust": "Adjust the history for the split",
    "clip-outliers": "Cut the outliers back to their neighbours",
    "drop-volume": "Go without volume",
    "set-clock": "Set the session clock",
    "mark-close": "Read the stamps as closes",
}
"""Every fix by name, with what a button says."""


def fix(name: str, now: pd.Timestamp | None = None, calendar: str = AUTO) -> Fix:
    """The fix of that name.

    Args:
        name: one of ``FIX_TITLES``.
        now: the time by which a bar counts as forming.
        calendar: as for ``future_times``.

    Raises:
        DashboardError: there is no such fix.
    """
    applied: dict[str, Callable[[CandleFrame], Fixed]] = {
        "drop-forming": partial(_drop_forming, now=now, calendar=calendar),
        "fill-gaps": partial(_fill_gaps, calendar=calendar),
        "keep-longest": partial(_keep_longest, calendar=calendar),
        "drop-flat": _drop_flat,
        "drop-repeats": _drop_repeats,
        "back-adjust": _back_adjust,
        "clip-outliers": _clip_outliers,
        "drop-volume": _drop_volume,
        "set-clock": partial(_set_clock, calendar=calendar),
        "mark-close": _mark_close,
    }
    if name not in applied:
        raise DashboardError(f"there is no fix {name!r}.", f"The fixes are: {', '.join(FIX_TITLES)}.")
    return Fix(name=name, title=FIX_TITLES[name], apply=partial(_settled, applied[name]))


def longest_stretch(candles: CandleFrame, calendar: str = AUTO) -> tuple[int, int]:
    """First row and one beyond the last row of the longest stretch that lacks no bar and keeps the interval."""
    stamps = seconds_of(candles.index)
    expected = seconds_of(expected_times(candles, calendar))
    missing = np.setdiff1d(expected, stamps, assume_unique=True)
    breaks = np.searchsorted(stamps, missing)
    uneven = np.flatnonzero(np.diff(stamps) < int(candles.interval.total_seconds())) + 1
    edges = np.unique(np.r_[0, breaks, uneven, len(stamps)])
    longest = int(np.diff(edges).argmax())
    return int(edges[longest]), int(edges[longest + 1])


def _settled(once: Callable[[CandleFrame], Fixed], candles: CandleFrame) -> Fixed:
    """Apply a fix until it changes nothing more: without its outliers, say, a series may show smaller ones."""
    fixed = once(candles)
    texts = [fixed.note.text]
    for _ in range(_PASSES):
        again = once(fixed.candles)
        if again.candles is fixed.candles:
            break
        texts.append(again.note.text)
        fixed = Fixed(again.candles, fixed.note)
    return Fixed(fixed.candles, Note("info", " Then: ".join(texts), fixed.note.rows))


def _done(candles: CandleFrame, text: str, rows: np.ndarray | tuple[int, ...] = ()) -> Fixed:
    return Fixed(candles, Note("info", text, tuple(int(row) for row in rows[:200])))


def _nothing(candles: CandleFrame, what: str) -> Fixed:
    return Fixed(candles, Note("info", f"Nothing was changed: {what}."))


def _kept(candles: CandleFrame, keep: np.ndarray, what: str) -> Fixed:
    """Without the rows that are not kept, unless too few would be left."""
    gone = np.flatnonzero(~keep) + 1
    if not len(gone):
        return _nothing(candles, f"there are no {what}")
    if keep.sum() < 2:
        return _nothing(candles, f"all candles are {what}")
    named = f"{len(gone):,} {what if len(gone) > 1 else what.removesuffix('s')}"
    return _done(replace(candles, frame=candles.frame[keep]), f"{named} left out.", gone)


def _drop_forming(candles: CandleFrame, now: pd.Timestamp | None, calendar: str) -> Fixed:
    keep = np.ones(len(candles), dtype=bool)
    if now is not None and len(candles) > 2:
        keep[len(candles) - forming(candles, now, detect(candles, calendar)) :] = False
    return _kept(candles, keep, "forming bars")


def _fill_gaps(candles: CandleFrame, calendar: str) -> Fixed:
    """Flat candles at the last close, without volume, wherever the calendar expects a bar."""
    missing = expected_times(candles, calendar).difference(candles.index)
    if not len(missing):
        return _nothing(candles, "no bar is missing")
    whole = candles.frame.reindex(candles.index.union(missing))
    whole["close"] = whole["close"].ffill()
    for name in PRICES[:3]:
        whole[name] = whole[name].fillna(whole["close"])
    made = replace(candles, frame=whole.fillna({"volume": 0.0, "amount": 0.0}))
    rows = np.flatnonzero(made.index.isin(missing)) + 1
    return _done(made, f"{len(missing):,} missing bars were filled with flat candles at the last close.", rows)


def _keep_longest(candles: CandleFrame, calendar: str) -> Fixed:
    start, stop = longest_stretch(candles, calendar)
    if stop - start == len(candles):
        return _nothing(candles, "the series has no break")
    if stop - start < 2:
        return _nothing(candles, "no two candles follow each other without a break")
    made = candles.rows(start, stop)
    first, last = made.local_index[0], made.local_index[-1]
    return _done(made, f"The longest stretch without a break was kept: {len(made):,} candles, {first} to {last}.")


def _drop_flat(candles: CandleFrame) -> Fixed:
    return _kept(candles, ~flat_stretches(candles), "flat candles")


def _drop_repeats(candles: CandleFrame) -> Fixed:
    return _kept(candles, ~repeated(candles), "repeated candles")


def _back_adjust(candles: CandleFrame) -> Fixed:
    """Prices before each split divided, volume multiplied, so that the series has one scale; amounts stay."""
    found = splits(candles)
    if not found:
        return _nothing(candles, "no split is seen")
    frame = candles.frame.copy()
    for row, factor in found:
        frame.iloc[:row, :4] /= factor
        frame.iloc[:row, 4] *= factor
    named = ", ".join(f"{_ratio(factor)} before row {row + 1}" for row, factor in found)
    which = "a split" if len(found) == 1 else f"{len(found)} splits"
    text = f"Prices before {which} were adjusted, and volume with them: {named}."
    return _done(replace(candles, frame=frame), text, np.array([row + 1 for row, _ in found]))


def _ratio(factor: float) -> str:
    return f"{factor:g} for 1" if factor > 1 else f"1 for {1 / factor:g}"


def _clip_outliers(candles: CandleFrame) -> Fixed:
    """Prices of a spike cut to what the candles before and after it span."""
    wrong = spikes(candles)
    if not wrong.any():
        return _nothing(candles, "no outlier is seen")
    frame = candles.frame.copy()
    starts, lengths = runs_of(wrong)
    prices = frame.loc[:, list(PRICES)].to_numpy().copy()
    for start, length in zip(starts, lengths, strict=True):
        _cut_back(prices, int(start), int(start + length))
    if (prices == frame.loc[:, list(PRICES)].to_numpy()).all():
        return _nothing(candles, "the outliers lie within the range of the candles beside")
    frame.loc[:, list(PRICES)] = prices
    rows = np.flatnonzero(wrong) + 1
    text = f"{len(rows):,} outlier{'s were' if len(rows) > 1 else ' was'} cut back to the range of the candles beside."
    return _done(replace(candles, frame=frame), text, rows)


def _cut_back(prices: np.ndarray, start: int, stop: int) -> None:
    """Clip rows ``start`` to ``stop`` of prices [n, 4] to the range beside them.

    Where the next candle opens at the wrong close, as with exchanges that know no gaps, its open and what this did to
    its high or low are wrong as well; its close and its other end are right.
    """
    own = []
    if start > 0 and stop < len(prices) and carried(prices[start - 1 : stop + 1]):
        up = prices[stop - 1, 3] > prices[stop, 3]
        own = [prices[stop, 3], prices[stop, 2 if up else 1]]
        stop += 1
    beside = [row for row in (start - 1, stop) if 0 <= row < len(prices)]
    low, high = min([*prices[beside, 2], *own]), max([*prices[beside, 1], *own])
    prices[start:stop] = np.clip(prices[start:stop], low, high)


def _drop_volume(candles: CandleFrame) -> Fixed:
    if not (candles.has_volume or candles.has_amount):
        return _nothing(candles, "there is no volume")
    frame = candles.frame.assign(volume=0.0, amount=0.0)
    made = replace(candles, frame=frame, has_volume=False, has_amount=False)
    return _done(made, "Volume and amount are no longer used.")


def _set_clock(candles: CandleFrame, calendar: str) -> Fixed:
    """The market's clock as session clock; stamps that are its hours become the instants they are."""
    found = detect(candles, calendar)
    zone, reading = found.fit.sessions.zone, found.fit.reading
    if reading.ahead or zone in (candles.session_tz, "UTC"):
        return _nothing(candles, f"the session clock is {candles.session_tz}")
    if reading.zone is None:
        made = replace(candles, session_tz=zone)
        return _done(made, f"The session clock is now {zone}; the bar times are the same instants.")
    true = reading.to_true(seconds_of(candles.index), candles.session_tz)
    if (np.diff(true) <= 0).any():
        return _nothing(candles, f"the stamps cannot all stand on the clock of {zone}")
    made = replace(candles, frame=candles.frame.set_axis(times_of(true)), session_tz=zone)
    return _done(made, f"The session clock is now {zone}, and the stamps are read as its hours.")


def _mark_close(candles: CandleFrame) -> Fixed:
    if candles.stamped == "close":
        return _nothing(candles, "the stamps are read as closes")
    return _done(replace(candles, stamped="close"), "The stamps are now read as the closes of their bars.")
