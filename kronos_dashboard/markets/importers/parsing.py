"""Parse the columns of one instrument: times in UTC, values as float64."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.assign_columns import ColumnRoles
from kronos_dashboard.markets.importers.cleaning import Rows
from kronos_dashboard.markets.importers.numbers import parse_numbers
from kronos_dashboard.markets.importers.options import ImportChoice, ImportOptions
from kronos_dashboard.markets.importers.price_patterns import finite_median
from kronos_dashboard.markets.importers.table import Table, note_rows, to_text
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.markets.importers.timestamps import RawTimes, parse_times, resolve_session_timezone
from kronos_dashboard.messages import msg, nmsg, term
from kronos_dashboard.notes import Note

__all__ = ["ParsedRows", "parse_rows"]

_MAX_TICKERS = 20_000
"""Instruments that are offered as a choice; more than any exchange lists."""
_MIN_HISTORY_ROWS = 10
"""With as many rows for one instrument, a file is more than one day of a whole market."""
_MINUTE_NS = 60 * 10**9
_MIN_SCALED_PRICE = 1e9
"""Whole prices from here on are probably in units of 10**-9 or the like; a note points to the price scale."""


@dataclass(frozen=True, kw_only=True)
class ParsedRows:
    """Parsed rows of one instrument."""

    rows: Rows
    session_tz: str
    symbol: str
    """Name of the instrument in the file; may be empty."""
    are_ticks: bool
    notes: tuple[Note, ...]
    choices: tuple[ImportChoice, ...]


def parse_rows(table: Table, roles: ColumnRoles, options: ImportOptions, filename: str) -> ParsedRows:
    """Parse times and values of the requested instrument.

    Raises:
        ImportFileError: the times cannot be read, or there is no instrument of that name.
    """
    raw_times = _parse_time_columns(table, roles, options)
    selected, symbol, choices, notes = _select_instrument(table, roles, options, raw_times, filename)
    numbers = table.row_numbers
    if selected is not None:
        raw_times = replace(
            raw_times,
            ns=raw_times.ns[selected],
            offsets=None if raw_times.offsets is None else raw_times.offsets[selected],
        )
        numbers = numbers[selected]
    times = resolve_session_timezone(raw_times, options.session_tz)
    value_columns = {**roles.prices, "volume": roles.volume, "amount": roles.amount}
    values, value_notes = _parse_values(
        table, roles, {n: at for n, at in value_columns.items() if at is not None}, selected, numbers
    )
    rows = Rows(ns=times.ns, values=values, row_numbers=numbers)
    ticks = roles.are_ticks or (roles.time.is_tick_like and _is_single_price(rows))
    if ticks and not roles.are_ticks:
        rows = replace(rows, values={"price": values["close"], **{n: v for n, v in values.items() if n == "volume"}})
    if not ticks:
        rows, scale_notes = _scale_prices(rows, roles, options)
        value_notes += scale_notes
    return ParsedRows(rows=rows, session_tz=times.session_tz, symbol=symbol, are_ticks=ticks,
                  notes=(*notes, *times.notes, *value_notes), choices=choices)  # fmt: skip


def _parse_time_columns(table: Table, roles: ColumnRoles, options: ImportOptions) -> RawTimes:
    columns: list[Any] = [table.columns[at] for at in roles.time.columns]
    if roles.time.date_from_filename:
        return _times_on_date(columns[0], roles.time.date_from_filename)
    raw = parse_times(
        columns, day_first=options.day_first, prefer_day_first=roles.time.day_first or roles.decimal_mark == "comma"
    )
    if roles.time.epoch_column is not None and not raw.is_aware:
        raw = _apply_epoch_offset(raw, parse_times([table.columns[roles.time.epoch_column]]))
    if bool((raw.ns == NAT).mean() > 0.5):
        cell = next((c for c in to_text(columns[0]).slice(0, 500).to_pylist() if c), "")
        raise ImportFileError(
            msg("most of the times cannot be read; the first is {cell}.", cell=repr(cell[:40])),
            msg("Write times as 2024-01-31 09:30, or as seconds or milliseconds since 1970."),
        )
    return raw


def _times_on_date(clock: Any, day: str) -> RawTimes:
    """Times of day, or milliseconds since midnight, on the date in the name of the file."""
    note = Note(
        "warning",
        msg("The rows have only a time of day; the date, {day}, was taken from the file name.", day=day),
    )
    column = to_text(clock)
    if (
        pc.all(pc.match_substring_regex(column, r"^\d{1,8}(?:\.0)?$")).as_py()
        and pc.max(pc.utf8_length(column)).as_py() > 6
    ):
        midnight = np.datetime64(day, "ns").astype("int64")
        ms = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return RawTimes(ns=midnight + ms.astype("int64") * 10**6, is_aware=False, notes=(note,))
    raw = parse_times([pa.array([day] * len(column), type=pa.string()), column])
    return replace(raw, notes=(note, *raw.notes))


def _apply_epoch_offset(raw: RawTimes, epochs: RawTimes) -> RawTimes:
    """Convert text timestamps to UTC by their constant distance from a column of epochs."""
    has_both = (raw.ns != NAT) & (epochs.ns != NAT)
    if not has_both.any():
        return raw
    distance = raw.ns[has_both] - epochs.ns[has_both]
    if (distance != distance[0]).any() or distance[0] % (15 * _MINUTE_NS) or abs(distance[0]) > 14 * 60 * _MINUTE_NS:
        return raw
    offset = int(distance[0] // _MINUTE_NS)
    ns = np.where(raw.ns == NAT, NAT, raw.ns - distance[0])
    return replace(raw, ns=ns, is_aware=True, offsets=np.full(len(ns), offset) if offset else None)


def _select_instrument(
    table: Table, roles: ColumnRoles, options: ImportOptions, raw: RawTimes, filename: str
) -> tuple[np.ndarray | None, str, tuple[ImportChoice, ...], list[Note]]:
    """Rows of the requested instrument (None: all), its name, the choices, and notes."""
    if roles.groups:
        _check_ticker(options.symbol, roles.groups, filename)
        return None, roles.group, (ImportChoice(option="symbol", values=roles.groups, selected=roles.group),), []
    if roles.symbol is None:
        return None, roles.group, (), []
    column = to_text(table.columns[roles.symbol])
    encoded = column.dictionary_encode()
    names = [name for name in encoded.dictionary.to_pylist() if name]
    if len(names) <= 1 or len({name.lstrip("0").casefold() for name in names}) == 1:
        return None, _short_name(max(names, key=len, default="")), (), []
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    if options.symbol is None and not _share_times(raw.ns, codes):
        if len(names) > max(5, len(table) // 10):
            return None, "", (), []  # a value that changes from row to row is not the name of an instrument
        shown = ", ".join(names[:5])
        text = msg(
            "The name of the instrument changes ({example}), but no time is repeated; all rows were read as "
            "one series.",
            example=shown,
        )
        return None, _short_name(names[-1]), (), [Note("warning", text)]
    counts = np.bincount(codes[codes >= 0])
    is_thin = len(table) < 1.5 * len(names)
    if is_thin and counts.max() < _MIN_HISTORY_ROWS:
        raise ImportFileError(
            msg(
                "the file {filename} contains {count:,} instruments with hardly more than one candle each.",
                filename=filename,
                count=len(names),
            ),
            msg("A file must contain the history of an instrument, not one day of a market."),
        )
    tickers = tuple(names[:_MAX_TICKERS])
    _check_ticker(options.symbol, tickers, filename)
    default = encoded.dictionary[int(counts.argmax())].as_py() if is_thin else tickers[0]
    selected = next((n for n in tickers if options.symbol and n.casefold() == options.symbol.casefold()), default)
    rows = np.flatnonzero(pc.equal(column, selected).to_numpy(zero_copy_only=False))
    return rows, _short_name(selected), (ImportChoice(option="symbol", values=tickers, selected=selected),), []


def _check_ticker(ticker: str | None, names: tuple[str, ...], filename: str) -> None:
    if ticker is not None and ticker.casefold() not in {name.casefold() for name in names}:
        raise ImportFileError(
            msg("the file {filename} has no instrument {ticker}.", filename=filename, ticker=repr(ticker[:40])),
            msg("Available: {names}.", names=", ".join(names[:12])),
        )


def _share_times(ns: np.ndarray, codes: np.ndarray) -> bool:
    """Whether a time occurs with more than one name."""
    order = np.lexsort((codes, ns))
    times, names = ns[order], codes[order]
    return bool(((np.diff(times) == 0) & (np.diff(names) != 0) & (times[1:] != NAT)).any())


def _short_name(name: str) -> str:
    """The name, or nothing when it is too long to be a symbol."""
    return name if len(name) <= 40 else ""


def _parse_values(
    table: Table,
    roles: ColumnRoles,
    value_columns: dict[str, int],
    selected: np.ndarray | None,
    row_numbers: np.ndarray,
) -> tuple[dict[str, np.ndarray], list[Note]]:
    values, notes = {}, []
    for name, at in value_columns.items():
        column = table.columns[at]
        parsed = parse_numbers(column if selected is None else column.take(pa.array(selected)), roles.decimal_mark)
        values[name] = parsed.values
        if parsed.is_text.any():
            cell = str(
                to_text(column)[
                    int(np.flatnonzero(parsed.is_text)[0] if selected is None else selected[parsed.is_text][0])
                ]
            )[:40]
            text = nmsg(
                "{n:,} cell of the {name} column contains text, such as {cell}, and was read as blank.",
                "{n:,} cells of the {name} column contain text, such as {cell}, and were read as blank.",
                int(parsed.is_text.sum()),
                name=term(name),
                cell=repr(cell),
            )
            notes.append(Note("warning", text, note_rows(row_numbers[parsed.is_text])))
    return values, notes


def _is_single_price(rows: Rows) -> bool:
    """Whether the four prices of every row are equal."""
    opens, highs, lows, closes = (rows.values[name] for name in PRICES)
    good = np.isfinite(opens)
    return bool(good.any() and ((opens == highs) & (lows == closes) & (opens == lows))[good].all())


def _scale_prices(rows: Rows, roles: ColumnRoles, options: ImportOptions) -> tuple[Rows, list[Note]]:
    """Divide the prices by the user's scale, or by 10,000 for whole numbers that are unlikely prices (no header)."""
    scale = options.price_divisor
    notes = []
    if (
        scale is None
        and not roles.has_header
        and _are_ten_thousandths(rows, min_median=100 if roles.time.date_from_filename else 10_000)
    ):
        scale = 10_000.0
        text = msg(
            "All prices are whole numbers in steps of 100, without a header: read as ten-thousandths and "
            "divided by 10,000. A price scale of 1 keeps them unchanged."
        )
        notes = [Note("warning", text)]
    if scale is None and finite_median(rows.values["close"]) >= _MIN_SCALED_PRICE and _are_whole_numbers(rows):
        text = msg(
            "The prices are whole numbers above a billion and are kept unchanged; if they count parts of a "
            "unit, set the price scale, such as 1000000000."
        )
        return rows, [Note("warning", text)]
    if scale is None or scale == 1:
        return rows, notes
    if not notes:
        notes = [Note("info", msg("Prices divided by {scale:,.10g}, as requested.", scale=scale))]
    scaled = {name: column / scale if name in PRICES else column for name, column in rows.values.items()}
    return replace(rows, values=scaled), notes


def _are_ten_thousandths(rows: Rows, min_median: float) -> bool:
    """Whether the prices are whole numbers with a median of ``min_median`` or more, nearly all multiples of 100."""
    prices = np.concatenate([rows.values[name] for name in PRICES])
    prices = prices[np.isfinite(prices)]
    steps = _are_whole_numbers(rows) and np.median(prices) >= min_median and (prices % 100 == 0).mean() > 0.9
    return bool(steps and (prices % 10_000 != 0).any())


def _are_whole_numbers(rows: Rows) -> bool:
    """Whether no price has decimals."""
    prices = np.concatenate([rows.values[name] for name in PRICES])
    prices = prices[np.isfinite(prices)]
    return bool(len(prices) and (prices == np.round(prices)).all())
