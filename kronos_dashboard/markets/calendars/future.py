"""Bar times from a calendar: those to come, and those a series should have had."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.calendars.calendar_fit import series_of
from kronos_dashboard.markets.calendars.detection import AUTO, Detection, detect
from kronos_dashboard.markets.calendars.known_markets import ALWAYS, FX, LEARNED
from kronos_dashboard.markets.calendars.timezones import DAY, seconds_of, times_of
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["expected_times", "future_times"]

_LONGEST = 110 * 366 * DAY
"""Farthest that bar times are looked for; calendars reach to 2120."""


def future_times(candles: CandleFrame, horizon: int, calendar: str = AUTO) -> tuple[pd.DatetimeIndex, str]:
    """The ``horizon`` bar times after the last candle, in UTC, and how they were found, in a sentence or two.

    Args:
        candles: the series; its own stamps say how bars stand in the sessions.
        horizon: bar times wanted.
        calendar: ``auto``, ``24/7``, ``fx``, ``learned`` or the code of an exchange.

    Raises:
        WindowError: no regular bar times can be found, or there is no such calendar.
    """
    found = detect(candles, calendar)
    stamps = seconds_of(candles.index)
    series = series_of(candles, stamps)
    last, reach = int(stamps[-1]), horizon * series.interval * 2 + 10 * DAY
    while True:
        times = found.fit.stamps(last, last + reach, series.margin)
        if len(times) >= horizon:
            return times_of(times[:horizon]), _text(found, int(times[horizon - 1]), candles.session_tz)
        if reach > _LONGEST:
            break
        reach *= 4
    raise WindowError(
        f"the calendar {found.code} gives {len(times)} bar times after {candles.local_index[-1]}; "
        f"{horizon} are wanted.",
        "Choose another calendar, or a shorter horizon.",
    )


def expected_times(candles: CandleFrame, calendar: str | Detection = AUTO) -> pd.DatetimeIndex:
    """All bar times that the calendar expects from the first to the last candle, in UTC.

    Raises:
        WindowError: no regular bar times can be found, or there is no such calendar.
    """
    found = calendar if isinstance(calendar, Detection) else detect(candles, calendar)
    stamps = seconds_of(candles.index)
    series = series_of(candles, stamps)
    return times_of(found.fit.stamps(int(stamps[0]) - 1, int(stamps[-1]), series.margin))


def _text(found: Detection, last: int, session_tz: str) -> str:
    fit = found.fit
    feasts = f" Closed on {', '.join(fit.feasts)}, as the file is." if fit.feasts else ""
    if found.code == ALWAYS:
        return f"Future bar times go on {found.name} ({found.reason})."
    if found.code == LEARNED:
        habit = fit.words or f"the file's own rhythm ({session_tz})"
        return f"Future bar times follow the sessions found in the file: {habit}.{feasts or ' Holidays are not known.'}"
    text = f"Future bar times follow the {found.name}" if found.code == FX else f"Future bar times follow {found.name}"
    text += "" if found.code == FX else f" ({found.code}), holidays and half days included"
    text += f": {found.reason}.{feasts}"
    known = int(fit.sessions.known[1])
    if found.code != FX and last // DAY > known:
        text += f" Holidays after {np.datetime64(known, 'D')} are not known yet."
    return text
