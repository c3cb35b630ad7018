"""What the doctor says: findings, and the fixes that go with them.

Rows are rows of the series, counted from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.notes import Level, Note

__all__ = ["Finding", "Fix", "Fixed", "rows_of", "runs_of"]

_ROWS = 200
"""Most rows a finding names; ``count`` tells how many there are."""


@dataclass(frozen=True)
class Fixed:
    """Candles after a fix, and what it did."""

    candles: CandleFrame
    note: Note


@dataclass(frozen=True, kw_only=True)
class Fix:
    """A repair that one click applies. It does the same again when it is applied again: nothing more."""

    name: str
    """As it is called on the command line."""
    title: str
    """As a button says it."""
    apply: Callable[[CandleFrame], Fixed]
    """Pure: the given candles stay as they are."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that somebody who forecasts from these candles should know."""

    key: str
    """What was looked for: ``gaps``, ``splits``, ``clip``, ..."""
    level: Level
    title: str
    text: str
    rows: tuple[int, ...] = ()
    """Rows concerned, at most 200 of them; empty when it is about the whole series."""
    count: int = 0
    """How many rows or bars are concerned."""
    fixes: tuple[Fix, ...] = ()


def rows_of(mask: np.ndarray) -> tuple[int, ...]:
    """The rows at which a mask [n] is set, counted from 1."""
    return tuple(int(row) + 1 for row in np.flatnonzero(mask)[:_ROWS])


def runs_of(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and lengths of the stretches in which a mask [n] is set."""
    edges = np.diff(np.r_[False, mask, False].astype(np.int8))
    starts = np.flatnonzero(edges == 1)
    return starts, np.flatnonzero(edges == -1) - starts
