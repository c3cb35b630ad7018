"""简体中文: all that the interface says, by its English text. The lines stand by subject beside this file."""

from __future__ import annotations

from collections.abc import Mapping

from kronos_dashboard.ui.chinese_ask import ASK
from kronos_dashboard.ui.chinese_compare import COMPARE
from kronos_dashboard.ui.chinese_core import CORE
from kronos_dashboard.ui.chinese_data import DATA
from kronos_dashboard.ui.chinese_engine import ENGINE
from kronos_dashboard.ui.chinese_feeds import FEEDS
from kronos_dashboard.ui.chinese_files import FILES
from kronos_dashboard.ui.chinese_forecast import FORECAST
from kronos_dashboard.ui.chinese_home import HOME
from kronos_dashboard.ui.chinese_market import MARKET
from kronos_dashboard.ui.chinese_take import TAKE

__all__ = ["CHINESE", "SAID"]

CHINESE: Mapping[str, str] = {**HOME, **DATA, **FORECAST, **ASK, **COMPARE, **TAKE}
"""By the text that ``t`` is given."""
SAID: Mapping[str, str] = {**CORE, **MARKET, **FILES, **FEEDS, **ENGINE}
"""By the template of a sentence from below the interface. The names of placeholders are the translator's own; one
that is called ``n`` (``n1``, ``n2``) stands for a number and nothing else."""
