"""The answers that need no level: what a page or a command shows before anything is asked."""

from __future__ import annotations

from kronos_dashboard.analytics.answers import Answer
from kronos_dashboard.analytics.direction import chance_up
from kronos_dashboard.analytics.price_range import excursions, expected_range
from kronos_dashboard.analytics.risk import tail_risk
from kronos_dashboard.analytics.sampled_paths import Fan
from kronos_dashboard.analytics.scenarios import scenarios
from kronos_dashboard.analytics.volatility import volatility
from kronos_dashboard.markets.candles import CandleFrame

__all__ = ["overview"]


def overview(fan: Fan, context: CandleFrame, *, bars_per_year: float | None = None) -> tuple[Answer, ...]:
    """Direction, range, drawdown long and short, tail risk, volatility and scenarios of the whole horizon.

    Args:
        fan: the paths.
        context: the candles before them, at least two.
        bars_per_year: as for ``volatility``.
    """
    return (
        chance_up(fan),
        expected_range(fan),
        excursions(fan, "long"),
        excursions(fan, "short"),
        tail_risk(fan, 0.95),
        tail_risk(fan, 0.99),
        volatility(fan, context, bars_per_year=bars_per_year),
        scenarios(fan),
    )
