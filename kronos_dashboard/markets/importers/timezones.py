"""The session timezone: where the timestamps of a file are local times."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.candles import TIMEZONE_HINT, is_timezone
from kronos_dashboard.markets.importers.table import note_rows
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.messages import msg, nmsg
from kronos_dashboard.notes import Note

__all__ = ["check_timezone", "choose_session_timezone", "localize_times"]

_LIKELY_TIMEZONES = (
    "America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Europe/Athens",
    "Asia/Shanghai", "Asia/Tokyo", "Asia/Kolkata", "Europe/Moscow", "America/Sao_Paulo", "Australia/Sydney",
    "Asia/Singapore", "Asia/Seoul", "Asia/Dubai", "Asia/Jerusalem", "Pacific/Auckland", "Asia/Bangkok",
)  # fmt: skip
"""Timezones tried for an offset, most likely first; the first that has all offsets of the file is chosen."""
_DAY_NS = 86_400 * 10**9
_MIN_HOURS_AROUND_THE_CLOCK = 20
"""Bars in as many different hours of the day: the market never closes, so it has no session."""


def check_timezone(timezone: str) -> str:
    """Return the name when it is that of a timezone.

    Raises:
        ImportFileError: it is not.
    """
    if not is_timezone(timezone):
        raise ImportFileError(msg("{zone} is not the name of a time zone.", zone=repr(timezone[:60])), TIMEZONE_HINT)
    return timezone


def choose_session_timezone(
    ns: np.ndarray, offsets: np.ndarray | None, file_timezone: str | None, requested: str | None, *, is_aware: bool
) -> tuple[str, tuple[Note, ...]]:
    """The session timezone, and a note on the choice.

    Args:
        ns: int64 [n], UTC when ``is_aware``, else on the clock of the file.
        offsets: minutes east of UTC [n] of the timestamps.
        file_timezone: timezone that the file names.
        requested: timezone that the user names; it always wins.
        is_aware: whether ``ns`` is in UTC.
    """
    if requested:
        return check_timezone(requested), ()
    if file_timezone:
        return check_timezone(file_timezone), (
            Note("info", msg("The file states its time zone: {zone}.", zone=file_timezone)),
        )
    if not is_aware:
        text = msg("The file states no time zone; times are kept as written. Set the time zone if it matters.")
        return "UTC", (Note("info", text),)
    if offsets is None:
        return "UTC", ()
    valid = ns != NAT
    timezone = _find_timezone(ns[valid], offsets[valid])
    if timezone == "UTC":
        return timezone, (Note("info", msg("The times include their offset from UTC and are shown in UTC.")),)
    text = msg(
        "The times include their offset from UTC and are shown in {zone} time, which has these offsets.",
        zone=timezone,
    )
    return timezone, (Note("info", text),)


def _find_timezone(ns: np.ndarray, offsets: np.ndarray) -> str:
    """UTC for a market that is open around the clock, else a timezone with the offsets of the file."""
    if len(ns) == 0 or (offsets == 0).all() or offsets.min() < -12 * 60:
        return "UTC"
    local = ns + offsets * 60 * 10**9
    hours = np.unique(local % _DAY_NS // (3_600 * 10**9))
    if len(hours) >= _MIN_HOURS_AROUND_THE_CLOCK:
        return "UTC"
    index = pd.DatetimeIndex(ns[:: max(1, len(ns) // 5_000)], tz="UTC")
    local_index = pd.DatetimeIndex(local[:: max(1, len(ns) // 5_000)])
    for timezone in _LIKELY_TIMEZONES:
        if (index.tz_convert(timezone).tz_localize(None) == local_index).all():
            return timezone
    whole = offsets[0] % 60 == 0 and (offsets == offsets[0]).all()
    return f"Etc/GMT{-int(offsets[0]) // 60:+d}" if whole else "UTC"


def localize_times(ns: np.ndarray, timezone: str) -> tuple[np.ndarray, tuple[Note, ...]]:
    """Local times in ``timezone`` as UTC, int64 [n], with a note on hours that occur twice.

    Raises:
        ImportFileError: there are local times that the timezone skips.
    """
    check_timezone(timezone)
    valid = np.flatnonzero(ns != NAT)
    naive = pd.DatetimeIndex(ns[valid])
    newest_first = len(naive) > 1 and naive[0] > naive[-1]
    ordered = naive[::-1] if newest_first else naive
    notes: tuple[Note, ...] = ()
    try:
        try:
            local = ordered.tz_localize(timezone, ambiguous="infer")
        except ValueError:
            local = ordered.tz_localize(timezone, ambiguous=np.ones(len(ordered), dtype=bool))
            is_ambiguous = ordered.tz_localize(timezone, ambiguous="NaT").isna()
            rows = valid[::-1][np.asarray(is_ambiguous)] if newest_first else valid[np.asarray(is_ambiguous)]
            if len(rows):
                text = nmsg(
                    "{n:,} time occurs twice when clocks are set back; the first was assumed.",
                    "{n:,} times occur twice when clocks are set back; the first was assumed.",
                    len(rows),
                )
                notes = (Note("warning", text, note_rows(rows + 1)),)
    except ValueError as error:
        raise ImportFileError(
            msg("not all times exist in the time zone {zone}: {error}", zone=timezone, error=error),
            msg("Choose the time zone of the file; UTC keeps the times as written."),
        ) from error
    utc_ns = local.tz_convert("UTC").as_unit("ns").asi8
    out = np.full(len(ns), NAT)
    out[valid] = utc_ns[::-1] if newest_first else utc_ns
    return out, notes
