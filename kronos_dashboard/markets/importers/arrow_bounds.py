r"""The unpacked size of a Feather file, read from its metadata before anything is unpacked.

Layout of an Arrow IPC file: ``ARROW1\0\0``, then messages. A message is the marker 0xFFFFFFFF, the length of its
metadata (int32, a multiple of 8), the metadata (a flatbuffer) and the body. A record batch lists its buffers (offset
and
length, int64 each); a compressed buffer begins with its unpacked length (int64, -1 where it is stored as it is).

Format: https://arrow.apache.org/docs/format/Columnar.html, "Serialization and Interprocess Communication (IPC)".
"""

from __future__ import annotations

import struct

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.read_errors import too_large_error
from kronos_dashboard.messages import msg

__all__ = ["check_feather_size"]

_RECORD_BATCH, _DICTIONARY_BATCH = 3, 2
_MAX_MESSAGES = 100_000
"""Feather writes a batch per 65,536 rows; this many would hold billions of rows."""


def check_feather_size(data: bytes, filename: str, limit: int) -> None:
    """Refuse a file whose buffers unpack to more than ``limit`` bytes.

    Raises:
        ImportFileError: the buffers are too large, or the file is damaged.
    """
    if data.startswith(b"FEA1"):
        return  # the old format: buffers lie in the file as they are
    try:
        total = _unpacked_bytes(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ImportFileError(
            msg("the Feather file {filename} is damaged.", filename=filename), msg("Save it again.")
        ) from error
    if total > limit:
        raise too_large_error(filename, limit)


def _unpacked_bytes(data: bytes) -> int:
    """The sum of the unpacked sizes of all record and dictionary batches."""
    at, total = 8, 0
    for _ in range(_MAX_MESSAGES):
        marker, length = struct.unpack_from("<Ii", data, at)
        if marker != 0xFFFFFFFF:
            length, at = marker, at - 4  # before version 0.15 there was no marker
        if length <= 0 or length > len(data):
            return total
        start = at + 8
        message = _root_table_fields(data, start)
        kind = data[message[1]] if message[1] else 0
        (body_length,) = struct.unpack_from("<q", data, message[3]) if message[3] else (0,)
        body = start + length
        if kind in (_RECORD_BATCH, _DICTIONARY_BATCH) and message[2]:
            batch = _resolve_offset(data, message[2])
            if kind == _DICTIONARY_BATCH:
                batch = _resolve_offset(data, _table_fields(data, batch)[1])
            total += _batch_bytes(data, batch, body)
        if body_length < 0:
            raise ValueError("a length below 0")
        at = body + body_length
        if at + 8 > len(data):
            return total
    raise ValueError("too many messages")


def _batch_bytes(data: bytes, batch: int, body: int) -> int:
    """The unpacked size of the buffers of one record batch."""
    fields = _table_fields(data, batch)
    if not fields[2]:
        return 0
    vector = _resolve_offset(data, fields[2])
    (count,) = struct.unpack_from("<I", data, vector)
    total = 0
    for i in range(min(count, 1_000_000)):
        offset, length = struct.unpack_from("<qq", data, vector + 4 + 16 * i)
        if fields[3] and length >= 8:
            (length,) = (max(length, *struct.unpack_from("<q", data, body + offset)),)
        total += max(0, length)
    return total


def _root_table_fields(data: bytes, root: int) -> list[int]:
    """Positions of the fields of the root table of a flatbuffer."""
    return _table_fields(data, _resolve_offset(data, root))


def _table_fields(data: bytes, table: int) -> list[int]:
    """Positions of the first six fields of a flatbuffer table; 0 for absent fields."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    (size,) = struct.unpack_from("<H", data, vtable)
    positions = []
    for i in range(6):
        slot = 4 + 2 * i
        offset = struct.unpack_from("<H", data, vtable + slot)[0] if slot < size else 0
        positions.append(table + offset if offset else 0)
    return positions


def _resolve_offset(data: bytes, at: int) -> int:
    """The position that a relative offset (uint32) in the flatbuffer refers to."""
    if at <= 0 or at + 4 > len(data):
        raise ValueError("a place outside of the file")
    return at + int(struct.unpack_from("<I", data, at)[0])
