"""Every error that the dashboard raises on purpose; each says what was expected, what was received, and what to do.

DashboardError
    +-- SettingsError          a setting is out of its range (also a ValueError)
    +-- InvalidCandlesError    candles that no market can have produced (also a ValueError)
    +-- ImportFileError        a file cannot be read as candles (also a ValueError)
    +-- WindowError            a window does not fit its candles (also a ValueError)
    +-- InvalidForecastError   paths that cannot be analyzed (also a ValueError)
    +-- RecordError            a run record or a scorecard cannot be read (also a ValueError)
    +-- SampleNotFoundError    no sample of that name ships with the project
    +-- ExportError            a file cannot be written
    +-- QueueFullError         too many jobs are waiting
    +-- FeedError              live candles are not available
        +-- InvalidFeedRequestError   the request cannot be met; known without asking the provider (also a ValueError)
        +-- FeedDependencyError       a library that the feed needs is not installed
        +-- UnknownSymbolError        the feed has no such symbol
        +-- NoCandlesError            the feed responded, and has no candles for the request
        +-- FeedUnavailableError      no usable response: no network, a timeout, a server error, a page instead of data
            +-- RateLimitedError      the feed rejects requests for now
"""

from __future__ import annotations

__all__ = [
    "DashboardError",
    "ExportError",
    "FeedDependencyError",
    "FeedError",
    "FeedUnavailableError",
    "ImportFileError",
    "InvalidCandlesError",
    "InvalidFeedRequestError",
    "InvalidForecastError",
    "NoCandlesError",
    "QueueFullError",
    "RateLimitedError",
    "RecordError",
    "SampleNotFoundError",
    "SettingsError",
    "UnknownSymbolError",
    "WindowError",
]


class DashboardError(Exception):
    """Base of all errors that the dashboard raises on purpose.

    Args:
        message: what was expected and what was received, in whole sentences.
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


class InvalidCandlesError(DashboardError, ValueError):
    """Candles that no market can have produced: a price that is not a number, a high below its low."""


class ImportFileError(DashboardError, ValueError):
    """A file cannot be read as candles."""


class WindowError(DashboardError, ValueError):
    """A window does not fit its candles, or its context or horizon is out of bounds."""


class InvalidForecastError(DashboardError, ValueError):
    """Paths that cannot be analyzed: of another shape, or with prices that are not above zero."""


class RecordError(DashboardError, ValueError):
    """A run record or a scorecard cannot be read."""


class SampleNotFoundError(DashboardError):
    """No sample of that name ships with the project."""


class ExportError(DashboardError):
    """A file cannot be written."""


class QueueFullError(DashboardError):
    """Too many jobs are waiting already."""


class FeedError(DashboardError):
    """Live candles are not available."""


class InvalidFeedRequestError(FeedError, ValueError):
    """The request cannot be met; known before any provider is contacted."""


class FeedDependencyError(FeedError):
    """A library that the feed needs is not installed."""


class UnknownSymbolError(FeedError):
    """The feed has no such symbol."""


class NoCandlesError(FeedError):
    """The feed responded, and has no candles for the request."""


class FeedUnavailableError(FeedError):
    """No usable response: no network, a timeout, a server error, a page instead of data."""


class RateLimitedError(FeedUnavailableError):
    """The feed rejects requests for now."""
