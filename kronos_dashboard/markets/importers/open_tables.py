"""From the bytes of a file to its tables, whichever kind of file it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.archives import Member, members, most_unpacked
from kronos_dashboard.markets.importers.columnar import read_feather, read_parquet
from kronos_dashboard.markets.importers.date_offsets import looks_counted, with_whole_times
from kronos_dashboard.markets.importers.delimited import read_delimited
from kronos_dashboard.markets.importers.encodings import as_utf8
from kronos_dashboard.markets.importers.fixed_width import looks_fixed_width, read_fixed_width
from kronos_dashboard.markets.importers.jsons import looks_like_json, read_json
from kronos_dashboard.markets.importers.opendocument import read_ods
from kronos_dashboard.markets.importers.own_exports import refuse_exported
from kronos_dashboard.markets.importers.sheets import looks_like_html, read_html, read_xls, read_xlsx
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.settings import Settings

__all__ = ["Opened", "open_tables"]

_WORKBOOKS = {"xlsx": read_xlsx, "xls": read_xls, "ods": read_ods}


@dataclass(frozen=True)
class Opened:
    """The files in a file, and their tables one after the other."""

    names: list[str]
    """Files in the archive; the file's own name when it is none."""
    tables: Iterator[tuple[str, list[Table] | ImportFailed]]
    """File name and its tables, or why there are none."""


def open_tables(data: bytes, filename: str, sheet: str | None, settings: Settings) -> Opened:
    """All tables of a file.

    Raises:
        ImportFailed: the file is larger than the limit, damaged, or of a kind that is not read.
    """
    if len(data) > settings.max_upload_bytes:
        raise ImportFailed(
            f"the file {filename} is larger than the limit of {settings.max_upload_mb} MB.",
            "Cut the file, or raise KRONOS_DASHBOARD_MAX_UPLOAD_MB.",
        )
    limit = most_unpacked(settings.max_upload_bytes)
    names, found = members(data, filename, limit, sheet)
    return Opened(names, ((member.name, _attempt(member, settings, limit)) for member in found))


def _attempt(member: Member, settings: Settings, limit: int) -> list[Table] | ImportFailed:
    try:
        return _tables(member, settings, limit)
    except ImportFailed as error:
        return error


def _tables(member: Member, settings: Settings, limit: int) -> list[Table]:
    data, name, most = member.data, member.name, settings.max_rows
    refuse_exported(data, name)
    if member.kind == "parquet":
        return [read_parquet(data, name, most, limit)]
    if member.kind == "feather":
        return [read_feather(data, name, most, limit)]
    if member.kind in _WORKBOOKS:
        found = _WORKBOOKS[member.kind](data, name, most)
        if not found:
            raise ImportFailed(f"the workbook {name} has no sheet with rows of numbers.", "Export the candles as CSV.")
        return found
    text, notes = as_utf8(data, name)
    if looks_counted(text):
        text, more = with_whole_times(text)
        notes = (*notes, *more)
    if looks_fixed_width(text):
        found = [read_fixed_width(text, name, most)]
    elif looks_like_json(text):
        found = read_json(text, name, most)
    elif looks_like_html(text):
        found = read_html(text, name, most)
    else:
        found = [read_delimited(text, name, most)]
    return [replace(table, notes=(*notes, *table.notes)) for table in found]
