"""Open a file of any supported kind and return its tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.archives import Member, list_members, max_unpacked_bytes
from kronos_dashboard.markets.importers.columnar import read_feather, read_parquet
from kronos_dashboard.markets.importers.delimited import read_delimited
from kronos_dashboard.markets.importers.encodings import decode_to_utf8
from kronos_dashboard.markets.importers.fixed_width import looks_fixed_width, read_fixed_width
from kronos_dashboard.markets.importers.jsons import looks_like_json, read_json
from kronos_dashboard.markets.importers.opendocument import read_ods
from kronos_dashboard.markets.importers.own_exports import reject_own_export
from kronos_dashboard.markets.importers.sheets import looks_like_html, read_html, read_xls, read_xlsx
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.messages import msg
from kronos_dashboard.settings import Settings

__all__ = ["OpenedFile", "open_tables"]

_WORKBOOKS = {"xlsx": read_xlsx, "xls": read_xls, "ods": read_ods}


@dataclass(frozen=True)
class OpenedFile:
    """The members of a file and their tables, read on demand."""

    names: list[str]
    """Members of the archive; the file's own name when it is not an archive."""
    tables: Iterator[tuple[str, list[Table] | ImportFileError]]
    """Name of a member and its tables, or the reason why there are none."""


def open_tables(data: bytes, filename: str, sheet: str | None, settings: Settings) -> OpenedFile:
    """Open a file; its tables are read when they are iterated.

    Raises:
        ImportFileError: the file is larger than the limit, damaged, or of an unsupported kind.
    """
    if len(data) > settings.max_upload_bytes:
        raise ImportFileError(
            msg(
                "the file {filename} is larger than the limit of {limit} MB.",
                filename=filename,
                limit=settings.max_upload_mb,
            ),
            msg("Split the file, or raise KRONOS_DASHBOARD_MAX_UPLOAD_MB."),
        )
    limit = max_unpacked_bytes(settings.max_upload_bytes)
    names, files = list_members(data, filename, limit, sheet)
    return OpenedFile(names, ((member.name, _try_read(member, settings, limit)) for member in files))


def _try_read(member: Member, settings: Settings, limit: int) -> list[Table] | ImportFileError:
    try:
        return _read_member(member, settings, limit)
    except ImportFileError as error:
        return error


def _read_member(member: Member, settings: Settings, limit: int) -> list[Table]:
    data, name, max_rows = member.data, member.name, settings.max_rows
    reject_own_export(data, name)
    if member.kind == "parquet":
        return [read_parquet(data, name, max_rows, limit)]
    if member.kind == "feather":
        return [read_feather(data, name, max_rows, limit)]
    if member.kind in _WORKBOOKS:
        tables = _WORKBOOKS[member.kind](data, name, max_rows)
        if not tables:
            raise ImportFileError(
                msg("the workbook {name} has no sheet with price rows.", name=name),
                msg("Export the candles as CSV."),
            )
        return tables
    if looks_fixed_width(data):  # before decoding: a wrong guess of the encoding shifts the fields
        return [read_fixed_width(data, name, max_rows)]
    text, notes = decode_to_utf8(data, name)
    if looks_fixed_width(text):
        tables = [read_fixed_width(text, name, max_rows)]
    elif looks_like_json(text):
        tables = read_json(text, name, max_rows)
    elif looks_like_html(text):
        tables = read_html(text, name, max_rows)
    else:
        tables = [read_delimited(text, name, max_rows)]
    return [replace(table, notes=(*notes, *table.notes)) for table in tables]
