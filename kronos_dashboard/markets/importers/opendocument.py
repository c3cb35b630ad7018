"""OpenDocument sheets (.ods) as tables, read piece by piece: nothing that a file repeats is repeated in memory."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, iterparse

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.sheets import bounded, table_of
from kronos_dashboard.markets.importers.table import Table

__all__ = ["read_ods"]

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_MOST_COLUMNS, _MOST_REPEATED = 512, 50
"""A row with cells that is repeated more often than this is decoration."""
_CLOCK = re.compile(r"^PT(\d{1,2})H(\d{1,2})M(\d{1,2})(?:[.,]\d+)?S$")
_DAMAGED = (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, OSError, EOFError, RuntimeError,
            NotImplementedError, OverflowError, RecursionError)  # fmt: skip


def read_ods(data: bytes, filename: str, max_rows: int) -> list[Table]:
    """Tables of the sheets of an .ods, in their order.

    Raises:
        ImportFailed: the file is damaged or too large.
    """
    found: list[Table] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("content.xml") as content:
            events = iterparse(content, events=("start", "end"))
            for event, node in events:
                if event == "start" and node.tag == f"{_TABLE}table":
                    rows = bounded(_rows(events), filename, max_rows)
                    found += table_of(rows, node.get(f"{_TABLE}name", ""))
    except ImportFailed:
        raise
    except _DAMAGED as error:
        told = " ".join(str(error).split())[:120] or type(error).__name__
        raise ImportFailed(
            f"the workbook {filename} cannot be read: {told}.", "Save it again, or export the sheet as CSV."
        ) from error
    return found


def _rows(events: Iterator[tuple[str, Element]]) -> Iterator[list[Any]]:
    """The cells of each row, up to the end of the table that has begun."""
    for event, node in events:
        if event != "end":
            continue
        if node.tag == f"{_TABLE}table":
            node.clear()
            return
        if node.tag == f"{_TABLE}table-row":
            cells = _cells(node)
            times = min(_repeated(node, "rows"), _MOST_REPEATED if cells else 1)
            yield from (cells for _ in range(times))
            node.clear()


def _cells(row: Element) -> list[Any]:
    cells: list[Any] = []
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        value = _value(cell)
        cells += [value] * min(_repeated(cell, "columns"), _MOST_COLUMNS - len(cells))
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _repeated(node: Element, what: str) -> int:
    return max(1, int(node.get(f"{_TABLE}number-{what}-repeated", "1")))


def _value(cell: Element) -> Any:
    """A number, a text (dates and times of day as such), or None."""
    kind = cell.get(f"{_OFFICE}value-type", "")
    if kind in ("float", "currency", "percentage"):
        return float(cell.get(f"{_OFFICE}value", "nan"))
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value", "").replace("T", " ")
    if kind == "time" and (clock := _CLOCK.match(cell.get(f"{_OFFICE}time-value", ""))):
        return ":".join(part.zfill(2) for part in clock.groups())
    told = " ".join("".join(part.itertext()) for part in cell.iter(f"{_TEXT}p")).strip()
    return told or None
