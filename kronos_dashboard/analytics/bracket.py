"""A trade at the last close with a stop and a target: which comes first, and what is it worth on average?

Bars show how far the price went, not in which order. Where one bar touches both, the stop counts as first, and it is
told how often that was. A bar that opens beyond the stop is filled at its open, which is worse; one that opens beyond
the target at the target, which is no better. A path that touches neither is closed at the last step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.analytics.answers import Answer, Sentence, error_sentence
from kronos_dashboard.analytics.direction import first_touch
from kronos_dashboard.analytics.estimates import Estimate, mean, share
from kronos_dashboard.analytics.sampled_paths import Fan
from kronos_dashboard.errors import SettingsError

__all__ = ["StopTarget", "stop_before_target"]


@dataclass(frozen=True, kw_only=True)
class StopTarget(Answer):
    """What becomes of a trade."""

    side: Literal["long", "short"]
    entry: float
    stop: float
    target: float
    horizon: int
    target_first: Estimate
    stop_first: Estimate
    """Includes the paths that touch both in one bar."""
    neither: Estimate
    both_in_one_bar: int
    """Paths whose deciding bar touches both, so that the order is not known."""
    profit: Estimate
    """Mean profit as a fraction of the entry price, cost taken off; a loss is negative."""
    break_even: float
    """Fraction of the trades that end at stop or target which must end at the target for no loss, cost included."""

    @property
    def expected_profit(self) -> float:
        """Mean profit per unit, price units."""
        return self.profit.value * self.entry

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The chances, the profit and its error; how many paths are not clear."""
        chances = {
            "target": self.target,
            "stop": self.stop,
            "target_first": self.target_first.value,
            "stop_first": self.stop_first.value,
            "neither": self.neither.value,
            "horizon": self.horizon,
        }
        profit = {"profit": self.profit.value, "price": self.expected_profit, "break_even": self.break_even}
        both = (Sentence(key="trade.both", values={"paths": self.both_in_one_bar}),) * (self.both_in_one_bar > 0)
        return (
            Sentence(key=f"trade.{self.side}", values=chances),
            error_sentence(self.target_first, "chance"),
            Sentence(key="trade.profit", values=profit),
            error_sentence(self.profit, "fraction"),
            *both,
        )


def stop_before_target(fan: Fan, stop: float, target: float, *, cost: float = 0.0) -> StopTarget:
    """A trade at the last close: long when the target lies above it, short when below.

    Args:
        fan: the paths.
        stop: price at which the loss is taken, on the other side of the last close than the target.
        target: price at which the profit is taken.
        cost: of entry and exit together, a fraction of the entry price.

    Raises:
        SettingsError: a price is none, both lie on one side, or the cost is negative.
    """
    low, high = fan.level(stop), fan.level(target)
    if (low < fan.last_close) == (high < fan.last_close):
        raise SettingsError(
            f"stop and target must lie on either side of the last close, {fan.last_close:,.6g}; got {stop:,.6g} and "
            f"{target:,.6g}.",
            "For a long trade the stop lies below and the target above; for a short one the other way round.",
        )
    if not 0 <= cost < 1:
        raise SettingsError(f"cost must be a fraction of the entry price, 0 to below 1; got {cost}.")
    stopped, reached = first_touch(fan, stop), first_touch(fan, target)
    loses = (stopped > 0) & ((reached == 0) | (stopped <= reached))
    wins = (reached > 0) & ~loses
    sign = 1 if high > fan.last_close else -1
    fills = np.where(wins, high, np.where(loses, _stop_fills(fan, stopped, low, sign), fan.closes[:, -1]))
    risk, reward = abs(1 - low / fan.last_close) + cost, abs(high / fan.last_close - 1) - cost
    return StopTarget(
        side="long" if sign > 0 else "short",
        entry=fan.last_close,
        stop=low,
        target=high,
        horizon=fan.horizon,
        target_first=share(wins),
        stop_first=share(loses),
        neither=share(~wins & ~loses),
        both_in_one_bar=int(np.count_nonzero(loses & (stopped == reached))),
        profit=mean(sign * (fills / fan.last_close - 1) - cost),
        break_even=min(1.0, risk / (risk + reward)),
    )


def _stop_fills(fan: Fan, stopped: np.ndarray, stop: float, sign: int) -> np.ndarray:
    """Prices [N] at which a stop is filled, given the step at which it is touched (0: no matter)."""
    opens = fan.opens[np.arange(fan.num_paths), np.maximum(stopped, 1) - 1]
    return np.minimum(opens, stop) if sign > 0 else np.maximum(opens, stop)
