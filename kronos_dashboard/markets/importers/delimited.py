"""Text files as tables: the delimiter, the header and the lines that are none of either are found from their structure.

The first lines are looked at closely; the rest is read in one pass, and lines that do not have the table's number of
fields are given back as left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.headers import Header, is_data, read_header
from kronos_dashboard.markets.importers.numbers import style_of
from kronos_dashboard.markets.importers.table import Table, from_cells, named_rows, plural
from kronos_dashboard.notes import Note

__all__ = ["read_delimited"]

_DELIMITERS = (",", ";", "\t", "|", " ")
_HEAD_BYTES, _HEAD_LINES = 262_144, 400
_MOST_COLUMNS, _MOST_UNNAMED = 4_096, 256
_RAGGED = 0.02
"""With more lines than this share of another length, short lines are filled up instead of left out."""
_PLAIN = re.compile(r"^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][-+]?\d{1,3})?$")
_COMMENT = re.compile(r"^\s*(?:#|//|%|--\s)")


@dataclass(frozen=True)
class _Layout:
    delimiter: str
    width: int
    start: int
    """Line of the first row of data."""
    header: Header


def read_delimited(data: bytes, filename: str, max_rows: int) -> Table:
    """The table in a text file (UTF-8).

    Raises:
        ImportFailed: there is no table in it, or it is too large.
    """
    lines, offsets = _head(data)
    if not lines:
        raise ImportFailed(f"the file {filename} cannot be read as CSV: it is empty.", "Export the candles again.")
    layout = _layout(lines, filename)
    plain = _plain_numbers(lines[layout.start :], layout)
    body = memoryview(data)[offsets[layout.start] :]
    if layout.delimiter == " ":
        body, layout = _squeezed(body), replace(layout, delimiter="\t")
    table = _body(body, layout, filename, plain)
    if len(table) > max_rows:
        raise ImportFailed(f"the file {filename} has more than {max_rows:,} rows.", "Cut the file.")
    return table


def _head(data: bytes) -> tuple[list[str], list[int]]:
    """The first lines, and where each begins."""
    lines, offsets, at = [], [], 0
    for line in io.BytesIO(data[:_HEAD_BYTES]):
        lines.append(line.decode("utf-8", errors="replace").rstrip("\r\n"))
        offsets.append(at)
        at += len(line)
        if len(lines) == _HEAD_LINES:
            break
    if len(lines) > 1 and at == _HEAD_BYTES < len(data):
        lines.pop()
    while lines and not lines[-1].strip():
        lines.pop()
    return lines, offsets


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line."""
    if delimiter == " ":
        return line.split()
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        cells = line.split(delimiter)
    return [cell.strip() for cell in cells]


def _layout(lines: list[str], filename: str) -> _Layout:
    """Delimiter, width and header by how well each delimiter explains the lines."""
    best: tuple[tuple[float, int, int], str, int] | None = None
    used = [line for line in lines if line.strip()]
    part = used if len(used) <= 90 else used[:45] + used[-45:]
    for at, delimiter in enumerate(_DELIMITERS):
        cells = [split(line, delimiter) for line in part]
        rows = [row for row in cells if len(row) > 1 and is_data(row)]
        if not rows:
            continue
        width, count = Counter(map(len, rows)).most_common(1)[0]
        clean = sum(is_data.share(row) for row in rows if len(row) == width) / count
        score = (round(clean * count / max(len(part), 1), 2), width if at < 4 else 0, -at)
        if best is None or score > best[0]:
            best = (score, delimiter, width)
    if best is None:
        first = used[0][:60] if used else ""
        hint = "The file must hold rows with a time, open, high, low and close, separated by commas or the like."
        raise ImportFailed(f"the file {filename} holds no rows of numbers; it begins with {first!r}.", hint)
    _, delimiter, width = best
    start = _first_row(lines, delimiter, width)
    if start is None:
        raise ImportFailed(
            f"the file {filename} holds no rows of numbers but in comments.", "Export the candles again."
        )
    above = [
        _COMMENT.sub("", line) for line in lines[:start] if line.strip() and not re.match(r"^sep=.$", line.strip())
    ]
    header = read_header(above, delimiter, width, split)
    if width > (_MOST_UNNAMED if header.names is None else _MOST_COLUMNS):
        raise ImportFailed(f"the file {filename} has {width:,} columns.", "Export fewer columns, with a header.")
    return _Layout(delimiter, width, start, header)


def _first_row(lines: list[str], delimiter: str, width: int) -> int | None:
    """The line with the first row of data."""
    for at, line in enumerate(lines):
        cells = [] if _COMMENT.match(line) else split(line, delimiter)
        if len(cells) >= min(width, 3) and is_data(cells):
            return at
    return None


def _plain_numbers(lines: list[str], layout: _Layout) -> list[int]:
    """Columns in which the first lines have nothing but numbers with decimals, written as programs write them."""
    rows = [split(line, layout.delimiter) for line in lines if line.strip()]
    columns = zip(*(row for row in rows if len(row) == layout.width), strict=True)
    return [
        at for at, cells in enumerate(columns)
        if all(map(_PLAIN.match, cells)) and style_of([pa.array(cells)]) == "point"
    ]  # fmt: skip


def _body(body: memoryview, layout: _Layout, filename: str, plain: list[int]) -> Table:
    left_out: list[str] = []
    columns = _arrow(body, layout, left_out, plain) if plain else ()
    if not columns:
        left_out.clear()
        columns = _arrow(body, layout, left_out, [])
    rows = len(columns[0]) if columns else 0
    if columns and len(left_out) <= max(3, _RAGGED * rows):
        # the numbers of rows matter only where some were left out in between: at the end they change nothing
        notes = () if not left_out else (_left_out(left_out, layout.width, "left out"),)
        return Table(columns=columns, names=layout.header.names, groups=layout.header.groups, notes=notes,
                     symbol=layout.header.symbol)  # fmt: skip
    return _ragged(bytes(body).decode("utf-8", errors="replace"), layout, filename)


def _arrow(body: memoryview, layout: _Layout, left_out: list[str], plain: list[int]) -> tuple:
    """All columns in one pass, text but for the ``plain`` ones; empty when it takes a more patient reader."""

    def skip(row: pa_csv.InvalidRow) -> str:
        if row.text.strip() and len(left_out) < 100_000:
            left_out.append(row.text)
        return "skip"

    names = [f"c{i}" for i in range(layout.width)]
    types = {name: pa.float64() if i in plain else pa.string() for i, name in enumerate(names)}
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=4 << 20),
            parse_options=pa_csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=skip),
            convert_options=pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False, check_utf8=False),
        )
    except pa.ArrowInvalid:
        return ()
    return tuple(_one(column) for column in table.columns)


def _one(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _ragged(text: str, layout: _Layout, filename: str) -> Table:
    """Line by line: short lines are filled with blanks, lines with too few fields to hold a candle are left out."""
    cells, rows, odd, number = [], [], [], 0
    try:
        for row in csv.reader(io.StringIO(text), delimiter=layout.delimiter, skipinitialspace=True):
            if not any(cell.strip() for cell in row):
                continue
            number += 1
            if len(row) < min(5, layout.width) and len(row) < layout.width:
                odd.append(layout.delimiter.join(row))
                continue
            cells.append(row)
            rows.append(number)
    except csv.Error as error:
        raise ImportFailed(f"the file {filename} cannot be read as CSV: {error}.", "Export it again.") from error
    width = min(max((len(row) for row in cells), default=layout.width), layout.width + 64)
    header = layout.header.widened(width)
    uneven = np.array([row for row, c in zip(rows, cells, strict=True) if len(c) != layout.width], dtype="int64")
    notes = []
    if len(uneven):
        text = f"{plural(len(uneven), 'row')} with more or fewer fields than {layout.width} read as far as they go."
        notes.append(Note("warning", text, named_rows(uneven)))
    if odd:
        notes.append(_left_out(odd, layout.width, "left out"))
    return Table(columns=from_cells(cells, width), names=header.names, groups=header.groups, symbol=header.symbol,
                 rows=np.array(rows, dtype="int64"), notes=tuple(notes))  # fmt: skip


def _squeezed(body: memoryview) -> memoryview:
    """Columns set apart by runs of blanks: each run becomes one tab."""
    return memoryview(re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", bytes(body))))


def _left_out(lines: list[str], width: int, done: str) -> Note:
    shown = " ".join(lines[0].split())[:60]
    text = f"{plural(len(lines), 'line')} without the {width} fields of the table {done}, such as {shown!r}."
    return Note("info" if len(lines) <= 2 else "warning", text)
