"""Text in which only some rows have a time, and the others count intervals since the last of these.

``a1444656660,36.08,...`` is a time (seconds since 1970), ``1,36.18,...`` the row one interval later. Lines such as
``INTERVAL=60`` and ``COLUMNS=DATE,CLOSE,HIGH,LOW,OPEN,VOLUME`` may stand before them.
"""

from __future__ import annotations

import re

from kronos_dashboard.notes import Note

__all__ = ["looks_counted", "with_whole_times"]

_BEGINNING = re.compile(rb"^(?:[A-Z_]+(?:=|%3D)[^\n]*\n)*a\d{9,10},", re.IGNORECASE)
_ROW = re.compile(r"^(a?)(\d{1,10})(,.+)$")
_MINUTE = 60


def looks_counted(data: bytes) -> bool:
    """Whether the text begins with such a row, perhaps below lines of names and values."""
    return bool(_BEGINNING.match(data[:4_000].replace(b"\r", b"")))


def with_whole_times(data: bytes) -> tuple[bytes, tuple[Note, ...]]:
    """The same text with a time in each row, and the line of the columns' names above; and what was assumed."""
    lines = data.decode("utf-8", errors="replace").splitlines()
    told = dict(line.split("=", 1) for line in lines[:20] if re.match(r"^[A-Z_]+=", line))
    length = told.get("INTERVAL", "").strip()
    step = int(length) if re.fullmatch(r"[1-9]\d{0,6}", length) else _MINUTE
    out = [told["COLUMNS"].strip()] if told.get("COLUMNS", "").count(",") >= 4 else []
    last = 0
    for line in lines:
        match = _ROW.match(line)
        if match is None:
            continue
        if match[1]:
            last = int(match[2])
        out.append(f"{last if match[1] else last + int(match[2]) * step}{match[3]}")
    note = Note("info", f"Most rows count intervals of {step} seconds since the last row with a time.")
    if not length:
        note = Note("warning", "Most rows count intervals since the last row with a time; a minute each was assumed.")
    return "\n".join(out).encode(), (note,)
