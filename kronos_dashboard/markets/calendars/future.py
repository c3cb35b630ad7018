"""Bar times from a calendar: the next ones, and those that a series should have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars.calendar_fit import extract_timestamps
from kronos_dashboard.markets.calendars.detection import AUTO, Detection, detect_calendar
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED
from kronos_dashboard.markets.calendars.timezones import DAY, from_seconds, to_seconds
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import join_messages, msg, sentences

__all__ = ["expected_times", "future_times"]

_MAX_REACH = 110 * 366 * DAY
"""Farthest that bar times are searched: calendars end in 2120."""


def future_times(candles: CandleFrame, horizon: int, calendar: str = AUTO) -> tuple[pd.DatetimeIndex, str]:
    """The ``horizon`` bar times after the last candle, in UTC, and a sentence or two on their source.

    Args:
        candles: the series; its timestamps show where bars are within the sessions.
        horizon: number of bar times.
        calendar: ``auto``, ``24/7``, ``fx``, ``learned`` or the code of an exchange.

    Raises:
        WindowError: no regular bar times can be found, or there is no such calendar.
    """
    detection = detect_calendar(candles, calendar)
    timestamps = to_seconds(candles.index)
    series = extract_timestamps(candles, timestamps)
    last, reach = int(timestamps[-1]), horizon * series.interval * 2 + 10 * DAY
    while True:
        times = detection.fit.expected_timestamps(last, last + reach, series.margin)
        if len(times) >= horizon:
            return from_seconds(times[:horizon]), _describe_source(
                detection, int(times[horizon - 1]), candles.session_tz
            )
        if reach > _MAX_REACH:
            break
        reach *= 4
    raise WindowError(
        msg(
            "calendar {code} provides only {count} bar times after {time}; {horizon} are needed.",
            code=detection.code,
            count=len(times),
            time=candles.local_index[-1],
            horizon=horizon,
        ),
        msg("Choose another calendar or a shorter horizon."),
    )


def expected_times(candles: CandleFrame, calendar: str | Detection = AUTO) -> pd.DatetimeIndex:
    """All bar times that the calendar expects from the first to the last candle, in UTC.

    Raises:
        WindowError: no regular bar times can be found, or there is no such calendar.
    """
    detection = calendar if isinstance(calendar, Detection) else detect_calendar(candles, calendar)
    timestamps = to_seconds(candles.index)
    series = extract_timestamps(candles, timestamps)
    return from_seconds(detection.fit.expected_timestamps(int(timestamps[0]) - 1, int(timestamps[-1]), series.margin))


def _describe_source(detection: Detection, last: int, session_tz: str) -> str:
    fit = detection.fit
    name, reason = detection.name, detection.reason
    if detection.code == ALWAYS:
        return msg("Future bar times continue {name} ({reason}).", name=name, reason=reason)
    closed = ""
    if fit.holidays:
        closed = msg("Closed on {holidays}, as in the file.", holidays=join_messages(fit.holidays))
    if detection.code == LEARNED:
        habit = fit.description or msg("the file's own pattern ({zone})", zone=session_tz)
        return sentences(
            msg("Future bar times follow the sessions detected in the file: {habit}.", habit=habit),
            closed or msg("Holidays are not known."),
        )
    if detection.code == FX:
        return sentences(msg("Future bar times follow the {name}: {reason}.", name=name, reason=reason), closed)
    known = int(fit.sessions.known[1])
    unknown = ""
    if last // DAY > known:
        unknown = msg("Holidays after {day} are not known yet.", day=np.datetime64(known, "D"))
    followed = msg(
        "Future bar times follow {name} ({code}), including holidays and half days: {reason}.",
        name=name,
        code=detection.code,
        reason=reason,
    )
    return sentences(followed, closed, unknown)
