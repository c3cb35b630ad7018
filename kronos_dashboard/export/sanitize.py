"""Text that spreadsheets do not take for formulas, portable file names, and atomic writing."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from engine.files import atomic_write
from kronos_dashboard.errors import ExportError
from kronos_dashboard.forecasting.record import RunRecord
from kronos_dashboard.messages import msg

__all__ = ["comment_lines", "file_stem", "one_line", "safe_text", "write_file"]

_FORMULA = re.compile(r"""(^|[,;|])(?=["'\s]*[=+\-@＝＋－＠])""")
"""Where a formula would start: at the start of the text, and after characters that a spreadsheet may take for the end
of a cell. Full-width operators count as the normal ones."""
_MAX_NAME_LENGTH = 40
"""Of symbol and interval in a file name, which file systems limit to 255 bytes."""


def one_line(text: str) -> str:
    """``text`` with line breaks, tabs and other unprintable characters replaced by blanks."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def safe_text(text: str) -> str:
    """``text`` on one line, with an apostrophe wherever a spreadsheet would start a formula."""
    return _FORMULA.sub(r"\1'", one_line(text))


def comment_lines(facts: list[tuple[str, str]]) -> str:
    """Comment lines ``# name: text``, with safe text."""
    return "".join(f"# {name}: {safe_text(text)}\n" for name, text in facts)


def file_stem(record: RunRecord) -> str:
    """A file name without suffix: symbol, interval, cutoff and seed, valid on every system."""
    cutoff = pd.Timestamp(record.cutoff).tz_convert(record.session_tz).strftime("%Y%m%d-%H%M")
    symbol, interval = (
        "".join(character if character.isalnum() else "_" for character in text)[:_MAX_NAME_LENGTH]
        for text in (record.symbol, record.interval)
    )
    return f"forecast_{symbol}_{interval}_{cutoff}_seed{record.sampling.seed}"


def write_file(path: Path, data: bytes) -> None:
    """Write a file atomically: an existing one is unchanged until then.

    Raises:
        ExportError: the folder does not exist or cannot be written to.
    """
    try:
        atomic_write(path, data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExportError(
            msg("the file {path} cannot be written: {reason}.", path=path, reason=reason),
            msg("Choose an existing folder with write permission."),
        ) from error
