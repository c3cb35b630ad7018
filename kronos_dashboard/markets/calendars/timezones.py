"""Clocks: whole seconds since 1970 in UTC, and what a wall clock somewhere shows at them.

Words: a *wall second* counts seconds since 1970 as a clock in a zone shows them, so that a multiple of 86,400 is
midnight there. Arrays are int64 [n].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["DAY", "INSTANTS", "Reading", "seconds_of", "times_of", "unwall", "wall"]

DAY = 86_400
"""Seconds of a day."""


def seconds_of(index: pd.DatetimeIndex) -> np.ndarray:
    """UTC bar times as seconds since 1970, int64 [n]."""
    return np.asarray(index.as_unit("s").asi8)


def times_of(seconds: np.ndarray) -> pd.DatetimeIndex:
    """Seconds since 1970 as UTC bar times, in the unit that pandas gives to times it reads."""
    return pd.DatetimeIndex(seconds.astype("datetime64[s]")).as_unit("us").tz_localize("UTC")


def wall(seconds: np.ndarray, zone: str) -> np.ndarray:
    """What a clock in ``zone`` shows at these UTC seconds, as wall seconds."""
    if zone == "UTC":
        return seconds
    index = pd.DatetimeIndex(seconds.astype("datetime64[s]")).tz_localize("UTC").tz_convert(zone)
    return np.asarray(index.tz_localize(None).as_unit("s").asi8)


def unwall(walls: np.ndarray, zone: str) -> np.ndarray:
    """UTC seconds at which a clock in ``zone`` shows these wall seconds.

    A time that the change to summer time skips is moved forward; one that comes twice is the first of the two.
    """
    if zone == "UTC":
        return walls
    naive = pd.DatetimeIndex(walls.astype("datetime64[s]"))
    local = naive.tz_localize(zone, ambiguous=np.ones(len(naive), dtype=bool), nonexistent="shift_forward")
    return np.asarray(local.tz_convert("UTC").as_unit("s").asi8)


@dataclass(frozen=True)
class Reading:
    """How a series' stamps are to be read: as the instants they say, or as what a market's own clock showed.

    A file without a zone keeps its hours; 09:30 in it may be 09:30 in New York although the series calls it UTC.
    """

    zone: str | None = None
    """None: the stamps are instants. Else: their hours on the session clock are those of a clock in this zone."""
    ahead: int = 0
    """Seconds by which that clock runs ahead of its zone (servers of currency brokers: New York + 7 h)."""

    def to_true(self, stamps: np.ndarray, session_tz: str) -> np.ndarray:
        """Instants of a series' stamps (both UTC seconds)."""
        if self.zone is None:
            return stamps
        return unwall(wall(stamps, session_tz) - self.ahead, self.zone)

    def to_stamps(self, instants: np.ndarray, session_tz: str) -> np.ndarray:
        """The reverse of ``to_true``."""
        if self.zone is None:
            return instants
        return unwall(wall(instants, self.zone) + self.ahead, session_tz)

    def describe(self) -> str:
        """In words, or nothing when the stamps are instants."""
        if self.zone is None:
            return ""
        if self.ahead:
            return f"its stamps read as a broker's clock, {self.zone} + {self.ahead // 3600} h"
        return f"its stamps read as {self.zone} time"


INSTANTS = Reading()
