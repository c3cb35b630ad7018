"""Checks on finished rows: steps that point to a misread file, and timestamps that mark the close of their bars.

Shapes: n rows in order of time.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.markets.importers.cleaning import Rows
from kronos_dashboard.markets.importers.table import note_rows
from kronos_dashboard.messages import msg, nmsg
from kronos_dashboard.notes import Note

__all__ = ["CLOSE_NOTE", "are_close_timestamps", "find_suspicious_steps"]

_MINUTE_NS, _DAY_NS = 60 * 10**9, 86_400 * 10**9
_MAX_GAP_NS = 2 * 366 * _DAY_NS
"""Suspensions and wars closed markets for months; two years without a daily or weekly bar suggest misread dates."""
_MAX_PRICE_FACTOR = 20.0
"""Splits and crashes rarely reach this ratio from one row to the next; a change of unit (cents, thousands) exceeds
it."""
_CHINA_SESSIONS = ((9 * 60 + 30, 11 * 60 + 30), (13 * 60, 15 * 60))
"""Sessions of mainland China in minutes after midnight. Sources there stamp bars at the close."""
_MIN_CLOSE_FRACTION = 0.6
"""Days that must have a bar at the close of each session; half days and suspensions lack one."""
_MAX_EXCEPTIONS = 0.05
"""Fraction of bars off the grid, or of days with a bar at 13:00, that is put down to gaps and errors of the source."""
CLOSE_NOTE = Note(
    "info",
    msg(
        "The timestamps mark the close of each bar: the first bar of a session is one interval after the open, "
        "the last at the close."
    ),
)


def find_suspicious_steps(rows: Rows, modal_step: int) -> list[Note]:
    """Warnings about large steps in time or price, for rows whose most common step is ``modal_step`` nanoseconds."""
    notes = []
    steps = np.diff(rows.ns)
    largest = int(steps.argmax()) if len(steps) else 0
    if len(steps) and steps[largest] > _MAX_GAP_NS and modal_step <= 7 * _DAY_NS:
        first, last = (pd.Timestamp(int(ns)).date().isoformat() for ns in rows.ns[largest : largest + 2])
        text = msg(
            "There are no rows between {first} and {last}; if there should be, the dates were misinterpreted.",
            first=first,
            last=last,
        )
        notes.append(Note("warning", text))
    closes = rows.values["close"]
    ratio = closes[1:] / closes[:-1]
    extreme = np.flatnonzero((ratio > _MAX_PRICE_FACTOR) | (ratio < 1 / _MAX_PRICE_FACTOR)) + 1
    if len(extreme):
        text = nmsg(
            "{n:,} close is more than {times:.0f} times the previous one, or less than 1/{times:.0f} of it: "
            "decimals or units may change.",
            "{n:,} closes are more than {times:.0f} times the previous one, or less than 1/{times:.0f} of it: "
            "decimals or units may change.",
            len(extreme),
            times=_MAX_PRICE_FACTOR,
        )
        notes.append(Note("warning", text, note_rows(rows.row_numbers[extreme])))
    return notes


def are_close_timestamps(local: np.ndarray, interval: int) -> bool:
    """Whether intraday timestamps [n] mark the closes of their bars.

    Decided around the midday break: bars stamped at their close end at 11:30 and 15:00, and there is none at 13:00.

    Args:
        local: nanoseconds on the clock of the file.
        interval: length of a bar in nanoseconds.
    """
    if interval >= _DAY_NS or interval % _MINUTE_NS or len(local) < 2:
        return False
    step, minutes = interval // _MINUTE_NS, local % _DAY_NS // _MINUTE_NS  # minutes after midnight [n]
    days = len(np.unique(local // _DAY_NS))
    in_session = np.zeros(len(minutes), dtype=bool)
    for start, end in _CHINA_SESSIONS:
        in_session |= (minutes >= start) & (minutes <= end) & ((minutes - start) % step == 0)
        if (minutes == end).sum() < _MIN_CLOSE_FRACTION * days:
            return False
    num_at_open = (minutes == _CHINA_SESSIONS[1][0]).sum()  # 09:30 is not tested: its bar may be the opening auction
    return bool(in_session.mean() > 1 - _MAX_EXCEPTIONS and num_at_open <= _MAX_EXCEPTIONS * days)
