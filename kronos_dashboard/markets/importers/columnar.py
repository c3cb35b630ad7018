"""Parquet and Feather files as tables; what a file claims about itself is checked before memory is given to it."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pa_parquet

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.arrow_bounds import check_feather
from kronos_dashboard.markets.importers.table import Table

__all__ = ["read_feather", "read_parquet"]

_MOST_COLUMNS = 512
_BATCH = 65_536
_LONGEST_TEXT = 200
_DAMAGED = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError)


def read_parquet(data: bytes, filename: str, max_rows: int, limit: int) -> Table:
    """The table of a Parquet file; an index that pandas saved is one of its columns.

    Raises:
        ImportFailed: the file is damaged, or unpacks to more than ``limit`` bytes.
    """
    try:
        return _parquet(data, filename, max_rows, limit)
    except ImportFailed:
        raise
    except _DAMAGED as error:
        raise _damaged(filename, "Parquet", error) from error


def read_feather(data: bytes, filename: str, max_rows: int, limit: int) -> Table:
    """The table of a Feather (Arrow) file.

    Raises:
        ImportFailed: the file is damaged, or unpacks to more than ``limit`` bytes.
    """
    try:
        check_feather(data, filename, limit)
        table = pa_feather.read_table(pa.BufferReader(data), memory_map=False)
        if table.num_rows > max_rows:
            raise _too_many(filename, max_rows)
        return _table([table], table.schema, filename)
    except ImportFailed:
        raise
    except _DAMAGED as error:
        raise _damaged(filename, "Feather", error) from error


def _parquet(data: bytes, filename: str, max_rows: int, limit: int) -> Table:
    shape = pa_parquet.ParquetFile(pa.BufferReader(data), thrift_string_size_limit=8 << 20)
    claims = shape.metadata
    if claims.num_rows > max_rows:
        raise _too_many(filename, max_rows)
    if sum(claims.row_group(i).total_byte_size for i in range(claims.num_row_groups)) > limit:
        raise _too_large(filename, limit)
    kept = [field.name for field in shape.schema_arrow if _plain(field.type)][:_MOST_COLUMNS]
    words = [name for name in kept if _is_text(shape.schema_arrow.field(name).type)]
    file = pa_parquet.ParquetFile(pa.BufferReader(data), read_dictionary=words, thrift_string_size_limit=8 << 20)
    batches, rows, size = [], 0, 0
    for batch in file.iter_batches(batch_size=_BATCH, columns=kept):
        rows += batch.num_rows
        size += batch.nbytes
        if rows > max_rows:
            raise _too_many(filename, max_rows)
        if size > limit:
            raise _too_large(filename, limit)
        batches.append(batch)
    return _table(batches, file.schema_arrow, filename)


def _plain(kind: Any) -> bool:
    return not (
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _table(parts: list[Any], schema: Any, filename: str) -> Table:
    if not parts:
        raise ImportFailed(f"the file {filename} has 0 rows of candles; at least 2 are needed.", "Load more history.")
    columns, names = [], []
    for at, name in enumerate(parts[0].schema.names[:_MOST_COLUMNS]):
        chunks = [chunk for part in parts for chunk in _chunks(part.column(at))]
        column = pa.chunked_array(chunks, type=parts[0].schema.field(at).type).combine_chunks()
        column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        column = _short(column)
        if column is not None:
            columns.append(column)
            names.append(name)
    if not columns:
        raise ImportFailed(f"the file {filename} has no plain columns.", "Save time and prices as plain columns.")
    return Table(columns=tuple(columns), names=tuple(_index_name(name, schema) for name in names))


def _chunks(column: Any) -> list[Any]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def _short(column: Any) -> Any | None:
    """The column in a plain type; None for texts too long to be a time or a number."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        words = column.dictionary.cast(pa.string()) if not _is_text(column.dictionary.type) else column.dictionary
        if any(len(word or "") > _LONGEST_TEXT for word in words.slice(0, 100_000).to_pylist()):
            return None
        return words.cast(pa.string()).take(column.indices)
    if not _plain(kind):
        return None
    return column.cast(pa.string()) if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else column


def _index_name(name: str, schema: Any) -> str:
    """``__index_level_0__`` is what pandas calls an index without a name."""
    saved = (schema.metadata or {}).get(b"pandas")
    if not name.startswith("__index_level_") or saved is None:
        return name
    try:
        columns = json.loads(saved).get("columns", [])
        return str(next((c["name"] for c in columns if c.get("field_name") == name and c.get("name")), "index"))
    except (ValueError, AttributeError, TypeError, KeyError):
        return "index"


def _damaged(filename: str, kind: str, error: BaseException) -> ImportFailed:
    told = " ".join(str(error).split())[:120] or type(error).__name__
    return ImportFailed(f"the {kind} file {filename} cannot be read: {told}.", "Save it again.")


def _too_many(filename: str, max_rows: int) -> ImportFailed:
    return ImportFailed(f"the file {filename} has more than {max_rows:,} rows.", "Cut the file.")


def _too_large(filename: str, limit: int) -> ImportFailed:
    return ImportFailed(
        f"the file {filename} unpacks to more than {limit // (1 << 20)} MB.",
        "Cut the file, or raise KRONOS_DASHBOARD_MAX_UPLOAD_MB.",
    )
