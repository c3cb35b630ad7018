"""Conversion of whole seconds since 1970 between UTC and timezones, and interpretations of timestamps.

Words: *local seconds* count seconds since 1970 as a clock in a timezone shows them, so that a multiple of 86,400 is
midnight there. Arrays are int64 [n].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kronos_dashboard.messages import Message, msg

__all__ = ["DAY", "INSTANTS", "TimezoneInterpretation", "from_local", "from_seconds", "to_local", "to_seconds"]

DAY = 86_400
"""Seconds in a day."""


def to_seconds(index: pd.DatetimeIndex) -> np.ndarray:
    """UTC bar times as seconds since 1970, int64 [n]."""
    return np.asarray(index.as_unit("s").asi8)


def from_seconds(seconds: np.ndarray) -> pd.DatetimeIndex:
    """Seconds since 1970 as UTC bar times, in the unit in which pandas reads times from files."""
    return pd.DatetimeIndex(seconds.astype("datetime64[s]")).as_unit("us").tz_localize("UTC")


def to_local(seconds: np.ndarray, zone: str) -> np.ndarray:
    """Convert UTC seconds to local seconds in ``zone``."""
    if zone == "UTC":
        return seconds
    index = pd.DatetimeIndex(seconds.astype("datetime64[s]")).tz_localize("UTC").tz_convert(zone)
    return np.asarray(index.tz_localize(None).as_unit("s").asi8)


def from_local(local_seconds: np.ndarray, zone: str) -> np.ndarray:
    """Convert local seconds in ``zone`` to UTC seconds.

    A time skipped by the change to summer time is shifted forward; a time that occurs twice is the first of both.
    """
    if zone == "UTC":
        return local_seconds
    naive = pd.DatetimeIndex(local_seconds.astype("datetime64[s]"))
    local = naive.tz_localize(zone, ambiguous=np.ones(len(naive), dtype=bool), nonexistent="shift_forward")
    return np.asarray(local.tz_convert("UTC").as_unit("s").asi8)


@dataclass(frozen=True)
class TimezoneInterpretation:
    """How to interpret the timestamps of a series: as instants, or as the local times of a market.

    A file without a timezone keeps its hours: its 09:30 may be 09:30 in New York although the series is labeled UTC.
    """

    zone: str | None = None
    """None: the timestamps are instants. Otherwise their local times in the session timezone are those of this zone."""
    offset_s: int = 0
    """Seconds added to the local times of ``zone`` (servers of currency brokers: New York + 7 h)."""

    def to_instants(self, timestamps: np.ndarray, session_tz: str) -> np.ndarray:
        """Instants of the timestamps of a series (both UTC seconds)."""
        if self.zone is None:
            return timestamps
        return from_local(to_local(timestamps, session_tz) - self.offset_s, self.zone)

    def to_timestamps(self, instants: np.ndarray, session_tz: str) -> np.ndarray:
        """The inverse of ``to_instants``."""
        if self.zone is None:
            return instants
        return from_local(to_local(instants, self.zone) + self.offset_s, session_tz)

    def describe(self) -> Message | None:
        """Description for a reason; None when the timestamps are instants."""
        if self.zone is None:
            return None
        if self.offset_s:
            hours = self.offset_s // 3600
            return msg("timestamps look like broker time, {zone} + {hours} h", zone=self.zone, hours=hours)
        return msg("timestamps look like {zone} time", zone=self.zone)


INSTANTS = TimezoneInterpretation()
"""Timestamps that are what they say."""
