"""Findings of the data quality checks, and the fixes that go with them.

Rows are rows of the series, counted from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.notes import Note, NoteLevel

__all__ = ["Finding", "Fix", "FixResult", "find_runs", "row_numbers"]

_MAX_ROWS = 200
"""Rows that a finding names, enough for a chart; ``count`` is the number of all."""


@dataclass(frozen=True)
class FixResult:
    """Candles after a fix, and a note on what it changed."""

    candles: CandleFrame
    note: Note


@dataclass(frozen=True, kw_only=True)
class Fix:
    """A repair that one click applies. It is idempotent."""

    name: str
    """Name on the command line."""
    title: str
    """Label of its button."""
    apply: Callable[[CandleFrame], FixResult]
    """Pure: returns new candles."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One observation that matters for forecasts from these candles."""

    key: str
    """Identifier of the check: ``gaps``, ``splits``, ``clip``, ..."""
    level: NoteLevel
    title: str
    text: str
    rows: tuple[int, ...] = ()
    """Affected rows, at most 200; empty when the whole series is affected."""
    count: int = 0
    """Number of affected rows or bars."""
    fixes: tuple[Fix, ...] = ()


def row_numbers(mask: np.ndarray) -> tuple[int, ...]:
    """The rows where a mask [n] is set, counted from 1; at most 200."""
    return tuple(int(row) + 1 for row in np.flatnonzero(mask)[:_MAX_ROWS])


def find_runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and lengths of the runs in which a mask [n] is set."""
    edges = np.diff(np.r_[False, mask, False].astype(np.int8))
    starts = np.flatnonzero(edges == 1)
    return starts, np.flatnonzero(edges == -1) - starts
