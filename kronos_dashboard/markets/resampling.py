"""Resample candles to a coarser interval in the session timezone: days follow sessions, weeks start on Monday.

Words: *source* bars are resampled to *target* bars. Arrays are int64 [n], UTC seconds; *opens* are the times at which
bars open, whether their timestamps are opens or closes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kronos_dashboard.errors import InvalidCandlesError
from kronos_dashboard.markets.calendars.bar_grids import ClockGrid, assign_sessions
from kronos_dashboard.markets.calendars.calendar_fit import extract_timestamps
from kronos_dashboard.markets.calendars.calendar_periods import DailyBars
from kronos_dashboard.markets.calendars.detection import AUTO, Detection, detect_calendar
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED
from kronos_dashboard.markets.calendars.timezones import DAY, from_local, from_seconds, to_local, to_seconds
from kronos_dashboard.markets.candles import COLUMNS, CandleFrame
from kronos_dashboard.markets.intervals import interval_label, parse_interval
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["ResampledCandles", "coarser_intervals", "resample"]

_WEEK_S, _MIN_MONTH_S = 7 * DAY, 28 * DAY
"""Longer intervals than a day that are calendar units; a month has at least 28 days."""
_INTERVALS = ("5m", "15m", "30m", "1h", "2h", "4h", "1d", "1w", "1M")
"""Intervals that are offered; others are accepted by name."""


@dataclass(frozen=True)
class ResampledCandles:
    """Coarser candles, and notes on what was dropped."""

    candles: CandleFrame
    notes: tuple[Note, ...]


def coarser_intervals(interval: pd.Timedelta) -> tuple[str, ...]:
    """The common intervals to which candles of this interval can be resampled."""
    return tuple(label for label in _INTERVALS if _reason_against(interval, parse_interval(label)) == "")


def resample(candles: CandleFrame, interval: pd.Timedelta | str, calendar: str = AUTO) -> ResampledCandles:
    """Resample candles: first open, highest high, lowest low, last close, sums of volume and amount.

    Intraday bars start at the open of the session (09:30, 13:30) where the bars of the exchange do, otherwise at round
    times of the session timezone. Days are sessions with the midnight of their date as timestamp; weeks have that of
    their Monday, months that of their first day. An incomplete first or last bar is dropped, with a note.

    Args:
        candles: the source candles.
        interval: a multiple of their interval, or its name (``4h``).
        calendar: as for ``future_times``.

    Raises:
        InvalidCandlesError: the interval is finer or not a multiple, or no complete bar results.
        WindowError: there is no such calendar.
    """
    target = parse_interval(interval) if isinstance(interval, str) else interval
    refusal = _reason_against(candles.interval, target)
    if refusal:
        raise InvalidCandlesError(
            msg(
                "{interval} candles cannot be resampled to {target}: {reason}.",
                interval=interval_label(candles.interval),
                target=interval_label(target),
                reason=refusal,
            ),
            msg(
                "Choose one of {intervals}.",
                intervals=", ".join(coarser_intervals(candles.interval)) or msg("no other interval"),
            ),
        )
    if target == candles.interval:
        return ResampledCandles(candles, ())
    grouping = _BarGroups(candles, target, detect_calendar(candles, calendar))
    return _resample_groups(candles, grouping)


def _reason_against(source: pd.Timedelta, target: pd.Timedelta) -> str:
    """Reason why candles cannot be resampled to the target interval; empty if they can."""
    source_s, target_s = int(source.total_seconds()), int(target.total_seconds())
    if target_s < source_s:
        return msg("the target is shorter, and prices within a candle are not known")
    if target_s == source_s:
        return ""
    if target_s >= _MIN_MONTH_S:
        return "" if source_s <= DAY and DAY % source_s == 0 else msg("monthly bars require daily or shorter candles")
    if target_s % source_s:
        return msg("the target is not a multiple of the interval")
    if target_s > DAY and target_s != _WEEK_S:
        return msg("above one day, only weekly and monthly bars are supported")
    return msg("a day is not a multiple of the target") if DAY % target_s and target_s != _WEEK_S else ""


class _BarGroups:
    """Assigns source bars to target bars, and gives the timestamps of those."""

    def __init__(self, candles: CandleFrame, target: pd.Timedelta, detection: Detection) -> None:
        self.zone = candles.session_tz
        self.source_s, self.target_s = int(candles.interval.total_seconds()), int(target.total_seconds())
        self.target, self.detection = target, detection
        self.series = extract_timestamps(candles, to_seconds(candles.index))
        self.timestamp_at = detection.timestamp_at if detection.code not in (ALWAYS, LEARNED) else candles.timestamp_at

    def timestamps(self, source: np.ndarray) -> np.ndarray:
        """The target timestamp of each source timestamp, non-decreasing."""
        if self.target_s >= DAY:
            labels = self._session_labels(source)
            if self.target_s >= _MIN_MONTH_S:
                labels = labels.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
            elif self.target_s == _WEEK_S:
                labels = (labels + 3) // 7 * 7 - 3  # day 0 was a Thursday
            return from_local(labels * DAY, self.zone)
        instants = self.detection.fit.interpretation.to_instants(source, self.zone)
        opens = instants - (self.source_s if self.timestamp_at == "close" else 0)
        bar_times = self._session_times(opens) if self._follows_sessions else self._clock_times(opens)
        return self.detection.fit.interpretation.to_timestamps(bar_times, self.zone)

    @property
    def _follows_sessions(self) -> bool:
        """Whether target bars are counted from the open of the session."""
        return self.detection.code not in (ALWAYS, FX, LEARNED) and not isinstance(self.detection.fit.rule, ClockGrid)

    def _clock_times(self, opens: np.ndarray) -> np.ndarray:
        """Timestamps of the target bars at round times of the clock."""
        zone = self.zone if self.detection.fit.interpretation.zone is None else self.detection.fit.interpretation.zone
        local_seconds = to_local(opens, zone) + self.detection.fit.interpretation.offset_s
        shift = self.target_s if self.timestamp_at == "close" else 0
        return from_local(
            local_seconds // self.target_s * self.target_s + shift - self.detection.fit.interpretation.offset_s, zone
        )

    def _session_times(self, opens: np.ndarray) -> np.ndarray:
        """Timestamps of the target bars counted from the open of the session, and again from the end of its break."""
        sessions = self.detection.fit.sessions.around(int(opens[0]), int(opens[-1]))
        row = assign_sessions(opens, sessions)
        after_lunch = sessions.paused[row] & (opens >= sessions.break_ends[row])
        anchors = np.where(after_lunch, sessions.break_ends[row], sessions.opens[row])
        bar_times = anchors + (opens - anchors) // self.target_s * self.target_s
        if self.timestamp_at == "open":
            return bar_times
        before_lunch = sessions.paused[row] & (opens < sessions.break_starts[row])
        closes = np.where(before_lunch, sessions.break_starts[row], sessions.closes[row])
        return np.where(opens < closes, np.minimum(bar_times + self.target_s, closes), bar_times + self.target_s)

    def _session_labels(self, source: np.ndarray) -> np.ndarray:
        """Date of the session of each source bar, in days since 1970."""
        fit = self.detection.fit
        if self.source_s >= DAY:
            if isinstance(fit.rule, DailyBars) and self.detection.code not in (ALWAYS, LEARNED):
                return (to_local(source, fit.rule.zone) - fit.rule.time_of_day + DAY // 2) // DAY  # the nearest date
            return to_local(source, self.zone) // DAY
        instants = fit.interpretation.to_instants(source, self.zone)
        opens = instants - (self.source_s if self.timestamp_at == "close" else 0)
        if self.detection.code in (ALWAYS, LEARNED):
            return to_local(opens, self.zone) // DAY
        sessions = fit.sessions.around(int(opens[0]), int(opens[-1]))
        return sessions.labels[assign_sessions(opens, sessions)]

    def count_missing(self, source: np.ndarray) -> tuple[int, int]:
        """Numbers of expected source bars before the first and after the last one that belong to their target bars."""
        # wide enough for the whole target bar, with holidays
        reach = self.target_s + 7 * DAY if self.target_s >= DAY else self.target_s + DAY
        first, last = int(source[0]), int(source[-1])
        before = self.detection.fit.expected_timestamps(first - reach, first - 1, self.series.margin)
        after = self.detection.fit.expected_timestamps(last, last + reach, self.series.margin)
        around = self.timestamps(np.concatenate([before, source[[0, -1]], after]))
        first_target, last_target = around[len(before)], around[len(before) + 1]
        return int((around[: len(before)] == first_target).sum()), int((around[len(before) + 2 :] == last_target).sum())


def _resample_groups(candles: CandleFrame, grouping: _BarGroups) -> ResampledCandles:
    source = to_seconds(candles.index)
    timestamps = grouping.timestamps(source)
    starts = np.flatnonzero(np.r_[True, np.diff(timestamps) != 0])  # first row of each group [m]
    before, after = grouping.count_missing(source)
    notes, keep = _trim_incomplete(candles, timestamps[starts], before, after)
    frame = _aggregate(candles.frame, starts)
    frame.index = from_seconds(timestamps[starts])
    frame = frame.iloc[keep]
    if not len(frame):
        raise InvalidCandlesError(
            msg(
                "{count} {interval} candles do not fill a complete {target} bar.",
                count=len(candles),
                interval=interval_label(candles.interval),
                target=interval_label(grouping.target),
            ),
            msg("Load more history, or choose a shorter interval."),
        )
    resampled = replace(candles, frame=frame, interval=grouping.target, timestamp_at=grouping.timestamp_at)
    text = msg(
        "Resampled {count:,} {interval} candles to {made:,} {target} candles ({name}).",
        count=len(candles),
        interval=interval_label(candles.interval),
        made=len(resampled),
        target=interval_label(grouping.target),
        name=grouping.detection.name,
    )
    return ResampledCandles(resampled, (Note("info", text), *notes))


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


def _trim_incomplete(candles: CandleFrame, timestamps: np.ndarray, before: int, after: int) -> tuple[list[Note], slice]:
    """Notes on an incomplete first or last bar, and the slice of complete bars."""
    start, stop, notes = 0, len(timestamps), []
    times = from_seconds(timestamps).tz_convert(candles.session_tz)
    if before:
        text = msg(
            "Dropped the incomplete first bar ({time:%Y-%m-%d %H:%M}): {count:,} of its candles are before the "
            "start of the series.",
            time=times[0],
            count=before,
        )
        notes.append(Note("info", text))
    if after:
        text = msg(
            "Dropped the incomplete last bar ({time:%Y-%m-%d %H:%M}): {count:,} of its candles are not available yet.",
            time=times[-1],
            count=after,
        )
        notes.append(Note("info", text))
    return notes, slice(start + bool(before), max(0, stop - bool(after)))
