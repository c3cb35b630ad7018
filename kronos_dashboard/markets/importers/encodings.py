"""Bytes of a text file as UTF-8, whatever they were written in."""

from __future__ import annotations

import re

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.importers.column_names import meaning_of
from kronos_dashboard.notes import Note

__all__ = ["as_utf8"]

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)  # fmt: skip
_OTHERS = (("gb18030", "GBK"), ("big5", "Big5"), ("cp932", "Shift JIS"), ("cp949", "EUC-KR"),
           ("cp1251", "Windows-1251"), ("cp1252", "Windows-1252"), ("latin-1", "Latin-1"))  # fmt: skip
_HEAD = 4_096


def as_utf8(data: bytes, filename: str) -> tuple[bytes, tuple[Note, ...]]:
    """The text in UTF-8 without a byte order mark, lines ended by newlines, and a note when it was in something else.

    Raises:
        ImportFailed: it is no text.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _lines(_decoded(data[len(mark) :], encoding, filename)), ()
    if data.isascii() and b"\0" not in data:
        return _lines(data), ()
    if b"\0" in data[:_HEAD]:
        even, odd = data[:_HEAD:2].count(0), data[1:_HEAD:2].count(0)
        if max(even, odd) > 0.3 * len(data[:_HEAD]) / 2 and min(even, odd) * 4 < max(even, odd):
            encoding = "utf-16-be" if even > odd else "utf-16-le"
            return _lines(_decoded(data, encoding, filename)), ()
    if b"\0" in data:
        raise ImportFailed(f"the file {filename} is not a text file.", "Export the candles as CSV.")
    try:
        data.decode("utf-8")
        return _lines(data), ()
    except UnicodeDecodeError:
        encoding, name = _guess(data)
    if re.search(rb"[\x01-\x08\x0e-\x1f]", data[:_HEAD]):
        raise ImportFailed(f"the file {filename} is not a text file.", "Export the candles as CSV.")
    return _lines(data.decode(encoding, errors="replace").encode()), (Note("info", f"The text was read as {name}."),)


def _decoded(data: bytes, encoding: str, filename: str) -> bytes:
    text = data.decode(encoding, errors="replace")
    odd = text.count("�") + len(re.findall(r"[\x01-\x08\x0e-\x1f]", text[:_HEAD])) * 2
    if odd > max(3, len(text) // 100):
        raise ImportFailed(f"the file {filename} is not a text file.", "Export the candles as CSV in UTF-8.")
    return text.replace("\0", "").encode("utf-8", errors="replace")


def _lines(data: bytes) -> bytes:
    """Lines that end with a carriage return alone become lines."""
    return data.replace(b"\r", b"\n") if b"\n" not in data and b"\r" in data else data


def _guess(data: bytes) -> tuple[str, str]:
    """The encoding in which most words of the first lines name a column; among equals the one that decodes all."""
    head = data[: _HEAD * 4]
    best, most = _OTHERS[-1], (-1.0, -1.0)
    pairs = len(re.findall(rb"[\x81-\xfe][\x40-\xfe]", head)) * 2
    high = len(re.findall(rb"[\x80-\xff]", head)) or 1
    for at, (encoding, name) in enumerate(_OTHERS):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        words = [w for w in re.split(r"[,;|\t\n\r\"]+", text[:_HEAD]) if w.strip() and not w.isascii()]
        hits = sum(meaning_of(word.strip()) is not None for word in set(words[:200]))
        double = at < 4
        likely = (0.5 if pairs >= high else -0.5) if double else (0.0 if at != 4 else -0.2)
        score = (float(hits), likely)
        if score > most:
            best, most = (encoding, name), score
    return best
