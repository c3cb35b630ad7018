"""The interface of every feed: requests, symbols, and candles with notes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

import pandas as pd

from kronos_dashboard.errors import InvalidFeedRequestError
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.intervals import normalize_interval, parse_interval
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = [
    "Feed",
    "FetchRequest",
    "FetchedCandles",
    "SeriesInfo",
    "SymbolInfo",
]

_SYMBOL_MARKS = frozenset("./:-_^=$+&@!#")
"""Punctuation in the symbols of exchanges and vendors; the rest is letters and digits of any alphabet."""
_MAX_SYMBOL_LENGTH = 64
_EXCHANGE = re.compile(r"[a-z0-9_]{0,32}")
_MAX_CANDLES = 1_000_000
"""Largest request: two years of minutes, and about 50 MB in memory."""


@dataclass(frozen=True, kw_only=True)
class FetchRequest:
    """A request for candles: the newest ``limit``, or all from ``start`` on; up to and including ``end``.

    Raises:
        InvalidFeedRequestError: a field is out of range, or not exactly one of ``limit`` and ``start`` is given.
    """

    symbol: str
    interval: str = "1h"
    """``1m``, ``1h``, ``1d``, ``1w``, ``1M``; other spellings are normalized (``intervals.normalize_interval``)."""
    start: pd.Timestamp | None = None
    """First bar time (zone-aware)."""
    end: pd.Timestamp | None = None
    """Last bar time (zone-aware); None: the last closed bar."""
    limit: int | None = None
    """Number of candles."""
    adjusted: bool = True
    """Stocks: adjust prices for dividends and splits. No effect for currencies."""
    exchange: str = ""
    """The exchange, for feeds that serve several."""

    def __post_init__(self) -> None:
        """Check every field."""
        object.__setattr__(self, "interval", normalize_interval(self.interval))
        _check_symbol(self.symbol)
        if not _EXCHANGE.fullmatch(self.exchange):
            raise InvalidFeedRequestError(
                msg("{exchange} is not a valid exchange name.", exchange=repr(self.exchange[:40])),
                msg("Use a name such as binance."),
            )
        if (self.limit is None) == (self.start is None):
            raise InvalidFeedRequestError(
                msg("a request needs either a number of candles or a start time, not both."),
                msg("Specify one of them."),
            )
        if self.limit is not None and not 1 <= self.limit <= _MAX_CANDLES:
            raise InvalidFeedRequestError(
                msg(
                    "the number of candles must be 1 to {maximum:,}; got {limit:,}.",
                    maximum=_MAX_CANDLES,
                    limit=self.limit,
                )
            )
        for name in ("start", "end"):
            time = getattr(self, name)
            if time is not None and (pd.isna(time) or time.tz is None):
                raise InvalidFeedRequestError(
                    msg("the {name} must be a time with a time zone; got {time}.", name=name, time=time),
                    msg("Add a time zone, such as UTC."),
                )
        if self.start is not None and self.end is not None and self.start > self.end:
            raise InvalidFeedRequestError(
                msg("the start {start} is after the end {end}.", start=self.start, end=self.end), msg("Swap them.")
            )

    @property
    def interval_length(self) -> pd.Timedelta:
        """Time between two bars; a month counts 30 days."""
        return parse_interval(self.interval)


@dataclass(frozen=True, kw_only=True)
class SymbolInfo:
    """A symbol that a feed knows."""

    symbol: str
    """As a request names it."""
    name: str
    """For display."""
    kind: str
    """``spot``, ``swap``, ``stock``, ``etf``, ``index``, ``currency`` ..."""
    exchange: str
    feed: str


@dataclass(frozen=True, kw_only=True)
class SeriesInfo:
    """Properties of a series that its bars do not show."""

    symbol: str
    source: str
    """Name of the source, for display."""
    session_tz: str = "UTC"
    timestamp_at: Literal["open", "close"] = "open"
    always_open: bool = False
    """The market never closes, so every missing bar is a gap."""
    history_note: str = ""
    """Why there may be less history than requested, in a sentence."""


@dataclass(frozen=True)
class FetchedCandles:
    """Candles, and notes on what was dropped, changed or assumed."""

    candles: CandleFrame
    notes: tuple[Note, ...]
    info: SeriesInfo


class Feed(Protocol):
    """A live source of candles."""

    @property
    def name(self) -> str:
        """Identifier of the feed: ``ccxt``, ``yfinance``, ``akshare``."""

    @property
    def supports_adjusted(self) -> bool:
        """Whether ``FetchRequest.adjusted`` has an effect."""

    def intervals(self, exchange: str = "") -> tuple[str, ...]:
        """Available intervals, shortest first."""

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        """Symbols that match, best first.

        Raises:
            FeedError: the search failed.
        """

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> FetchedCandles:
        """The candles closed by ``now`` (zone-aware).

        Raises:
            FeedError: the fetch failed; each reason has its own subclass.
        """


def _check_symbol(symbol: str) -> None:
    known = all(letter.isalnum() or letter in _SYMBOL_MARKS for letter in symbol)
    if not (known and 1 <= len(symbol) <= _MAX_SYMBOL_LENGTH and any(letter.isalnum() for letter in symbol)):
        raise InvalidFeedRequestError(
            msg("{symbol} is not a valid symbol.", symbol=repr(symbol[:40])),
            msg(
                "A symbol has 1 to {limit} letters, digits and punctuation marks, such as BTC/USDT, AAPL or EURUSD=X.",
                limit=_MAX_SYMBOL_LENGTH,
            ),
        )
