"""Writing files atomically, and hashing them."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path

__all__ = ["PART_SUFFIX", "atomic_write", "sha256_of"]

PART_SUFFIX = ".part"
"""Suffix of the temporary file while it is written; the name starts with a dot, so that globs skip it."""

_MAX_STEM = 80
"""Letters of the name that the temporary file repeats: most file systems allow 255 bytes in all."""


def atomic_write(path: Path, content: bytes | Callable[[Path], object]) -> None:
    """Write a file so that readers see the old one or the new one, also after a crash.

    The content goes to a temporary file in the same folder, which is flushed to disk and then renamed to ``path``.

    Args:
        path: the target; its folder must exist. An existing file is replaced.
        content: the bytes, or a function that writes them to the path that it is given.

    Raises:
        OSError: the file cannot be written; an existing one is unchanged.
    """
    temporary = path.with_name(f".{path.name[:_MAX_STEM]}.{uuid.uuid4().hex[:12]}{PART_SUFFIX}")
    try:
        if isinstance(content, bytes):
            temporary.write_bytes(content)
        else:
            content(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105  (one rename, which the file system guarantees to be atomic)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Flush the directory entry, which makes the rename durable (POSIX only: Windows cannot open folders)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
