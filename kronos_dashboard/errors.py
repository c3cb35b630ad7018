"""Every error the dashboard raises on purpose: what was wanted, what came, and (the hint) what to do.

DashboardError
    +-- SettingsError   a setting is out of its range (also a ValueError)
    +-- CandleError     candles that no market could have made (also a ValueError)
    +-- ImportFailed    a file cannot be read as candles (also a ValueError)
    +-- WindowError     a window does not fit its candles (also a ValueError)
    +-- RecordError     a run record cannot be read (also a ValueError)
    +-- SampleNotFound  no sample of that name ships with the project
    +-- ExportFailed    a file cannot be written
    +-- QueueFull       too many forecasts are waiting
    +-- FeedError       live candles cannot be had
        +-- FeedRefused      the request cannot be met, which is known before anybody is asked (also a ValueError)
        +-- FeedMissing      a library that the feed needs is not installed
        +-- SymbolUnknown    the feed has no such symbol
        +-- FeedEmpty        the feed answered, and has no candles there
        +-- FeedUnreachable  no usable answer: no network, a time-out, errors of the server, a page instead of data
            +-- FeedLimited      too many requests
"""

from __future__ import annotations

__all__ = [
    "CandleError",
    "DashboardError",
    "ExportFailed",
    "FeedEmpty",
    "FeedError",
    "FeedLimited",
    "FeedMissing",
    "FeedRefused",
    "FeedUnreachable",
    "ImportFailed",
    "QueueFull",
    "RecordError",
    "SampleNotFound",
    "SettingsError",
    "SymbolUnknown",
    "WindowError",
]


class DashboardError(Exception):
    """Base of all errors that the dashboard raises on purpose.

    Args:
        message: what was wanted and what came, in whole sentences.
        hint: what to do about it, in whole sentences; a page shows it apart from the message.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Message and hint as one line."""
        return f"{self.message} {self.hint}".strip()


class SettingsError(DashboardError, ValueError):
    """A setting is out of its range."""


class CandleError(DashboardError, ValueError):
    """Candles that no market could have made: a price that is not a number, a high below its low."""


class ImportFailed(DashboardError, ValueError):
    """A file cannot be read as candles."""


class WindowError(DashboardError, ValueError):
    """A window does not fit its candles, or its context or horizon is out of bounds."""


class RecordError(DashboardError, ValueError):
    """A run record cannot be read."""


class SampleNotFound(DashboardError):
    """No sample of that name ships with the project."""


class ExportFailed(DashboardError):
    """A file cannot be written."""


class QueueFull(DashboardError):
    """Too many forecasts are waiting already."""


class FeedError(DashboardError):
    """Live candles cannot be had."""


class FeedRefused(FeedError, ValueError):
    """The request cannot be met, and that is known before anybody is asked."""


class FeedMissing(FeedError):
    """A library that the feed needs is not installed."""


class SymbolUnknown(FeedError):
    """The feed has no such symbol."""


class FeedEmpty(FeedError):
    """The feed answered, and has no candles there."""


class FeedUnreachable(FeedError):
    """No usable answer: no network, a time-out, errors of the server, a page instead of data."""


class FeedLimited(FeedUnreachable):
    """The feed takes no more requests for now."""
