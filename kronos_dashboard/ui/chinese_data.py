"""简体中文: the Data page, and the choice of candles in the sidebar."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DATA"]

DATA: Mapping[str, str] = {}
