"""Clean parsed rows: drop, correct and sort them, with a note for each kind of change.

Order: drop rows without a time or a price, drop rows with inconsistent prices, keep one row per timestamp, sort.
Shapes:
n rows in file order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.candles import PRICES, clean_volume, invalid_rows
from kronos_dashboard.markets.importers.table import note_rows
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.messages import msg, nmsg, sentences, term
from kronos_dashboard.notes import Note, NoteLevel

__all__ = ["Rows", "clean"]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Parsed rows of candles or ticks."""

    ns: np.ndarray
    """int64 [n], nanoseconds since 1970, UTC; NAT where the time is unreadable."""
    values: dict[str, np.ndarray]
    """Column -> float64 [n]."""
    row_numbers: np.ndarray
    """int64 [n], the row numbers for notes."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ns)

    def take(self, selection: np.ndarray) -> Rows:
        """The rows that a mask or an index array selects."""
        values = {name: column[selection] for name, column in self.values.items()}
        return Rows(ns=self.ns[selection], values=values, row_numbers=self.row_numbers[selection])


def clean(rows: Rows, filename: str) -> tuple[Rows, list[Note]]:
    """Valid candles, oldest first, one per timestamp, and notes on every change.

    Raises:
        ImportFileError: fewer than two rows remain; the message lists the reasons.
    """
    num_rows = len(rows)
    if num_rows < 2:
        raise _too_few_rows_error(filename, num_rows, [])
    rows, dropped_notes = _drop_invalid_rows(rows)
    rows, volume_notes = _clean_volumes(rows)
    duplicate_notes: list[Note] = []
    if len(rows):
        rows, duplicate_notes = _drop_duplicate_times(rows, filename)
    if len(rows) < 2:
        raise _too_few_rows_error(filename, num_rows, [*dropped_notes, *duplicate_notes])
    rows, sorted_notes = _sort_by_time(rows)
    return rows, [*sorted_notes, *dropped_notes, *volume_notes, *duplicate_notes]


def _too_few_rows_error(filename: str, before: int, dropped: list[Note]) -> ImportFileError:
    if not dropped:
        return ImportFileError(
            msg(
                "the file {filename} has {rows} of candles; at least 2 are required.",
                filename=filename,
                rows=nmsg("{n:,} row", "{n:,} rows", before),
            ),
            msg("Load more history."),
        )
    why = sentences(*(_format_rows(note) for note in dropped))
    return ImportFileError(
        msg(
            "the file {filename} has fewer than two usable candles in {rows}: {reason}",
            filename=filename,
            rows=nmsg("{n:,} row", "{n:,} rows", before),
            reason=why,
        ),
        msg("Correct the file."),
    )


def _format_rows(note: Note) -> str:
    """The note, with the first rows concerned."""
    if not note.rows:
        return note.text
    rows = ", ".join([*map(str, note.rows[:5]), *(["..."] if len(note.rows) > 5 else [])])
    return msg("{text:clause} (rows {rows}).", text=note.text, rows=rows)


def _drop_invalid_rows(rows: Rows) -> tuple[Rows, list[Note]]:
    """Drop rows without a time, and rows whose prices cannot be those of a candle."""
    notes = []
    is_valid = np.ones(len(rows), dtype=bool)
    for mask, text in _row_problems(rows):
        count = int(mask.sum())
        if count:
            level: NoteLevel = "error" if 2 * count > len(rows) else "warning"
            notes.append(Note(level, text(count), note_rows(rows.row_numbers[mask])))
            is_valid &= ~mask
    return (rows if is_valid.all() else rows.take(is_valid)), notes


def _row_problems(rows: Rows) -> tuple[tuple[np.ndarray, Callable[[int], str]], ...]:
    """Masks [n] of invalid rows, each row under its first reason only, and the note for so many rows."""
    masks = invalid_rows({name: rows.values[name] for name in PRICES})
    has_time = rows.ns != NAT
    finite = ~(masks["missing_price"] | masks["infinite_price"])
    positive = finite & ~masks["nonpositive_price"]
    inconsistent = masks["high_below_low"] | masks["high_below_body"] | masks["low_above_body"]
    empty = ~has_time & ~np.isfinite([rows.values[name] for name in PRICES]).any(axis=0)
    return (
        (
            empty,
            lambda n: nmsg(
                "Dropped {n:,} row with neither time nor prices.", "Dropped {n:,} rows with neither time nor prices.", n
            ),
        ),
        (
            ~has_time & ~empty,
            lambda n: nmsg(
                "Dropped {n:,} row with an unreadable timestamp.", "Dropped {n:,} rows with unreadable timestamps.", n
            ),
        ),
        (
            has_time & ~finite,
            lambda n: nmsg(
                "Dropped {n:,} row with a missing or non-finite price.",
                "Dropped {n:,} rows with missing or non-finite prices.",
                n,
            ),
        ),
        (
            has_time & finite & ~positive,
            lambda n: nmsg(
                "Dropped {n:,} row with a zero or negative price.",
                "Dropped {n:,} rows with zero or negative prices.",
                n,
            ),
        ),
        (
            has_time & positive & inconsistent,
            lambda n: nmsg(
                "Dropped {n:,} row whose high or low is inconsistent with its other prices.",
                "Dropped {n:,} rows whose high or low is inconsistent with their other prices.",
                n,
            ),
        ),
    )


def _clean_volumes(rows: Rows) -> tuple[Rows, list[Note]]:
    """Set blank and negative volumes and amounts to 0, and drop columns without a positive value."""
    notes, values = [], dict(rows.values)
    for name in ("volume", "amount"):
        if name not in values:
            continue
        cleaned = clean_volume(values[name])
        if cleaned.values is None:
            notes.append(
                Note(
                    "info",
                    msg("The {name} column contains only zeros or blanks; it is ignored.", name=term(name)),
                )
            )
            del values[name]
            continue
        for mask, text in (
            (
                cleaned.blank,
                nmsg(
                    "Set {n:,} blank cell in the {name} column to 0.",
                    "Set {n:,} blank cells in the {name} column to 0.",
                    int(cleaned.blank.sum()),
                    name=term(name),
                ),
            ),
            (
                cleaned.negative,
                nmsg(
                    "Set {n:,} negative number in the {name} column to 0.",
                    "Set {n:,} negative numbers in the {name} column to 0.",
                    int(cleaned.negative.sum()),
                    name=term(name),
                ),
            ),
        ):
            if mask.any():
                notes.append(Note("warning", text, note_rows(rows.row_numbers[mask])))
        values[name] = cleaned.values
    return replace(rows, values=values), notes


def _drop_duplicate_times(rows: Rows, filename: str) -> tuple[Rows, list[Note]]:
    """Keep one row per timestamp: the first in the file, unless another is a later state of the same bar.

    Raises:
        ImportFileError: more than half of the rows contradict another row of the same time.
    """
    order = np.argsort(rows.ns, kind="stable")
    repeated = np.flatnonzero(np.diff(rows.ns[order]) == 0) + 1
    if not len(repeated):
        return rows, []
    keep = np.ones(len(rows), dtype=bool)
    identical_rows, less_complete_rows, conflicting_rows = [], [], []
    table = np.stack(list(rows.values.values()), axis=1)
    equal = (table[order[repeated]] == table[order[repeated - 1]]).all(axis=1)
    chosen = -1
    for at, identical in zip(repeated.tolist(), equal.tolist(), strict=True):
        late, before = int(order[at]), int(order[at - 1])
        chosen = chosen if chosen >= 0 and rows.ns[chosen] == rows.ns[late] else before
        if identical and chosen == before:
            identical_rows.append(late)
            keep[late] = False
        elif _is_more_complete(rows, late, chosen):
            less_complete_rows.append(chosen)
            keep[chosen], chosen = False, late
        elif _is_more_complete(rows, chosen, late):
            less_complete_rows.append(late)
            keep[late] = False
        else:
            conflicting_rows.append(late)
            keep[late] = False
    if 2 * len(conflicting_rows) > len(rows):
        raise ImportFileError(
            msg(
                "{conflicting:,} of {rows:,} rows in {filename} have the same time as another row, but "
                "different values.",
                conflicting=len(conflicting_rows),
                rows=len(rows),
                filename=filename,
            ),
            msg("Split the file if it contains several instruments; if it is intraday, its time of day is missing."),
        )
    notes = [
        _row_note(
            identical_rows,
            nmsg("Dropped {n:,} exact duplicate.", "Dropped {n:,} exact duplicates.", len(identical_rows)),
            rows,
        ),
        _row_note(
            less_complete_rows,
            nmsg(
                "Dropped {n:,} row: another row of the same time has the complete bar.",
                "Dropped {n:,} rows: another row of the same time has the complete bar.",
                len(less_complete_rows),
            ),
            rows,
        ),
        _row_note(conflicting_rows, _conflict_text(len(conflicting_rows)), rows),
    ]
    return rows.take(keep), [note for note in notes if note is not None]


def _conflict_text(count: int) -> str:
    return nmsg(
        "Dropped {n:,} row with the same time as another but different values; kept the first.",
        "Dropped {n:,} rows with the same time as another but different values; kept the first.",
        count,
    )


def _row_note(indices: list[int], text: str, rows: Rows) -> Note | None:
    """A note on these rows: an error when they are more than a tenth of the file, else a warning."""
    if not indices:
        return None
    return Note(
        "error" if 10 * len(indices) > len(rows) else "warning", text, note_rows(rows.row_numbers[np.sort(indices)])
    )


def _is_more_complete(rows: Rows, candidate: int, other: int) -> bool:
    """Whether row ``candidate`` is a later state of the bar in row ``other``: same open, wider range, more volume."""
    a = {name: column[candidate] for name, column in rows.values.items()}
    b = {name: column[other] for name, column in rows.values.items()}
    wider = a["high"] >= b["high"] and a["low"] <= b["low"]
    volume = a.get("volume", 0.0) >= b.get("volume", 0.0)
    strictly = a["high"] > b["high"] or a["low"] < b["low"] or a.get("volume", 0.0) > b.get("volume", 0.0)
    return bool(abs(a["open"] - b["open"]) <= 1e-9 * a["open"] and wider and volume and strictly)


def _sort_by_time(rows: Rows) -> tuple[Rows, list[Note]]:
    """The rows oldest first, with a note when their order changed."""
    steps = np.diff(rows.ns)
    if (steps > 0).all():
        return rows, []
    text = (
        msg("The rows were newest first; sorted oldest first.")
        if (steps < 0).all()
        else msg("The rows were not in time order; sorted oldest first.")
    )
    return rows.take(np.argsort(rows.ns, kind="stable")), [Note("warning", text)]
