"""Session clocks: which zone the stamps of a file stand on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import ZONE_HINT, is_zone
from kronos_dashboard.markets.importers.table import named_rows, plural
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.notes import Note

__all__ = ["check_zone", "clock_of", "localize"]

_LIKELY = (
    "America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Europe/Athens",
    "Asia/Shanghai", "Asia/Tokyo", "Asia/Kolkata", "Europe/Moscow", "America/Sao_Paulo", "Australia/Sydney",
    "Asia/Singapore", "Asia/Seoul", "Asia/Dubai", "Asia/Jerusalem", "Pacific/Auckland", "Asia/Bangkok",
)  # fmt: skip
"""Zones that an offset may stand for, likeliest first; the first whose offsets are the file's is taken."""
_DAY = 86_400 * 10**9
_AROUND = 20
"""A market with bars in this many different hours of the day has no session to keep to."""


def check_zone(zone: str) -> str:
    """``zone`` itself, when it is the name of a time zone.

    Raises:
        ImportFailed: it is not.
    """
    if not is_zone(zone):
        raise ImportFailed(f"the text {zone[:60]!r} is not the name of a time zone.", ZONE_HINT)
    return zone


def clock_of(
    ns: np.ndarray, offsets: np.ndarray | None, named: str | None, wanted: str | None, *, aware: bool
) -> tuple[str, tuple[Note, ...]]:
    """The session clock, and what was assumed about it.

    Args:
        ns: int64 [n], UTC when ``aware``, else hours as written.
        offsets: minutes east of UTC [n] that the stamps were written with.
        named: the zone that the file names.
        wanted: the zone that the user names; it always wins.
        aware: whether the stamps say where they stand.
    """
    if wanted:
        return check_zone(wanted), ()
    if named:
        return check_zone(named), (Note("info", f"The file names its time zone: {named}."),)
    if not aware:
        text = "The times carry no zone; their hours are kept as they are written. Name the zone if it matters."
        return "UTC", (Note("info", text),)
    if offsets is None:
        return "UTC", ()
    good = ns != NAT
    zone = _zone_of(ns[good], offsets[good])
    if zone == "UTC":
        return zone, (Note("info", "The times carry their offset from UTC; they are shown on the clock of UTC."),)
    text = f"The times carry their offset from UTC; they are shown on the clock of {zone}, which has these offsets."
    return zone, (Note("info", text),)


def _zone_of(ns: np.ndarray, offsets: np.ndarray) -> str:
    """UTC for a market that is open around the clock; else a zone that has the file's offsets."""
    if len(ns) == 0 or (offsets == 0).all() or offsets.min() < -12 * 60:
        return "UTC"
    local = ns + offsets * 60 * 10**9
    hours = np.unique(local % _DAY // (3_600 * 10**9))
    if len(hours) >= _AROUND:
        return "UTC"
    index = pd.DatetimeIndex(ns[:: max(1, len(ns) // 5_000)], tz="UTC")
    wanted = pd.DatetimeIndex(local[:: max(1, len(ns) // 5_000)])
    for zone in _LIKELY:
        if (index.tz_convert(zone).tz_localize(None) == wanted).all():
            return zone
    whole = offsets[0] % 60 == 0 and (offsets == offsets[0]).all()
    return f"Etc/GMT{-int(offsets[0]) // 60:+d}" if whole else "UTC"


def localize(ns: np.ndarray, zone: str) -> tuple[np.ndarray, tuple[Note, ...]]:
    """Hours on the clock of ``zone`` as UTC, int64 [n], and a note where an hour came twice.

    Raises:
        ImportFailed: hours are used that the zone does not have.
    """
    check_zone(zone)
    good = np.flatnonzero(ns != NAT)
    naive = pd.DatetimeIndex(ns[good])
    newest_first = len(naive) > 1 and naive[0] > naive[-1]
    ordered = naive[::-1] if newest_first else naive
    notes: tuple[Note, ...] = ()
    try:
        try:
            local = ordered.tz_localize(zone, ambiguous="infer")
        except ValueError:
            local = ordered.tz_localize(zone, ambiguous=np.ones(len(ordered), dtype=bool))
            twice = ordered.tz_localize(zone, ambiguous="NaT").isna()
            rows = good[::-1][np.asarray(twice)] if newest_first else good[np.asarray(twice)]
            if len(rows):
                text = f"{plural(len(rows), 'time')} come twice when clocks are set back; the first was assumed."
                notes = (Note("warning", text, named_rows(rows + 1)),)
    except ValueError as error:
        raise ImportFailed(
            f"the times cannot all stand on the clock of {zone}: {error}",
            "Choose the zone of the file; UTC keeps the hours as they are.",
        ) from error
    stamps = local.tz_convert("UTC").as_unit("ns").asi8
    out = np.full(len(ns), NAT)
    out[good] = stamps[::-1] if newest_first else stamps
    return out, notes
