"""Forecasts of held-out windows, scored against what came and against the random walk.

Scored is the log-return of the close from the last close of the context; CRPS and absolute errors are in units of each
window's own one-bar volatility, so that windows of all markets count alike. Legend: M windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from engine.config import SamplingConfig
from engine.finetune.data.mapped_candles import CandleStore
from engine.finetune.data.split import Place
from engine.finetune.evaluation import significance as scores
from engine.predictor import KronosPredictor

__all__ = ["COVERAGES", "FIGURES", "Probe", "summary"]

COVERAGES = (0.5, 0.8, 0.95)
WALK_PATHS = 500
FIGURES = ("crps", "mae", *(f"inside_{coverage:.0%}".rstrip("%") for coverage in COVERAGES), "repaired")
"""Columns of what is measured of each window."""


@dataclass(frozen=True)
class Probe:
    """Windows to forecast; the same for every model that is asked."""

    store: CandleStore
    places: tuple[Place, ...]
    context: int
    horizon: int
    paths: int
    seed: int
    on_session_clock: bool = False
    """Read times on each series' own session clock, as most of training did."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    """How paths are drawn; how many, and from which seeds, ``paths`` and ``seed`` say."""

    @cached_property
    def truth(self) -> np.ndarray:
        """Log-returns from the last close, [M, H]."""
        return np.stack(
            [np.log(self._closes(p)[self.context :] / self._closes(p)[self.context - 1]) for p in self.places]
        )

    @cached_property
    def scale(self) -> np.ndarray:
        """One-bar volatility of each context, [M]."""
        contexts = [np.diff(np.log(self._closes(place)[: self.context])).std() for place in self.places]
        return np.maximum(np.array(contexts), 1e-9)

    @cached_property
    def walk(self) -> np.ndarray:
        """Figures of the random walk, [M, F] in the order of FIGURES; of each window the same whoever else is asked."""
        rows = []
        for number, place in enumerate(self.places):
            rng = np.random.default_rng((self.seed, place.series, place.first))
            drawn = scores.block_bootstrap(self._closes(place)[: self.context], self.horizon, WALK_PATHS, rng)
            rows.append(self._figures(number, drawn, 0.0))
        return np.array(rows)

    @property
    def groups(self) -> np.ndarray:
        """The group of each window, [M]."""
        return np.array([self.store.series[place.series].group for place in self.places])

    def part(self, chosen: np.ndarray) -> Probe:
        """The windows ``chosen`` (bool [M]) alone, with what is already known of them."""
        part = replace(self, places=tuple(self.places[number] for number in np.flatnonzero(chosen)))
        for name in ("truth", "scale", "walk"):
            part.__dict__[name] = getattr(self, name)[chosen]  # as ``cached_property`` keeps it
        return part

    def times(self) -> tuple[np.ndarray, np.ndarray]:
        """Cutoff and last bar time of each window, seconds, [M] each."""
        first = np.array([place.first for place in self.places])
        times = self.store.times
        return np.asarray(times[first + self.context - 1]), np.asarray(times[first + self.context + self.horizon - 1])

    def forecast(self, predictor: KronosPredictor, chosen: Sequence[int] | None = None) -> np.ndarray:
        """Figures of a model's forecasts of the ``chosen`` windows (all by default), [M, F] in the order of FIGURES."""
        numbers = range(len(self.places)) if chosen is None else chosen
        if not numbers:
            return np.empty((0, len(FIGURES)))
        frames = [self._frame(self.places[number]) for number in numbers]
        made = predictor.forecast_many(
            [frame.iloc[: self.context] for frame in frames],
            [frame.index[self.context :] for frame in frames],
            replace(self.sampling, num_paths=self.paths),
            seeds=[self.seed + number for number in numbers],
        )
        rows = []
        for number, frame, forecast in zip(numbers, frames, made, strict=True):
            last = frame["close"].iloc[self.context - 1]
            closes = np.maximum(forecast.paths[:, :, 3].astype(np.float64), last * 1e-6)
            rows.append(self._figures(number, np.log(closes / last), forecast.repaired))
        return np.array(rows)

    def _frame(self, place: Place):  # type: ignore[no-untyped-def]
        zone = self.store.series[place.series].zone if self.on_session_clock else None
        return self.store.frame(place.first, place.first + self.context + self.horizon, zone)

    def _closes(self, place: Place) -> np.ndarray:
        return np.asarray(self.store.values[place.first : place.first + self.context + self.horizon, 3])

    def _figures(self, number: int, paths: np.ndarray, repaired: float) -> list[float]:
        """Of log-returns ``paths`` [N, H], of whose candles a fraction had to be ``repaired``."""
        truth, scale = self.truth[number], self.scale[number]
        error = np.abs(np.median(paths, axis=0) - truth).mean()
        bands = [scores.inside(paths, truth, coverage) for coverage in COVERAGES]
        return [float(scores.crps(paths, truth).mean() / scale), float(error / scale), *bands, repaired]


def summary(probe: Probe, figures: np.ndarray) -> dict[str, float]:
    """Means over windows: skill against the walk, error against persistence, and how often bands held the truth.

    ``crps_skill`` is 1 - CRPS / CRPS of the walk: above 0 is better than the walk. ``mae_ratio`` is the median's
    absolute error over that of a price that stays where it is: below 1 is better. ``repaired`` is the fraction of
    sampled candles that were impossible (high below close, say).
    """
    still = (np.abs(probe.truth).mean(axis=1) / probe.scale).mean()
    mean = dict(zip(FIGURES, figures.mean(axis=0).tolist(), strict=True))
    bands = {name.replace("inside", "coverage"): value for name, value in mean.items() if name.startswith("inside")}
    return {
        "crps": mean["crps"],
        "crps_skill": 1 - mean["crps"] / float(probe.walk[:, 0].mean()),
        "mae_ratio": mean["mae"] / float(max(still, 1e-12)),
        **bands,
        "repaired": mean["repaired"],
    }
