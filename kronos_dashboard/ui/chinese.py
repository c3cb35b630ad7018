"""简体中文 for every text of the interface, by its English text."""

from __future__ import annotations

__all__ = ["CHINESE"]

CHINESE: dict[str, str] = {}
