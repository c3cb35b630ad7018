"""Readers of exported files: the record of any, and the paths of Parquet, CSV of all paths, or JSON with paths.

Shapes: N paths, H steps, C known columns; the other columns of a forecast are zero.
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
from kronos_dashboard.errors import ImportFileError, RecordError
from kronos_dashboard.export.json_files import RunBundle, read_bundle
from kronos_dashboard.export.metadata import read_header_record
from kronos_dashboard.export.paths import RECORD_KEY
from kronos_dashboard.forecasting.record import RunRecord, paths_sha256
from kronos_dashboard.messages import msg

__all__ = ["read_export", "read_forecast"]

_MAX_ROWS = 10_000_000
"""240 MB of float32 with all columns."""
_HINT = msg("Choose an unmodified exported file with all paths (Parquet, long CSV, or JSON with paths).")
_RECORD_HINT = msg("Choose an unmodified exported file.")
_REPORT = re.compile(rb'<pre id="record">(.*?)</pre>', re.DOTALL)


def read_export(data: bytes) -> RunBundle:
    """The record in any exported file; from JSON also its candles and paths.

    Raises:
        RecordError: there is no record, it was changed, or the parts of the file are inconsistent.
    """
    try:
        if data.startswith(b"PAR1"):
            return _record_only(_parquet_record(pq.ParquetFile(io.BytesIO(data))))
        start, report = _header_length(data), _REPORT.search(data)
        if start:
            return _record_only(read_header_record(data[:start]))
        if data.startswith(b"<") and report:
            return _record_only(RunRecord.from_json(html.unescape(report[1].decode("utf-8", errors="replace"))))
        return read_bundle(data)
    except (pa.ArrowException, OSError, UnicodeDecodeError, _UnreadableError) as error:
        raise RecordError(msg("the file has no readable run record: {error}.", error=error), _RECORD_HINT) from error


def read_forecast(data: bytes, name: str) -> tuple[Forecast, RunRecord]:
    """The forecast in an exported file, and the record of how it was made.

    Args:
        data: the bytes of the file, whose format is detected.
        name: name of the file in error messages.

    Raises:
        ImportFileError: it contains no paths, or they do not match the record.
        RecordError: its record cannot be read.
    """
    example = PurePath(name).name or "file"
    try:
        if data.startswith(b"PAR1"):
            record, paths = _from_parquet(data)
        elif data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            record, paths = _from_json(data)
        else:
            record, paths = _from_csv(data)
        return _verify(record, paths), record
    except (pa.ArrowException, OSError, UnicodeDecodeError, _UnreadableError) as error:
        raise ImportFileError(
            msg("the file {example} has no readable forecast: {error}.", example=example, error=error), _HINT
        ) from error


class _UnreadableError(Exception):
    """The reason why a file cannot be read, as a clause."""


def _verify(record: RunRecord, paths: np.ndarray) -> Forecast:
    """The forecast of paths [N, H, C], if they have the shape and the digest of the record."""
    expected = (record.sampling.num_paths, record.horizon, len(record.forecast_columns))
    if paths.shape != expected:
        raise _UnreadableError(
            msg(
                "its record has paths of shape {expected}; the file has {shape}",
                expected=expected,
                shape=paths.shape,
            )
        )
    full = np.zeros((*expected[:2], len(COLUMNS)), dtype=np.float32)
    full[:, :, [COLUMNS.index(name) for name in record.forecast_columns]] = paths
    full.flags.writeable = False
    forecast = Forecast(
        paths=full,
        index=record.future_index,
        notes=record.notes,
        repaired_fraction=record.repaired_fraction,
        sampling=record.sampling,
    )
    digest = paths_sha256(forecast, record.forecast_columns)
    if digest != record.paths_sha256:
        reason = msg(
            "their digest is {actual}; the record has {paths_sha256}",
            actual=digest[:16],
            paths_sha256=record.paths_sha256[:16],
        )
        raise _UnreadableError(msg("its paths were changed after the export: {reason}", reason=reason))
    return forecast


def _from_json(data: bytes) -> tuple[RunRecord, np.ndarray]:
    run = read_bundle(data)
    if run.paths is None:
        raise _UnreadableError(msg("it contains a record without paths"))
    return run.record, run.paths


def _from_parquet(data: bytes) -> tuple[RunRecord, np.ndarray]:
    file = pq.ParquetFile(io.BytesIO(data))
    record = _parquet_record(file)
    _check_rows(file.metadata.num_rows, record)
    columns = ["path", "step", "time", *record.forecast_columns]
    missing = [name for name in columns if name not in file.schema_arrow.names]
    if missing:
        raise _UnreadableError(msg("it has no columns {missing}", missing=", ".join(missing)))
    return record, _to_array(file.read(columns), record)


def _parquet_record(file: pq.ParquetFile) -> RunRecord:
    text = (file.schema_arrow.metadata or {}).get(RECORD_KEY)
    if text is None:
        raise _UnreadableError(msg("its metadata contain no run record"))
    return RunRecord.from_json(text.decode("utf-8", errors="replace"))


def _record_only(record: RunRecord) -> RunBundle:
    """A bundle without candles and paths."""
    return RunBundle(record=record, context=None, actual=None, paths=None)


def _from_csv(data: bytes) -> tuple[RunRecord, np.ndarray]:
    start = _header_length(data)
    if start == 0:
        raise _UnreadableError(msg("it is neither Parquet, nor JSON, nor a CSV with comment lines at the top"))
    record = read_header_record(data[:start])
    body = data[start:]
    _check_rows(body.rstrip().count(b"\n"), record)
    numbers = {name: pa.float32() for name in record.forecast_columns}
    types = {"path": pa.int32(), "step": pa.int32(), "time": pa.timestamp("us", tz="UTC"), **numbers}
    try:
        table = pa_csv.read_csv(
            io.BytesIO(body), convert_options=pa_csv.ConvertOptions(column_types=types, include_columns=list(types))
        )
    except KeyError as error:
        raise _UnreadableError(msg("it is not a table of all paths: {error}", error=error.args[0])) from error
    return record, _to_array(table, record)


def _header_length(data: bytes) -> int:
    """Number of bytes of the comment lines at the top."""
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    start = position
    while data.startswith((b"#", b'"#'), position):
        end = data.find(b"\n", position)
        position = len(data) if end < 0 else end + 1
    return 0 if position == start else position


def _check_rows(rows: int, record: RunRecord) -> None:
    expected = record.sampling.num_paths * record.horizon
    if not 0 < rows <= _MAX_ROWS or rows < expected:
        raise _UnreadableError(
            msg("its record describes {expected:,} rows; it has {rows:,}", expected=expected, rows=rows)
        )


def _to_array(table: pa.Table, record: RunRecord) -> np.ndarray:
    """A table with rows in any order -> float32 [N, H, C]."""
    if any(column.null_count for column in table.columns):
        raise _UnreadableError(msg("it has blank cells"))
    num_paths, horizon = record.sampling.num_paths, record.horizon
    path, step = (table[name].to_numpy() for name in ("path", "step"))
    order = np.lexsort((step, path))
    rows = np.arange(len(order))
    if len(order) != num_paths * horizon or not (
        np.array_equal(path[order], rows // horizon + 1) and np.array_equal(step[order], rows % horizon + 1)
    ):
        raise _UnreadableError(
            msg("it must have each of {num_paths} paths and {horizon} steps once", num_paths=num_paths, horizon=horizon)
        )
    times = pd.DatetimeIndex(table["time"].to_pandas()).tz_convert("UTC")[order[:horizon]]
    if not (times == record.future_index).all():
        raise _UnreadableError(msg("its times differ from those of its record"))
    values = [table[name].to_numpy()[order].reshape(num_paths, horizon) for name in record.forecast_columns]
    return np.stack(values, axis=-1).astype(np.float32)
