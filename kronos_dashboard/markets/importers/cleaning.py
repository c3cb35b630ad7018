"""From parsed rows to rows that can be candles: what is dropped, changed or sorted, each kind with its note.

Policy: rows without a time or a price go, then rows with impossible prices, then all but one of equal stamps; then the
rows are sorted. Shapes: n rows in file order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import PRICES, TOLERANCE
from kronos_dashboard.markets.importers.table import named_rows, plural
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.notes import Level, Note

__all__ = ["Rows", "clean"]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Parsed rows."""

    ns: np.ndarray
    """int64 [n], UTC."""
    values: dict[str, np.ndarray]
    """Column -> float64 [n]."""
    numbers: np.ndarray
    """int64 [n], what the rows are called."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ns)

    def take(self, kept: np.ndarray) -> Rows:
        """The rows that a mask or an index names."""
        values = {name: column[kept] for name, column in self.values.items()}
        return Rows(ns=self.ns[kept], values=values, numbers=self.numbers[kept])


def clean(rows: Rows, filename: str) -> tuple[Rows, list[Note]]:
    """Rows oldest first, each time once, all of them possible candles; and what was done.

    Raises:
        ImportFailed: fewer than two are left; the message says what was wrong with the others.
    """
    notes: list[Note] = []
    before = len(rows)
    if before < 2:
        raise _too_few(filename, before, [])
    rows, notes = _without_impossible(rows)
    rows, volume_notes = _volumes(rows)
    notes += volume_notes
    if len(rows):
        rows, more = _once(rows, filename)
        notes += more
    if len(rows) < 2:
        raise _too_few(filename, before, [n for n in notes if "dropped" in n.text])
    rows, sorted_notes = _in_order(rows)
    return rows, [*sorted_notes, *notes]


def _too_few(filename: str, before: int, dropped: list[Note]) -> ImportFailed:
    if not dropped:
        return ImportFailed(
            f"the file {filename} has {plural(before, 'row')} of candles; at least 2 are needed.", "Load more history."
        )
    why = " ".join(f"{note.text.rstrip('.')}{_where(note)}." for note in dropped)
    return ImportFailed(
        f"the file {filename} has no two usable candles in {plural(before, 'row')}: {why}", "Correct it."
    )


def _where(note: Note) -> str:
    return f" (rows {', '.join(map(str, note.rows[:5]))}{', ...' if len(note.rows) > 5 else ''})" if note.rows else ""


def _without_impossible(rows: Rows) -> tuple[Rows, list[Note]]:
    opens, highs, lows, closes = (rows.values[name] for name in PRICES)
    prices = np.stack([opens, highs, lows, closes])
    known = np.isfinite(prices).all(axis=0)
    timed = rows.ns != NAT
    nothing = ~timed & ~np.isfinite(prices).any(axis=0)
    with np.errstate(invalid="ignore"):
        positive = known & (prices > 0).all(axis=0)
        top, bottom = np.maximum(opens, closes), np.minimum(opens, closes)
        possible = (
            (highs >= top * (1 - TOLERANCE)) & (lows <= bottom * (1 + TOLERANCE)) & (highs >= lows * (1 - TOLERANCE))
        )
    kinds = (
        (nothing, "{} with neither time nor prices dropped."),
        (~timed & ~nothing, "{} whose time cannot be read dropped."),
        (timed & ~known, "{} in which a price is missing or not a finite number dropped."),
        (timed & known & ~positive, "{} in which a price is zero or negative dropped."),
        (timed & positive & ~possible, "{} in which the high is below or the low above another price dropped."),
    )
    notes = []
    for wrong, text in kinds:
        count = int(wrong.sum())
        if count:
            level: Level = "error" if 2 * count > len(rows) else "warning"
            notes.append(Note(level, text.format(plural(count, "row")), named_rows(rows.numbers[wrong])))
    kept = timed & possible & positive
    return (rows if kept.all() else rows.take(kept)), notes


def _volumes(rows: Rows) -> tuple[Rows, list[Note]]:
    """Volume and amount without blanks; a column of nothing is left out."""
    notes, values = [], dict(rows.values)
    for name in ("volume", "amount"):
        if name not in values:
            continue
        column = values[name]
        blank = ~np.isfinite(column)
        if not np.where(blank, 0.0, column).any():
            notes.append(Note("info", f"The {name} column holds nothing but zeros or blanks; it is taken as absent."))
            del values[name]
            continue
        negative = ~blank & (column < 0)
        for wrong, what in ((blank, "blank cell"), (negative, "negative number")):
            if wrong.any():
                text = f"{plural(int(wrong.sum()), what)} in the {name} column set to 0."
                notes.append(Note("warning", text, named_rows(rows.numbers[wrong])))
        if blank.any() or negative.any():
            values[name] = np.where(blank | negative, 0.0, column)
    return replace(rows, values=values), notes


def _once(rows: Rows, filename: str) -> tuple[Rows, list[Note]]:
    """One row for each time: the first in the file, unless a later one is the same bar grown further.

    Raises:
        ImportFailed: more than half of the rows would go.
    """
    order = np.argsort(rows.ns, kind="stable")
    again = np.flatnonzero(np.diff(rows.ns[order]) == 0) + 1
    if not len(again):
        return rows, []
    keep = np.ones(len(rows), dtype=bool)
    same, fuller, other = [], [], []
    table = np.stack(list(rows.values.values()), axis=1)
    equal = (table[order[again]] == table[order[again - 1]]).all(axis=1)
    chosen = -1
    for at, identical in zip(again.tolist(), equal.tolist(), strict=True):
        late, before = int(order[at]), int(order[at - 1])
        chosen = chosen if chosen >= 0 and rows.ns[chosen] == rows.ns[late] else before
        if identical and chosen == before:
            same.append(late)
            keep[late] = False
        elif _grown(rows, late, chosen):
            fuller.append(chosen)
            keep[chosen], chosen = False, late
        elif _grown(rows, chosen, late):
            fuller.append(late)
            keep[late] = False
        else:
            other.append(late)
            keep[late] = False
    if 2 * len(other) > len(rows):
        raise ImportFailed(
            f"{len(other):,} of {len(rows):,} rows in {filename} have the same time as another row, but other values.",
            "Split the file if it holds several instruments; if it is intraday, its time of day is missing.",
        )
    notes = [
        _note(same, f"{plural(len(same), 'exact duplicate')} dropped.", rows),
        _note(fuller, f"{plural(len(fuller), 'row')} dropped: another row of that time has the bar in full.", rows),
        _note(other, _other(len(other)), rows),
    ]
    return rows.take(keep), [note for note in notes if note is not None]


def _other(count: int) -> str:
    return f"{plural(count, 'row')} with the time of another, but other values, dropped; the first was kept."


def _note(found: list[int], text: str, rows: Rows) -> Note | None:
    if not found:
        return None
    return Note("error" if 10 * len(found) > len(rows) else "warning", text, named_rows(rows.numbers[np.sort(found)]))


def _grown(rows: Rows, full: int, part: int) -> bool:
    """Whether row ``full`` is the bar of row ``part``, seen later: same open, wider range, more volume."""
    a = {name: column[full] for name, column in rows.values.items()}
    b = {name: column[part] for name, column in rows.values.items()}
    wider = a["high"] >= b["high"] and a["low"] <= b["low"]
    volume = a.get("volume", 0.0) >= b.get("volume", 0.0)
    strictly = a["high"] > b["high"] or a["low"] < b["low"] or a.get("volume", 0.0) > b.get("volume", 0.0)
    return bool(abs(a["open"] - b["open"]) <= 1e-9 * a["open"] and wider and volume and strictly)


def _in_order(rows: Rows) -> tuple[Rows, list[Note]]:
    steps = np.diff(rows.ns)
    if (steps > 0).all():
        return rows, []
    found = "The rows are newest first" if (steps < 0).all() else "The rows are not in order of time"
    return rows.take(np.argsort(rows.ns, kind="stable")), [Note("warning", f"{found}; sorted, oldest first.")]
