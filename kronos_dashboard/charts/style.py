"""How a chart is drawn: colours, words, and which parts of a forecast are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.forecast import Forecast
from kronos_dashboard.charts.labels import ENGLISH, Words
from kronos_dashboard.charts.palettes import LIGHT, Palette
from kronos_dashboard.errors import SettingsError

__all__ = ["MOST_PATHS", "Cone", "Level", "Look"]

MOST_PATHS = 200
"""More faint lines than this are one grey mass, and a heavy one."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Choices of the reader; none of them changes a number.

    Raises:
        SettingsError: a choice is out of its range.
    """

    palette: Palette = LIGHT
    words: Words = ENGLISH
    coverages: tuple[float, ...] = (0.5, 0.8, 0.95)
    """Shares of the paths that the bands hold, as fractions."""
    paths: int = 0
    """How many sample paths are drawn faintly; 0 draws none."""
    candles: bool = True
    """Whether the representative path is drawn as candles."""
    truth_as_candles: bool = False
    """Whether what came is drawn as candles rather than as a line through the closes."""
    hollow: bool = False
    """Whether rising candles are hollow."""
    log: bool = False
    """Whether prices stand on a logarithmic axis."""
    height: int = 560
    """Pixels."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.coverages or not all(0 < coverage < 1 for coverage in self.coverages):
            raise SettingsError(f"coverages are fractions between 0 and 1, at least one; got {self.coverages}.")
        if not 0 <= self.paths <= MOST_PATHS:
            raise SettingsError(f"0 to {MOST_PATHS} paths can be drawn; got {self.paths}.")
        if not 200 <= self.height <= 2_000:
            raise SettingsError(f"a chart is 200 to 2,000 pixels high; got {self.height}.")

    @property
    def widest_first(self) -> tuple[float, ...]:
        """The coverages in the order in which they are painted over each other."""
        return tuple(sorted(set(self.coverages), reverse=True))


@dataclass(frozen=True, eq=False, kw_only=True)
class Cone:
    """A baseline as a chart needs it: a name, and one prediction interval [2, H] per coverage."""

    name: str
    bands: Mapping[float, np.ndarray]

    @classmethod
    def of(cls, forecast: Forecast, name: str, coverages: Sequence[float] = (0.95,)) -> Cone:
        """The cone of a baseline that comes as paths."""
        return cls(name=name, bands={coverage: forecast.band(coverage) for coverage in coverages})


@dataclass(frozen=True, kw_only=True)
class Level:
    """A price to look at: a stop, a target, a support."""

    price: float
    label: str = ""
    alert: bool = False
    """Whether it stands out."""
