"""``Forecast``: every sampled path of one series, and how the paths were sampled.

Shapes: N paths, H steps, 6 columns (open, high, low, close, volume, amount) in the series' own units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.config import SamplingConfig
from engine.errors import ConfigError
from engine.messages import msg

__all__ = ["COLUMNS", "Forecast"]

COLUMNS = ("open", "high", "low", "close", "volume", "amount")
"""The six columns of a candle, in the order of the last axis of every array."""

_PRICES = COLUMNS[:4]
_CLOSE = COLUMNS.index("close")


@dataclass(frozen=True)
class Forecast:
    """All sampled paths of one series. Every candle has low <= open, close <= high and volume, amount >= 0."""

    paths: np.ndarray
    """float32 [N, H, 6], read-only."""
    index: pd.DatetimeIndex
    """The H bar times, as requested."""
    notes: tuple[str, ...] = ()
    """Warnings about this forecast (a clipped last candle, for example), in sentences."""
    repaired_fraction: float = 0.0
    """Fraction of the candles that the model gave impossible values (high below close, for example), which were
    repaired."""
    sampling: SamplingConfig | None = None
    """How the paths were sampled, with every setting resolved; None where no model sampled them (a baseline)."""

    @property
    def num_paths(self) -> int:
        """N."""
        return int(self.paths.shape[0])

    @property
    def horizon(self) -> int:
        """H."""
        return int(self.paths.shape[1])

    @property
    def is_mirrored(self) -> bool:
        """Whether every second path is the mirror image of the path before it (``SamplingConfig.mirror_paths``)."""
        return self.sampling is not None and bool(self.sampling.mirror_paths) and self.num_paths > 1

    @property
    def unmirrored_paths(self) -> np.ndarray:
        """The paths as sampled [M, H, 6], a view: the first of each pair of a mirrored forecast, else all."""
        return self.paths[::2] if self.is_mirrored else self.paths

    def quantile(self, levels: float | tuple[float, ...], column: str = "close") -> np.ndarray:
        """Quantiles over the paths: [H] for one level, [L, H] for several (fractions 0..1).

        Between two paths it is interpolated linearly; in the logarithm of the price if the forecast is mirrored, so
        that the median is the last close and intervals are symmetric about it.

        Raises:
            ConfigError: there is no such column.
        """
        if column not in COLUMNS:
            raise ConfigError(
                msg("column must be one of {columns}; got {column}.", columns=", ".join(COLUMNS), column=repr(column))
            )
        values = self.paths[:, :, COLUMNS.index(column)]
        if self.is_mirrored and column in _PRICES and (values > 0).all():
            return np.exp(np.quantile(np.log(values.astype(np.float64)), levels, axis=0))
        return np.quantile(values, levels, axis=0)

    def band(self, coverage: float, column: str = "close") -> np.ndarray:
        """The central prediction interval [2, H] (lower, upper) that contains a fraction ``coverage`` of the paths."""
        return self.quantile(((1 - coverage) / 2, (1 + coverage) / 2), column)

    def median(self, column: str = "close") -> np.ndarray:
        """The median [H] over the paths."""
        return self.quantile(0.5, column)

    def prob_higher(self, last_close: float) -> float:
        """Fraction of the paths that close the last step above ``last_close``.

        Of antithetic pairs one half, less half of the paths that close unchanged, also if the last path has no pair.
        """
        closes, level = self.paths[:, -1, _CLOSE], np.float32(last_close)
        if self.is_mirrored:
            return (1 - float((closes == level).mean())) / 2
        return float((closes > level).mean())

    def medoid_path(self) -> int:
        """Position of the path whose closes have the smallest mean absolute distance to the median closes."""
        distance = np.abs(self.paths[:, :, _CLOSE] - self.median()).mean(axis=1)
        return int(distance.argmin())

    def candles(self, path: int | None = None) -> pd.DataFrame:
        """One path (by default the medoid path) as a frame of H rows with the six columns, indexed by bar time."""
        position = self.medoid_path() if path is None else path
        return pd.DataFrame(self.paths[position], index=self.index, columns=list(COLUMNS))
