"""Files that are whole or not there, also after a crash: written aside, flushed to disk, put in place in one step."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

__all__ = ["PART", "replace_file"]

PART = ".part"
"""How files end that are being written."""


def replace_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``; what stood there before stays whole until then.

    Raises:
        OSError: the folder does not exist, is full, or may not be written to.
    """
    temporary = path.with_name(f".{path.name[:80]}.{uuid.uuid4().hex[:12]}{PART}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the new name as lasting as the data, where the system can (not on Windows)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
