"""The results that need no input beyond the forecast: the first ones that a page or a command shows."""

from __future__ import annotations

from kronos_dashboard.analytics.direction import direction
from kronos_dashboard.analytics.price_range import excursions, expected_range
from kronos_dashboard.analytics.result import AnalyticsResult
from kronos_dashboard.analytics.risk import tail_risk
from kronos_dashboard.analytics.sampled_paths import SampledPaths
from kronos_dashboard.analytics.scenarios import find_scenarios
from kronos_dashboard.analytics.volatility import volatility
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["summarize"]


def summarize(
    sampled: SampledPaths, context: CandleFrame, *, bars_per_year: float | None = None
) -> tuple[AnalyticsResult, ...]:
    """All results for the whole horizon: direction, range, drawdown of both sides, tail risk, volatility, scenarios.

    Args:
        sampled: the paths.
        context: the candles before them; at least two.
        bars_per_year: as for ``volatility``.
    """
    return (
        direction(sampled),
        expected_range(sampled),
        excursions(sampled, "long"),
        excursions(sampled, "short"),
        tail_risk(sampled, 0.95),
        tail_risk(sampled, 0.99),
        volatility(sampled, context, bars_per_year=bars_per_year),
        find_scenarios(sampled),
    )
