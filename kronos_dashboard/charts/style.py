"""Style of a chart: colors, labels, and which parts of a forecast are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.forecast import Forecast
from kronos_dashboard.charts.labels import ENGLISH, ChartLabels
from kronos_dashboard.charts.palettes import LIGHT, Palette
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.messages import msg

__all__ = ["MAX_VISIBLE_PATHS", "ChartStyle", "Cone", "PriceLevel"]

MAX_VISIBLE_PATHS = 200
"""More thin lines merge into one grey area, and each adds about 1 kB per 100 steps to the figure."""


@dataclass(frozen=True, kw_only=True)
class ChartStyle:
    """Choices of the reader; none of them changes a number.

    Raises:
        SettingsError: a value is out of its range.
    """

    palette: Palette = LIGHT
    labels: ChartLabels = ENGLISH
    coverages: tuple[float, ...] = (0.5, 0.8, 0.95)
    """Of the bands: fraction of the paths inside each."""
    visible_paths: int = 0
    """Number of sampled paths that are drawn as thin lines; 0 draws none."""
    show_medoid_path: bool = True
    """Whether the medoid path is drawn as candles."""
    actuals_as_candles: bool = False
    """Whether actuals are drawn as candles instead of a line through their closes."""
    hollow_candles: bool = False
    """Whether the bodies of rising candles are empty."""
    log_scale: bool = False
    """Whether the price axis is logarithmic."""
    height: int = 560
    """Pixels."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.coverages or not all(0 < coverage < 1 for coverage in self.coverages):
            raise SettingsError(
                msg(
                    "coverages must be fractions between 0 and 1, at least one of them; got {coverages}.",
                    coverages=self.coverages,
                )
            )
        if not 0 <= self.visible_paths <= MAX_VISIBLE_PATHS:
            raise SettingsError(
                msg(
                    "the number of paths shown must be 0 to {limit}; got {paths}.",
                    limit=MAX_VISIBLE_PATHS,
                    paths=self.visible_paths,
                )
            )
        if not 200 <= self.height <= 2_000:
            raise SettingsError(msg("the chart height must be 200 to 2,000 pixels; got {height}.", height=self.height))

    @property
    def descending_coverages(self) -> tuple[float, ...]:
        """The coverages in drawing order: narrow bands lie over wide ones."""
        return tuple(sorted(set(self.coverages), reverse=True))


@dataclass(frozen=True, eq=False, kw_only=True)
class Cone:
    """Prediction intervals of a baseline."""

    name: str
    bands: Mapping[float, np.ndarray]
    """Coverage -> lower and upper edge [2, H]."""

    @classmethod
    def from_forecast(cls, forecast: Forecast, name: str, coverages: Sequence[float] = (0.95,)) -> Cone:
        """The cone of a baseline that consists of sampled paths."""
        return cls(name=name, bands={coverage: forecast.band(coverage) for coverage in coverages})


@dataclass(frozen=True, kw_only=True)
class PriceLevel:
    """A horizontal line at a price, such as a stop, a target or a support."""

    price: float
    label: str = ""
    highlighted: bool = False
    """Whether the line has the highlight color."""
