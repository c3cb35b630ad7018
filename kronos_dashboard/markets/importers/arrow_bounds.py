"""What a Feather file would unpack to, read off its messages before anything is unpacked.

Layout of an Arrow file: "ARROW1", then messages: 0xFFFFFFFF, the length of the metadata (int32), the metadata (a
flatbuffer), the body. A record batch lists its buffers; a compressed buffer begins with its unpacked length (int64).
"""

from __future__ import annotations

import struct

from kronos_dashboard.errors import ImportFailed

__all__ = ["check_feather"]

_RECORD_BATCH, _DICTIONARY_BATCH = 3, 2
_MOST_MESSAGES = 100_000


def check_feather(data: bytes, filename: str, limit: int) -> None:
    """Refuse a file whose buffers unpack to more than ``limit`` bytes.

    Raises:
        ImportFailed: they do, or a message cannot be followed.
    """
    if data.startswith(b"FEA1"):
        return  # the old format: buffers lie in the file as they are
    try:
        total = _unpacked(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ImportFailed(f"the Feather file {filename} is damaged.", "Save it again.") from error
    if total > limit:
        raise ImportFailed(
            f"the file {filename} unpacks to more than {limit // (1 << 20)} MB.",
            "Cut the file, or raise KRONOS_DASHBOARD_MAX_UPLOAD_MB.",
        )


def _unpacked(data: bytes) -> int:
    at, total = 8, 0
    for _ in range(_MOST_MESSAGES):
        marker, length = struct.unpack_from("<Ii", data, at)
        if marker != 0xFFFFFFFF:
            length, at = marker, at - 4  # before version 0.15 there was no marker
        if length <= 0 or length > len(data):
            return total
        start = at + 8
        message = _table(data, start)
        kind = data[message[1]] if message[1] else 0
        (body_length,) = struct.unpack_from("<q", data, message[3]) if message[3] else (0,)
        body = start + length
        if kind in (_RECORD_BATCH, _DICTIONARY_BATCH) and message[2]:
            batch = _follow(data, message[2])
            if kind == _DICTIONARY_BATCH:
                batch = _follow(data, _table_at(data, batch)[1])
            total += _of_batch(data, batch, body)
        if body_length < 0:
            raise ValueError("a length below 0")
        at = body + body_length
        if at + 8 > len(data):
            return total
    raise ValueError("too many messages")


def _of_batch(data: bytes, batch: int, body: int) -> int:
    """Bytes that the buffers of a record batch unpack to."""
    fields = _table_at(data, batch)
    if not fields[2]:
        return 0
    vector = _follow(data, fields[2])
    (count,) = struct.unpack_from("<I", data, vector)
    total = 0
    for i in range(min(count, 1_000_000)):
        offset, length = struct.unpack_from("<qq", data, vector + 4 + 16 * i)
        if fields[3] and length >= 8:
            (length,) = (max(length, *struct.unpack_from("<q", data, body + offset)),)
        total += max(0, length)
    return total


def _table(data: bytes, root: int) -> list[int]:
    return _table_at(data, _follow(data, root))


def _table_at(data: bytes, table: int) -> list[int]:
    """Places of the first fields of a flatbuffer table; 0 for those that are absent."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    (size,) = struct.unpack_from("<H", data, vtable)
    found = []
    for i in range(6):
        slot = 4 + 2 * i
        offset = struct.unpack_from("<H", data, vtable + slot)[0] if slot < size else 0
        found.append(table + offset if offset else 0)
    return found


def _follow(data: bytes, at: int) -> int:
    if at <= 0 or at + 4 > len(data):
        raise ValueError("a place outside of the file")
    return at + int(struct.unpack_from("<I", data, at)[0])
