"""Stamps that are the closes of their bars, told from where they stand around a break at noon.

Shapes: n rows in order of time; the stamps are hours on the file's own clock.
"""

from __future__ import annotations

import numpy as np

from kronos_dashboard.notes import Note

__all__ = ["CLOSING", "stand_at_closes"]

_MINUTE, _DAY = 60 * 10**9, 86_400 * 10**9
_SESSIONS = ((9 * 60 + 30, 11 * 60 + 30), (13 * 60, 15 * 60))
"""Minutes after midnight: the sessions of mainland China, whose sources stamp bars at their close."""
_MOST, _FEW = 0.6, 0.05
CLOSING = Note(
    "info",
    "The stamps are the closes of their bars: the first of a session stands one interval after its open, the last at "
    "its close.",
)


def stand_at_closes(local: np.ndarray, interval: int) -> bool:
    """Whether intraday stamps [n] stand at the closes of their bars.

    Args:
        local: nanoseconds, hours as written.
        interval: length of a bar in nanoseconds.
    """
    if interval >= _DAY or interval % _MINUTE or len(local) < 2:
        return False
    step, minutes = interval // _MINUTE, local % _DAY // _MINUTE
    days = len(np.unique(local // _DAY))
    within = np.zeros(len(minutes), dtype=bool)
    for opens, closes in _SESSIONS:
        within |= (minutes >= opens) & (minutes <= closes) & ((minutes - opens) % step == 0)
        if (minutes == closes).sum() < _MOST * days:
            return False
    begun = (minutes == _SESSIONS[1][0]).sum()  # the first minute of a day may be the auction before it
    return bool(within.mean() > 1 - _FEW and begun <= _FEW * days)
