"""Errors that several readers of files raise."""

from __future__ import annotations

from kronos_dashboard.errors import ImportFileError
from kronos_dashboard.messages import msg

__all__ = ["damaged_workbook_error", "short_reason", "too_large_error", "too_many_rows_error"]

_MAX_REASON_LENGTH = 120
"""Libraries put parts of the file into their messages; this much still fits into one line of an error box."""


def too_many_rows_error(filename: str, max_rows: int) -> ImportFileError:
    """The error for a table of more than ``max_rows`` rows."""
    return ImportFileError(
        msg("the file {filename} has more than {limit:,} rows.", filename=filename, limit=max_rows),
        msg("Split the file."),
    )


def too_large_error(filename: str, limit: int) -> ImportFileError:
    """The error for a file that unpacks to more than ``limit`` bytes."""
    return ImportFileError(
        msg("the file {filename} decompresses to more than {limit} MB.", filename=filename, limit=limit // (1 << 20)),
        msg("Split the file, or raise KRONOS_DASHBOARD_MAX_UPLOAD_MB."),
    )


def damaged_workbook_error(filename: str, error: Exception) -> ImportFileError:
    """The error for a workbook that a library cannot open."""
    return ImportFileError(
        msg("the workbook {filename} cannot be read: {reason}.", filename=filename, reason=short_reason(error)),
        msg("Save it again, or export the sheet as CSV."),
    )


def short_reason(error: BaseException) -> str:
    """The message of a library's error on one line; the name of its class when it has none."""
    return " ".join(str(error).split())[:_MAX_REASON_LENGTH] or type(error).__name__
