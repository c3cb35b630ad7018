"""What comes back from the engine: every sampled path of one series.

Shapes: N paths, H steps, 6 columns (open, high, low, close, volume, amount) in the series' own units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.errors import ConfigError

__all__ = ["COLUMNS", "Forecast"]

COLUMNS = ("open", "high", "low", "close", "volume", "amount")
"""The six columns of a candle, in the order of the last axis of every array."""

_CLOSE = COLUMNS.index("close")


@dataclass(frozen=True)
class Forecast:
    """All sampled paths of one series. Every candle has low <= open, close <= high and volume, amount >= 0."""

    paths: np.ndarray
    """float32 [N, H, 6], read-only."""
    index: pd.DatetimeIndex
    """The H bar times, as they were asked for."""
    notes: tuple[str, ...] = ()
    """What a reader must know to judge the paths (a clipped last candle, say), in sentences."""
    repaired: float = 0.0
    """Fraction of the candles that came out of the model impossible (high below close, say) and were made possible."""

    @property
    def num_paths(self) -> int:
        """N."""
        return int(self.paths.shape[0])

    @property
    def horizon(self) -> int:
        """H."""
        return int(self.paths.shape[1])

    def quantile(self, levels: float | tuple[float, ...], column: str = "close") -> np.ndarray:
        """Quantiles over the paths: [H] for one level, [L, H] for several (fractions 0..1).

        Raises:
            ConfigError: there is no such column.
        """
        if column not in COLUMNS:
            raise ConfigError(f"column must be one of {', '.join(COLUMNS)}; got {column!r}.")
        return np.quantile(self.paths[:, :, COLUMNS.index(column)], levels, axis=0)

    def band(self, coverage: float, column: str = "close") -> np.ndarray:
        """The central prediction interval [2, H] (lower, upper) that holds ``coverage`` (a fraction) of the paths."""
        return self.quantile(((1 - coverage) / 2, (1 + coverage) / 2), column)

    def median(self, column: str = "close") -> np.ndarray:
        """The median [H] over the paths."""
        return self.quantile(0.5, column)

    def representative(self) -> int:
        """The number of the path nearest the middle: least mean absolute distance of its closes to the median close."""
        distance = np.abs(self.paths[:, :, _CLOSE] - self.median()).mean(axis=1)
        return int(distance.argmin())

    def candles(self, path: int | None = None) -> pd.DataFrame:
        """One path (the representative one by default) as a frame [H] with the six columns, indexed by bar time."""
        chosen = self.representative() if path is None else path
        return pd.DataFrame(self.paths[chosen], index=self.index, columns=list(COLUMNS))
