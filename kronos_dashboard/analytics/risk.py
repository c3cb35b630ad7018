"""Value at risk and expected shortfall of the return up to a horizon step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.analytics.answers import Answer, Sentence, error_sentence
from kronos_dashboard.analytics.estimates import Estimate, of_error, quantile
from kronos_dashboard.analytics.sampled_paths import Fan
from kronos_dashboard.errors import SettingsError

__all__ = ["FEW_BEYOND", "TailRisk", "tail_risk"]

FEW_BEYOND = 10
"""With fewer paths than this beyond the quantile it is said that they are too few."""


@dataclass(frozen=True, kw_only=True)
class TailRisk(Answer):
    """Losses as fractions of the last close; a gain is negative."""

    side: Literal["long", "short"]
    level: float
    """0.95 or 0.99, say."""
    step: int
    var: Estimate
    """Value at risk: the loss that is not passed with probability ``level``."""
    shortfall: Estimate
    """Expected shortfall: the mean of the losses at and beyond ``var``."""
    beyond: int
    """Paths at or beyond ``var``."""

    @property
    def too_few(self) -> bool:
        """Whether fewer than ``FEW_BEYOND`` paths lie beyond, so that both numbers mean little."""
        return self.beyond < FEW_BEYOND

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Both numbers, each with its error; whether the paths are too few."""
        var = {"var": self.var.value, "level": self.level, "step": self.step}
        few = (Sentence(key="tail.few", values={"beyond": self.beyond, "wanted": FEW_BEYOND}),) * self.too_few
        return (
            Sentence(key=f"tail.{self.side}", values=var),
            error_sentence(self.var, "fraction"),
            Sentence(key="tail.shortfall", values={"shortfall": self.shortfall.value}),
            error_sentence(self.shortfall, "fraction"),
            *few,
        )


def tail_risk(
    fan: Fan, level: float = 0.95, step: int | None = None, side: Literal["long", "short"] = "long"
) -> TailRisk:
    """Value at risk and expected shortfall of a position from the last close to the close of ``step``.

    Args:
        fan: the paths.
        level: above 0.5 and below 1.
        step: counted from 1; None = the last.
        side: which way the position is.

    Raises:
        SettingsError: there is no such step, or the level is out of its range.
    """
    if not 0.5 < level < 1:
        raise SettingsError(f"the level of a value at risk must be above 0.5 and below 1, as 0.95 is; got {level}.")
    chosen = fan.step(step)
    losses = -fan.returns(chosen) if side == "long" else fan.returns(chosen)
    var = quantile(losses, level)
    beyond = losses[losses >= var.value]
    return TailRisk(
        side=side,
        level=level,
        step=chosen,
        var=var,
        shortfall=_shortfall(beyond, var.value, level, len(losses)),
        beyond=len(beyond),
    )


def _shortfall(beyond: np.ndarray, var: float, level: float, number: int) -> Estimate:
    """The mean of the losses beyond, with its large-sample error.

    The variance of the estimate is [Var(tail) + level (shortfall - var)^2] / (N (1 - level)); two losses beyond are the
    least that a variance can be had of.
    """
    value = float(beyond.mean())
    if len(beyond) < 2:
        return of_error(value, float("inf"), number)
    variance = float(beyond.var(ddof=1)) + level * (value - var) ** 2
    return of_error(value, float(np.sqrt(variance / (number * (1 - level)))), number)
