"""Compressed files and archives, unpacked within bounds; and what kind of file some bytes are."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from kronos_dashboard.errors import ImportFailed

__all__ = ["Member", "kind_of", "members", "most_unpacked"]

_MAGIC = (
    (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"),
    (b"PAR1", "parquet"), (b"ARROW1", "feather"), (b"FEA1", "feather"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"\x28\xb5\x2f\xfd", "zstd"), (b"%PDF", "pdf"), (b"\x89HDF", "hdf5"), (b"SQLite format 3", "sqlite"),
    (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!", "rar"), (b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"), (b"\x93NUMPY", "numpy"), (b"\x80\x02", "pickle"), (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"), (b"\x80\x05", "pickle"),
)  # fmt: skip
_REFUSED = {
    "pdf": "a PDF", "hdf5": "an HDF5 store", "sqlite": "an SQLite database", "7z": "a 7z archive",
    "rar": "a RAR archive", "picture": "a picture", "numpy": "a NumPy array",
    "pickle": "a Python pickle, which is never opened",
    "zstd": "a Zstandard file",
}  # fmt: skip
_CHUNK = 1 << 20
_GROWTH = 10
"""A file may unpack to so many times the upload limit."""
_MOST_MEMBERS = 2_000
_DATA = (
    ".csv",
    ".txt",
    ".tsv",
    ".json",
    ".xlsx",
    ".xls",
    ".ods",
    ".parquet",
    ".feather",
    ".prn",
    ".dat",
    ".asc",
    ".gz",
    ".jsonl",
)


@dataclass(frozen=True)
class Member:
    """One file, out of an archive or on its own."""

    name: str
    data: bytes
    kind: str
    """"text", "xlsx", "xls", "ods", "parquet" or "feather"."""


class _Decompressor(Protocol):
    def __call__(self, data: bytes, most: int) -> bytes: ...


def most_unpacked(max_upload_bytes: int) -> int:
    """Bytes that a compressed file may unpack to."""
    return _GROWTH * max_upload_bytes


def kind_of(data: bytes) -> str:
    """What the first bytes say; "text" when they say nothing."""
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "text")


def members(data: bytes, filename: str, limit: int, wanted: str | None = None) -> tuple[list[str], Iterator[Member]]:
    """Names of the files inside (the file's own name when it is no archive), and the files one by one.

    Args:
        data: the bytes of the file.
        filename: what it is called.
        limit: bytes that may be unpacked.
        wanted: name, or end of the name, of the one file to take out of an archive.

    Raises:
        ImportFailed: it is of a kind that is not read, damaged, or unpacks to more than ``limit``.
    """
    kind = kind_of(data)
    if kind == "zip" and not _is_workbook(data, filename):
        names = _names(data, filename)
        return names, _unzip(data, filename, _chosen(names, wanted), limit)
    return [filename], iter([_single(data, filename, kind, limit, depth=0)])


def _single(data: bytes, filename: str, kind: str, limit: int, depth: int) -> Member:
    if kind in _REFUSED:
        raise ImportFailed(f"the file {filename} is {_REFUSED[kind]}.", "Export the candles as CSV, JSON or Parquet.")
    if kind in ("gzip", "bz2", "xz"):
        if depth > 1:
            raise ImportFailed(f"the file {filename} is compressed over and over.", "Unpack it first.")
        plain = _decompress(data, kind, filename, limit)
        inner = filename.rsplit(".", 1)[0] if "." in filename else filename
        return _single(plain, inner, kind_of(plain), limit, depth + 1)
    if kind == "zip":
        if not _is_workbook(data, filename):
            raise ImportFailed(f"the file {filename} is an archive inside an archive.", "Unpack it first.")
        infos = _infos(data, filename)
        _check_size(infos, filename, limit)
        kind = "ods" if any(info.filename == "content.xml" for info in infos) else "xlsx"
    return Member(filename, data, kind)


def _decompress(data: bytes, kind: str, filename: str, limit: int) -> bytes:
    """Piece by piece, so that a bomb is met before it fills the memory."""
    out, total = [], 0
    rest = data
    try:
        while rest:
            step = _decompressor(kind)
            piece = step.decompress(rest, _CHUNK)
            while True:
                total += len(piece)
                if total > limit:
                    raise _too_large(filename, limit)
                out.append(piece)
                if step.eof:
                    break
                tail = step.unconsumed_tail if kind == "gzip" else b""
                piece = step.decompress(tail, _CHUNK)
                if not piece and ((kind == "gzip" and not tail) or (kind != "gzip" and step.needs_input)):
                    raise EOFError
            rest = step.unused_data.lstrip(b"\0")
            if rest and kind == "gzip" and not rest.startswith(b"\x1f\x8b"):
                break
    except ImportFailed:
        raise
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
        raise ImportFailed(
            f"the file {filename} is damaged: it cannot be unpacked as {kind}.", "Download it again."
        ) from error
    return b"".join(out)


def _decompressor(kind: str):  # type: ignore[no-untyped-def]
    if kind == "gzip":
        return zlib.decompressobj(wbits=31)
    return bz2.BZ2Decompressor() if kind == "bz2" else lzma.LZMADecompressor(memlimit=256 << 20)


def _infos(data: bytes, filename: str) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
        raise ImportFailed(f"the archive {filename} is damaged: {error}.", "Download it again.") from error
    if len(found) > _MOST_MEMBERS:
        raise ImportFailed(f"the archive {filename} holds {len(found):,} files.", f"Pack at most {_MOST_MEMBERS:,}.")
    return found


def _is_workbook(data: bytes, filename: str) -> bool:
    return any(info.filename.startswith(("xl/", "xl\\", "content.xml")) for info in _infos(data, filename))


def _names(data: bytes, filename: str) -> list[str]:
    """Files that may hold candles, those with a data ending first."""
    found = [
        info.filename
        for info in _infos(data, filename)
        if not info.is_dir() and info.file_size and "__MACOSX" not in info.filename
        and not info.filename.rsplit("/", 1)[-1].startswith(".")
    ]  # fmt: skip
    if not found:
        raise ImportFailed(f"the archive {filename} holds no files.", "Pack the file with the candles.")
    data_files = [name for name in found if name.lower().endswith(_DATA)]
    return sorted(data_files or found)


def _chosen(names: list[str], wanted: str | None) -> list[str]:
    if wanted is None:
        return names
    hits = [name for name in names if name == wanted] or [n for n in names if n.lower().endswith(wanted.lower())]
    if not hits:
        # not a member: it may be the sheet of a workbook inside
        return names
    return hits[:1]


def _check_size(infos: list[zipfile.ZipInfo], filename: str, limit: int) -> None:
    if sum(info.file_size for info in infos) > limit:
        raise _too_large(filename, limit)


def _unzip(data: bytes, filename: str, names: list[str], limit: int) -> Iterator[Member]:
    left = limit
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in names:
            if archive.getinfo(name).file_size > left:
                raise _too_large(filename, limit)
            try:
                with archive.open(name) as file:
                    plain = file.read(left + 1)
            except RuntimeError as error:  # also NotImplementedError
                raise ImportFailed(
                    f"the file {name} in {filename} is encrypted or packed in an unknown way.", "Unpack it first."
                ) from error
            except (zipfile.BadZipFile, zlib.error, OSError, EOFError, lzma.LZMAError, ValueError) as error:
                raise ImportFailed(f"the archive {filename} is damaged: {error}.", "Download it again.") from error
            left -= len(plain)
            if left < 0:
                raise _too_large(filename, limit)
            yield _single(plain, name, kind_of(plain), limit, depth=1)


def _too_large(filename: str, limit: int) -> ImportFailed:
    return ImportFailed(
        f"the file {filename} unpacks to more than {limit // (1 << 20)} MB.",
        "Cut the file, or raise KRONOS_DASHBOARD_MAX_UPLOAD_MB.",
    )
