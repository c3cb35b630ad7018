"""The paths that questions are asked of, with the price they start from.

Shapes: N paths, H steps; steps are counted from 1, which is the first bar after the cutoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["Fan"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Fan:
    """Sampled paths and the close before them.

    Raises:
        SettingsError: the paths have another shape or hold values that are no prices.
    """

    paths: np.ndarray
    """[N, H, 6] in price units."""
    last_close: float
    """The context's last close, rounded as the paths are, so that a price that did not move equals it."""

    def __post_init__(self) -> None:
        """Check, and round the last close."""
        if self.paths.ndim != 3 or self.paths.shape[2] != len(COLUMNS) or 0 in self.paths.shape:
            raise SettingsError(f"paths must have the shape [N, H, {len(COLUMNS)}]; got {list(self.paths.shape)}.")
        object.__setattr__(self, "last_close", self.rounded(self.last_close))
        prices = self.paths[..., :4]
        if not (np.isfinite(prices).all() and prices.min() > 0 and self.last_close > 0):
            raise SettingsError("paths and the last close must hold finite prices above zero.")

    @classmethod
    def of(cls, forecast: Forecast, context: CandleFrame) -> Self:
        """The fan of a forecast after its context."""
        return cls(paths=forecast.paths, last_close=float(context.frame["close"].iloc[-1]))

    @property
    def num_paths(self) -> int:
        """N."""
        return int(self.paths.shape[0])

    @property
    def horizon(self) -> int:
        """H."""
        return int(self.paths.shape[1])

    @cached_property
    def opens(self) -> np.ndarray:
        """float64 [N, H]."""
        return self.paths[..., 0].astype(np.float64)

    @cached_property
    def highs(self) -> np.ndarray:
        """float64 [N, H]."""
        return self.paths[..., 1].astype(np.float64)

    @cached_property
    def lows(self) -> np.ndarray:
        """float64 [N, H]."""
        return self.paths[..., 2].astype(np.float64)

    @cached_property
    def closes(self) -> np.ndarray:
        """float64 [N, H]."""
        return self.paths[..., 3].astype(np.float64)

    @cached_property
    def walks(self) -> np.ndarray:
        """Closes with the last known one in front, float64 [N, H + 1]."""
        return np.concatenate((np.full((self.num_paths, 1), self.last_close), self.closes), axis=1)

    def rounded(self, price: float) -> float:
        """A price as the paths would hold it."""
        return float(np.asarray(price).astype(self.paths.dtype))

    def level(self, price: float) -> float:
        """A price level to ask about, rounded as the paths are.

        Raises:
            SettingsError: it is no price, or the last close itself.
        """
        if not (np.isfinite(price) and price > 0):
            raise SettingsError(f"a level must be a price above zero; got {price}.")
        level = self.rounded(price)
        if level == self.last_close:
            raise SettingsError(
                f"the level {price:,.6g} is the last close itself, where every path begins.",
                "Choose a level above or below it.",
            )
        return level

    def step(self, step: int | None) -> int:
        """A horizon step, counted from 1; None = the last.

        Raises:
            SettingsError: there is no such step.
        """
        if step is None:
            return self.horizon
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or not 1 <= step <= self.horizon:
            raise SettingsError(f"a horizon step must be 1..{self.horizon}; got {step!r}.")
        return int(step)

    def returns(self, step: int) -> np.ndarray:
        """Simple returns [N] from the last close to the close of a step."""
        return self.closes[:, step - 1] / self.last_close - 1
