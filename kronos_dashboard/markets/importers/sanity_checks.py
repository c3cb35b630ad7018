"""Signs that a file was not read as it was meant: told as warnings, whatever the reason.

Shapes: n rows in order of time.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.markets.importers.cleaning import Rows
from kronos_dashboard.markets.importers.table import named_rows, plural
from kronos_dashboard.notes import Note

__all__ = ["doubts"]

_DAY = 86_400 * 10**9
_HOLE = 2 * 366 * _DAY
_TIMES = 20.0
"""No market is worth so many times as much, or as little, from one row to the next."""


def doubts(rows: Rows, usual: int) -> list[Note]:
    """What should be looked at in rows whose commonest step is ``usual`` nanoseconds."""
    notes = []
    steps = np.diff(rows.ns)
    at = int(steps.argmax()) if len(steps) else 0
    if len(steps) and steps[at] > _HOLE and usual <= 7 * _DAY:
        first, last = (pd.Timestamp(int(ns)).date().isoformat() for ns in rows.ns[at : at + 2])
        text = f"There is no row between {first} and {last}; if there should be some, the dates were misread."
        notes.append(Note("warning", text))
    closes = rows.values["close"]
    ratio = closes[1:] / closes[:-1]
    wild = np.flatnonzero((ratio > _TIMES) | (ratio < 1 / _TIMES)) + 1
    if len(wild):
        count, times = plural(len(wild), "close"), f"{_TIMES:.0f}"
        text = f"{count} of over {times} times the one before, or under 1 in {times}: decimals or units may change."
        notes.append(Note("warning", text, named_rows(rows.numbers[wild])))
    return notes
