"""Read workbooks (.xlsx, .xls) and tables of HTML pages; each sheet is searched for its header and rows."""

from __future__ import annotations

import datetime as dt
import io
import os
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import xlrd
from openpyxl.utils.exceptions import InvalidFileException

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.delimited import split_line
from kronos_dashboard.markets.importers.headers import is_data_row, read_header
from kronos_dashboard.markets.importers.read_errors import damaged_workbook_error
from kronos_dashboard.markets.importers.table import MAX_COLUMNS, Table, columns_from_cells
from kronos_dashboard.messages import msg

__all__ = ["extract_tables", "limited_rows", "looks_like_html", "read_html", "read_xls", "read_xlsx"]

_MAX_CELLS = 12_000_000
"""About 1 GB of cells as Python texts; also bounds sheets that claim a million empty rows."""
_MAX_BLANK_ROWS = 2_000
"""A sheet ends after so many blank rows; formatted but empty rows often go on to the end of the grid."""
_MAX_HEADER_ROWS = 200
"""Rows above the data that are searched for the header."""
_CELL_SEPARATOR = "\x1f"
"""Unit separator: does not occur in cells, so that rows can pass through the header search as lines."""
_READ_ERRORS = (
    InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError, struct.error, xlrd.XLRDError,
    xlrd.compdoc.CompDocError, KeyError, ValueError, TypeError, IndexError, AttributeError, AssertionError, OSError,
    EOFError, OverflowError, NotImplementedError, RuntimeError, MemoryError, UnboundLocalError,
)  # fmt: skip
"""Errors that openpyxl and xlrd raise for damaged files (found by fuzzing)."""


def read_xlsx(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Read the sheets of an .xlsx file, in their order.

    Raises:
        ImportFileError: the file is damaged or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            tables = []
            for sheet in book.worksheets:
                sheet.reset_dimensions()
                rows = limited_rows(sheet.iter_rows(values_only=True), filename, max_rows)
                tables += extract_tables(rows, sheet.title)
            return tables
    except ImportFileError:
        raise
    except _READ_ERRORS as error:
        raise damaged_workbook_error(filename, error) from error


def read_xls(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Read the sheets of an .xls file, in their order.

    Raises:
        ImportFileError: the file is damaged or too large.
    """
    try:
        with open(os.devnull, "w") as null_log:  # noqa: PTH123 (a device)
            book = xlrd.open_workbook(file_contents=data, logfile=null_log, on_demand=True)
            tables = []
            for sheet in book.sheets():
                cells = ([_xls_cell(cell, book.datemode) for cell in sheet.row(i)] for i in range(sheet.nrows))
                tables += extract_tables(limited_rows(cells, filename, max_rows), sheet.name)
            return tables
    except ImportFileError:
        raise
    except _READ_ERRORS as error:
        raise damaged_workbook_error(filename, error) from error


def _xls_cell(cell: Any, datemode: int) -> Any:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate_as_datetime(cell.value, datemode)
        except (ValueError, OverflowError, xlrd.XLDateError):
            return None
    return None if cell.ctype in (xlrd.XL_CELL_ERROR, xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) else cell.value


def limited_rows(rows: Iterable[Sequence[Any]], filename: str, max_rows: int) -> Iterator[list[str]]:
    """Rows as text, up to the limits.

    Raises:
        ImportFileError: there are too many rows or cells.
    """
    num_cells = num_blank = 0
    for number, row in enumerate(rows):
        num_cells += len(row)
        if num_cells > _MAX_CELLS or number > max_rows + _MAX_HEADER_ROWS:
            raise ImportFileError(
                msg(
                    "the workbook {filename} has more than {limit:,} rows, or too many cells.",
                    filename=filename,
                    limit=max_rows,
                ),
                msg("Shorten it."),
            )
        texts = [_cell_text(value) for value in row[:MAX_COLUMNS]]
        while texts and not texts[-1]:
            texts.pop()
        num_blank = 0 if texts else num_blank + 1
        if num_blank > _MAX_BLANK_ROWS:
            return
        yield texts


def _cell_text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.timedelta):
        return str(value)
    text = " ".join(str(value).split())
    return text if len(text) <= 200 else ""


def extract_tables(rows: Iterable[list[str]], name: str) -> list[Table]:
    """The table of a sheet, if there is one: the rows of the most common width, and the header above them."""
    all_rows = list(rows)
    data = [i for i, row in enumerate(all_rows) if len(row) >= 3 and is_data_row(row)]
    if len(data) < 2:
        return []
    width = _table_width(all_rows, data)
    all_rows = [row[:width] for row in all_rows]
    data = [i for i in data if len(all_rows[i]) >= 3 and is_data_row(all_rows[i])]
    modal_width, _ = Counter(len(all_rows[i]) for i in data).most_common(1)[0]
    full_rows = [i for i in data if len(all_rows[i]) >= modal_width - 2]
    first, last = full_rows[0], full_rows[-1]
    header_lines = [
        _CELL_SEPARATOR.join(cell or " " for cell in row)
        for row in all_rows[max(0, first - _MAX_HEADER_ROWS) : first]
        if row
    ]
    left_edge = next(
        (at for at in range(width) if any(len(all_rows[i]) > at and all_rows[i][at] for i in full_rows[:50])), 0
    )
    header = read_header(header_lines, _CELL_SEPARATOR, width, _split_cells)
    body = [row[left_edge:] for row in all_rows[first : last + 1] if row]
    names = None if header.names is None else header.names[left_edge:]
    columns = columns_from_cells(body, width - left_edge)
    return [Table(columns=columns, names=names, groups=header.groups[left_edge:], name=name)]


def _table_width(all_rows: list[list[str]], data: list[int]) -> int:
    """Number of columns of the leftmost table; a second table beside it, behind a blank column, is cut off.

    Rows are shorter where their last cells are blank; the header shows the full width.
    """
    width, _ = Counter(len(all_rows[i]) for i in data).most_common(1)[0]
    above = [row for row in all_rows[max(0, data[0] - 3) : data[0]] if len(row) >= width]
    if not above:
        return width
    names = max(above, key=lambda row: sum(bool(cell) for cell in row))
    wide = max(len(names), width)
    filled = [any(len(all_rows[i]) > at and all_rows[i][at] for i in data[:2_000]) for at in range(wide)]
    ends = [at for at in range(3, wide) if at >= len(names) or (not names[at] and not filled[at])]
    for at in ends:
        left, right = {cell.lower() for cell in names[:at] if cell}, {cell.lower() for cell in names[at + 1 :] if cell}
        if len(left) >= 4 and len(left & right) >= 3:
            return at
    return wide


def _split_cells(line: str, delimiter: str) -> list[str]:
    return split_line(line, delimiter) if delimiter == _CELL_SEPARATOR else [line]


class _TableParser(HTMLParser):
    """Collects the cells of all tables of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
            self.open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self.open = False

    def handle_data(self, data: str) -> None:
        if self.open:
            row = self.tables[-1][-1]
            row[-1] = f"{row[-1]} {' '.join(data.split())}".strip()[:200]


def looks_like_html(data: bytes) -> bool:
    """Whether the text begins like an HTML page."""
    head = data[:2_000].lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html", b"<table")) or (head.startswith(b"<") and b"<table" in head)


def read_html(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Read the tables of a page (UTF-8); some sites serve such pages as .xls files.

    Raises:
        ImportFileError: the page is too large, or has no table of candles.
    """
    page = _TableParser()
    page.feed(data.decode("utf-8", errors="replace"))
    tables: list[Table] = []
    for at, rows in enumerate(page.tables):
        tables += extract_tables(limited_rows(rows, filename, max_rows), f"table {at + 1}")
    if not tables:
        raise ImportFileError(
            msg("the file {filename} is a web page without a table of candles, not an export.", filename=filename),
            msg("Use the site's download button, and check what the page says (often it requires a login)."),
        )
    return tables
