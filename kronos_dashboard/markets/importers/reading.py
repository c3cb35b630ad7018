"""From the bytes of a file to candles and notes.

The file's rows are counted from 1 below the header, also after sorting, so that a note names the row one sees.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import COLUMNS, CandleFrame, interval_label, interval_of
from kronos_dashboard.markets.importers.cleaning import Rows, clean
from kronos_dashboard.markets.importers.close_timestamps import CLOSING, stand_at_closes
from kronos_dashboard.markets.importers.open_tables import open_tables
from kronos_dashboard.markets.importers.options import Choices, Imported, ImportOptions, parse_interval
from kronos_dashboard.markets.importers.own_exports import refuse_table
from kronos_dashboard.markets.importers.parsing import Parsed, parse_rows
from kronos_dashboard.markets.importers.roles import Roles, find_roles
from kronos_dashboard.markets.importers.sanity_checks import doubts
from kronos_dashboard.markets.importers.split_dates import with_whole_dates
from kronos_dashboard.markets.importers.table import Table, plural
from kronos_dashboard.markets.importers.ticks import from_ticks
from kronos_dashboard.notes import Note
from kronos_dashboard.settings import Settings

__all__ = ["read", "read_file"]

_MONTH = (pd.Timedelta(days=27), pd.Timedelta(days=34))
_UNEVEN = 0.5
_GRIDS = tuple(pd.Timedelta(seconds=s) for s in (1, 5, 10, 15, 30, 60, 300, 900, 1_800, 3_600))
_MOST_TRIED = 50
"""Files of an archive, or tables of a document, that are looked into."""


def read(
    data: bytes, filename: str, options: ImportOptions | None = None, settings: Settings | None = None
) -> Imported:
    """Read a file of candles: text, JSON, Excel, Parquet or Feather, also compressed or in an archive.

    Time and prices are found by the names of the columns, or by their values; whatever is dropped, changed or assumed
    is told in a note. Where a file offers several series, the first is taken, and the others are among the choices.

    Raises:
        ImportFailed: the bytes are no candles; the message says why. ``ExportedForecast`` where they are a forecast.
        ChoiceNeeded: they can be read once an interval (for ticks) is chosen.
    """
    options, settings = options or ImportOptions(), settings or Settings()
    name = Path(filename).name or "file"
    with np.errstate(all="ignore"):  # absurd numbers overflow on the way to being dropped
        table, roles, member, choices = _choose(data, name, options, settings)
        parsed = parse_rows(table, roles, options, member)
        return _candles(table, roles, parsed, options, member, choices)


def read_file(path: Path, options: ImportOptions | None = None, settings: Settings | None = None) -> Imported:
    """``read`` for a file on disk.

    Raises:
        ImportFailed: there is no such file, it cannot be opened, or it holds no candles.
        ChoiceNeeded: it can be read once an interval (for ticks) is chosen.
    """
    settings = settings or Settings()
    try:
        with path.open("rb") as file:
            data = file.read(settings.max_upload_bytes + 1)
    except FileNotFoundError as error:
        raise ImportFailed(f"there is no file {path}.", "Check the path.") from error
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        raise ImportFailed(f"the file {path} cannot be opened: {told}.", "Check path and permissions.") from error
    return read(data, path.name, options, settings)


def _choose(
    data: bytes, filename: str, options: ImportOptions, settings: Settings
) -> tuple[Table, Roles, str, list[Choices]]:
    """The first table that holds candles, and the names of the others that may."""
    opened = open_tables(data, filename, options.sheet, settings)
    usable: list[tuple[Table, Roles, str]] = []
    failures: list[ImportFailed] = []
    for tried, (member, tables) in enumerate(opened.tables):
        if tried == _MOST_TRIED:
            break
        if isinstance(tables, ImportFailed):
            failures.append(tables)
            continue
        wanted = [t for t in tables if options.sheet is None or t.name.casefold() == options.sheet.casefold()] or tables
        for table in map(with_whole_dates, wanted[:_MOST_TRIED]):
            try:
                refuse_table(table, member)
                usable.append((table, find_roles(table, member, dict(options.columns), options.ticker), member))
            except ImportFailed as error:
                failures.append(error)
        if usable:
            break
    if not usable:
        raise failures[0] if failures else ImportFailed(f"the file {filename} holds no candles.", "Export it again.")
    table, roles, member = next((found for found in usable if not found[1].ticks), usable[0])
    choices = []
    if len(opened.names) > 1:
        choices.append(Choices(option="sheet", values=tuple(opened.names), taken=member))
    if options.sheet is None and len(usable) > 1 and len({found[0].name for found in usable}) > 1:
        choices.append(Choices(option="sheet", values=tuple(found[0].name for found in usable), taken=table.name))
    return table, roles, member, choices


def _candles(
    table: Table, roles: Roles, parsed: Parsed, options: ImportOptions, member: str, choices: list[Choices]
) -> Imported:
    rows, notes = parsed.rows, [*table.notes, *roles.notes, *parsed.notes]
    if parsed.ticks:
        rows, more = from_ticks(rows, options.interval, member)
        notes += more
    rows, more = clean(rows, member)
    notes += more
    index = pd.DatetimeIndex(rows.ns, tz="UTC")
    usual = _usual(index)
    interval = parse_interval(options.interval) if options.interval else usual
    if len(rows) > 2 and not parsed.ticks:
        notes += [*_regular(rows, usual, interval), *doubts(rows, usual.value)]
    local = index.tz_convert(parsed.session_tz).tz_localize(None).as_unit("ns").asi8
    closing = roles.time.closing
    if not closing and not parsed.ticks and stand_at_closes(local, interval.value):
        closing = True
        notes.append(CLOSING)
    choices = [*parsed.choices, *choices]
    notes = [_offered(choice) for choice in choices if _told(choice)] + notes
    candles = CandleFrame(
        frame=_frame(rows, index),
        symbol=options.symbol or parsed.symbol or table.symbol or _stem(member),
        interval=interval,
        session_tz=parsed.session_tz,
        stamped="close" if closing else "open",
        source=member,
        has_volume="volume" in rows.values,
        has_amount="amount" in rows.values,
    )
    return Imported(candles, (*notes, _summary(candles)), tuple(choices))


def _usual(index: pd.DatetimeIndex) -> pd.Timedelta:
    """The commonest step; months, whose steps differ, are 30 or 31 days; of uneven steps, what all are multiples of."""
    found = interval_of(index)
    steps = np.diff(index.asi8)
    whole = pd.Timedelta(int(np.gcd.reduce(steps)), unit="ns")
    if found < pd.Timedelta(days=1) and (steps % found.value != 0).mean() > _UNEVEN and whole in _GRIDS:
        return whole
    middle = pd.Timedelta(int(np.median(np.diff(index.asi8))), unit="ns")
    if _MONTH[0] <= middle <= _MONTH[1] and not pd.Timedelta(days=28) <= found <= pd.Timedelta(days=31):
        return pd.Timedelta(days=30)
    return found


def _frame(rows: Rows, index: pd.DatetimeIndex) -> pd.DataFrame:
    zeros = np.zeros(len(rows))
    return pd.DataFrame({name: rows.values.get(name, zeros) for name in COLUMNS}, index=index, copy=False)


def _stem(member: str) -> str:
    name = Path(member).name
    for _ in range(2):
        if Path(name).suffix.lower() in (
            ".csv",
            ".txt",
            ".tsv",
            ".json",
            ".gz",
            ".xlsx",
            ".xls",
            ".parquet",
            ".feather",
            ".zip",
        ):
            name = Path(name).stem
    return (name if Path(name).suffix.lower() == "" else Path(name).stem if len(Path(name).suffix) < 6 else name)[
        :60
    ] or "file"


def _told(choice: Choices) -> bool:
    return choice.taken is not None and len(choice.values) > 1


def _offered(choice: Choices) -> Note:
    others = [value for value in choice.values if value != choice.taken]
    shown = ", ".join(others[:8]) + (", ..." if len(others) > 8 else "")
    noun = {"ticker": "instruments", "sheet": "tables or files"}.get(choice.option, "choices")
    return Note(
        "warning", f"There are {len(choice.values):,} {noun}; {choice.taken} was taken. The others are: {shown}."
    )


def _regular(rows: Rows, usual: pd.Timedelta, interval: pd.Timedelta) -> list[Note]:
    """Whether the steps between the rows are those of one interval."""
    steps = np.diff(rows.ns)
    if interval != usual:
        text = f"The commonest step between rows is {interval_label(usual)}; {interval_label(interval)} was asked for."
        return [Note("warning", text)]
    common = interval_of(pd.DatetimeIndex(rows.ns))
    off = (steps % common.value != 0) & (steps < 20 * 86_400 * 10**9)
    if common < pd.Timedelta(days=1) and off.mean() > 0.2:
        text = f"{off.mean():.0%} of the steps between rows are no whole number of {interval_label(common)}."
        return [Note("warning", f"The rows are uneven: {text}")]
    return []


def _summary(candles: CandleFrame) -> Note:
    gaps = candles.gaps()
    missing = sum(gap.missing for gap in gaps)
    pauses = f"{plural(len(gaps), 'pause')} (closed hours or missing bars, {plural(missing, 'interval')} in all)"
    found = f"{plural(len(candles), 'candle')} at {interval_label(candles.interval)}"
    return Note("info", f"{found}, {pauses if gaps else 'no gaps'}.")


def with_notes(imported: Imported, *notes: Note) -> Imported:
    """The same candles, with more to tell."""
    return replace(imported, notes=(*imported.notes, *notes))
