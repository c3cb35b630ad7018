"""All sampled paths as files: one row per path and step.

Shapes: N paths, H steps, C columns that mean something (volume and amount are left blank where the context has none).
"""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.evaluation.coverage_note import Measured
from kronos_dashboard.export.metadata import facts, limits, text_header
from kronos_dashboard.forecasting.record import RunRecord

__all__ = ["RECORD_KEY", "paths_csv", "paths_parquet", "paths_table"]

RECORD_KEY = b"kronos_record"
"""Under which the metadata of a Parquet file hold the run record, as JSON."""
_PREFIX = "kronos_"


def paths_table(forecast: Forecast, record: RunRecord) -> pa.Table:
    """N * H rows, path by path: ``path`` and ``step`` from 1, ``time`` (UTC), open to amount as float32 or null."""
    number, horizon = forecast.num_paths, forecast.horizon
    times = pa.array(record.future_index.as_unit("us"), type=pa.timestamp("us", tz="UTC"))
    steps = np.arange(horizon, dtype=np.int32)
    columns = {
        "path": pa.array(np.repeat(np.arange(1, number + 1, dtype=np.int32), horizon)),
        "step": pa.array(np.tile(steps + 1, number)),
        "time": times.take(pa.array(np.tile(steps, number))),
    }
    for at, name in enumerate(COLUMNS):
        known = name in record.forecast_columns
        values = np.ascontiguousarray(forecast.paths[:, :, at], dtype=np.float32).ravel()
        columns[name] = pa.array(values) if known else pa.nulls(number * horizon, pa.float32())
    return pa.table(columns)


def paths_csv(forecast: Forecast, record: RunRecord, measured: Measured | None = None) -> bytes:
    """All paths as CSV in UTF-8, under lines of comment that say how they were made."""
    table = paths_table(forecast, record)
    local = record.future_index.tz_convert(record.session_tz)
    clock = pa.array([bar.isoformat() for bar in local])
    steps = pa.array(np.tile(np.arange(len(local)), forecast.num_paths))
    table = table.set_column(table.schema.get_field_index("time"), "time", clock.take(steps))
    sink = io.BytesIO(text_header(record, "One row per path and step: all sampled paths.", measured))
    sink.seek(0, io.SEEK_END)
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(quoting_style="none", quoting_header="none"))
    return sink.getvalue()


def paths_parquet(forecast: Forecast, record: RunRecord, measured: Measured | None = None) -> bytes:
    """All paths as Parquet; the metadata hold the run record, and in plain words what every file says."""
    told = {f"{_PREFIX}{name}": text for name, text in facts(record) if name != "note"}
    told[f"{_PREFIX}notes"] = " ".join(record.notes)
    told[f"{_PREFIX}limits"] = " ".join(limits(record, measured))
    table = paths_table(forecast, record).replace_schema_metadata({**told, RECORD_KEY.decode(): record.to_json()})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
