"""When the next bars open: around the clock, in the currency week, in an exchange's sessions, or as the file shows.

``detect`` finds the calendar that fits a series' own stamps, ``future_times`` gives the bar times to come, and
``expected_times`` those that the series should have had.
"""

from kronos_dashboard.markets.calendars.detection import AUTO, Detection, choices, detect, prepare
from kronos_dashboard.markets.calendars.future import expected_times, future_times
from kronos_dashboard.markets.calendars.learned_sessions import SessionTemplate, learn

__all__ = [
    "AUTO",
    "Detection",
    "SessionTemplate",
    "choices",
    "detect",
    "expected_times",
    "future_times",
    "learn",
    "prepare",
]
