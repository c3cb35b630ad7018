"""One series as the engine takes it: checked once, normalised by its own context, and turned back into a forecast.

Legend: T context, H horizon, N paths. Times are read as they stand; nothing after the context enters its statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.errors import CandlesError
from engine.features import Statistics, candle_values, mirror, repair, statistics, time_features
from engine.forecast import COLUMNS, Forecast

__all__ = ["Series"]

_CLOSE = COLUMNS.index("close")


@dataclass(frozen=True)
class Series:
    """One series, checked, with the statistics of its context."""

    values: np.ndarray
    """float64 [T, 6]"""
    statistics: Statistics
    times: np.ndarray
    """Time features of context and future, int64 [T + H, 5]."""
    index: pd.DatetimeIndex
    """The H bar times."""

    @classmethod
    def checked(
        cls, frame: pd.DataFrame, future: pd.DatetimeIndex, *, max_context: int, as_published: bool, name: str
    ) -> Series:
        """Check one frame and its future.

        Args:
            frame: candles indexed by bar time, oldest first.
            future: H bar times after the last of them; their features are read in the frame's zone.
            max_context: most tokens the model sees, and the longest horizon.
            as_published: the reference's conventions: statistics over all rows however many the model sees, and its own
                small constant in the scale. Otherwise over the last ``max_context`` rows.
            name: what to call the frame in errors.

        Raises:
            CandlesError: the frame or the future cannot be used.
        """
        if not isinstance(frame, pd.DataFrame):
            raise CandlesError(f"{name} must be a DataFrame; got {type(frame).__name__}.")
        _check_times(frame.index, name)
        _check_future(future, frame.index, max_context, name)
        values, index = candle_values(frame, name), frame.index
        if not as_published:
            values, index = values[-max_context:], index[-max_context:]
        there = future if future.tz is None else future.tz_convert(frame.index.tz)
        times = np.concatenate((time_features(index), time_features(there)))
        return cls(values, statistics(values, as_published=as_published), times, future)

    @property
    def shape(self) -> tuple[int, int]:
        """T and H: series of one shape are read together."""
        return len(self.values), len(self.index)

    def candles(self, drawn: np.ndarray, *, mirrored: bool) -> tuple[np.ndarray, float]:
        """Possible candles float32 [N, t, 6] made of sampled ones [N, t, 6], in own units; and the share mended.

        With ``mirrored``, every second path is turned upside down at the last close.
        """
        mended, share = repair(drawn, self.values)
        return mirror(mended, self.values[-1, _CLOSE]) if mirrored else mended, share

    @property
    def last_close(self) -> float:
        """The last close as a z-score, not cut."""
        return float(((self.values[-1] - self.statistics.mean) / self.statistics.scale)[_CLOSE])

    def forecast(self, drawn: np.ndarray, clip: float, *, from_last_close: bool, mirrored: bool) -> Forecast:
        """Sampled candles float64 [N, H, 6], in the series' own units, as a forecast of possible candles."""
        paths, repaired = self.candles(drawn, mirrored=mirrored)
        paths.flags.writeable = False
        return Forecast(paths=paths, index=self.index, notes=self._notes(clip, from_last_close), repaired=repaired)

    def _notes(self, clip: float, from_last_close: bool) -> tuple[str, ...]:
        distance = self.statistics.distance(self.values[-1])
        if distance <= clip:
            return ()
        effect = (
            "so the shape of the paths is that of a smaller move"
            if from_last_close
            else "so the forecast starts from a price that is nearer the mean than the last close"
        )
        return (
            f"The last candle lies {distance:.1f} standard deviations from the mean of the context; the model sees it "
            f"cut to {clip:g}, {effect}.",
        )


def _check_times(index: pd.Index, name: str) -> None:
    if not isinstance(index, pd.DatetimeIndex):
        raise CandlesError(
            f"{name} must be indexed by bar time (a DatetimeIndex); its index is a {type(index).__name__}."
        )
    if index.hasnans:
        raise CandlesError(f"{name} has {int(index.isna().sum())} empty bar times (NaT). Remove those rows.")
    if index.is_monotonic_increasing and index.is_unique:
        return
    if index.is_monotonic_decreasing and len(index) > 1:
        raise CandlesError(
            f"{name} must be in order of time, oldest first; it is newest first. Call .sort_index() on it."
        )
    if not index.is_unique:
        twice = index[index.duplicated()]
        raise CandlesError(f"{name} must have each bar time once; {len(twice)} come again, the first is {twice[0]}.")
    wrong = index[1:][index[1:] < index[:-1]][0]
    raise CandlesError(
        f"{name} must be in order of time, oldest first; {wrong} comes after a later bar. Call .sort_index()."
    )


def _check_future(future: pd.DatetimeIndex, past: pd.DatetimeIndex, max_horizon: int, name: str) -> None:
    if not isinstance(future, pd.DatetimeIndex):
        raise CandlesError(f"the future of {name} must be a DatetimeIndex of bar times; got {type(future).__name__}.")
    if not 1 <= len(future) <= max_horizon:
        raise CandlesError(
            f"the future of {name} must have 1..{max_horizon} bar times (the horizon); got {len(future)}."
        )
    _check_times(future, f"the future of {name}")
    if (future.tz is None) != (past.tz is None):
        raise CandlesError(
            f"{name} and its future must both have a time zone or both have none; got {past.tz} and {future.tz}."
        )
    if len(past) and future[0] <= past[-1]:
        raise CandlesError(f"the future of {name} must begin after its last bar, {past[-1]}; it begins at {future[0]}.")
