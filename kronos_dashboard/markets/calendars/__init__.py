"""Trading calendars: around the clock, the currency week, the sessions of an exchange, or learned sessions.

``detect_calendar`` finds the calendar that fits the timestamps of a series, ``future_times`` gives the next bar times,
and ``expected_times`` the bar times that the series should have.
"""

from kronos_dashboard.markets.calendars.detection import (
    AUTO,
    Detection,
    calendar_options,
    detect_calendar,
    preload_calendars,
)
from kronos_dashboard.markets.calendars.future import expected_times, future_times
from kronos_dashboard.markets.calendars.learned_sessions import SessionTemplate, learn_sessions

__all__ = [
    "AUTO",
    "Detection",
    "SessionTemplate",
    "calendar_options",
    "detect_calendar",
    "expected_times",
    "future_times",
    "learn_sessions",
    "preload_calendars",
]
