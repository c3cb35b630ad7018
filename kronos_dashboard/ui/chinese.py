"""简体中文: all that the interface says, by its English text. The lines stand by subject beside this file."""

from __future__ import annotations

from collections.abc import Mapping

from kronos_dashboard.ui.chinese_data import DATA
from kronos_dashboard.ui.chinese_home import HOME

__all__ = ["CHINESE", "SAID"]

CHINESE: Mapping[str, str] = {**HOME, **DATA}
"""By the text that ``t`` is given."""
SAID: Mapping[str, str] = {}
"""By the template of a sentence from below the interface; the names of placeholders are the translator's own."""
