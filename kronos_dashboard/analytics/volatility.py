"""How restless the paths are beside the recent past: realised and Parkinson volatility, per bar and per year.

Realised volatility is the root of the mean squared log-return from close to close (about zero: over few bars the mean
is noise). Parkinson's takes highs and lows instead, ``ln(high / low)^2 / (4 ln 2)``, and sees no gaps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kronos_dashboard.analytics.answers import Answer, Sentence, error_sentence
from kronos_dashboard.analytics.estimates import Estimate, quantile, share
from kronos_dashboard.analytics.sampled_paths import Fan
from kronos_dashboard.errors import SettingsError, WindowError
from kronos_dashboard.markets.calendars import AUTO, detect
from kronos_dashboard.markets.calendars.calendar_fit import series_of
from kronos_dashboard.markets.calendars.timezones import seconds_of
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["RECENT", "Volatility", "bars_per_year", "parkinson", "realised", "volatility"]

RECENT = 20
"""Fewest bars that count as the recent past."""
_YEAR = 365 * 86_400
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Volatility(Answer):
    """Volatilities per bar, standard deviations of log-returns; times ``yearly`` they are annual."""

    horizon: int
    recent_bars: int
    median: Estimate
    """Median over the paths of each one's realised volatility."""
    recent: float
    """Realised, of the last ``recent_bars`` returns of the context."""
    higher: Estimate
    """Fraction of the paths that are more volatile than the recent past."""
    parkinson: Estimate
    """Median over the paths of each one's Parkinson volatility."""
    recent_parkinson: float
    bars_per_year: float | None
    """None where no calendar is known."""

    @property
    def yearly(self) -> float | None:
        """What turns a volatility per bar into an annual one."""
        return None if self.bars_per_year is None else math.sqrt(self.bars_per_year)

    @property
    def ratio(self) -> float:
        """Of the paths' median to the recent one; NaN where nothing moved."""
        return self.median.value / self.recent if self.recent > 0 else math.nan

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Both volatilities; the chance of a higher one, and its error; Parkinson's."""
        factor = self.yearly or 1.0
        unit = "bar" if self.yearly is None else "year"
        pair = {"paths": factor * self.median.value, "recent": factor * self.recent, "bars": self.recent_bars}
        ranged = {"paths": factor * self.parkinson.value, "recent": factor * self.recent_parkinson}
        return (
            Sentence(key=f"volatility.{unit}", values=pair),
            Sentence(key="volatility.higher", values={"chance": self.higher.value}),
            error_sentence(self.higher, "chance"),
            Sentence(key=f"volatility.parkinson.{unit}", values=ranged),
        )


def volatility(
    fan: Fan, context: CandleFrame, *, recent: int | None = None, bars_per_year: float | None = None
) -> Volatility:
    """The paths' volatility beside that of the context's end.

    Args:
        fan: the paths.
        context: the candles before them.
        recent: how many of the last returns are the recent past; None = as many as the horizon has steps, but at least
            ``RECENT`` where there are so many.
        bars_per_year: from the function of that name; None = figures per bar alone.

    Raises:
        SettingsError: ``recent`` is out of its range, or the context has one candle.
    """
    values, most = context.frame.to_numpy(), len(context) - 1
    bars = min(most, max(RECENT, fan.horizon)) if recent is None else recent
    if not 1 <= bars <= most:
        raise SettingsError(f"the recent past must be 1..{most} bars (the context less one); got {bars}.")
    here = realised(fan.walks)
    past = float(realised(values[-bars - 1 :, 3]))
    return Volatility(
        horizon=fan.horizon,
        recent_bars=bars,
        median=quantile(here, 0.5),
        recent=past,
        higher=share(here > past),
        parkinson=quantile(parkinson(fan.highs, fan.lows), 0.5),
        recent_parkinson=float(parkinson(values[-bars:, 1], values[-bars:, 2])),
        bars_per_year=bars_per_year,
    )


def realised(closes: np.ndarray) -> np.ndarray:
    """Realised volatility per bar [...] of closes [..., n + 1]."""
    return np.sqrt((np.diff(np.log(closes), axis=-1) ** 2).mean(axis=-1))


def parkinson(highs: np.ndarray, lows: np.ndarray) -> np.ndarray:
    """Parkinson volatility per bar [...] of highs and lows [..., n]."""
    return np.sqrt((np.log(highs / lows) ** 2).mean(axis=-1) / (4 * math.log(2)))


def bars_per_year(candles: CandleFrame, calendar: str = AUTO) -> float | None:
    """How many bars the calendar of a series has in a year; None where no regular bar times can be found.

    Counted over the year up to the last candle, on the calendar that the candles follow. Finding it takes up to a
    second, and is the surer the more candles there are: give the whole series, not one window.
    """
    try:
        found = detect(candles, calendar)
    except WindowError:
        return None
    stamps = seconds_of(candles.index)
    last, margin = int(stamps[-1]), series_of(candles, stamps).margin
    count = len(found.fit.stamps(last - _YEAR, last, margin))
    return float(count) or None
