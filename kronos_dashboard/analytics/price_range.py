"""How far up and down: the range of the horizon, and the worst fall and best rise on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.analytics.answers import Answer, Sentence, error_sentence
from kronos_dashboard.analytics.estimates import Estimate, mean, quantile
from kronos_dashboard.analytics.sampled_paths import Fan

__all__ = ["QUANTILES", "Excursions", "ExpectedRange", "excursions", "expected_range"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Levels at which distributions are told."""


@dataclass(frozen=True, kw_only=True)
class ExpectedRange(Answer):
    """Highest high and lowest low within the horizon; prices in price units."""

    last_close: float
    horizon: int
    mean: Estimate
    """Mean of highest high less lowest low."""
    median: Estimate
    highest: Mapping[float, Estimate]
    """Quantiles of the highest high, by level."""
    lowest: Mapping[float, Estimate]
    """Quantiles of the lowest low, by level."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The median range and its error; where half of the highs and lows lie."""
        values = {
            "median": self.median.value,
            "mean": self.mean.value,
            "fraction": self.median.value / self.last_close,
            "horizon": self.horizon,
        }
        edges = {"high": self.highest[0.5].value, "low": self.lowest[0.5].value}
        far = {"high": self.highest[0.95].value, "low": self.lowest[0.05].value}
        return (
            Sentence(key="range", values=values),
            error_sentence(self.median, "price"),
            Sentence(key="range.middle", values=edges),
            Sentence(key="range.far", values=far),
        )


@dataclass(frozen=True, kw_only=True)
class Excursions(Answer):
    """The worst loss from a peak and the best gain from a trough, along closes from the last known one on.

    For a long position the drawdown is the largest fall from an earlier high close, as a fraction of it, and the run-up
    the largest rise from an earlier low close, as a fraction of that. For a short one the two change places.
    """

    side: Literal["long", "short"]
    horizon: int
    drawdown_mean: Estimate
    drawdown: Mapping[float, Estimate]
    """Quantiles of the maximum drawdown by level, fractions."""
    run_up_mean: Estimate
    run_up: Mapping[float, Estimate]
    """Quantiles of the maximum run-up by level, fractions."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The median drawdown and its error; the bad one in twenty; the run-up."""
        values = {"median": self.drawdown[0.5].value, "mean": self.drawdown_mean.value, "horizon": self.horizon}
        return (
            Sentence(key=f"drawdown.{self.side}", values=values),
            error_sentence(self.drawdown[0.5], "fraction"),
            Sentence(key="drawdown.far", values={"drawdown": self.drawdown[0.95].value}),
            Sentence(key="drawdown.run_up", values={"run_up": self.run_up[0.5].value}),
        )


def expected_range(fan: Fan) -> ExpectedRange:
    """The range of the whole horizon, by highs and lows."""
    highest, lowest = fan.highs.max(axis=1), fan.lows.min(axis=1)
    return ExpectedRange(
        last_close=fan.last_close,
        horizon=fan.horizon,
        mean=mean(highest - lowest),
        median=quantile(highest - lowest, 0.5),
        highest={level: quantile(highest, level) for level in QUANTILES},
        lowest={level: quantile(lowest, level) for level in QUANTILES},
    )


def excursions(fan: Fan, side: Literal["long", "short"] = "long") -> Excursions:
    """Maximum drawdown and run-up of a position taken at the last close, along closes."""
    falls = (1 - fan.walks / np.maximum.accumulate(fan.walks, axis=1)).max(axis=1)
    rises = (fan.walks / np.minimum.accumulate(fan.walks, axis=1) - 1).max(axis=1)
    against, along = (falls, rises) if side == "long" else (rises, falls)
    return Excursions(
        side=side,
        horizon=fan.horizon,
        drawdown_mean=mean(against),
        drawdown={level: quantile(against, level) for level in QUANTILES},
        run_up_mean=mean(along),
        run_up={level: quantile(along, level) for level in QUANTILES},
    )
