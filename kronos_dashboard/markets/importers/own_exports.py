"""Recognize files that this app exported: forecasts have prices and times, but they are not history."""

from __future__ import annotations

import io
import shlex

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.column_names import normalize_name
from kronos_dashboard.markets.importers.table import Table
from kronos_dashboard.messages import msg

__all__ = ["ExportedForecastError", "reject_own_export", "reject_own_export_table"]

_EXPORT_COLUMNS = ({"path", "step", "time", "open", "close"}, {"step", "time", "closemedian"})
"""Columns of the exported table of paths, and of the table of steps."""
_COMMENT_PREFIXES = (b"#", b'"#')
_RECORD_PREFIXES = (b"# record: ", b'"# record: ')
"""Start of the line with the run record; spreadsheets put the line in quotes when they save the file."""
_RECORD_FIELD = b"candles_fingerprint"
"""A field of the run record that every kind of export contains."""
_BOM = b"\xef\xbb\xbf"
_HEAD_BYTES = 4_096
"""Bytes that show the kind of a text file."""
_RUN_FILE = msg("its settings and candles")


class ExportedForecastError(ImportFileError):
    """The file is a forecast that this app exported, not history."""

    def __init__(self, filename: str, kind: str, data: bytes, hint: str) -> None:
        message = msg(
            "the file {filename} is a forecast exported by this app ({kind}), not a history of candles.",
            filename=filename,
            kind=kind,
        )
        super().__init__(message, hint)
        self.filename = filename
        self.data = data
        """The bytes of the file, out of its archive; empty where its record is gone, so that nothing can open it."""


def reject_own_export(data: bytes, filename: str) -> None:
    """Refuse files with the record of a forecast: run files, tables and reports.

    Raises:
        ExportedForecastError: the file is one of these.
    """
    kind = _export_kind(data)
    if kind:
        command = f"kronos forecast --reproduce {shlex.quote(filename)}"
        candles_option = "" if kind == _RUN_FILE else " --data FILE"
        hint = msg(
            "Open it on the Forecast page under Export; {command} reproduces its numbers.",
            command=command + candles_option,
        )
        raise ExportedForecastError(filename, kind, data, hint)


def reject_own_export_table(table: Table, filename: str) -> None:
    """Refuse the table of an exported forecast that has lost its first lines.

    Raises:
        ExportedForecastError: the table has the columns of an export.
    """
    names = {normalize_name(name) for name in table.names or ()}
    if any(names >= columns for columns in _EXPORT_COLUMNS):
        hint = msg("The lines with the run details are missing. Use the file as it was saved.")
        raise ExportedForecastError(filename, msg("a table"), b"", hint)


def _export_kind(data: bytes) -> str:
    """The kind of export; empty for other files."""
    if data.startswith(b"PAR1"):
        return msg("all its paths") if b"kronos_record" in _parquet_footer(data) else ""
    head = data[:_HEAD_BYTES].removeprefix(_BOM).lstrip()
    if head.startswith(b"{"):
        if b'"record_version"' not in data or _RECORD_FIELD not in data:
            return ""
        return _RUN_FILE if b'"kronos-dashboard run"' in data else msg("its settings")
    if head.startswith(_COMMENT_PREFIXES):
        return _text_export_kind(data)
    return msg("a report") if head.startswith(b"<") and b'<pre id="record">' in data and _RECORD_FIELD in data else ""


def _text_export_kind(data: bytes) -> str:
    """The kind of export of a text with comment lines at the top."""
    has_record = False
    for line in io.BytesIO(data.removeprefix(_BOM)):
        if not line.startswith(_COMMENT_PREFIXES):
            has_paths = line.lstrip(b'"').startswith(b"path")
            return "" if not has_record else msg("all its paths") if has_paths else msg("its steps")
        has_record |= line.startswith(_RECORD_PREFIXES) and _RECORD_FIELD in line
    return ""


def _parquet_footer(data: bytes) -> bytes:
    """The metadata at the end of a Parquet file."""
    return data[-(int.from_bytes(data[-8:-4], "little") + 8) :]
