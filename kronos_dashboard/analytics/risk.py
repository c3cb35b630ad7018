"""Value at risk and expected shortfall of the return up to a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.analytics.estimates import Estimate, normal_estimate, quantile
from kronos_dashboard.analytics.result import AnalyticsResult, Sentence, error_sentence
from kronos_dashboard.analytics.sampled_paths import SampledPaths
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.messages import msg

__all__ = ["MIN_TAIL_PATHS", "TailRisk", "tail_risk"]

MIN_TAIL_PATHS = 10
"""Tail paths below which both numbers are reported as unreliable: the standard error of their number is then above 30 %
of it."""


@dataclass(frozen=True, kw_only=True)
class TailRisk(AnalyticsResult):
    """Losses as fractions of the last close; a gain is negative."""

    side: Literal["long", "short"]
    level: float
    """Confidence level, such as 0.95 or 0.99."""
    step: int
    var: Estimate
    """Value at risk: the loss that is not exceeded with probability ``level``."""
    expected_shortfall: Estimate
    """Expected shortfall: the mean of the losses at or beyond ``var``."""
    num_tail_paths: int
    """Paths at or beyond ``var``."""

    @property
    def is_unreliable(self) -> bool:
        """Whether fewer than ``MIN_TAIL_PATHS`` paths lie beyond it."""
        return self.num_tail_paths < MIN_TAIL_PATHS

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Both numbers with their errors; a warning if the paths are too few."""
        var = {"var": self.var.value, "level": self.level, "step": self.step}
        warning = (
            Sentence(key="tail.few", values={"beyond": self.num_tail_paths, "minimum": MIN_TAIL_PATHS}),
        ) * self.is_unreliable
        return (
            Sentence(key=f"tail.{self.side}", values=var),
            error_sentence(self.var, "fraction"),
            Sentence(key="tail.shortfall", values={"shortfall": self.expected_shortfall.value}),
            error_sentence(self.expected_shortfall, "fraction"),
            *warning,
        )


def tail_risk(
    sampled: SampledPaths, level: float = 0.95, step: int | None = None, side: Literal["long", "short"] = "long"
) -> TailRisk:
    """Value at risk and expected shortfall of a position from the last close to the close of ``step``.

    Args:
        sampled: the paths.
        level: confidence level, above 0.5 and below 1.
        step: counted from 1; None = the last.
        side: side of the position.

    Raises:
        SettingsError: there is no such step, or the level is out of its range.
    """
    if not 0.5 < level < 1:
        raise SettingsError(
            msg(
                "the confidence level of value at risk must be above 0.5 and below 1, such as 0.95; got {level}.",
                level=level,
            )
        )
    chosen = sampled.check_step(step)
    losses = -sampled.returns(chosen) if side == "long" else sampled.returns(chosen)
    var = quantile(losses, level, is_paired=sampled.is_paired)
    tail = losses[losses >= var.value]
    return TailRisk(
        side=side,
        level=level,
        step=chosen,
        var=var,
        expected_shortfall=_expected_shortfall(tail, var.value, level, len(losses)),
        num_tail_paths=len(tail),
    )


def _expected_shortfall(tail: np.ndarray, var: float, level: float, number: int) -> Estimate:
    """The mean of the losses in the tail, with its asymptotic error (Manistre and Hancock 2005).

    The variance of the estimate is ``(Var(tail) + level * (shortfall - var)^2) / (N * (1 - level))``. A variance needs
    two losses.
    """
    value = float(tail.mean())
    if len(tail) < 2:
        return normal_estimate(value, float("inf"), number)
    variance = float(tail.var(ddof=1)) + level * (value - var) ** 2
    return normal_estimate(value, float(np.sqrt(variance / (number * (1 - level)))), number)
