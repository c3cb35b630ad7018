"""Volatility of the paths and of the recent past: realized and Parkinson, per bar and per year.

Realized volatility is ``sqrt(mean r^2)`` of close-to-close log-returns r (about zero: over few bars the mean is noise).
Parkinson's (1980) uses highs and lows, ``sqrt(mean ln(high / low)^2 / (4 ln 2))``, and ignores gaps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kronos_dashboard.analytics.estimates import Estimate, proportion, quantile
from kronos_dashboard.analytics.result import AnalyticsResult, Sentence, error_sentence
from kronos_dashboard.analytics.sampled_paths import SampledPaths
from kronos_dashboard.errors import SettingsError, WindowError
from kronos_dashboard.markets.calendars import AUTO, detect_calendar
from kronos_dashboard.markets.calendars.calendar_fit import extract_timestamps
from kronos_dashboard.markets.calendars.timezones import to_seconds
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg

__all__ = ["MIN_RECENT_BARS", "Volatility", "bars_per_year", "parkinson", "realized", "volatility"]

MIN_RECENT_BARS = 20
"""Bars of the recent past at least: with fewer, its volatility is off by more than 16 % (one standard error)."""
_YEAR_S = 365 * 86_400


@dataclass(frozen=True, kw_only=True)
class Volatility(AnalyticsResult):
    """Volatilities per bar: standard deviations of log-returns. Times ``annualization_factor`` they are annual."""

    horizon: int
    recent_bars: int
    median: Estimate
    """Median over the paths of their realized volatility."""
    recent: float
    """Realized volatility of the last ``recent_bars`` returns of the context."""
    prob_higher: Estimate
    """Fraction of paths with a higher volatility than the recent past."""
    parkinson: Estimate
    """Median over the paths of their Parkinson volatility."""
    recent_parkinson: float
    bars_per_year: float | None
    """None if no calendar is known."""

    @property
    def annualization_factor(self) -> float | None:
        """Square root of the bars per year; None if they are unknown."""
        return None if self.bars_per_year is None else math.sqrt(self.bars_per_year)

    @property
    def ratio(self) -> float:
        """Median of the paths relative to the recent volatility; NaN if prices did not move."""
        return self.median.value / self.recent if self.recent > 0 else math.nan

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Both volatilities; the probability of a higher one and its error; Parkinson's."""
        factor = self.annualization_factor or 1.0
        unit = "bar" if self.annualization_factor is None else "year"
        pair = {"paths": factor * self.median.value, "recent": factor * self.recent, "bars": self.recent_bars}
        parkinson_pair = {"paths": factor * self.parkinson.value, "recent": factor * self.recent_parkinson}
        return (
            Sentence(key=f"volatility.{unit}", values=pair),
            Sentence(key="volatility.higher", values={"probability": self.prob_higher.value}),
            error_sentence(self.prob_higher, "probability"),
            Sentence(key=f"volatility.parkinson.{unit}", values=parkinson_pair),
        )


def volatility(
    sampled: SampledPaths, context: CandleFrame, *, recent: int | None = None, bars_per_year: float | None = None
) -> Volatility:
    """Volatility of the paths, and of the end of the context.

    Args:
        sampled: the paths.
        context: the candles before them.
        recent: number of last returns that count as the recent past; None = the horizon, but at least
            ``MIN_RECENT_BARS`` if the context has as many.
        bars_per_year: from the function of that name; None = volatilities per bar only.

    Raises:
        SettingsError: ``recent`` is out of its range, or the context has one candle.
    """
    values, max_bars = context.frame.to_numpy(), len(context) - 1
    bars = min(max_bars, max(MIN_RECENT_BARS, sampled.horizon)) if recent is None else recent
    if not 1 <= bars <= max_bars:
        raise SettingsError(
            msg(
                "the recent period must be 1..{most} bars (at most the context minus one); got {bars}.",
                most=max_bars,
                bars=bars,
            )
        )
    path_volatility = realized(sampled.close_paths)
    recent_volatility = float(realized(values[-bars - 1 :, 3]))
    return Volatility(
        horizon=sampled.horizon,
        recent_bars=bars,
        median=quantile(path_volatility, 0.5, is_paired=sampled.is_paired),
        recent=recent_volatility,
        prob_higher=proportion(path_volatility > recent_volatility, is_paired=sampled.is_paired),
        parkinson=quantile(parkinson(sampled.highs, sampled.lows), 0.5, is_paired=sampled.is_paired),
        recent_parkinson=float(parkinson(values[-bars:, 1], values[-bars:, 2])),
        bars_per_year=bars_per_year,
    )


def realized(closes: np.ndarray) -> np.ndarray:
    """Realized volatility per bar [...] of closes [..., n + 1]."""
    return np.sqrt((np.diff(np.log(closes), axis=-1) ** 2).mean(axis=-1))


def parkinson(highs: np.ndarray, lows: np.ndarray) -> np.ndarray:
    """Parkinson volatility per bar [...] of highs and lows [..., n]."""
    return np.sqrt((np.log(highs / lows) ** 2).mean(axis=-1) / (4 * math.log(2)))


def bars_per_year(candles: CandleFrame, calendar: str = AUTO) -> float | None:
    """Number of bars per year by the calendar of a series; None if no calendar fits it.

    Counted over the year up to the last candle. Detecting the calendar takes up to a second, and is more reliable with
    more candles: pass the whole series, not one window.
    """
    try:
        detection = detect_calendar(candles, calendar)
    except WindowError:
        return None
    stamps = to_seconds(candles.index)
    last, margin = int(stamps[-1]), extract_timestamps(candles, stamps).margin
    count = len(detection.fit.expected_timestamps(last - _YEAR_S, last, margin))
    return float(count) or None
