"""What was found or changed on the way from a file to candles, told to the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Level", "Note"]

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Note:
    """One finding, in a sentence."""

    level: Level
    text: str
    rows: tuple[int, ...] = ()
    """Rows of the file concerned, counted from 1 below the header; empty when it is about the whole file."""
