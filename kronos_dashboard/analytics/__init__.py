"""What the sampled paths answer, in words a trader uses; every answer with its number of paths and sampling error.

Make a ``Fan`` of a forecast and ask it::

    fan = Fan.of(forecast, window.context)
    touch(fan, 105.0).describe()
    stop_before_target(fan, stop=97.0, target=106.0).profit.value

An answer holds numbers; ``describe`` says them in English, and in any language that has a catalogue with the keys of
``texts.ENGLISH``.
"""

from kronos_dashboard.analytics.answers import Answer, Sentence
from kronos_dashboard.analytics.bracket import StopTarget, stop_before_target
from kronos_dashboard.analytics.direction import (
    ChanceUp,
    TimeToHit,
    Touch,
    chance_up,
    first_touch,
    time_to_hit,
    touch,
    up_curve,
)
from kronos_dashboard.analytics.estimates import CONFIDENCE, Estimate
from kronos_dashboard.analytics.price_range import Excursions, ExpectedRange, excursions, expected_range
from kronos_dashboard.analytics.risk import TailRisk, tail_risk
from kronos_dashboard.analytics.sampled_paths import Fan
from kronos_dashboard.analytics.scenarios import Scenario, Scenarios, scenarios
from kronos_dashboard.analytics.summary import overview
from kronos_dashboard.analytics.surprisal import RecentSurprise, recent_surprise, recent_surprises
from kronos_dashboard.analytics.texts import ENGLISH
from kronos_dashboard.analytics.volatility import Volatility, bars_per_year, volatility

__all__ = [
    "CONFIDENCE",
    "ENGLISH",
    "Answer",
    "ChanceUp",
    "Estimate",
    "Excursions",
    "ExpectedRange",
    "Fan",
    "RecentSurprise",
    "Scenario",
    "Scenarios",
    "Sentence",
    "StopTarget",
    "TailRisk",
    "TimeToHit",
    "Touch",
    "Volatility",
    "bars_per_year",
    "chance_up",
    "excursions",
    "expected_range",
    "first_touch",
    "overview",
    "recent_surprise",
    "recent_surprises",
    "scenarios",
    "stop_before_target",
    "tail_risk",
    "time_to_hit",
    "touch",
    "up_curve",
    "volatility",
]
