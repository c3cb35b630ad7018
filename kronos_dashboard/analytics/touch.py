"""Probability and time of touching a price level. Touches count highs and lows, not closes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.analytics.estimates import Estimate, effective_size, proportion, quantile, wilson
from kronos_dashboard.analytics.result import AnalyticsResult, Sentence, error_sentence
from kronos_dashboard.analytics.sampled_paths import SampledPaths

__all__ = ["TimeToHit", "Touch", "first_touch", "time_to_hit", "touch"]

Side = Literal["above", "below"]


@dataclass(frozen=True, kw_only=True)
class Touch(AnalyticsResult):
    """Probability that a level is touched within the horizon."""

    level: float
    side: Side
    """Position of the level relative to the last close."""
    horizon: int
    prob_touch: Estimate
    """By the high or the low of any bar."""
    prob_close_beyond: Estimate
    """At or beyond the level at the last close; never above ``prob_touch``."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The probability and its error; the probability to close beyond."""
        values = {"probability": self.prob_touch.value, "level": self.level, "horizon": self.horizon}
        beyond = Sentence(key="touch.close", values={"probability": self.prob_close_beyond.value})
        return Sentence(key=f"touch.{self.side}", values=values), error_sentence(self.prob_touch, "probability"), beyond


@dataclass(frozen=True, eq=False, kw_only=True)
class TimeToHit(AnalyticsResult):
    """First hitting time of a level."""

    level: float
    side: Side
    prob_first_hit: np.ndarray
    """[H]: fraction of paths that touch the level for the first time at each step."""
    prob_hit_by_step: np.ndarray
    """[3, H]: fraction of paths that have touched it by each step, and the bounds of its interval."""
    prob_not_hit: Estimate
    """Not within the horizon."""
    median: Estimate | None
    """Median hitting time in bars, over the paths that touch the level; None if no path does."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The time and its error; the paths that never touch."""
        horizon = len(self.prob_first_hit)
        not_hit = {"level": self.level, "horizon": horizon, "share": self.prob_not_hit.value}
        if self.median is None:
            return Sentence(key="hit.none", values=not_hit), error_sentence(self.prob_not_hit.complement, "probability")
        values = {"level": self.level, "bars": self.median.value, "hits": self.median.num_paths}
        return (
            Sentence(key="hit", values=values),
            error_sentence(self.median, "bars"),
            Sentence(key="hit.never", values=not_hit),
        )


def touch(sampled: SampledPaths, level: float) -> Touch:
    """Probability that a high or low reaches ``level`` within the horizon.

    Raises:
        SettingsError: ``level`` is not a price, or equals the last close.
    """
    price = sampled.check_level(level)
    side: Side = "above" if price > sampled.last_close else "below"
    ends = sampled.closes[:, -1]
    return Touch(
        level=price,
        side=side,
        horizon=sampled.horizon,
        prob_touch=proportion(first_touch(sampled, level) > 0, is_paired=sampled.is_paired),
        prob_close_beyond=proportion(ends >= price if side == "above" else ends <= price, is_paired=sampled.is_paired),
    )


def time_to_hit(sampled: SampledPaths, level: float) -> TimeToHit:
    """When ``level`` is touched for the first time.

    Raises:
        SettingsError: ``level`` is not a price, or equals the last close.
    """
    steps = first_touch(sampled, level)  # int [N], 0: never
    price, hits = sampled.check_level(level), steps[steps > 0]
    count = np.bincount(steps, minlength=sampled.horizon + 1)[1:]  # [H]
    is_hit = (steps[:, None] > 0) & (steps[:, None] <= np.arange(1, sampled.horizon + 1))  # [N, H]
    fraction = is_hit.mean(axis=0)
    return TimeToHit(
        level=price,
        side="above" if price > sampled.last_close else "below",
        prob_first_hit=count / sampled.num_paths,
        prob_hit_by_step=np.stack((fraction, *wilson(fraction, effective_size(is_hit, is_paired=sampled.is_paired)))),
        prob_not_hit=proportion(steps == 0, is_paired=sampled.is_paired),
        median=quantile(hits, 0.5, discrete=True) if len(hits) else None,
    )


def first_touch(sampled: SampledPaths, level: float) -> np.ndarray:
    """The step, int [N], at which each path first touches ``level``; 0 if it never does.

    Raises:
        SettingsError: ``level`` is not a price, or equals the last close.
    """
    price = sampled.check_level(level)
    touches = sampled.highs >= price if price > sampled.last_close else sampled.lows <= price  # [N, H]
    return np.where(touches.any(axis=1), touches.argmax(axis=1) + 1, 0)
