"""Coarser candles out of finer ones: on the session clock, days begin with the session, weeks on Monday.

Words: *source* bars are the ones there are, *target* bars the ones made of them. Arrays are int64 [n], UTC seconds; the
*begin* of a bar is its open, whichever end its stamp stands at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kronos_dashboard.errors import CandleError
from kronos_dashboard.markets.calendars.bar_grids import ClockGrid, assign
from kronos_dashboard.markets.calendars.calendar_fit import series_of
from kronos_dashboard.markets.calendars.calendar_periods import Daily
from kronos_dashboard.markets.calendars.detection import AUTO, Detection, detect
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED
from kronos_dashboard.markets.calendars.timezones import DAY, seconds_of, times_of, unwall, wall
from kronos_dashboard.markets.candles import COLUMNS, CandleFrame, interval_label
from kronos_dashboard.notes import Note

__all__ = ["Resampled", "coarser_intervals", "parse_interval", "resample"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": DAY, "w": 7 * DAY, "M": 30 * DAY}
_WEEK, _MONTH = 7 * DAY, 28 * DAY
_OFFERED = ("5m", "15m", "30m", "1h", "2h", "4h", "1d", "1w", "1M")


@dataclass(frozen=True)
class Resampled:
    """Coarser candles, and what was left out or differs."""

    candles: CandleFrame
    notes: tuple[Note, ...]


def parse_interval(text: str) -> pd.Timedelta:
    """``15m``, ``4h``, ``1d``, ``1w`` or ``1M`` (a month) as a length of time.

    Raises:
        CandleError: it is none of these.
    """
    found = re.fullmatch(r"\s*(\d{1,4})\s*([smhdwM])\s*", text)
    if found is None or int(found[1]) == 0:
        raise CandleError(f"the interval {text!r} cannot be read.", "Write 5m, 4h, 1d, 1w, or 1M for a month.")
    return pd.Timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def coarser_intervals(interval: pd.Timedelta) -> tuple[str, ...]:
    """The usual intervals that candles of this one can be resampled to."""
    return tuple(label for label in _OFFERED if _refusal(interval, parse_interval(label)) == "")


def resample(candles: CandleFrame, interval: pd.Timedelta | str, calendar: str = AUTO) -> Resampled:
    """Candles at a coarser interval: first open, highest high, lowest low, last close, volume and amount added up.

    Intraday bars begin at the open of the session (09:30, 13:30) where the calendar is an exchange's whose bars do,
    else at round times of the session clock. Days are sessions, stamped at their date's midnight; weeks are stamped at
    their Monday, months at their first day. A first or last bar of which the source lacks a part is left out, with a
    note.

    Args:
        candles: the source.
        interval: a multiple of the source's, or its label (``4h``).
        calendar: as for ``future_times``.

    Raises:
        CandleError: the interval is finer, or no multiple, or no whole bar comes out.
        WindowError: there is no such calendar.
    """
    target = parse_interval(interval) if isinstance(interval, str) else interval
    refusal = _refusal(candles.interval, target)
    if refusal:
        raise CandleError(
            f"candles of {interval_label(candles.interval)} cannot be made into {interval_label(target)}: {refusal}.",
            f"Choose one of {', '.join(coarser_intervals(candles.interval)) or 'no other interval'}.",
        )
    if target == candles.interval:
        return Resampled(candles, ())
    grouping = _Grouping(candles, target, detect(candles, calendar))
    return _build(candles, grouping)


def _refusal(source: pd.Timedelta, target: pd.Timedelta) -> str:
    """Why not, or nothing."""
    have, want = int(source.total_seconds()), int(target.total_seconds())
    if want < have:
        return "that is finer, and what happened within a candle is not known"
    if want == have:
        return ""
    if want >= _MONTH:
        return "" if have <= DAY and DAY % have == 0 else "months are made of days or of shorter bars"
    if want % have:
        return "it is no multiple"
    if want > DAY and want != _WEEK:
        return "beyond a day, only a week and a month are bars of their own"
    return "a day is no multiple of it" if DAY % want and want != _WEEK else ""


class _Grouping:
    """Which target bar each source bar belongs to, and how that is stamped."""

    def __init__(self, candles: CandleFrame, target: pd.Timedelta, found: Detection) -> None:
        self.zone = candles.session_tz
        self.have, self.want = int(candles.interval.total_seconds()), int(target.total_seconds())
        self.target, self.found = target, found
        self.series = series_of(candles, seconds_of(candles.index))
        self.stamped = found.stamped if found.code not in (ALWAYS, LEARNED) else candles.stamped

    def stamps(self, source: np.ndarray) -> np.ndarray:
        """The target stamp of each source stamp, never decreasing."""
        if self.want >= DAY:
            labels = self._labels(source)
            if self.want >= _MONTH:
                labels = labels.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
            elif self.want == _WEEK:
                labels = (labels + 3) // 7 * 7 - 3
            return unwall(labels * DAY, self.zone)
        true = self.found.fit.reading.to_true(source, self.zone)
        begins = true - (self.have if self.stamped == "close" else 0)
        made = self._within_sessions(begins) if self._by_session else self._on_clock(begins)
        return self.found.fit.reading.to_stamps(made, self.zone)

    @property
    def _by_session(self) -> bool:
        return self.found.code not in (ALWAYS, FX, LEARNED) and not isinstance(self.found.fit.rule, ClockGrid)

    def _on_clock(self, begins: np.ndarray) -> np.ndarray:
        zone = self.zone if self.found.fit.reading.zone is None else self.found.fit.reading.zone
        walls = wall(begins, zone) + self.found.fit.reading.ahead
        late = self.want if self.stamped == "close" else 0
        return unwall(walls // self.want * self.want + late - self.found.fit.reading.ahead, zone)

    def _within_sessions(self, begins: np.ndarray) -> np.ndarray:
        sessions = self.found.fit.sessions.around(int(begins[0]), int(begins[-1]))
        row = assign(begins, sessions)
        after_lunch = sessions.paused[row] & (begins >= sessions.break_ends[row])
        anchors = np.where(after_lunch, sessions.break_ends[row], sessions.opens[row])
        made = anchors + (begins - anchors) // self.want * self.want
        if self.stamped == "open":
            return made
        before_lunch = sessions.paused[row] & (begins < sessions.break_starts[row])
        closes = np.where(before_lunch, sessions.break_starts[row], sessions.closes[row])
        return np.where(begins < closes, np.minimum(made + self.want, closes), made + self.want)

    def _labels(self, source: np.ndarray) -> np.ndarray:
        """The session's date of each source bar, in days since 1970."""
        fit = self.found.fit
        if self.have >= DAY:
            if isinstance(fit.rule, Daily) and self.found.code not in (ALWAYS, LEARNED):
                return (wall(source, fit.rule.zone) - fit.rule.time + DAY // 2) // DAY
            return wall(source, self.zone) // DAY
        true = fit.reading.to_true(source, self.zone)
        begins = true - (self.have if self.stamped == "close" else 0)
        if self.found.code in (ALWAYS, LEARNED):
            return wall(begins, self.zone) // DAY
        sessions = fit.sessions.around(int(begins[0]), int(begins[-1]))
        return sessions.labels[assign(begins, sessions)]

    def expected(self, source: np.ndarray) -> tuple[int, int]:
        """Source bars that the calendar expects before the first and after the last one, within their target bars."""
        reach = self.want + 7 * DAY if self.want >= DAY else self.want + DAY
        first, last = int(source[0]), int(source[-1])
        before = self.found.fit.stamps(first - reach, first - 1, self.series.margin)
        after = self.found.fit.stamps(last, last + reach, self.series.margin)
        around = self.stamps(np.concatenate([before, source[[0, -1]], after]))
        own_first, own_last = around[len(before)], around[len(before) + 1]
        return int((around[: len(before)] == own_first).sum()), int((around[len(before) + 2 :] == own_last).sum())


def _build(candles: CandleFrame, grouping: _Grouping) -> Resampled:
    source = seconds_of(candles.index)
    stamps = grouping.stamps(source)
    starts = np.flatnonzero(np.r_[True, np.diff(stamps) != 0])
    before, after = grouping.expected(source)
    notes, keep = _edges(candles, stamps[starts], before, after)
    frame = _aggregate(candles.frame, starts)
    frame.index = times_of(stamps[starts])
    frame = frame.iloc[keep]
    if not len(frame):
        raise CandleError(
            f"{len(candles)} candles of {interval_label(candles.interval)} hold no whole bar of "
            f"{interval_label(grouping.target)}.",
            "Load more history, or choose a finer interval.",
        )
    made = replace(candles, frame=frame, interval=grouping.target, stamped=grouping.stamped)
    told = (
        f"{len(candles):,} candles of {interval_label(candles.interval)} were resampled to {len(made):,} of "
        f"{interval_label(grouping.target)} ({grouping.found.name})."
    )
    return Resampled(made, (Note("info", told), *notes))


def _aggregate(frame: pd.DataFrame, starts: np.ndarray) -> pd.DataFrame:
    """One row per group; ``starts`` [m] are the first rows of the groups."""
    values = frame.to_numpy()
    ends = np.r_[starts[1:], len(values)] - 1
    columns = (
        values[starts, 0],
        np.maximum.reduceat(values[:, 1], starts),
        np.minimum.reduceat(values[:, 2], starts),
        values[ends, 3],
        np.add.reduceat(values[:, 4], starts),
        np.add.reduceat(values[:, 5], starts),
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _edges(candles: CandleFrame, stamps: np.ndarray, before: int, after: int) -> tuple[list[Note], slice]:
    """Leave out a first or last bar that lacks a part."""
    start, stop, notes = 0, len(stamps), []
    times = times_of(stamps).tz_convert(candles.session_tz)
    for lacking, row, side in ((before, 0, "first"), (after, -1, "last")):
        if lacking:
            notes.append(
                Note(
                    "info",
                    f"The {side} bar ({times[row]:%Y-%m-%d %H:%M}) was left out: {lacking:,} of its candles "
                    f"{'come before the first one' if side == 'first' else 'are not there yet'}.",
                )
            )
    return notes, slice(start + bool(before), max(0, stop - bool(after)))
