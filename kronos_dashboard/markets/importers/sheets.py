"""Workbooks (.xlsx, .xls) and HTML pages as tables: every sheet or table is looked through for its header and rows."""

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
import pyarrow as pa
import xlrd
from openpyxl.utils.exceptions import InvalidFileException

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.delimited import split
from kronos_dashboard.markets.importers.headers import is_data, read_header
from kronos_dashboard.markets.importers.table import Table, from_cells

__all__ = ["bounded", "looks_like_html", "read_html", "read_xls", "read_xlsx", "table_of"]

_MOST_CELLS = 12_000_000
_MOST_COLUMNS = 512
_BLANK_ROWS = 2_000
"""After so many blank rows a sheet is over."""
_SEARCHED = 200
_TAB = "\x1f"
_DAMAGED = (
    InvalidFileException, zipfile.BadZipFile, zlib.error, ParseError, struct.error, xlrd.XLRDError,
    xlrd.compdoc.CompDocError, KeyError, ValueError, TypeError, IndexError, AttributeError, AssertionError, OSError,
    EOFError, OverflowError, NotImplementedError, RuntimeError, MemoryError, UnboundLocalError,
)  # fmt: skip
"""What openpyxl and xlrd raise, in practice, for files that are damaged."""


def read_xlsx(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Tables of the sheets of an .xlsx, in their order.

    Raises:
        ImportFailed: the file is damaged or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            found = []
            for sheet in book.worksheets:
                sheet.reset_dimensions()
                rows = bounded(sheet.iter_rows(values_only=True), filename, max_rows)
                found += table_of(rows, sheet.title)
            return found
    except ImportFailed:
        raise
    except _DAMAGED as error:
        raise _damaged(filename, error) from error


def read_xls(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Tables of the sheets of an .xls, in their order.

    Raises:
        ImportFailed: the file is damaged or too large.
    """
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 (a device)
            book = xlrd.open_workbook(file_contents=data, logfile=nowhere, on_demand=True)
            found = []
            for sheet in book.sheets():
                cells = ([_xls_cell(cell, book.datemode) for cell in sheet.row(i)] for i in range(sheet.nrows))
                found += table_of(bounded(cells, filename, max_rows), sheet.name)
            return found
    except ImportFailed:
        raise
    except _DAMAGED as error:
        raise _damaged(filename, error) from error


def _damaged(filename: str, error: Exception) -> ImportFailed:
    told = " ".join(str(error).split())[:120] or type(error).__name__
    return ImportFailed(
        f"the workbook {filename} cannot be read: {told}.", "Save it again, or export the sheet as CSV."
    )


def _xls_cell(cell: Any, datemode: int) -> Any:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate_as_datetime(cell.value, datemode)
        except (ValueError, OverflowError, xlrd.XLDateError):
            return None
    return None if cell.ctype in (xlrd.XL_CELL_ERROR, xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) else cell.value


def bounded(rows: Iterable[Sequence[Any]], filename: str, max_rows: int) -> Iterator[list[str]]:
    """Rows as text, as long as there are not too many.

    Raises:
        ImportFailed: there are.
    """
    cells = blank = 0
    for number, row in enumerate(rows):
        cells += len(row)
        if cells > _MOST_CELLS or number > max_rows + _SEARCHED:
            raise ImportFailed(
                f"the workbook {filename} has more than {max_rows:,} rows, or too many cells.", "Cut it."
            )
        found = [_text(value) for value in row[:_MOST_COLUMNS]]
        while found and not found[-1]:
            found.pop()
        blank = 0 if found else blank + 1
        if blank > _BLANK_ROWS:
            return
        yield found


def _text(value: Any) -> str:
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


def table_of(rows: Iterable[list[str]], name: str) -> list[Table]:
    """The table of a sheet: the rows that are as wide as most rows of data, and the header above them."""
    kept = list(rows)
    data = [i for i, row in enumerate(kept) if len(row) >= 3 and is_data(row)]
    if len(data) < 2:
        return []
    width = _main_width(kept, data)
    kept = [row[:width] for row in kept]
    data = [i for i in data if len(kept[i]) >= 3 and is_data(kept[i])]
    usual, _ = Counter(len(kept[i]) for i in data).most_common(1)[0]
    full = [i for i in data if len(kept[i]) >= usual - 2]
    first, last = full[0], full[-1]
    above = [_TAB.join(cell or " " for cell in row) for row in kept[max(0, first - _SEARCHED) : first] if row]
    left = next((at for at in range(width) if any(len(kept[i]) > at and kept[i][at] for i in full[:50])), 0)
    header = read_header(above, _TAB, width, _cells)
    body = [row[left:] for row in kept[first : last + 1] if row]
    names = None if header.names is None else header.names[left:]
    columns = from_cells(body, width - left)
    return [Table(columns=columns, names=names, groups=header.groups[left:], name=name, symbol=header.symbol)]


def _main_width(kept: list[list[str]], data: list[int]) -> int:
    """Columns of the table on the left, as wide as most rows; what stands beside it, behind a blank column, is not.

    Rows are shorter where their last cells are blank: a header above tells how far the table goes.
    """
    width, _ = Counter(len(kept[i]) for i in data).most_common(1)[0]
    above = [row for row in kept[max(0, data[0] - 3) : data[0]] if len(row) >= width]
    if not above:
        return width
    names = max(above, key=lambda row: sum(bool(cell) for cell in row))
    wide = max(len(names), width)
    filled = [any(len(kept[i]) > at and kept[i][at] for i in data[:2_000]) for at in range(wide)]
    ends = [at for at in range(3, wide) if at >= len(names) or (not names[at] and not filled[at])]
    for at in ends:
        left, right = {cell.lower() for cell in names[:at] if cell}, {cell.lower() for cell in names[at + 1 :] if cell}
        if len(left) >= 4 and len(left & right) >= 3:
            return at
    return wide


def _cells(line: str, delimiter: str) -> list[str]:
    return split(line, delimiter) if delimiter == _TAB else [line]


class _Tables(HTMLParser):
    """The cells of all tables of a page."""

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
    """Whether the text begins like a page."""
    head = data[:2_000].lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html", b"<table")) or (head.startswith(b"<") and b"<table" in head)


def read_html(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Tables of a page (UTF-8), as sites save them under the name of a workbook.

    Raises:
        ImportFailed: the page is too large.
    """
    page = _Tables()
    page.feed(data.decode("utf-8", errors="replace"))
    found: list[Table] = []
    for at, rows in enumerate(page.tables):
        found += table_of(bounded(rows, filename, max_rows), f"table {at + 1}")
    if not found:
        raise ImportFailed(
            f"the file {filename} is a web page without a table of candles, not an export.",
            "Use the site's download button, and look at what the page says (often it wants a login).",
        )
    return found


def empty() -> pa.Array:
    """A column of nothing."""
    return pa.array([], type=pa.string())
