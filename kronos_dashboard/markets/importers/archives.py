"""Unpack compressed files and archives within limits, and detect the kind of a file."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.markets.importers.read_errors import too_large_error
from kronos_dashboard.messages import msg

__all__ = ["Member", "detect_kind", "list_members", "max_unpacked_bytes"]

_MAGIC = (
    (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"\x1f\x8b", "gzip"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"),
    (b"PAR1", "parquet"), (b"ARROW1", "feather"), (b"FEA1", "feather"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"\x28\xb5\x2f\xfd", "zstd"), (b"%PDF", "pdf"), (b"\x89HDF", "hdf5"), (b"SQLite format 3", "sqlite"),
    (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!", "rar"), (b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"), (b"\x93NUMPY", "numpy"), (b"\x80\x02", "pickle"), (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"), (b"\x80\x05", "pickle"),
)  # fmt: skip
_UNSUPPORTED = {
    "pdf": msg("a PDF"), "hdf5": msg("an HDF5 file"), "sqlite": msg("an SQLite database"), "7z": msg("a 7z archive"),
    "rar": msg("a RAR archive"), "picture": msg("an image"), "numpy": msg("a NumPy file"),
    "pickle": msg("a Python pickle, which is never opened for security reasons"),
    "zstd": msg("a Zstandard file"),
}  # fmt: skip
_CHUNK_BYTES = 1 << 20
"""Size of one decompression step: the limit is exceeded by one chunk at most."""
_MAX_EXPANSION = 10
"""Unpacked size over upload limit. Text of prices compresses by 3 to 8; archives far beyond that are bombs."""
_MAX_MEMBERS = 2_000
"""Exchanges publish archives of a file per day; this is eight years of trading days."""
_DATA_SUFFIXES = (
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
"""Members with these endings are tried before README files and the like."""


@dataclass(frozen=True)
class Member:
    """One file, on its own or from an archive."""

    name: str
    data: bytes
    kind: str
    """"text", "xlsx", "xls", "ods", "parquet" or "feather"."""


def max_unpacked_bytes(max_upload_bytes: int) -> int:
    """The number of bytes that a compressed file may unpack to."""
    return _MAX_EXPANSION * max_upload_bytes


def detect_kind(data: bytes) -> str:
    """The kind of a file by its first bytes; "text" where these are not a known signature."""
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "text")


def list_members(
    data: bytes, filename: str, limit: int, requested: str | None = None
) -> tuple[list[str], Iterator[Member]]:
    """The names of the files inside (the file's own name where it is not an archive), and the files one by one.

    Args:
        data: the bytes of the file.
        filename: its name.
        limit: maximum number of bytes to unpack.
        requested: name, or end of the name, of the one member to read.

    Raises:
        ImportFileError: the file is damaged, of an unsupported kind, or unpacks to more than ``limit``.
    """
    kind = detect_kind(data)
    if kind == "zip" and not _is_workbook(data, filename):
        names = _data_members(data, filename)
        return names, _unpack_members(data, filename, _select_members(names, requested), limit)
    return [filename], iter([_unpack_single(data, filename, kind, limit, depth=0)])


def _unpack_single(data: bytes, filename: str, kind: str, limit: int, depth: int) -> Member:
    if kind in _UNSUPPORTED:
        raise ImportFileError(
            msg("the file {filename} is {kind}.", filename=filename, kind=_UNSUPPORTED[kind]),
            msg("Export the candles as CSV, JSON or Parquet."),
        )
    if kind in ("gzip", "bz2", "xz"):
        if depth > 1:
            raise ImportFileError(
                msg("the file {filename} is compressed several times over.", filename=filename),
                msg("Decompress it first."),
            )
        plain = _decompress(data, kind, filename, limit)
        inner = filename.rsplit(".", 1)[0] if "." in filename else filename
        return _unpack_single(plain, inner, detect_kind(plain), limit, depth + 1)
    if kind == "zip":
        if not _is_workbook(data, filename):
            raise ImportFileError(
                msg("the file {filename} is an archive inside an archive.", filename=filename),
                msg("Decompress it first."),
            )
        infos = _zip_entries(data, filename)
        _check_size(infos, filename, limit)
        kind = "ods" if any(info.filename == "content.xml" for info in infos) else "xlsx"
    return Member(filename, data, kind)


def _decompress(data: bytes, kind: str, filename: str, limit: int) -> bytes:
    """Decompress chunk by chunk, so that a bomb is refused before it fills the memory."""
    pieces, total = [], 0
    rest = data
    try:
        while rest:
            decompressor = _decompressor(kind)
            piece = decompressor.decompress(rest, _CHUNK_BYTES)
            while True:
                total += len(piece)
                if total > limit:
                    raise too_large_error(filename, limit)
                pieces.append(piece)
                if decompressor.eof:
                    break
                tail = decompressor.unconsumed_tail if kind == "gzip" else b""
                piece = decompressor.decompress(tail, _CHUNK_BYTES)
                if not piece and ((kind == "gzip" and not tail) or (kind != "gzip" and decompressor.needs_input)):
                    raise EOFError
            rest = decompressor.unused_data.lstrip(b"\0")
            if rest and kind == "gzip" and not rest.startswith(b"\x1f\x8b"):
                break
    except ImportFileError:
        raise
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
        raise ImportFileError(
            msg("the file {filename} is damaged: it cannot be decompressed as {kind}.", filename=filename, kind=kind),
            msg("Download it again."),
        ) from error
    return b"".join(pieces)


def _decompressor(kind: str):  # type: ignore[no-untyped-def]
    if kind == "gzip":
        return zlib.decompressobj(wbits=31)
    return bz2.BZ2Decompressor() if kind == "bz2" else lzma.LZMADecompressor(memlimit=256 << 20)


def _zip_entries(data: bytes, filename: str) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
        raise ImportFileError(
            msg("the archive {filename} is damaged: {error}.", filename=filename, error=error),
            msg("Download it again."),
        ) from error
    if len(entries) > _MAX_MEMBERS:
        raise ImportFileError(
            msg("the archive {filename} contains {count:,} files.", filename=filename, count=len(entries)),
            msg("Include at most {limit:,} files.", limit=_MAX_MEMBERS),
        )
    return entries


def _is_workbook(data: bytes, filename: str) -> bool:
    return any(info.filename.startswith(("xl/", "xl\\", "content.xml")) for info in _zip_entries(data, filename))


def _data_members(data: bytes, filename: str) -> list[str]:
    """Names of the files that may hold candles: those with the ending of a data file, or else all."""
    files = [
        info.filename
        for info in _zip_entries(data, filename)
        if not info.is_dir() and info.file_size and "__MACOSX" not in info.filename
        and not info.filename.rsplit("/", 1)[-1].startswith(".")
    ]  # fmt: skip
    if not files:
        raise ImportFileError(
            msg("the archive {filename} contains no files.", filename=filename),
            msg("Add the file with the candles to it."),
        )
    data_files = [name for name in files if name.lower().endswith(_DATA_SUFFIXES)]
    return sorted(data_files or files)


def _select_members(names: list[str], requested: str | None) -> list[str]:
    if requested is None:
        return names
    hits = [name for name in names if name == requested] or [n for n in names if n.lower().endswith(requested.lower())]
    if not hits:
        # not a member: it may be the sheet of a workbook inside
        return names
    return hits[:1]


def _check_size(infos: list[zipfile.ZipInfo], filename: str, limit: int) -> None:
    if sum(info.file_size for info in infos) > limit:
        raise too_large_error(filename, limit)


def _unpack_members(data: bytes, filename: str, names: list[str], limit: int) -> Iterator[Member]:
    left = limit
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in names:
            if archive.getinfo(name).file_size > left:
                raise too_large_error(filename, limit)
            try:
                with archive.open(name) as file:
                    plain = file.read(left + 1)
            except RuntimeError as error:  # also NotImplementedError
                raise ImportFileError(
                    msg(
                        "the file {name} in {filename} is encrypted or uses an unsupported compression method.",
                        name=name,
                        filename=filename,
                    ),
                    msg("Decompress it first."),
                ) from error
            except (zipfile.BadZipFile, zlib.error, OSError, EOFError, lzma.LZMAError, ValueError) as error:
                raise ImportFileError(
                    msg("the archive {filename} is damaged: {error}.", filename=filename, error=error),
                    msg("Download it again."),
                ) from error
            left -= len(plain)
            if left < 0:
                raise too_large_error(filename, limit)
            yield _unpack_single(plain, name, detect_kind(plain), limit, depth=1)
