"""Decode text files of any encoding to UTF-8."""

from __future__ import annotations

import re

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.column_names import column_meaning
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["decode_to_utf8"]

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)  # fmt: skip
"""Byte order marks; the UTF-32 mark begins with the UTF-16 one and is tested first."""
_LEGACY_ENCODINGS = (("gb18030", "GBK"), ("big5", "Big5"), ("cp932", "Shift JIS"), ("cp949", "EUC-KR"),
           ("cp1251", "Windows-1251"), ("cp1252", "Windows-1252"), ("latin-1", "Latin-1"))  # fmt: skip
"""Encodings tried for text that is not UTF-8, double-byte encodings first: single-byte ones decode anything."""
_HEAD_BYTES = 4_096
"""Bytes that decide on the encoding: preamble, header and first rows."""


def decode_to_utf8(data: bytes, filename: str) -> tuple[bytes, tuple[Note, ...]]:
    """The text as UTF-8 without byte order mark, with newlines as line ends, and a note when the encoding was guessed.

    Raises:
        ImportFileError: the file is not text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _normalize_line_ends(_reencode(data[len(mark) :], encoding, filename)), ()
    if data.isascii() and b"\0" not in data:
        return _normalize_line_ends(data), ()
    if b"\0" in data[:_HEAD_BYTES]:
        even, odd = data[:_HEAD_BYTES:2].count(0), data[1:_HEAD_BYTES:2].count(0)
        if max(even, odd) > 0.3 * len(data[:_HEAD_BYTES]) / 2 and min(even, odd) * 4 < max(even, odd):
            encoding = "utf-16-be" if even > odd else "utf-16-le"
            return _normalize_line_ends(_reencode(data, encoding, filename)), ()
    if b"\0" in data:
        raise ImportFileError(
            msg("the file {filename} is not a text file.", filename=filename), msg("Export the candles as CSV.")
        )
    try:
        data.decode("utf-8")
        return _normalize_line_ends(data), ()
    except UnicodeDecodeError:
        encoding, name = _guess_encoding(data)
    if re.search(rb"[\x01-\x08\x0e-\x1f]", data[:_HEAD_BYTES]):
        raise ImportFileError(
            msg("the file {filename} is not a text file.", filename=filename), msg("Export the candles as CSV.")
        )
    return _normalize_line_ends(data.decode(encoding, errors="replace").encode()), (
        Note("info", msg("The text was decoded as {name}.", name=name)),
    )


def _reencode(data: bytes, encoding: str, filename: str) -> bytes:
    text = data.decode(encoding, errors="replace")
    odd = text.count("�") + len(re.findall(r"[\x01-\x08\x0e-\x1f]", text[:_HEAD_BYTES])) * 2
    if odd > max(3, len(text) // 100):
        raise ImportFileError(
            msg("the file {filename} is not a text file.", filename=filename),
            msg("Export the candles as CSV in UTF-8."),
        )
    return text.replace("\0", "").encode("utf-8", errors="replace")


def _normalize_line_ends(data: bytes) -> bytes:
    """Convert line ends of old Macintosh files (carriage return only) to newlines."""
    return data.replace(b"\r", b"\n") if b"\n" not in data and b"\r" in data else data


def _guess_encoding(data: bytes) -> tuple[str, str]:
    """The encoding under which the most words of the first lines are column names; ties go to the more plausible."""
    head = data[: _HEAD_BYTES * 4]
    best, best_score = _LEGACY_ENCODINGS[-1], (-1.0, -1.0)
    num_pair_bytes = len(re.findall(rb"[\x81-\xfe][\x40-\xfe]", head)) * 2
    num_high_bytes = len(re.findall(rb"[\x80-\xff]", head)) or 1
    for at, (encoding, name) in enumerate(_LEGACY_ENCODINGS):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        words = [w for w in re.split(r"[,;|\t\n\r\"]+", text[:_HEAD_BYTES]) if w.strip() and not w.isascii()]
        hits = sum(column_meaning(word.strip()) is not None for word in set(words[:200]))
        is_double_byte = at < 4
        prior = (0.5 if num_pair_bytes >= num_high_bytes else -0.5) if is_double_byte else (0.0 if at != 4 else -0.2)
        score = (float(hits), prior)
        if score > best_score:
            best, best_score = (encoding, name), score
    return best
