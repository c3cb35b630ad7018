"""Read a file into candles and notes.

Rows are numbered from 1 below the header, before sorting, so that a note names the row that an editor shows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.candles import COLUMNS, CandleFrame, infer_interval
from kronos_dashboard.markets.importers.assign_columns import ColumnRoles, find_roles
from kronos_dashboard.markets.importers.cleaning import Rows, clean
from kronos_dashboard.markets.importers.open_tables import open_tables
from kronos_dashboard.markets.importers.options import ImportChoice, ImportedCandles, ImportOptions, parse_interval
from kronos_dashboard.markets.importers.own_exports import reject_own_export_table
from kronos_dashboard.markets.importers.parsing import ParsedRows, parse_rows
from kronos_dashboard.markets.importers.sanity_checks import CLOSE_NOTE, are_close_timestamps, find_suspicious_steps
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.markets.importers.ticks import aggregate_ticks
from kronos_dashboard.markets.importers.time_columns import merge_date_columns
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.messages import msg, nmsg
from kronos_dashboard.notes import Note
from kronos_dashboard.settings import Settings

__all__ = ["read", "read_file"]

_MONTH_STEPS = (pd.Timedelta(days=27), pd.Timedelta(days=34))
"""Range of the median step of monthly bars: 28 to 31 days, moved by up to three days of weekend."""
_MAX_OFF_GRID_FRACTION = 0.5
"""Above this fraction of steps off the most common one, that one is not the interval."""
_MAX_UNEVEN_FRACTION = 0.2
"""Above this fraction of steps off the interval, a warning says that the rows are uneven."""
_MAX_CLOSED_NS = 20 * 86_400 * 10**9
"""Longer steps are closures or gaps of the source and say nothing about the interval; Golden Week lasts 10 days."""
_STANDARD_INTERVALS = tuple(pd.Timedelta(seconds=s) for s in (1, 5, 10, 15, 30, 60, 300, 900, 1_800, 3_600))
"""Intervals that are accepted as the greatest common divisor of uneven steps."""
_FILE_SUFFIXES = (".csv", ".txt", ".tsv", ".json", ".gz", ".xlsx", ".xls", ".parquet", ".feather", ".zip")
_MAX_TABLES_TRIED = 50
"""Members of an archive, or tables of a document, that are searched for candles."""


def read(
    data: bytes, filename: str, options: ImportOptions | None = None, settings: Settings | None = None
) -> ImportedCandles:
    """Read a file of candles: text, JSON, Excel, Parquet or Feather, also compressed or in an archive.

    Columns of time and prices are found by name, or by their values; everything that is dropped, changed or assumed is
    in
    the notes. Of several series the first is read, and the others are listed as choices.

    Raises:
        ImportFileError: the file contains no candles; the message says why. ``ExportedForecastError`` for a forecast.
        ChoiceRequiredError: the file contains ticks and can be read once an interval is chosen.
    """
    options, settings = options or ImportOptions(), settings or Settings()
    name = Path(filename).name or "file"
    with np.errstate(all="ignore"):  # extreme values overflow before their rows are dropped
        table, roles, member, choices = _choose_table(data, name, options, settings)
        parsed = parse_rows(table, roles, options, member)
        return _build_candles(table, roles, parsed, options, member, choices)


def read_file(path: Path, options: ImportOptions | None = None, settings: Settings | None = None) -> ImportedCandles:
    """Read a file on disk; see ``read``.

    Raises:
        ImportFileError: the file does not exist, cannot be opened, or contains no candles.
        ChoiceRequiredError: the file contains ticks and can be read once an interval is chosen.
    """
    settings = settings or Settings()
    try:
        with path.open("rb") as file:
            data = file.read(settings.max_upload_bytes + 1)
    except FileNotFoundError as error:
        raise ImportFileError(msg("there is no file {path}.", path=path), msg("Check the path.")) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImportFileError(
            msg("the file {path} cannot be opened: {reason}.", path=path, reason=reason),
            msg("Check the path and the permissions."),
        ) from error
    return read(data, path.name, options, settings)


def _choose_table(
    data: bytes, filename: str, options: ImportOptions, settings: Settings
) -> tuple[Table, ColumnRoles, str, list[ImportChoice]]:
    """The first table with candles: (table, roles, member, choices)."""
    opened = open_tables(data, filename, options.sheet, settings)
    usable: list[tuple[Table, ColumnRoles, str]] = []
    failures: list[ImportFileError] = []
    for tried, (member, tables) in enumerate(opened.tables):
        if tried == _MAX_TABLES_TRIED:
            break
        if isinstance(tables, ImportFileError):
            failures.append(tables)
            continue
        tables_to_try = [
            t for t in tables if options.sheet is None or t.name.casefold() == options.sheet.casefold()
        ] or tables
        for table in map(merge_date_columns, tables_to_try[:_MAX_TABLES_TRIED]):
            try:
                reject_own_export_table(table, member)
                usable.append((table, find_roles(table, member, dict(options.columns), options.symbol), member))
            except ImportFileError as error:
                failures.append(error)
        if usable:
            break
    if not usable:
        raise (
            failures[0]
            if failures
            else ImportFileError(
                msg("the file {filename} contains no candles.", filename=filename), msg("Export it again.")
            )
        )
    table, roles, member = next((entry for entry in usable if not entry[1].are_ticks), usable[0])
    choices = []
    if len(opened.names) > 1:
        choices.append(ImportChoice(option="sheet", values=tuple(opened.names), selected=member))
    if options.sheet is None and len(usable) > 1 and len({entry[0].name for entry in usable}) > 1:
        choices.append(
            ImportChoice(option="sheet", values=tuple(entry[0].name for entry in usable), selected=table.name)
        )
    return table, roles, member, choices


def _build_candles(
    table: Table,
    roles: ColumnRoles,
    parsed: ParsedRows,
    options: ImportOptions,
    member: str,
    choices: list[ImportChoice],
) -> ImportedCandles:
    rows, notes = parsed.rows, [*table.notes, *roles.notes, *parsed.notes]
    if parsed.are_ticks:
        rows, step_notes = aggregate_ticks(rows, options.interval, member)
        notes += step_notes
    rows, step_notes = clean(rows, member)
    notes += step_notes
    index = pd.DatetimeIndex(rows.ns, tz="UTC")
    modal_interval = _bar_interval(index)
    interval = parse_interval(options.interval) if options.interval else modal_interval
    if len(rows) > 2 and not parsed.are_ticks:
        notes += [
            *_regularity_notes(rows, modal_interval, interval),
            *find_suspicious_steps(rows, modal_interval.value),
        ]
    local = index.tz_convert(parsed.session_tz).tz_localize(None).as_unit("ns").asi8
    at_bar_close = roles.time.at_bar_close
    if not at_bar_close and not parsed.are_ticks and are_close_timestamps(local, interval.value):
        at_bar_close = True
        notes.append(CLOSE_NOTE)
    choices = [*parsed.choices, *choices]
    notes = [_choice_note(choice) for choice in choices if _has_alternatives(choice)] + notes
    candles = CandleFrame(
        frame=_build_frame(rows, index),
        symbol=options.name or parsed.symbol or table.symbol or _symbol_from_filename(member),
        interval=interval,
        session_tz=parsed.session_tz,
        timestamp_at="close" if at_bar_close else "open",
        source=member,
        has_volume="volume" in rows.values,
        has_amount="amount" in rows.values,
    )
    return ImportedCandles(candles, (*notes, _summary_note(candles)), tuple(choices))


def _bar_interval(index: pd.DatetimeIndex) -> pd.Timedelta:
    """The most common step; 30 days for months; the common divisor of uneven intraday steps."""
    interval = infer_interval(index)
    steps = np.diff(index.asi8)
    common_step = pd.Timedelta(int(np.gcd.reduce(steps)), unit="ns")
    if (
        interval < pd.Timedelta(days=1)
        and (steps % interval.value != 0).mean() > _MAX_OFF_GRID_FRACTION
        and common_step in _STANDARD_INTERVALS
    ):
        return common_step
    median_step = pd.Timedelta(int(np.median(np.diff(index.asi8))), unit="ns")
    if _MONTH_STEPS[0] <= median_step <= _MONTH_STEPS[1] and not pd.Timedelta(days=28) <= interval <= pd.Timedelta(
        days=31
    ):
        return pd.Timedelta(days=30)
    return interval


def _build_frame(rows: Rows, index: pd.DatetimeIndex) -> pd.DataFrame:
    zeros = np.zeros(len(rows))
    return pd.DataFrame({name: rows.values.get(name, zeros) for name in COLUMNS}, index=index, copy=False)


def _symbol_from_filename(member: str) -> str:
    name = Path(member).name
    for _ in range(2):  # .csv.gz
        if Path(name).suffix.lower() in _FILE_SUFFIXES:
            name = Path(name).stem
    if len(Path(name).suffix) < 6:  # a longer one is part of a name such as BTC.perpetual
        name = Path(name).stem
    return name[:60] or "file"


def _has_alternatives(choice: ImportChoice) -> bool:
    return choice.selected is not None and len(choice.values) > 1


def _choice_note(choice: ImportChoice) -> Note:
    others = [value for value in choice.values if value != choice.selected]
    shown = ", ".join(others[:8]) + (", ..." if len(others) > 8 else "")
    values = {"count": len(choice.values), "selected": choice.selected, "others": shown}
    if choice.option == "symbol":
        text = msg("{count:,} instruments found; {selected} was used. The others: {others}.", **values)
    elif choice.option == "sheet":
        text = msg("{count:,} tables or files found; {selected} was used. The others: {others}.", **values)
    else:
        text = msg("{count:,} options found; {selected} was used. The others: {others}.", **values)
    return Note("warning", text)


def _regularity_notes(rows: Rows, modal_interval: pd.Timedelta, interval: pd.Timedelta) -> list[Note]:
    """Warnings about steps that do not fit one interval."""
    steps = np.diff(rows.ns)
    if interval != modal_interval:
        text = msg(
            "The most common step between rows is {step}; requested: {interval}.",
            step=interval_label(modal_interval),
            interval=interval_label(interval),
        )
        return [Note("warning", text)]
    step = infer_interval(pd.DatetimeIndex(rows.ns))
    off_grid = (steps % step.value != 0) & (steps < _MAX_CLOSED_NS)
    if step < pd.Timedelta(days=1) and off_grid.mean() > _MAX_UNEVEN_FRACTION:
        text = msg(
            "The rows are unevenly spaced: {fraction:.0%} of the steps are not a multiple of {interval}.",
            fraction=off_grid.mean(),
            interval=interval_label(step),
        )
        return [Note("warning", text)]
    return []


def _summary_note(candles: CandleFrame) -> Note:
    gaps = candles.gaps()
    missing = sum(gap.missing for gap in gaps)
    description = nmsg(
        "{n:,} candle at {interval}",
        "{n:,} candles at {interval}",
        len(candles),
        interval=interval_label(candles.interval),
    )
    if not gaps:
        return Note("info", msg("{candles}, no gaps.", candles=description))
    pauses = nmsg(
        "{n:,} gap (closed hours or missing bars; {missing} in total)",
        "{n:,} gaps (closed hours or missing bars; {missing} in total)",
        len(gaps),
        missing=nmsg("{n:,} interval", "{n:,} intervals", missing),
    )
    return Note("info", msg("{candles}, {pauses}.", candles=description, pauses=pauses))
