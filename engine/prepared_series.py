"""One validated series: candles to network inputs, and sampled candles to a forecast.

Legend: T context, H horizon, N paths, M of them decoded, t steps so far. Statistics come from the context alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.config import SamplingConfig
from engine.errors import InvalidCandlesError
from engine.features import (
    NormalizationStats,
    candle_values,
    compute_stats,
    enforce_ohlc_constraints,
    interleave_mirror_images,
    time_features,
)
from engine.forecast import COLUMNS, Forecast
from engine.messages import msg

__all__ = ["PreparedSeries"]

_CLOSE = COLUMNS.index("close")


@dataclass(frozen=True)
class PreparedSeries:
    """One validated series with the statistics of its context."""

    values: np.ndarray
    """float64 [T, 6]"""
    statistics: NormalizationStats
    times: np.ndarray
    """Time features of context and future, int64 [T + H, 5]."""
    index: pd.DatetimeIndex
    """The H bar times."""

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, future: pd.DatetimeIndex, *, max_context: int, reference_compat: bool, name: str
    ) -> PreparedSeries:
        """Validate one frame and its future.

        Args:
            frame: candles indexed by bar time, oldest first.
            future: H bar times after the last of them; their time features are read in the frame's time zone.
            max_context: most tokens that the model sees, and the longest horizon.
            reference_compat: follow the reference: statistics over all rows, however many the model sees, and its fixed
                constant in the scale. Otherwise statistics come from the last ``max_context`` rows.
            name: of the frame, for errors.

        Raises:
            InvalidCandlesError: the frame or the future cannot be used.
        """
        if not isinstance(frame, pd.DataFrame):
            raise InvalidCandlesError(
                msg("{name} must be a DataFrame; got {type}.", name=name, type=type(frame).__name__)
            )
        _check_times(frame.index, name)
        _check_future(future, frame.index, max_context, name)
        values, index = candle_values(frame, name), frame.index
        if not reference_compat:
            values, index = values[-max_context:], index[-max_context:]
        local_future = future if future.tz is None else future.tz_convert(frame.index.tz)
        times = np.concatenate((time_features(index), time_features(local_future)))  # [T + H, 5]
        return cls(values, compute_stats(values, reference_compat=reference_compat), times, future)

    @property
    def shape(self) -> tuple[int, int]:
        """T and H: series of one shape are sampled together."""
        return len(self.values), len(self.index)

    @property
    def last_close(self) -> float:
        """The last close as a z-score, not clipped."""
        return float(((self.values[-1] - self.statistics.mean) / self.statistics.scale)[_CLOSE])

    def to_candles(self, samples: np.ndarray, sampling: SamplingConfig) -> tuple[np.ndarray, float]:
        """Valid candles from sampled ones.

        Args:
            samples: float64 [M, t, 6], in the series' own units, of M decoded paths.
            sampling: resolved; whether each is followed by its mirror image.

        Returns:
            Candles float32 [N, t, 6], and the fraction of the sampled ones that had to be repaired.
        """
        candles, repaired_fraction = enforce_ohlc_constraints(samples, self.values)
        if sampling.has_mirror_images:
            candles = interleave_mirror_images(candles, self.values[-1, _CLOSE])[: sampling.num_paths]
        return candles, repaired_fraction

    def to_forecast(self, samples: np.ndarray, clip: float, sampling: SamplingConfig) -> Forecast:
        """A forecast from sampled candles.

        Args:
            samples: float64 [M, H, 6], in the series' own units, of M decoded paths.
            clip: z-scores beyond this were clipped.
            sampling: resolved; how ``samples`` were made.
        """
        paths, repaired_fraction = self.to_candles(samples, sampling)
        paths.flags.writeable = False
        return Forecast(
            paths=paths,
            index=self.index,
            notes=self._warnings(clip, anchored=bool(sampling.anchor_to_last_close)),
            repaired_fraction=repaired_fraction,
            sampling=sampling,
        )

    def _warnings(self, clip: float, *, anchored: bool) -> tuple[str, ...]:
        distance = self.statistics.max_abs_zscore(self.values[-1])
        if distance <= clip:
            return ()
        values = {"distance": distance, "clip": clip}
        if anchored:
            warning = msg(
                "The last candle is {distance:.1f} standard deviations from the mean of the context. The model "
                "sees it clipped to {clip:g}, so the shape of the paths is that of a smaller move.",
                **values,
            )
        else:
            warning = msg(
                "The last candle is {distance:.1f} standard deviations from the mean of the context. The model "
                "sees it clipped to {clip:g}, so the forecast starts from a price closer to the mean than the "
                "last close.",
                **values,
            )
        return (warning,)


def _check_times(index: pd.Index, name: str) -> None:
    if not isinstance(index, pd.DatetimeIndex):
        raise InvalidCandlesError(
            msg(
                "{name} must be indexed by bar time (DatetimeIndex); its index is {type}.",
                name=name,
                type=type(index).__name__,
            )
        )
    if index.hasnans:
        raise InvalidCandlesError(
            msg(
                "{name} has {count} empty bar times (NaT). Remove those rows.", name=name, count=int(index.isna().sum())
            )
        )
    if index.is_monotonic_increasing and index.is_unique:
        return
    if index.is_monotonic_decreasing and len(index) > 1:
        raise InvalidCandlesError(
            msg(
                "{name} must be sorted by time, oldest first; it is newest first. Call .sort_index().",
                name=name,
            )
        )
    if not index.is_unique:
        twice = index[index.duplicated()]
        raise InvalidCandlesError(
            msg(
                "{name} must have each bar time once; {count} are repeated, the first is {time}.",
                name=name,
                count=len(twice),
                time=twice[0],
            )
        )
    wrong = index[1:][index[1:] < index[:-1]][0]
    raise InvalidCandlesError(
        msg(
            "{name} must be sorted by time, oldest first; {time} comes after a later bar. Call .sort_index().",
            name=name,
            time=wrong,
        )
    )


def _check_future(future: pd.DatetimeIndex, past: pd.DatetimeIndex, max_horizon: int, name: str) -> None:
    if not isinstance(future, pd.DatetimeIndex):
        raise InvalidCandlesError(
            msg(
                "the future of {name} must be a DatetimeIndex of bar times; got {type}.",
                name=name,
                type=type(future).__name__,
            )
        )
    if not 1 <= len(future) <= max_horizon:
        raise InvalidCandlesError(
            msg(
                "the future of {name} must have 1 to {limit} bar times (the horizon); got {count}.",
                name=name,
                limit=max_horizon,
                count=len(future),
            )
        )
    _check_times(future, msg("the future of {name}", name=name))
    if (future.tz is None) != (past.tz is None):
        raise InvalidCandlesError(
            msg(
                "{name} and its future must either both have a time zone or both have none; got {tz} and {future_tz}.",
                name=name,
                tz=past.tz,
                future_tz=future.tz,
            )
        )
    if len(past) and future[0] <= past[-1]:
        raise InvalidCandlesError(
            msg(
                "the future of {name} must start after its last bar, {past}; it starts at {future}.",
                name=name,
                past=past[-1],
                future=future[0],
            )
        )
