"""What the sampled paths say: probabilities, ranges, risk, volatility, scenarios; each with its sampling error.

Make ``SampledPaths`` of a forecast and pass them to a function::

    sampled = SampledPaths.from_forecast(forecast, window.context)
    touch(sampled, 105.0).describe()
    bracket_outcome(sampled, stop=97.0, target=106.0).profit.value

A result holds numbers; ``describe`` puts them into sentences, which ``messages.translate`` puts into other languages.
"""

from kronos_dashboard.analytics.bracket import BracketOutcome, bracket_outcome
from kronos_dashboard.analytics.direction import Direction, direction, prob_up_by_step
from kronos_dashboard.analytics.estimates import CONFIDENCE, Estimate
from kronos_dashboard.analytics.price_range import Excursions, ExpectedRange, excursions, expected_range
from kronos_dashboard.analytics.result import AnalyticsResult, Sentence
from kronos_dashboard.analytics.risk import TailRisk, tail_risk
from kronos_dashboard.analytics.sampled_paths import SampledPaths
from kronos_dashboard.analytics.scenarios import Scenario, Scenarios, find_scenarios
from kronos_dashboard.analytics.summary import summarize
from kronos_dashboard.analytics.surprisal import RecentSurprisal, recent_surprisal, recent_surprisal_many
from kronos_dashboard.analytics.touch import TimeToHit, Touch, first_touch, time_to_hit, touch
from kronos_dashboard.analytics.volatility import Volatility, bars_per_year, volatility

__all__ = [
    "CONFIDENCE",
    "AnalyticsResult",
    "BracketOutcome",
    "Direction",
    "Estimate",
    "Excursions",
    "ExpectedRange",
    "RecentSurprisal",
    "SampledPaths",
    "Scenario",
    "Scenarios",
    "Sentence",
    "TailRisk",
    "TimeToHit",
    "Touch",
    "Volatility",
    "bars_per_year",
    "bracket_outcome",
    "direction",
    "excursions",
    "expected_range",
    "find_scenarios",
    "first_touch",
    "prob_up_by_step",
    "recent_surprisal",
    "recent_surprisal_many",
    "summarize",
    "tail_risk",
    "time_to_hit",
    "touch",
    "volatility",
]
