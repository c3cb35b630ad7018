"""Read OpenDocument sheets (.ods) as a stream, so that repeated rows and cells are not expanded in memory."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.read_errors import damaged_workbook_error
from kronos_dashboard.markets.importers.sheets import extract_tables, limited_rows
from kronos_dashboard.markets.importers.table import MAX_COLUMNS, Table

__all__ = ["read_ods"]

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_MAX_ROW_REPEATS = 50
"""Repetitions of a row that are read; spreadsheets repeat a formatted row up to the end of the sheet."""
_DURATION = re.compile(r"^PT(\d{1,2})H(\d{1,2})M(\d{1,2})(?:[.,]\d+)?S$")
_READ_ERRORS = (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, OSError, EOFError, RuntimeError,
            NotImplementedError, OverflowError, RecursionError)  # fmt: skip
"""Errors of zipfile and the XML parser for damaged files."""


def read_ods(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Read the sheets of an .ods file, in their order.

    Raises:
        ImportFileError: the file is damaged or too large.
    """
    tables: list[Table] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("content.xml") as content:
            events = iterparse(content, events=("start", "end"))
            for event, node in events:
                if event == "start" and node.tag == f"{_TABLE}table":
                    rows = limited_rows(_rows(events), filename, max_rows)
                    tables += extract_tables(rows, node.get(f"{_TABLE}name", ""))
    except ImportFileError:
        raise
    except _READ_ERRORS as error:
        raise damaged_workbook_error(filename, error) from error
    return tables


def _rows(events: Iterator[tuple[str, Element]]) -> Iterator[list[Any]]:
    """The cells of each row up to the end of the current table."""
    for event, node in events:
        if event != "end":
            continue
        if node.tag == f"{_TABLE}table":
            node.clear()
            return
        if node.tag == f"{_TABLE}table-row":
            cells = _cells(node)
            times = min(_repeat_count(node, "rows"), _MAX_ROW_REPEATS if cells else 1)
            yield from (cells for _ in range(times))
            node.clear()


def _cells(row: Element) -> list[Any]:
    cells: list[Any] = []
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        value = _value(cell)
        cells += [value] * min(_repeat_count(cell, "columns"), MAX_COLUMNS - len(cells))
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _repeat_count(node: Element, what: str) -> int:
    return max(1, int(node.get(f"{_TABLE}number-{what}-repeated", "1")))


def _value(cell: Element) -> Any:
    """The value of a cell: a number, a text (dates and times of day included) or None."""
    kind = cell.get(f"{_OFFICE}value-type", "")
    if kind in ("float", "currency", "percentage"):
        return float(cell.get(f"{_OFFICE}value", "nan"))
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value", "").replace("T", " ")
    if kind == "time" and (clock := _DURATION.match(cell.get(f"{_OFFICE}time-value", ""))):
        return ":".join(part.zfill(2) for part in clock.groups())
    text = " ".join("".join(part.itertext()) for part in cell.iter(f"{_TEXT}p")).strip()
    return text or None
