"""The doctor: what is odd about candles, and one-click repairs that say what they did.

``examine`` gives findings, each with the fixes that suit it; ``treat`` applies fixes by name. Nothing is repaired
unasked.
"""

from kronos_dashboard.markets.doctor.examination import examine, treat
from kronos_dashboard.markets.doctor.findings import Finding, Fix, Fixed
from kronos_dashboard.markets.doctor.fixes import FIX_TITLES, fix

__all__ = ["FIX_TITLES", "Finding", "Fix", "Fixed", "examine", "fix", "treat"]
