"""An exported file back to what it holds: the record of any, and all paths of Parquet, long CSV, or JSON with paths.

Shapes: N paths, H steps, C columns that mean something; the others come back as zeros.
"""

from __future__ import annotations

import html
import io
import re
from pathlib import PurePath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.errors import ImportFailed, RecordError
from kronos_dashboard.export.json_files import RunFile, read_run
from kronos_dashboard.export.metadata import header_record
from kronos_dashboard.export.paths import RECORD_KEY
from kronos_dashboard.forecasting.record import RunRecord, paths_digest

__all__ = ["read_exported", "read_forecast"]

_MOST_ROWS = 10_000_000
_HINT = "Choose a file with all paths, as it was exported (Parquet, long CSV, or JSON with paths)."
_EXPORTED = "Choose a file as it was exported."
_REPORT = re.compile(rb'<pre id="record">(.*?)</pre>', re.DOTALL)


def read_exported(data: bytes) -> RunFile:
    """The record in any exported file, and from JSON also the candles and paths that it holds.

    Raises:
        RecordError: there is none, it was changed, or the parts of the file contradict each other.
    """
    try:
        if data.startswith(b"PAR1"):
            return _alone(_stored(pq.ParquetFile(io.BytesIO(data))))
        start, report = _header_length(data), _REPORT.search(data)
        if start:
            return _alone(header_record(data[:start]))
        if data.startswith(b"<") and report:
            return _alone(RunRecord.from_json(html.unescape(report[1].decode("utf-8", errors="replace"))))
        return read_run(data)
    except (pa.ArrowException, OSError, UnicodeDecodeError, _Unfit) as error:
        raise RecordError(f"the file holds no run record that can be read: {error}.", _EXPORTED) from error


def read_forecast(data: bytes, name: str) -> tuple[Forecast, RunRecord]:
    """The forecast in an exported file, and the record of how it was made.

    Args:
        data: the bytes of the file; their kind is told by themselves.
        name: what to call the file in errors.

    Raises:
        ImportFailed: it holds no paths, or they are not those that the record was written for.
        RecordError: its record cannot be read.
    """
    shown = PurePath(name).name or "file"
    try:
        if data.startswith(b"PAR1"):
            record, paths = _from_parquet(data)
        elif data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            record, paths = _from_json(data)
        else:
            record, paths = _from_csv(data)
        return _checked(record, paths), record
    except (pa.ArrowException, OSError, UnicodeDecodeError, _Unfit) as error:
        raise ImportFailed(f"the file {shown} holds no forecast that can be read: {error}.", _HINT) from error


class _Unfit(Exception):
    """What does not fit, in half a sentence."""


def _checked(record: RunRecord, paths: np.ndarray) -> Forecast:
    """A forecast of paths [N, H, C], if the record was written for them."""
    wanted = (record.sampling["num_paths"], record.horizon, len(record.forecast_columns))
    if paths.shape != wanted:
        raise _Unfit(f"its record is of paths of the shape {wanted}; these have {paths.shape}")
    whole = np.zeros((*wanted[:2], len(COLUMNS)), dtype=np.float32)
    whole[:, :, [COLUMNS.index(name) for name in record.forecast_columns]] = paths
    whole.flags.writeable = False
    forecast = Forecast(paths=whole, index=record.future_index, notes=record.notes, repaired=record.repaired)
    found = paths_digest(forecast, record.forecast_columns)
    if found != record.paths_digest:
        told = f"their digest is {found[:16]}, and {record.paths_digest[:16]} stands in the record"
        raise _Unfit(f"its paths were changed after they were written: {told}")
    return forecast


def _from_json(data: bytes) -> tuple[RunRecord, np.ndarray]:
    run = read_run(data)
    if run.paths is None:
        raise _Unfit("it holds a record without paths")
    return run.record, run.paths


def _from_parquet(data: bytes) -> tuple[RunRecord, np.ndarray]:
    file = pq.ParquetFile(io.BytesIO(data))
    record = _stored(file)
    _check_rows(file.metadata.num_rows, record)
    wanted = ["path", "step", "time", *record.forecast_columns]
    missing = [name for name in wanted if name not in file.schema_arrow.names]
    if missing:
        raise _Unfit(f"it lacks the columns {', '.join(missing)}")
    return record, _stacked(file.read(wanted), record)


def _stored(file: pq.ParquetFile) -> RunRecord:
    stored = (file.schema_arrow.metadata or {}).get(RECORD_KEY)
    if stored is None:
        raise _Unfit("its metadata hold no run record")
    return RunRecord.from_json(stored.decode("utf-8", errors="replace"))


def _alone(record: RunRecord) -> RunFile:
    return RunFile(record=record, context=None, truth=None, paths=None)


def _from_csv(data: bytes) -> tuple[RunRecord, np.ndarray]:
    start = _header_length(data)
    if start == 0:
        raise _Unfit("it begins with neither Parquet, nor JSON, nor lines of comment")
    record = header_record(data[:start])
    body = data[start:]
    _check_rows(body.rstrip().count(b"\n"), record)
    numbers = {name: pa.float32() for name in record.forecast_columns}
    types = {"path": pa.int32(), "step": pa.int32(), "time": pa.timestamp("us", tz="UTC"), **numbers}
    try:
        table = pa_csv.read_csv(
            io.BytesIO(body), convert_options=pa_csv.ConvertOptions(column_types=types, include_columns=list(types))
        )
    except KeyError as error:
        raise _Unfit(f"it is no table of all paths: {error.args[0]}") from error
    return record, _stacked(table, record)


def _header_length(data: bytes) -> int:
    """Bytes of the lines of comment on top."""
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    begin = at
    while data.startswith((b"#", b'"#'), at):
        end = data.find(b"\n", at)
        at = len(data) if end < 0 else end + 1
    return 0 if at == begin else at


def _check_rows(rows: int, record: RunRecord) -> None:
    wanted = record.sampling["num_paths"] * record.horizon
    if not 0 < rows <= _MOST_ROWS or rows < wanted:
        raise _Unfit(f"its record is of {wanted:,} rows; it has {rows:,}")


def _stacked(table: pa.Table, record: RunRecord) -> np.ndarray:
    """Rows in any order -> [N, H, C]."""
    if any(column.null_count for column in table.columns):
        raise _Unfit("cells of it are blank")
    number, horizon = record.sampling["num_paths"], record.horizon
    path, step = (table[name].to_numpy() for name in ("path", "step"))
    order = np.lexsort((step, path))
    rows = np.arange(len(order))
    if len(order) != number * horizon or not (
        np.array_equal(path[order], rows // horizon + 1) and np.array_equal(step[order], rows % horizon + 1)
    ):
        raise _Unfit(f"it must have each of {number} paths and {horizon} steps once")
    times = pd.DatetimeIndex(table["time"].to_pandas()).tz_convert("UTC")[order[:horizon]]
    if not (times == record.future_index).all():
        raise _Unfit("its times are not those of its record")
    values = [table[name].to_numpy()[order].reshape(number, horizon) for name in record.forecast_columns]
    return np.stack(values, axis=-1).astype(np.float32)
