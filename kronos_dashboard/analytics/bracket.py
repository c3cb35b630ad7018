"""Outcome of a bracket order (a position at the last close with a stop and a target) over the paths.

A bar does not show the order of its high and low. If one bar touches both prices, the stop counts as first, and the
number of such paths is reported. A bar that opens beyond the stop is filled at its open (slippage); one that opens
beyond the target is filled at the target (no price improvement). A path that touches neither is closed at the last
step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.analytics.estimates import Estimate, mean, proportion
from kronos_dashboard.analytics.result import AnalyticsResult, Sentence, error_sentence
from kronos_dashboard.analytics.sampled_paths import SampledPaths
from kronos_dashboard.analytics.touch import first_touch
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.messages import msg

__all__ = ["BracketOutcome", "bracket_outcome"]


@dataclass(frozen=True, kw_only=True)
class BracketOutcome(AnalyticsResult):
    """Outcome of a bracket order; probabilities are fractions of the paths."""

    side: Literal["long", "short"]
    entry: float
    stop: float
    target: float
    horizon: int
    prob_target_first: Estimate
    prob_stop_first: Estimate
    """Includes the paths that touch both in one bar."""
    prob_neither: Estimate
    ambiguous_paths: int
    """Paths whose deciding bar touches both, so that the order is unknown."""
    profit: Estimate
    """Mean profit net of cost, as a fraction of the entry price; a loss is negative."""
    break_even: float
    """Break-even win rate: the fraction of trades closed at stop or target that must be closed at the target, cost
    included."""

    @property
    def expected_profit(self) -> float:
        """Mean profit per unit, price units."""
        return self.profit.value * self.entry

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The probabilities, the profit and its error; the ambiguous paths, if any."""
        probabilities = {
            "target": self.target,
            "stop": self.stop,
            "target_first": self.prob_target_first.value,
            "stop_first": self.prob_stop_first.value,
            "neither": self.prob_neither.value,
            "horizon": self.horizon,
        }
        profit = {"profit": self.profit.value, "price": self.expected_profit, "break_even": self.break_even}
        ambiguous = (Sentence(key="trade.both", values={"paths": self.ambiguous_paths}),) * (self.ambiguous_paths > 0)
        return (
            Sentence(key=f"trade.{self.side}", values=probabilities),
            error_sentence(self.prob_target_first, "probability"),
            Sentence(key="trade.profit", values=profit),
            error_sentence(self.profit, "fraction"),
            *ambiguous,
        )


def bracket_outcome(sampled: SampledPaths, stop: float, target: float, *, cost: float = 0.0) -> BracketOutcome:
    """Outcome of a bracket order at the last close: long if the target lies above it, short if below.

    Args:
        sampled: the paths.
        stop: stop price, on the other side of the last close than the target.
        target: target price.
        cost: of entry and exit together, as a fraction of the entry price.

    Raises:
        SettingsError: a level is not a price, both lie on one side, or the cost is negative.
    """
    stop_level, target_level = sampled.check_level(stop), sampled.check_level(target)
    if (stop_level < sampled.last_close) == (target_level < sampled.last_close):
        raise SettingsError(
            msg(
                "stop and target must be on opposite sides of the last close, {last_close:,.6g}; got "
                "{stop:,.6g} and {target:,.6g}.",
                last_close=sampled.last_close,
                stop=stop,
                target=target,
            ),
            msg("Long: stop below, target above. Short: stop above, target below."),
        )
    if not 0 <= cost < 1:
        raise SettingsError(
            msg("cost must be a fraction of the entry price, at least 0 and below 1; got {cost}.", cost=cost)
        )
    stop_steps, target_steps = first_touch(sampled, stop), first_touch(sampled, target)  # int [N], 0: never
    losses = (stop_steps > 0) & ((target_steps == 0) | (stop_steps <= target_steps))
    wins = (target_steps > 0) & ~losses
    sign = 1 if target_level > sampled.last_close else -1
    stop_fills = _stop_fill_prices(sampled, stop_steps, stop_level, sign)
    fills = np.where(wins, target_level, np.where(losses, stop_fills, sampled.closes[:, -1]))
    risk = abs(1 - stop_level / sampled.last_close) + cost
    reward = abs(target_level / sampled.last_close - 1) - cost
    return BracketOutcome(
        side="long" if sign > 0 else "short",
        entry=sampled.last_close,
        stop=stop_level,
        target=target_level,
        horizon=sampled.horizon,
        prob_target_first=proportion(wins, is_paired=sampled.is_paired),
        prob_stop_first=proportion(losses, is_paired=sampled.is_paired),
        prob_neither=proportion(~wins & ~losses, is_paired=sampled.is_paired),
        ambiguous_paths=int(np.count_nonzero(losses & (stop_steps == target_steps))),
        profit=mean(sign * (fills / sampled.last_close - 1) - cost, is_paired=sampled.is_paired),
        break_even=min(1.0, risk / (risk + reward)),
    )


def _stop_fill_prices(sampled: SampledPaths, steps: np.ndarray, stop: float, sign: int) -> np.ndarray:
    """Fill prices [N] of a stop that is touched at ``steps`` [N] (0: never, any price)."""
    opens = sampled.opens[np.arange(sampled.num_paths), np.maximum(steps, 1) - 1]
    return np.minimum(opens, stop) if sign > 0 else np.maximum(opens, stop)
