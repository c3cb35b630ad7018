"""What was read, as lines for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.markets.importers.options import Choices, Imported
from kronos_dashboard.notes import Note

__all__ = ["as_document", "as_lines", "choices_document"]

_MOST_GAPS = 10_000


def as_document(imported: Imported) -> dict[str, Any]:
    """Plain values for JSON. Times are on the session clock; ``gaps`` lists at most 10,000 of ``gap_count``."""
    candles = imported.candles
    gaps = candles.gaps()
    return {
        "symbol": candles.symbol,
        "source": candles.source,
        "rows": len(candles),
        "interval": interval_label(candles.interval),
        "session_tz": candles.session_tz,
        "stamped": candles.stamped,
        "columns": list(candles.columns),
        "first": _candle(candles, 0),
        "last": _candle(candles, len(candles) - 1),
        "gap_count": len(gaps),
        "gaps": [
            {
                "after": _stamp(gap.after.tz_convert(candles.session_tz)),
                "before": _stamp(gap.before.tz_convert(candles.session_tz)),
                "missing": gap.missing,
            }
            for gap in gaps[:_MOST_GAPS]
        ],
        "notes": [_note(note) for note in imported.notes],
        **choices_document(imported.choices),
    }


def choices_document(choices: Sequence[Choices]) -> dict[str, Any]:
    """The part on choices; empty when there are none."""
    if not choices:
        return {}
    return {"choices": [{"option": c.option, "values": list(c.values), "taken": c.taken} for c in choices]}


def as_lines(imported: Imported) -> list[str]:
    """A name and a value on each line, then the notes."""
    candles = imported.candles
    gaps = candles.gaps()
    missing = sum(gap.missing for gap in gaps)
    rows = [
        ("symbol", candles.symbol),
        ("rows", f"{len(candles):,}"),
        ("interval", interval_label(candles.interval)),
        ("clock", candles.session_tz),
        ("columns", ", ".join(candles.columns)),
        ("first", f"{candles.local_index[0]:%Y-%m-%d %H:%M}  {_values(candles, 0)}"),
        ("last", f"{candles.local_index[-1]:%Y-%m-%d %H:%M}  {_values(candles, -1)}"),
        ("gaps", f"{len(gaps):,} (closed hours or missing bars), {missing:,} intervals in all" if gaps else "none"),
    ]
    rows += [("choices", f"--{c.option}: {', '.join(c.values[:20])}") for c in imported.choices]
    lines = [f"{name:<9} {value}" for name, value in rows]
    for note in imported.notes:
        named = f" (rows {', '.join(map(str, note.rows))})" if note.rows else ""
        lines.append(f"{note.level:<9} {note.text}{named}")
    return lines


def _values(candles: CandleFrame, row: int) -> str:
    values = candles.frame.iloc[row]
    return "  ".join(f"{name} {values[name]:,.8g}" for name in candles.columns)


def _candle(candles: CandleFrame, row: int) -> dict[str, Any]:
    values = candles.frame.iloc[row]
    names = ("open", "high", "low", "close", "volume")
    return {"timestamp": _stamp(candles.local_index[row]), **{name: float(values[name]) for name in names}}


def _stamp(time: pd.Timestamp) -> str:
    """To the second, as bars are stamped."""
    return f"{time:%Y-%m-%d %H:%M:%S}"


def _note(note: Note) -> dict[str, Any]:
    return {"level": note.level, "text": note.text, "rows": list(note.rows)}
