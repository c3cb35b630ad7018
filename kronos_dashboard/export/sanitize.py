"""Text that no spreadsheet takes for a formula, names for every file system, files that are whole or not there."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from kronos_dashboard.errors import ExportFailed
from kronos_dashboard.files import replace_file
from kronos_dashboard.forecasting.record import RunRecord

__all__ = ["comment_lines", "file_stem", "one_line", "safe_text", "write_atomically"]

_FORMULA = re.compile(r"""(^|[,;|])(?=["'\s]*[=+\-@＝＋－＠])""")
"""Where a formula would begin: at the start, and behind whatever a spreadsheet may take for the end of a cell. The
full-width letters are read as the others."""
_MOST_LETTERS = 40


def one_line(text: str) -> str:
    """``text`` without line breaks, tabs and other letters that cannot be seen."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def safe_text(text: str) -> str:
    """``text`` on one line, with an apostrophe wherever a spreadsheet would begin a formula."""
    return _FORMULA.sub(r"\1'", one_line(text))


def comment_lines(facts: list[tuple[str, str]]) -> str:
    """Lines ``# name: text``."""
    return "".join(f"# {name}: {safe_text(text)}\n" for name, text in facts)


def file_stem(record: RunRecord) -> str:
    """A file name without its ending: symbol, interval, cutoff and seed, safe on every system."""
    when = pd.Timestamp(record.cutoff).tz_convert(record.session_tz).strftime("%Y%m%d-%H%M")
    plain, interval = (
        "".join(letter if letter.isalnum() else "_" for letter in text)[:_MOST_LETTERS]
        for text in (record.symbol, record.interval)
    )
    return f"forecast_{plain}_{interval}_{when}_seed{record.sampling['seed']}"


def write_atomically(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` in one step; what stood there before stays whole until then.

    Raises:
        ExportFailed: the folder does not exist or cannot be written to.
    """
    try:
        replace_file(path, data)
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        raise ExportFailed(
            f"the file {path} cannot be written: {told}.", "Choose a folder that exists and may be written to."
        ) from error
