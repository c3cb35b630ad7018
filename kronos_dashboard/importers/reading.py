"""From the bytes of a CSV file to candles and notes.

The file's rows are counted from 1 below the header, also after sorting, so that a message names the row one sees.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kronos_dashboard.candles import COLUMNS, PRICES, CandleFrame, check_values, interval_label, interval_of
from kronos_dashboard.errors import CandleError, ImportFailed
from kronos_dashboard.importers.columns import find_columns
from kronos_dashboard.importers.times import parse_times
from kronos_dashboard.notes import Note
from kronos_dashboard.settings import Settings

__all__ = ["ImportOptions", "Imported", "read", "read_file"]

_SEPARATORS = ",;\t|"
_FEW = 5


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a user may say about a file that it does not say itself."""

    symbol: str | None = None
    """Name of the series; the file's name by default."""
    session_tz: str | None = None
    """Clock on which stamps without a zone stand; UTC by default, which keeps their hours."""


@dataclass(frozen=True)
class Imported:
    """Candles, and what was found or changed on the way to them."""

    candles: CandleFrame
    notes: tuple[Note, ...]


def read(
    data: bytes, filename: str, options: ImportOptions | None = None, settings: Settings | None = None
) -> Imported:
    """Read a CSV: a time column, open, high, low, close, and optionally volume and amount.

    Newest-first rows are sorted and exact duplicates dropped, each with a note. Nothing else is repaired.

    Raises:
        ImportFailed: the bytes are no such table, or the bar times contradict each other.
        CandleError: a value is impossible; the message names the rows.
    """
    options, settings = options or ImportOptions(), settings or Settings()
    table = _read_table(data, filename, settings)
    columns = find_columns([str(name) for name in table.columns], filename)
    if len(table) < 2:
        rows = _count(len(table), "row")
        raise ImportFailed(f"the file {filename} has {rows} of candles; at least 2 are needed.", "Load more history.")
    times = parse_times(table[columns["time"]], options.session_tz)
    values, notes = _read_values(table, columns)
    values.index = times.index
    values, numbers, order_notes = _order(values, np.arange(1, len(values) + 1))
    check_values(values, numbers)
    candles = CandleFrame(
        frame=values.reindex(columns=list(COLUMNS), fill_value=0.0),
        symbol=options.symbol or Path(filename).stem[:60],
        interval=interval_of(pd.DatetimeIndex(values.index)),
        session_tz=times.session_tz,
        source=filename,
        has_volume="volume" in values,
        has_amount="amount" in values,
    )
    return Imported(candles, (*times.notes, *notes, *order_notes, _summary(candles)))


def read_file(path: Path, options: ImportOptions | None = None, settings: Settings | None = None) -> Imported:
    """``read`` for a file on disk.

    Raises:
        ImportFailed: there is no such file, it cannot be opened, or it is not a table of candles.
        CandleError: a value is impossible; the message names the rows.
    """
    settings = settings or Settings()
    try:
        with path.open("rb") as file:
            data = file.read(settings.max_upload_bytes + 1)
    except FileNotFoundError as error:
        raise ImportFailed(f"there is no file {path}.", "Check the path.") from error
    except OSError as error:
        raise ImportFailed(
            f"the file {path} cannot be opened: {error.strerror}.", "Check path and permissions."
        ) from error
    return read(data, path.name, options, settings)


def _read_table(data: bytes, filename: str, settings: Settings) -> pd.DataFrame:
    if len(data) > settings.max_upload_bytes:
        raise ImportFailed(
            f"the file {filename} is larger than the limit of {settings.max_upload_mb} MB.",
            "Cut the file, or raise KRONOS_DASHBOARD_MAX_UPLOAD_MB.",
        )
    if b"\0" in data[:4096]:
        raise ImportFailed(f"the file {filename} is not a text file.", "Export the candles as CSV.")
    head = data[:4096].decode("utf-8-sig", errors="replace").lstrip().split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    try:
        table = pd.read_csv(
            io.BytesIO(data), sep=separator, encoding="utf-8-sig", nrows=settings.max_rows + 1, skipinitialspace=True
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ImportFailed(
            f"the file {filename} cannot be read as CSV: {error}", "Export it as CSV in UTF-8."
        ) from error
    if len(table) > settings.max_rows:
        raise ImportFailed(f"the file {filename} has more than {settings.max_rows:,} rows.", "Cut the file.")
    if not isinstance(table.index, pd.RangeIndex):
        raise ImportFailed(
            f"the file {filename} has more fields in a row than names in its first line.", "Name every column."
        )
    return table


def _read_values(table: pd.DataFrame, columns: dict[str, str]) -> tuple[pd.DataFrame, list[Note]]:
    """The numeric columns as float64 in file order; a volume or amount that holds nothing is left out with a note."""
    values = pd.DataFrame(index=table.index)
    notes = []
    for name in PRICES:
        values[name] = _numbers(table[columns[name]], name)
    for name in ("volume", "amount"):
        if name not in columns:
            continue
        numbers = _numbers(table[columns[name]], name)
        empty = numbers.isna()
        if not numbers.fillna(0).any():
            notes.append(Note("info", f"The {name} column holds nothing but zeros or blanks; it is taken as absent."))
            continue
        if empty.any():
            rows = tuple(int(row) + 1 for row in np.flatnonzero(empty)[:_FEW])
            blanks = _count(int(empty.sum()), "blank cell")
            notes.append(Note("warning", f"{blanks} in the {name} column set to 0.", rows))
        values[name] = numbers.fillna(0.0)
    return values, notes


def _numbers(column: pd.Series, name: str) -> pd.Series:
    """The column as float64; blanks become NaN.

    Raises:
        ImportFailed: a cell holds text.
    """
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    text = numbers.isna() & column.notna()
    if text.any():
        row = int(np.flatnonzero(text.to_numpy())[0])
        raise ImportFailed(
            f"the text {str(column.iloc[row])[:40]!r} in the {name} column, row {row + 1}, is not a number.",
            "Use plain numbers with a decimal point and no thousands mark.",
        )
    return numbers


def _order(values: pd.DataFrame, rows: np.ndarray) -> tuple[pd.DataFrame, np.ndarray, list[Note]]:
    """Oldest first, each bar time once."""
    notes = []
    stamps = pd.DatetimeIndex(values.index).as_unit("ns").asi8
    steps = np.diff(stamps)
    if (steps < 0).any():
        found = "The rows are newest first" if (steps <= 0).all() else "The rows are not in order of time"
        notes.append(Note("warning", f"{found}; sorted, oldest first."))
        order = np.argsort(stamps, kind="stable")
        values, rows, stamps = values.iloc[order], rows[order], stamps[order]
    again = np.flatnonzero(np.diff(stamps) == 0) + 1
    if len(again):
        _refuse_conflicts(values, rows, again)
        named = tuple(int(row) for row in rows[again][:_FEW])
        notes.append(Note("warning", f"{_count(len(again), 'exact duplicate')} dropped.", named))
        keep = np.ones(len(values), dtype=bool)
        keep[again] = False
        values, rows = values[keep], rows[keep]
    return values, rows, notes


def _refuse_conflicts(values: pd.DataFrame, rows: np.ndarray, again: np.ndarray) -> None:
    """Two rows with the same bar time must say the same."""
    cells = values.to_numpy()
    same = ((cells[again] == cells[again - 1]) | (np.isnan(cells[again]) & np.isnan(cells[again - 1]))).all(axis=1)
    if not same.all():
        at = again[np.flatnonzero(~same)[0]]
        raise CandleError(
            f"rows {rows[at - 1]} and {rows[at]} have the same time ({values.index[at]}) but different values.",
            "Remove one of them, or split the file if it holds several symbols.",
        )


def _summary(candles: CandleFrame) -> Note:
    gaps = candles.gaps()
    missing = sum(gap.missing for gap in gaps)
    pauses = f"{_count(len(gaps), 'pause')} (closed hours or missing bars, {_count(missing, 'interval')} in all)"
    found = f"{_count(len(candles), 'candle')} at {interval_label(candles.interval)}"
    return Note("info", f"{found}, {pauses if gaps else 'no gaps'}.")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
