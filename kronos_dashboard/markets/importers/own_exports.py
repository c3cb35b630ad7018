"""Files that this app exports are told from candles: a forecast has prices and times too, but they did not happen."""

from __future__ import annotations

import io
import shlex

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.column_names import plain
from kronos_dashboard.markets.importers.table import Table

__all__ = ["ExportedForecast", "refuse_exported", "refuse_table"]

_TABLES = ({"path", "step", "time", "open", "close"}, {"step", "time", "closemedian"})
"""Columns of the table of all paths, and of the table of steps."""
_COMMENT = (b"#", b'"#')
_RECORD = (b"# record: ", b'"# record: ')
"""How the line of the record begins; a spreadsheet that saves the file puts it in quotes."""
_FIELD = b"candles_fingerprint"
"""A field of the record, as every kind of file has it."""
_BOM = b"\xef\xbb\xbf"
_HEAD = 4_096
_WHOLE = "its settings and candles"


class ExportedForecast(ImportFailed):
    """The file is a forecast that this app exported, and no history."""

    def __init__(self, filename: str, kind: str, data: bytes, hint: str) -> None:
        told = f"the file {filename} is a forecast that this app exported ({kind}), and no history of candles."
        super().__init__(told, hint)
        self.filename = filename
        self.data = data
        """The bytes of the file, out of its archive; empty where its record is gone, so that nothing can open it."""


def refuse_exported(data: bytes, filename: str) -> None:
    """Refuse what holds the record of a forecast: run files, tables and reports.

    Raises:
        ExportedForecast: it does.
    """
    kind = _kind(data)
    if kind:
        command = f"python -m kronos_dashboard forecast --from-record {shlex.quote(filename)}"
        more = "" if kind == _WHOLE else " --candles FILE"
        told = f"Open it on the Forecast page, under Files; {command}{more} makes its numbers again."
        raise ExportedForecast(filename, kind, data, told)


def refuse_table(table: Table, filename: str) -> None:
    """Refuse the table of an exported forecast that has lost its first lines.

    Raises:
        ExportedForecast: the columns are those of such a table.
    """
    names = {plain(name) for name in table.names or ()}
    if any(names >= wanted for wanted in _TABLES):
        hint = "The lines that say how it was made are gone. Take the file as it was saved."
        raise ExportedForecast(filename, "a table", b"", hint)


def _kind(data: bytes) -> str:
    """What was exported, or nothing."""
    if data.startswith(b"PAR1"):
        return "all its paths" if b"kronos_record" in _footer(data) else ""
    head = data[:_HEAD].removeprefix(_BOM).lstrip()
    if head.startswith(b"{"):
        if b'"record_version"' not in data or _FIELD not in data:
            return ""
        return _WHOLE if b'"kronos-dashboard run"' in data else "its settings"
    if head.startswith(_COMMENT):
        return _kind_of_text(data)
    return "a report" if head.startswith(b"<") and b'<pre id="record">' in data and _FIELD in data else ""


def _kind_of_text(data: bytes) -> str:
    """What a text with lines of comment on top is."""
    recorded = False
    for line in io.BytesIO(data.removeprefix(_BOM)):
        if not line.startswith(_COMMENT):
            paths = line.lstrip(b'"').startswith(b"path")
            return "" if not recorded else "all its paths" if paths else "its steps"
        recorded |= line.startswith(_RECORD) and _FIELD in line
    return ""


def _footer(data: bytes) -> bytes:
    """The end of a Parquet file, where its metadata are."""
    return data[-(int.from_bytes(data[-8:-4], "little") + 8) :]
