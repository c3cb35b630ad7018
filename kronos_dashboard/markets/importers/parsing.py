"""From the columns that matter to parsed rows of one instrument, on one clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import PRICES
from kronos_dashboard.markets.importers.cleaning import Rows
from kronos_dashboard.markets.importers.inference import middle
from kronos_dashboard.markets.importers.numbers import read_numbers
from kronos_dashboard.markets.importers.options import Choices, ImportOptions
from kronos_dashboard.markets.importers.roles import Roles
from kronos_dashboard.markets.importers.table import Table, named_rows, plural, texts
from kronos_dashboard.markets.importers.timestamp_text import NAT
from kronos_dashboard.markets.importers.timestamps import RawTimes, on_the_clock, raw_times
from kronos_dashboard.notes import Note

__all__ = ["Parsed", "parse_rows"]

_MOST_TICKERS = 20_000
_HISTORY = 10
"""With so many rows of one instrument, a file holds more than a day of a market."""
_MINUTE = 60 * 10**9
_HUGE = 1e9


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """Rows of one instrument."""

    rows: Rows
    session_tz: str
    symbol: str
    """What the file calls the instrument; may be empty."""
    ticks: bool
    notes: tuple[Note, ...]
    choices: tuple[Choices, ...]


def parse_rows(table: Table, roles: Roles, options: ImportOptions, filename: str) -> Parsed:
    """Parse times and values, for the one instrument that is wanted.

    Raises:
        ImportFailed: the times contradict each other, or there is no instrument of that name.
    """
    raw = _times(table, roles, options)
    picked, symbol, choices, notes = _instrument(table, roles, options, raw, filename)
    numbers = table.numbers
    if picked is not None:
        raw = replace(raw, ns=raw.ns[picked], offsets=None if raw.offsets is None else raw.offsets[picked])
        numbers = numbers[picked]
    times = on_the_clock(raw, options.session_tz)
    wanted = {**roles.prices, "volume": roles.volume, "amount": roles.amount}
    values, more = _values(table, roles, {n: at for n, at in wanted.items() if at is not None}, picked, numbers)
    rows = Rows(ns=times.ns, values=values, numbers=numbers)
    ticks = roles.ticks or (roles.time.uneven and _single(rows))
    if ticks and not roles.ticks:
        rows = replace(rows, values={"price": values["close"], **{n: v for n, v in values.items() if n == "volume"}})
    if not ticks:
        rows, scaled = _scaled(rows, roles, options)
        more += scaled
    return Parsed(rows=rows, session_tz=times.session_tz, symbol=symbol, ticks=ticks,
                  notes=(*notes, *times.notes, *more), choices=choices)  # fmt: skip


def _times(table: Table, roles: Roles, options: ImportOptions) -> RawTimes:
    columns: list[Any] = [table.columns[at] for at in roles.time.columns]
    if roles.time.day:
        return _on_the_day(columns[0], roles.time.day)
    raw = raw_times(columns, day_first=options.day_first, likely=roles.time.day_first or roles.style == "comma")
    if roles.time.epoch is not None and not raw.aware:
        raw = _with_epochs(raw, raw_times([table.columns[roles.time.epoch]]))
    if bool((raw.ns == NAT).mean() > 0.5):
        cell = next((c for c in texts(columns[0]).slice(0, 500).to_pylist() if c), "")
        raise ImportFailed(
            f"most of the times cannot be read; the first is {cell[:40]!r}.",
            "Write times as 2024-01-31 09:30, or as seconds or milliseconds since 1970.",
        )
    return raw


def _on_the_day(clock: Any, day: str) -> RawTimes:
    """Times of day, or milliseconds since midnight, on the day that the file's name tells."""
    note = Note("warning", f"The rows tell the time of day alone; the day, {day}, was taken from the name of the file.")
    column = texts(clock)
    if (
        pc.all(pc.match_substring_regex(column, r"^\d{1,8}(?:\.0)?$")).as_py()
        and pc.max(pc.utf8_length(column)).as_py() > 6
    ):
        midnight = np.datetime64(day, "ns").astype("int64")
        ms = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return RawTimes(ns=midnight + ms.astype("int64") * 10**6, aware=False, kind="text", notes=(note,))
    found = raw_times([pa.array([day] * len(column), type=pa.string()), column])
    return replace(found, notes=(note, *found.notes))


def _with_epochs(raw: RawTimes, epochs: RawTimes) -> RawTimes:
    """Text stamps whose distance from the epochs beside them is their offset from UTC."""
    both = (raw.ns != NAT) & (epochs.ns != NAT)
    if not both.any():
        return raw
    distance = raw.ns[both] - epochs.ns[both]
    if (distance != distance[0]).any() or distance[0] % (15 * _MINUTE) or abs(distance[0]) > 14 * 60 * _MINUTE:
        return raw
    offset = int(distance[0] // _MINUTE)
    ns = np.where(raw.ns == NAT, NAT, raw.ns - distance[0])
    return replace(raw, ns=ns, aware=True, offsets=np.full(len(ns), offset) if offset else None)


def _instrument(
    table: Table, roles: Roles, options: ImportOptions, raw: RawTimes, filename: str
) -> tuple[np.ndarray | None, str, tuple[Choices, ...], list[Note]]:
    """Rows of the wanted instrument (None: all), its name, the choices, and what was assumed."""
    if roles.groups:
        _known(options.ticker, roles.groups, filename)
        return None, roles.group, (Choices(option="ticker", values=roles.groups, taken=roles.group),), []
    if roles.symbol is None:
        return None, roles.group, (), []
    column = texts(table.columns[roles.symbol])
    coded = column.dictionary_encode()
    names = [name for name in coded.dictionary.to_pylist() if name]
    if len(names) <= 1 or len({name.lstrip("0").casefold() for name in names}) == 1:
        return None, _short(max(names, key=len, default="")), (), []
    codes = coded.indices.to_numpy(zero_copy_only=False)
    if options.ticker is None and not _overlap(raw.ns, codes):
        if len(names) > max(5, len(table) // 10):
            return None, "", (), []  # no name of an instrument: it changes from row to row
        shown = ", ".join(names[:5])
        text = f"The instrument changes its name ({shown}), but no time comes twice; all rows were taken as one series."
        return None, _short(names[-1]), (), [Note("warning", text)]
    counts = np.bincount(codes[codes >= 0])
    thin = len(table) < 1.5 * len(names)
    if thin and counts.max() < _HISTORY:
        raise ImportFailed(
            f"the file {filename} holds {len(names):,} instruments with hardly more than one candle each.",
            "A file must hold the history of an instrument, not one day of a market.",
        )
    offered = tuple(names[:_MOST_TICKERS])
    _known(options.ticker, offered, filename)
    first = coded.dictionary[int(counts.argmax())].as_py() if thin else offered[0]
    taken = next((n for n in offered if options.ticker and n.casefold() == options.ticker.casefold()), first)
    rows = np.flatnonzero(pc.equal(column, taken).to_numpy(zero_copy_only=False))
    return rows, _short(taken), (Choices(option="ticker", values=offered, taken=taken),), []


def _known(ticker: str | None, names: tuple[str, ...], filename: str) -> None:
    if ticker is not None and ticker.casefold() not in {name.casefold() for name in names}:
        raise ImportFailed(
            f"the file {filename} has no instrument {ticker[:40]!r}.", f"It has {', '.join(names[:12])}."
        )


def _overlap(ns: np.ndarray, codes: np.ndarray) -> bool:
    """Whether some time comes with more than one name."""
    order = np.lexsort((codes, ns))
    stamps, names = ns[order], codes[order]
    return bool(((np.diff(stamps) == 0) & (np.diff(names) != 0) & (stamps[1:] != NAT)).any())


def _short(name: str) -> str:
    return name if len(name) <= 40 else ""


def _values(
    table: Table, roles: Roles, wanted: dict[str, int], picked: np.ndarray | None, numbers: np.ndarray
) -> tuple[dict[str, np.ndarray], list[Note]]:
    values, notes = {}, []
    for name, at in wanted.items():
        column = table.columns[at]
        found = read_numbers(column if picked is None else column.take(pa.array(picked)), roles.style)
        values[name] = found.values
        if found.text.any():
            cell = str(texts(column)[int(np.flatnonzero(found.text)[0] if picked is None else picked[found.text][0])])[
                :40
            ]
            count = plural(int(found.text.sum()), "cell")
            text = f"{count} of text in the {name} column, such as {cell!r}, taken as blank."
            notes.append(Note("warning", text, named_rows(numbers[found.text])))
    return values, notes


def _single(rows: Rows) -> bool:
    """Whether every row has one price alone."""
    opens, highs, lows, closes = (rows.values[name] for name in PRICES)
    good = np.isfinite(opens)
    return bool(good.any() and ((opens == highs) & (lows == closes) & (opens == lows))[good].all())


def _scaled(rows: Rows, roles: Roles, options: ImportOptions) -> tuple[Rows, list[Note]]:
    """Prices divided by the scale: the user's, or 10,000 for whole numbers that can hardly be prices (no header)."""
    scale = options.price_scale
    notes = []
    if scale is None and not roles.headed and _in_ten_thousandths(rows, least=100 if roles.time.day else 10_000):
        scale = 10_000.0
        text = "All prices are whole numbers in steps of 100, without a header: taken as ten thousandths and divided."
        notes = [Note("warning", f"{text} A price scale of 1 keeps them.")]
    if scale is None and middle(rows.values["close"]) >= _HUGE and _whole(rows):
        text = "The prices are whole numbers above a billion, kept as they are; if they count parts of a unit, say the"
        return rows, [Note("warning", f"{text} price scale, such as 1000000000.")]
    if scale is None or scale == 1:
        return rows, notes
    if not notes:
        notes = [Note("info", f"Prices divided by {scale:,.10g}, as asked for.")]
    scaled = {name: column / scale if name in PRICES else column for name, column in rows.values.items()}
    return replace(rows, values=scaled), notes


def _in_ten_thousandths(rows: Rows, least: float) -> bool:
    """Whether the prices are whole numbers of ``least`` or more, nearly all in steps of 100."""
    prices = np.concatenate([rows.values[name] for name in PRICES])
    prices = prices[np.isfinite(prices)]
    steps = _whole(rows) and np.median(prices) >= least and (prices % 100 == 0).mean() > 0.9
    return bool(steps and (prices % 10_000 != 0).any())


def _whole(rows: Rows) -> bool:
    """Whether no price has decimals."""
    prices = np.concatenate([rows.values[name] for name in PRICES])
    prices = prices[np.isfinite(prices)]
    return bool(len(prices) and (prices == np.round(prices)).all())
