"""Notes to the user on what was found or changed while reading or fetching candles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Note", "NoteLevel"]

NoteLevel = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Note:
    """One observation, in a sentence."""

    level: NoteLevel
    text: str
    rows: tuple[int, ...] = ()
    """Affected rows of the file, counted from 1 below the header; empty when the whole file is affected."""
