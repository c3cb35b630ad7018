"""Read Parquet and Feather files; sizes are checked against the metadata before memory is allocated."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pa_parquet

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.arrow_bounds import check_feather_size
from kronos_dashboard.markets.importers.read_errors import short_reason, too_large_error, too_many_rows_error
from kronos_dashboard.markets.importers.table import MAX_COLUMNS, Table
from kronos_dashboard.messages import msg

__all__ = ["read_feather", "read_parquet"]

_BATCH_ROWS = 65_536
"""Rows decoded at once. Sizes in the metadata can lie, so limits are checked again after every batch."""
_MAX_TEXT_LENGTH = 200
"""Longer texts are neither times nor numbers; their columns are dropped."""
_READ_ERRORS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError)
"""Errors that pyarrow raises for damaged files."""


def read_parquet(data: bytes, filename: str, max_rows: int, limit: int) -> Table:
    """Read a Parquet file; an index that pandas saved becomes a column.

    Raises:
        ImportFileError: the file is damaged, or unpacks to more than ``limit`` bytes.
    """
    try:
        return _read_parquet(data, filename, max_rows, limit)
    except ImportFileError:
        raise
    except _READ_ERRORS as error:
        raise _damaged(filename, "Parquet", error) from error


def read_feather(data: bytes, filename: str, max_rows: int, limit: int) -> Table:
    """Read a Feather (Arrow IPC) file.

    Raises:
        ImportFileError: the file is damaged, or unpacks to more than ``limit`` bytes.
    """
    try:
        check_feather_size(data, filename, limit)
        table = pa_feather.read_table(pa.BufferReader(data), memory_map=False)
        if table.num_rows > max_rows:
            raise too_many_rows_error(filename, max_rows)
        return _build_table([table], table.schema, filename)
    except ImportFileError:
        raise
    except _READ_ERRORS as error:
        raise _damaged(filename, "Feather", error) from error


def _read_parquet(data: bytes, filename: str, max_rows: int, limit: int) -> Table:
    probe = pa_parquet.ParquetFile(pa.BufferReader(data), thrift_string_size_limit=8 << 20)
    metadata = probe.metadata
    if metadata.num_rows > max_rows:
        raise too_many_rows_error(filename, max_rows)
    if sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)) > limit:
        raise too_large_error(filename, limit)
    plain_columns = [field.name for field in probe.schema_arrow if _is_plain_type(field.type)][:MAX_COLUMNS]
    text_columns = [name for name in plain_columns if _is_text(probe.schema_arrow.field(name).type)]
    file = pa_parquet.ParquetFile(pa.BufferReader(data), read_dictionary=text_columns, thrift_string_size_limit=8 << 20)
    batches, rows, size = [], 0, 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=plain_columns):
        rows += batch.num_rows
        size += batch.nbytes
        if rows > max_rows:
            raise too_many_rows_error(filename, max_rows)
        if size > limit:
            raise too_large_error(filename, limit)
        batches.append(batch)
    return _build_table(batches, file.schema_arrow, filename)


def _is_plain_type(kind: Any) -> bool:
    return not (
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _build_table(parts: list[Any], schema: Any, filename: str) -> Table:
    if not parts:
        raise ImportFileError(
            msg("the file {filename} has 0 rows of candles; at least 2 are required.", filename=filename),
            msg("Load more history."),
        )
    columns, names = [], []
    for at, name in enumerate(parts[0].schema.names[:MAX_COLUMNS]):
        chunks = [chunk for part in parts for chunk in _chunks(part.column(at))]
        column = pa.chunked_array(chunks, type=parts[0].schema.field(at).type).combine_chunks()
        column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        column = _plain_column(column)
        if column is not None:
            columns.append(column)
            names.append(name)
    if not columns:
        raise ImportFileError(
            msg("the file {filename} has no flat columns.", filename=filename),
            msg("Save time and prices as flat columns."),
        )
    return Table(columns=tuple(columns), names=tuple(_pandas_index_name(name, schema) for name in names))


def _chunks(column: Any) -> list[Any]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def _plain_column(column: Any) -> Any | None:
    """The column as a plain type; None for nested types, and for texts too long to be a time or a number."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        words = column.dictionary.cast(pa.string()) if not _is_text(column.dictionary.type) else column.dictionary
        if any(len(word or "") > _MAX_TEXT_LENGTH for word in words.slice(0, 100_000).to_pylist()):
            return None
        return words.cast(pa.string()).take(column.indices)
    if not _is_plain_type(kind):
        return None
    return column.cast(pa.string()) if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else column


def _pandas_index_name(name: str, schema: Any) -> str:
    """The name of an index that pandas saved as ``__index_level_0__``; "index" when it has none."""
    saved = (schema.metadata or {}).get(b"pandas")
    if not name.startswith("__index_level_") or saved is None:
        return name
    try:
        columns = json.loads(saved).get("columns", [])
        return str(next((c["name"] for c in columns if c.get("field_name") == name and c.get("name")), "index"))
    except (ValueError, AttributeError, TypeError, KeyError):
        return "index"


def _damaged(filename: str, kind: str, error: BaseException) -> ImportFileError:
    return ImportFileError(
        msg(
            "the {kind} file {filename} cannot be read: {reason}.",
            kind=kind,
            filename=filename,
            reason=short_reason(error),
        ),
        msg("Save it again."),
    )
