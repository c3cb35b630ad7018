"""Read delimited text: delimiter, header and rows are detected from the structure of the lines.

The first lines decide; the rest is read in one pass by pyarrow, and lines with another number of fields are skipped or,
when there are many, read line by line.
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

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.headers import Header, clean_fraction, is_data_row, read_header
from kronos_dashboard.markets.importers.numbers import detect_decimal_mark
from kronos_dashboard.markets.importers.read_errors import too_many_rows_error
from kronos_dashboard.markets.importers.table import Table, columns_from_cells, note_rows
from kronos_dashboard.messages import msg, nmsg
from kronos_dashboard.notes import Note

__all__ = ["read_delimited"]

_DELIMITERS = (",", ";", "\t", "|", " ")
_HEAD_BYTES, _HEAD_LINES = 262_144, 400
"""Lines that decide on the layout. Preambles of exports have up to some dozen lines."""
_MAX_COLUMNS, _MAX_UNNAMED_COLUMNS = 4_096, 256
"""Wide panels have names for their columns; without a header, more columns than this are no table of candles."""
_MAX_SKIPPED_FRACTION = 0.02
"""Above this fraction of lines of another length, short rows are part of the format (no trailing blanks) and are
filled."""
_PLAIN_NUMBER = re.compile(r"^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][-+]?\d{1,3})?$")
"""Numbers that pyarrow converts by itself: no leading zeros, no thousands separators."""
_COMMENT = re.compile(r"^\s*(?:#|//|%|--\s)")


_OFFSET_START = re.compile(rb"^(?:[A-Z_]+(?:=|%3D)[^\n]*\n)*a\d{9,10},", re.IGNORECASE)
_OFFSET_ROW = re.compile(r"^(a?)(\d{1,10})(,.+)$")
_DEFAULT_STEP_S = 60
"""Files of this format without a line ``INTERVAL=`` come from a service whose smallest bar is a minute."""


@dataclass(frozen=True)
class _Layout:
    """The structure of a delimited text."""

    delimiter: str
    width: int
    start: int
    """The line with the first row of data."""
    header: Header


def read_delimited(data: bytes, filename: str, max_rows: int) -> Table:
    """Read the table in a text file (UTF-8).

    Raises:
        ImportFileError: the file holds no table, or too many rows.
    """
    offset_notes: tuple[Note, ...] = ()
    if _OFFSET_START.match(data[:4_000].replace(b"\r", b"")):
        data, note = _expand_interval_offsets(data)
        offset_notes = (note,)
    lines, offsets = _read_head(data)
    if not lines:
        raise ImportFileError(
            msg("the file {filename} cannot be read as CSV: it is empty.", filename=filename),
            msg("Export the candles again."),
        )
    layout = _detect_layout(lines, filename)
    number_columns = _plain_number_columns(lines[layout.start :], layout)
    body = memoryview(data)[offsets[layout.start] :]
    if layout.delimiter == " ":
        body, layout = _blanks_to_tabs(body), replace(layout, delimiter="\t")
    table = _read_body(body, layout, filename, number_columns)
    if len(table) > max_rows:
        raise too_many_rows_error(filename, max_rows)
    return replace(table, notes=(*offset_notes, *table.notes))


def _read_head(data: bytes) -> tuple[list[str], list[int]]:
    """The first lines, and the byte offset of each."""
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


def split_line(line: str, delimiter: str) -> list[str]:
    """The cells of a line."""
    if delimiter == " ":
        return line.split()
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        cells = line.split(delimiter)
    return [cell.strip() for cell in cells]


def _detect_layout(lines: list[str], filename: str) -> _Layout:
    """Choose the delimiter under which the most lines are clean rows of one width, then width and header."""
    best: tuple[tuple[float, int, int], str, int] | None = None
    filled = [line for line in lines if line.strip()]
    sampled = filled if len(filled) <= 90 else filled[:45] + filled[-45:]
    for at, delimiter in enumerate(_DELIMITERS):
        cells = [split_line(line, delimiter) for line in sampled]
        rows = [row for row in cells if len(row) > 1 and is_data_row(row)]
        if not rows:
            continue
        width, count = Counter(map(len, rows)).most_common(1)[0]
        clean = sum(clean_fraction(row) for row in rows if len(row) == width) / count
        score = (round(clean * count / max(len(sampled), 1), 2), width if at < 4 else 0, -at)
        if best is None or score > best[0]:
            best = (score, delimiter, width)
    if best is None:
        first = filled[0][:60] if filled else ""
        hint = msg(
            "The file must have rows with time, open, high, low and close, separated by commas or another delimiter."
        )
        raise ImportFileError(
            msg(
                "the file {filename} has no price rows; it starts with {first}.",
                filename=filename,
                first=repr(first),
            ),
            hint,
        )
    _, delimiter, width = best
    start = _first_data_line(lines, delimiter, width)
    if start is None:
        raise ImportFileError(
            msg("the file {filename} has price rows only in comments.", filename=filename),
            msg("Export the candles again."),
        )
    above = [
        _COMMENT.sub("", line) for line in lines[:start] if line.strip() and not re.match(r"^sep=.$", line.strip())
    ]
    header = read_header(above, delimiter, width, split_line)
    if width > (_MAX_UNNAMED_COLUMNS if header.names is None else _MAX_COLUMNS):
        raise ImportFileError(
            msg("the file {filename} has {width:,} columns.", filename=filename, width=width),
            msg("Export fewer columns, with a header."),
        )
    return _Layout(delimiter, width, start, header)


def _first_data_line(lines: list[str], delimiter: str, width: int) -> int | None:
    """The index of the line with the first row of data."""
    for at, line in enumerate(lines):
        cells = [] if _COMMENT.match(line) else split_line(line, delimiter)
        if len(cells) >= min(width, 3) and is_data_row(cells):
            return at
    return None


def _plain_number_columns(lines: list[str], layout: _Layout) -> list[int]:
    """Columns whose first cells are all plain numbers with decimals; pyarrow converts these itself."""
    rows = [split_line(line, layout.delimiter) for line in lines if line.strip()]
    columns = zip(*(row for row in rows if len(row) == layout.width), strict=True)
    return [
        at for at, cells in enumerate(columns)
        if all(map(_PLAIN_NUMBER.match, cells)) and detect_decimal_mark([pa.array(cells)]) == "point"
    ]  # fmt: skip


def _read_body(body: memoryview, layout: _Layout, filename: str, number_columns: list[int]) -> Table:
    skipped: list[str] = []
    columns = _read_with_arrow(body, layout, skipped, number_columns) if number_columns else ()
    if not columns:
        skipped.clear()
        columns = _read_with_arrow(body, layout, skipped, [])
    rows = len(columns[0]) if columns else 0
    if columns and len(skipped) <= max(3, _MAX_SKIPPED_FRACTION * rows):
        # the numbers of rows matter only where some were left out in between: at the end they change nothing
        notes = () if not skipped else (_skipped_lines_note(skipped, layout.width),)
        return Table(columns=columns, names=layout.header.names, groups=layout.header.groups, notes=notes)  # fmt: skip
    return _read_ragged(bytes(body).decode("utf-8", errors="replace"), layout, filename)


def _read_with_arrow(body: memoryview, layout: _Layout, skipped: list[str], number_columns: list[int]) -> tuple:
    """All columns in one pass, as text except ``number_columns``; empty when pyarrow cannot read the text."""

    def skip(row: pa_csv.InvalidRow) -> str:
        if row.text.strip() and len(skipped) < 100_000:
            skipped.append(row.text)
        return "skip"

    names = [f"c{i}" for i in range(layout.width)]
    types = {name: pa.float64() if i in number_columns else pa.string() for i, name in enumerate(names)}
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=4 << 20),
            parse_options=pa_csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=skip),
            convert_options=pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False, check_utf8=False),
        )
    except pa.ArrowInvalid:
        return ()
    return tuple(_single_array(column) for column in table.columns)


def _single_array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined


def _read_ragged(text: str, layout: _Layout, filename: str) -> Table:
    """Read line by line: fill short rows with blanks, and skip lines with too few fields for a candle."""
    cells, rows, too_short, number = [], [], [], 0
    try:
        for row in csv.reader(io.StringIO(text), delimiter=layout.delimiter, skipinitialspace=True):
            if not any(cell.strip() for cell in row):
                continue
            number += 1
            if len(row) < min(5, layout.width) and len(row) < layout.width:
                too_short.append(layout.delimiter.join(row))
                continue
            cells.append(row)
            rows.append(number)
    except csv.Error as error:
        raise ImportFileError(
            msg("the file {filename} cannot be read as CSV: {error}.", filename=filename, error=error),
            msg("Export it again."),
        ) from error
    width = min(max((len(row) for row in cells), default=layout.width), layout.width + 64)
    header = layout.header.padded(width)
    uneven = np.array([row for row, c in zip(rows, cells, strict=True) if len(c) != layout.width], dtype="int64")
    notes = []
    if len(uneven):
        text = nmsg(
            "Read {n:,} row with more or fewer than {width} fields as far as possible.",
            "Read {n:,} rows with more or fewer than {width} fields as far as possible.",
            len(uneven),
            width=layout.width,
        )
        notes.append(Note("warning", text, note_rows(uneven)))
    if too_short:
        notes.append(_skipped_lines_note(too_short, layout.width))
    return Table(columns=columns_from_cells(cells, width), names=header.names, groups=header.groups,
                 source_rows=np.array(rows, dtype="int64"), notes=tuple(notes))  # fmt: skip


def _blanks_to_tabs(body: memoryview) -> memoryview:
    """Replace every run of blanks between columns by one tab."""
    return memoryview(re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", bytes(body))))


def _skipped_lines_note(lines: list[str], width: int) -> Note:
    shown = " ".join(lines[0].split())[:60]
    text = nmsg(
        "Skipped {n:,} line without the {width} fields of the table, such as {example}.",
        "Skipped {n:,} lines without the {width} fields of the table, such as {example}.",
        len(lines),
        width=width,
        example=repr(shown),
    )
    return Note("info" if len(lines) <= 2 else "warning", text)


def _expand_interval_offsets(data: bytes) -> tuple[bytes, Note]:
    """The text with a timestamp in each row, and the assumed interval.

    Only some rows have a timestamp, and the others count intervals since the last of these: ``a1444656660,36.08,...``
    is a timestamp (seconds since 1970), ``1,36.18,...`` the row one interval later. Lines such as ``INTERVAL=60`` and
    ``COLUMNS=DATE,CLOSE,HIGH,LOW,OPEN,VOLUME`` may stand above.
    """
    lines = data.decode("utf-8", errors="replace").splitlines()
    settings = dict(line.split("=", 1) for line in lines[:20] if re.match(r"^[A-Z_]+=", line))
    interval = settings.get("INTERVAL", "").strip()
    step = int(interval) if re.fullmatch(r"[1-9]\d{0,6}", interval) else _DEFAULT_STEP_S
    out = [settings["COLUMNS"].strip()] if settings.get("COLUMNS", "").count(",") >= 4 else []
    last = 0
    for line in lines:
        match = _OFFSET_ROW.match(line)
        if match is None:
            continue
        if match[1]:
            last = int(match[2])
        out.append(f"{last if match[1] else last + int(match[2]) * step}{match[3]}")
    note = Note("info", msg("Most rows count steps of {step} seconds from the last row with a time.", step=step))
    if not interval:
        note = Note(
            "warning", msg("Most rows count steps from the last row with a time; a step of one minute was assumed.")
        )
    return "\n".join(out).encode(), note
