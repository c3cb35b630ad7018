"""Data quality checks of candles, and fixes with a note on what they changed.

``run_checks`` returns findings, each with suitable fixes; ``apply_fixes`` applies fixes by name. Nothing is changed
without a request.
"""

from kronos_dashboard.markets.doctor.checks import apply_fixes, run_checks
from kronos_dashboard.markets.doctor.findings import Finding, Fix, FixResult
from kronos_dashboard.markets.doctor.fixes import FIX_TITLES, get_fix

__all__ = ["FIX_TITLES", "Finding", "Fix", "FixResult", "apply_fixes", "get_fix", "run_checks"]
