"""Summarize imported candles, as lines of text and as a dictionary for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.importers.options import ImportChoice, ImportedCandles
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.notes import Note

__all__ = ["choices_dict", "summary_dict", "summary_lines"]

_MAX_GAPS = 10_000
"""Intraday files of many years have a gap per night; the list stays below a megabyte."""


def summary_dict(imported: ImportedCandles) -> dict[str, Any]:
    """The summary for JSON. Times are in the session timezone; ``gaps`` lists at most 10,000 of ``gap_count``."""
    candles = imported.candles
    gaps = candles.gaps()
    return {
        "symbol": candles.symbol,
        "source": candles.source,
        "rows": len(candles),
        "interval": interval_label(candles.interval),
        "session_tz": candles.session_tz,
        "stamped": candles.timestamp_at,
        "columns": list(candles.columns),
        "first": _candle_dict(candles, 0),
        "last": _candle_dict(candles, len(candles) - 1),
        "gap_count": len(gaps),
        "gaps": [
            {
                "after": _format_time(gap.after.tz_convert(candles.session_tz)),
                "before": _format_time(gap.before.tz_convert(candles.session_tz)),
                "missing": gap.missing,
            }
            for gap in gaps[:_MAX_GAPS]
        ],
        "notes": [_note_dict(note) for note in imported.notes],
        **choices_dict(imported.choices),
    }


def choices_dict(choices: Sequence[ImportChoice]) -> dict[str, Any]:
    """The entry for choices; empty when there are none."""
    if not choices:
        return {}
    return {"choices": [{"option": c.option, "values": list(c.values), "taken": c.selected} for c in choices]}


def summary_lines(imported: ImportedCandles) -> list[str]:
    """One line per fact (name and value), then the notes."""
    candles = imported.candles
    gaps = candles.gaps()
    missing = sum(gap.missing for gap in gaps)
    rows = [
        ("symbol", candles.symbol),
        ("rows", f"{len(candles):,}"),
        ("interval", interval_label(candles.interval)),
        ("time zone", candles.session_tz),
        ("columns", ", ".join(candles.columns)),
        ("first", f"{candles.local_index[0]:%Y-%m-%d %H:%M}  {_format_values(candles, 0)}"),
        ("last", f"{candles.local_index[-1]:%Y-%m-%d %H:%M}  {_format_values(candles, -1)}"),
        ("gaps", f"{len(gaps):,} (closed hours or missing bars), {missing:,} intervals in total" if gaps else "none"),
    ]
    rows += [("choices", f"--{c.option}: {', '.join(c.values[:20])}") for c in imported.choices]
    lines = [f"{name:<9} {value}" for name, value in rows]
    for note in imported.notes:
        named = f" (rows {', '.join(map(str, note.rows))})" if note.rows else ""
        lines.append(f"{note.level:<9} {note.text}{named}")
    return lines


def _format_values(candles: CandleFrame, row: int) -> str:
    values = candles.frame.iloc[row]
    return "  ".join(f"{name} {values[name]:,.8g}" for name in candles.columns)


def _candle_dict(candles: CandleFrame, row: int) -> dict[str, Any]:
    values = candles.frame.iloc[row]
    names = ("open", "high", "low", "close", "volume")
    return {"timestamp": _format_time(candles.local_index[row]), **{name: float(values[name]) for name in names}}


def _format_time(time: pd.Timestamp) -> str:
    """A time to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S}"


def _note_dict(note: Note) -> dict[str, Any]:
    return {"level": note.level, "text": note.text, "rows": list(note.rows)}
