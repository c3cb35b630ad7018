"""High-low range over the horizon, maximum drawdown and maximum run-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kronos_dashboard.analytics.estimates import Estimate, mean, quantile
from kronos_dashboard.analytics.result import AnalyticsResult, Sentence, error_sentence
from kronos_dashboard.analytics.sampled_paths import SampledPaths

__all__ = ["QUANTILES", "Excursions", "ExpectedRange", "excursions", "expected_range"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Levels at which distributions are reported."""


@dataclass(frozen=True, kw_only=True)
class ExpectedRange(AnalyticsResult):
    """Highest high and lowest low within the horizon; prices in price units."""

    last_close: float
    horizon: int
    mean: Estimate
    """Mean of highest high minus lowest low."""
    median: Estimate
    highest: Mapping[float, Estimate]
    """Quantiles of the highest high, by level."""
    lowest: Mapping[float, Estimate]
    """Quantiles of the lowest low, by level."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The median range and its error; medians and 5 % tails of highs and lows."""
        values = {
            "median": self.median.value,
            "mean": self.mean.value,
            "fraction": self.median.value / self.last_close,
            "horizon": self.horizon,
        }
        medians = {"high": self.highest[0.5].value, "low": self.lowest[0.5].value}
        tails = {"high": self.highest[0.95].value, "low": self.lowest[0.05].value}
        return (
            Sentence(key="range", values=values),
            error_sentence(self.median, "price"),
            Sentence(key="range.middle", values=medians),
            Sentence(key="range.far", values=tails),
        )


@dataclass(frozen=True, kw_only=True)
class Excursions(AnalyticsResult):
    """Maximum drawdown and maximum run-up of a position from the last close on, by closes.

    For a long position the drawdown is ``max (peak - close) / peak`` over earlier peaks, the run-up ``max (close -
    trough) / trough`` over earlier troughs. For a short position the two are exchanged.
    """

    side: Literal["long", "short"]
    horizon: int
    drawdown_mean: Estimate
    drawdown: Mapping[float, Estimate]
    """Quantiles of the maximum drawdown, by level; fractions."""
    run_up_mean: Estimate
    run_up: Mapping[float, Estimate]
    """Quantiles of the maximum run-up, by level; fractions."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The median drawdown and its error; its 95 % quantile; the run-up."""
        values = {"median": self.drawdown[0.5].value, "mean": self.drawdown_mean.value, "horizon": self.horizon}
        return (
            Sentence(key=f"drawdown.{self.side}", values=values),
            error_sentence(self.drawdown[0.5], "fraction"),
            Sentence(key="drawdown.far", values={"drawdown": self.drawdown[0.95].value}),
            Sentence(key="drawdown.run_up", values={"run_up": self.run_up[0.5].value}),
        )


def expected_range(sampled: SampledPaths) -> ExpectedRange:
    """The high-low range over the whole horizon."""
    highest, lowest, is_paired = sampled.highs.max(axis=1), sampled.lows.min(axis=1), sampled.is_paired
    return ExpectedRange(
        last_close=sampled.last_close,
        horizon=sampled.horizon,
        mean=mean(highest - lowest, is_paired=is_paired),
        median=quantile(highest - lowest, 0.5, is_paired=is_paired),
        highest={level: quantile(highest, level, is_paired=is_paired) for level in QUANTILES},
        lowest={level: quantile(lowest, level, is_paired=is_paired) for level in QUANTILES},
    )


def excursions(sampled: SampledPaths, side: Literal["long", "short"] = "long") -> Excursions:
    """Maximum drawdown and run-up of a position opened at the last close, by closes."""
    drawdowns = (1 - sampled.close_paths / np.maximum.accumulate(sampled.close_paths, axis=1)).max(axis=1)
    run_ups = (sampled.close_paths / np.minimum.accumulate(sampled.close_paths, axis=1) - 1).max(axis=1)
    adverse, favorable = (drawdowns, run_ups) if side == "long" else (run_ups, drawdowns)
    return Excursions(
        side=side,
        horizon=sampled.horizon,
        drawdown_mean=mean(adverse, is_paired=sampled.is_paired),
        drawdown={level: quantile(adverse, level, is_paired=sampled.is_paired) for level in QUANTILES},
        run_up_mean=mean(favorable, is_paired=sampled.is_paired),
        run_up={level: quantile(favorable, level, is_paired=sampled.is_paired) for level in QUANTILES},
    )
