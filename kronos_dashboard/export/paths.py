"""All sampled paths as files: one row per path and step.

Shapes: N paths, H steps. Volume and amount are null if the context has none.
"""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.evaluation.coverage_note import CoverageNote
from kronos_dashboard.export.metadata import comment_header, disclaimers, run_facts
from kronos_dashboard.forecasting.record import RunRecord

__all__ = ["RECORD_KEY", "paths_table", "write_paths_csv", "write_paths_parquet"]

RECORD_KEY = b"kronos_record"
"""Key of the run record, as JSON, in the metadata of a Parquet file."""
_PREFIX = "kronos_"


def paths_table(forecast: Forecast, record: RunRecord) -> pa.Table:
    """N * H rows, path by path: ``path`` and ``step`` from 1, ``time`` (UTC), open to amount as float32 or null."""
    num_paths, horizon = forecast.num_paths, forecast.horizon
    times = pa.array(record.future_index.as_unit("us"), type=pa.timestamp("us", tz="UTC"))
    steps = np.arange(horizon, dtype=np.int32)
    columns = {
        "path": pa.array(np.repeat(np.arange(1, num_paths + 1, dtype=np.int32), horizon)),
        "step": pa.array(np.tile(steps + 1, num_paths)),
        "time": times.take(pa.array(np.tile(steps, num_paths))),
    }
    for column, name in enumerate(COLUMNS):
        is_known = name in record.forecast_columns
        values = np.ascontiguousarray(forecast.paths[:, :, column], dtype=np.float32).ravel()  # [N * H]
        columns[name] = pa.array(values) if is_known else pa.nulls(num_paths * horizon, pa.float32())
    return pa.table(columns)


def write_paths_csv(forecast: Forecast, record: RunRecord, coverage_note: CoverageNote | None = None) -> bytes:
    """All paths as CSV in UTF-8, after comment lines that say how they were made; times are local."""
    table = paths_table(forecast, record)
    local = record.future_index.tz_convert(record.session_tz)
    times = pa.array([bar.isoformat() for bar in local])
    steps = pa.array(np.tile(np.arange(len(local)), forecast.num_paths))
    table = table.set_column(table.schema.get_field_index("time"), "time", times.take(steps))
    sink = io.BytesIO(comment_header(record, "One row per path and step: all sampled paths.", coverage_note))
    sink.seek(0, io.SEEK_END)
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(quoting_style="none", quoting_header="none"))
    return sink.getvalue()


def write_paths_parquet(forecast: Forecast, record: RunRecord, coverage_note: CoverageNote | None = None) -> bytes:
    """All paths as Parquet; its metadata are the run record, and the facts and disclaimers of every file."""
    metadata = {f"{_PREFIX}{name}": str(text) for name, text in run_facts(record) if name != "note"}
    metadata[f"{_PREFIX}notes"] = " ".join(record.notes)
    metadata[f"{_PREFIX}limits"] = " ".join(disclaimers(record, coverage_note))
    table = paths_table(forecast, record).replace_schema_metadata({**metadata, RECORD_KEY.decode(): record.to_json()})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
