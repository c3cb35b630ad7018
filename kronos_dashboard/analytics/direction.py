"""Probability that the price closes higher than it is now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kronos_dashboard.analytics.estimates import Estimate, exact, proportion, wilson
from kronos_dashboard.analytics.result import AnalyticsResult, Sentence, error_sentence
from kronos_dashboard.analytics.sampled_paths import SampledPaths

__all__ = ["Direction", "direction", "prob_up_by_step"]


@dataclass(frozen=True, kw_only=True)
class Direction(AnalyticsResult):
    """Probability that the close of a step lies above the last close."""

    step: int
    last_close: float
    prob_up: Estimate
    """Above the last close."""
    prob_unchanged: float
    """Fraction of paths that close exactly at it: neither up nor down."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The probability and its error; the unchanged paths, if any."""
        main = Sentence(
            key="up", values={"probability": self.prob_up.value, "step": self.step, "last_close": self.last_close}
        )
        unchanged = (Sentence(key="up.flat", values={"share": self.prob_unchanged}),) * (self.prob_unchanged > 0)
        return main, error_sentence(self.prob_up, "probability"), *unchanged


def direction(sampled: SampledPaths, step: int | None = None) -> Direction:
    """Probability that the close of ``step`` (the last by default) lies above the last close.

    Of antithetic pairs it is one half, less half of the paths that close unchanged, and has no sampling error.

    Raises:
        SettingsError: there is no such step.
    """
    chosen = sampled.check_step(step)
    ends = sampled.closes[:, chosen - 1]
    prob_unchanged = float((ends == sampled.last_close).mean())
    prob_up = (
        exact((1 - prob_unchanged) / 2, sampled.num_paths)
        if sampled.is_paired
        else proportion(ends > sampled.last_close)
    )
    return Direction(
        step=chosen,
        last_close=sampled.last_close,
        prob_up=prob_up,
        prob_unchanged=prob_unchanged,
    )


def prob_up_by_step(sampled: SampledPaths) -> np.ndarray:
    """Probability of each step to close above the last close, and the bounds of its interval, [3, H]."""
    if sampled.is_paired:
        prob_up = (1 - (sampled.closes == sampled.last_close).mean(axis=0)) / 2
        return np.stack((prob_up, prob_up, prob_up))
    fraction = (sampled.closes > sampled.last_close).mean(axis=0)
    return np.stack((fraction, *wilson(fraction, sampled.num_paths)))
