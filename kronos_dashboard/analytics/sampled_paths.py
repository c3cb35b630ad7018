"""Sampled paths together with the price they start from: the input of all analytics.

Shapes: N paths, H steps; steps are counted from 1, the first bar after the cutoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.errors import InvalidForecastError, SettingsError
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg

__all__ = ["SampledPaths"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SampledPaths:
    """Sampled paths and the close before them.

    Raises:
        InvalidForecastError: the paths have another shape, or hold values that are no prices.
    """

    paths: np.ndarray
    """[N, H, 6] in price units."""
    last_close: float
    """The context's last close, in the precision of the paths, so that an unchanged price equals it."""
    is_paired: bool = False
    """Whether every second path is the mirror image of the one before it (antithetic pairs)."""

    def __post_init__(self) -> None:
        """Check, and round the last close."""
        if self.paths.ndim != 3 or self.paths.shape[2] != len(COLUMNS) or 0 in self.paths.shape:
            raise InvalidForecastError(
                msg(
                    "paths must have the shape [N, H, {count}]; got {shape}.",
                    count=len(COLUMNS),
                    shape=list(self.paths.shape),
                )
            )
        object.__setattr__(self, "last_close", self.round_price(self.last_close))
        prices = self.paths[..., :4]
        if not (np.isfinite(prices).all() and prices.min() > 0 and self.last_close > 0):
            raise InvalidForecastError(msg("paths and the last close must be finite prices above zero."))

    @classmethod
    def from_forecast(cls, forecast: Forecast, context: CandleFrame) -> Self:
        """The paths of a forecast after its context."""
        last_close = float(context.frame["close"].iloc[-1])
        return cls(paths=forecast.paths, last_close=last_close, is_paired=forecast.is_mirrored)

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
    def close_paths(self) -> np.ndarray:
        """Closes with the context's last close in front, float64 [N, H + 1]."""
        return np.concatenate((np.full((self.num_paths, 1), self.last_close), self.closes), axis=1)

    def round_price(self, price: float) -> float:
        """A price in the precision of the paths."""
        return float(np.asarray(price).astype(self.paths.dtype))

    def check_level(self, price: float) -> float:
        """A price level, in the precision of the paths.

        Raises:
            SettingsError: it is not a price, or equals the last close.
        """
        if not (np.isfinite(price) and price > 0):
            raise SettingsError(msg("a level must be a price above zero; got {price}.", price=price))
        level = self.round_price(price)
        if level == self.last_close:
            raise SettingsError(
                msg("the level {price:,.6g} equals the last close, where every path starts.", price=price),
                msg("Choose a level above or below it."),
            )
        return level

    def check_step(self, step: int | None) -> int:
        """A step, counted from 1; None = the last.

        Raises:
            SettingsError: there is no such step.
        """
        if step is None:
            return self.horizon
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or not 1 <= step <= self.horizon:
            raise SettingsError(msg("a step must be 1..{horizon}; got {step}.", horizon=self.horizon, step=repr(step)))
        return int(step)

    def returns(self, step: int) -> np.ndarray:
        """Simple returns [N] from the last close to the close of a step."""
        return self.closes[:, step - 1] / self.last_close - 1
