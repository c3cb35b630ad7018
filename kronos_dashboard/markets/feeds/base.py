"""What every feed takes and gives: requests, symbols, candles with notes, and the names of intervals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

import pandas as pd

from kronos_dashboard.errors import FeedRefused
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.notes import Note

__all__ = [
    "MONTH",
    "Feed",
    "FetchRequest",
    "Fetched",
    "Origin",
    "SymbolInfo",
    "interval_name",
    "least_step",
    "step_of",
]

MONTH = "1M"
"""The one interval whose bars differ in length."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_INTERVAL = re.compile(r"([1-9]\d{0,2})([smhdw])|1M")
_SPELLINGS = {"60m": "1h", "1wk": "1w", "1mo": MONTH, "1H": "1h", "1D": "1d", "1W": "1w"}
_SYMBOL_MARKS = frozenset("./:-_^=$+&@!#")
_MOST_LETTERS = 64
_EXCHANGE = re.compile(r"[a-z0-9_]{0,32}")
_MOST_CANDLES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class FetchRequest:
    """Which candles are wanted: the newest ``count``, or all from ``start`` on; up to and including ``end``.

    Raises:
        FeedRefused: a field is out of its range, or neither or both of count and start are given.
    """

    symbol: str
    interval: str = "1h"
    """``1m``, ``1h``, ``1d``, ``1w``, ``1M`` ... in the spelling of ``candles.interval_label``."""
    start: pd.Timestamp | None = None
    """First bar time wanted (zone-aware)."""
    end: pd.Timestamp | None = None
    """Last bar time wanted (zone-aware); None: the last closed bar."""
    count: int | None = None
    adjusted: bool = True
    """Stocks: prices adjusted for dividends and splits. Without meaning for currencies."""
    exchange: str = ""
    """For feeds of several exchanges, which one."""

    def __post_init__(self) -> None:
        """Check every field."""
        object.__setattr__(self, "interval", interval_name(self.interval))
        _check_symbol(self.symbol)
        if not _EXCHANGE.fullmatch(self.exchange):
            raise FeedRefused(f"{self.exchange[:40]!r} is not the name of an exchange.", "Write it as in binance.")
        if (self.count is None) == (self.start is None):
            raise FeedRefused("a request needs either a number of candles or a start, not both.", "Give one of them.")
        if self.count is not None and not 1 <= self.count <= _MOST_CANDLES:
            raise FeedRefused(f"the number of candles must be 1 to {_MOST_CANDLES:,}; got {self.count:,}.")
        for name in ("start", "end"):
            time = getattr(self, name)
            if time is not None and (pd.isna(time) or time.tz is None):
                raise FeedRefused(f"the {name} must be a time with its zone; got {time}.", "Add the zone, such as UTC.")
        if self.start is not None and self.end is not None and self.start > self.end:
            raise FeedRefused(f"the start {self.start} is after the end {self.end}.", "Exchange them.")

    @property
    def step(self) -> pd.Timedelta:
        """Usual time between two bars."""
        return step_of(self.interval)


@dataclass(frozen=True, kw_only=True)
class SymbolInfo:
    """A symbol that a feed knows."""

    symbol: str
    """What a request names."""
    name: str
    """What people call it."""
    kind: str
    """``spot``, ``swap``, ``stock``, ``etf``, ``index``, ``currency`` ..."""
    exchange: str
    feed: str


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a feed knows about the bars of a symbol beside their values."""

    symbol: str
    source: str
    """Where they come from, for people."""
    session_tz: str = "UTC"
    stamped: Literal["open", "close"] = "open"
    always_open: bool = False
    """The market never closes, so that every missing bar is a gap."""
    limits: str = ""
    """Why there may be less history than was asked for, in a sentence."""


@dataclass(frozen=True)
class Fetched:
    """Candles, and what was found, dropped or assumed on the way to them."""

    candles: CandleFrame
    notes: tuple[Note, ...]
    origin: Origin


class Feed(Protocol):
    """A live source of candles."""

    @property
    def name(self) -> str:
        """What requests call it: ``ccxt``, ``yfinance``, ``akshare``."""

    @property
    def adjusts(self) -> bool:
        """Whether ``adjusted`` makes a difference."""

    def intervals(self, exchange: str = "") -> tuple[str, ...]:
        """The intervals that it serves, shortest first."""

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        """Symbols that match, best first.

        Raises:
            FeedError: the feed cannot be asked.
        """

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> Fetched:
        """The candles closed by ``now`` (zone-aware).

        Raises:
            FeedError: they cannot be had; each reason has its own type.
        """


def interval_name(text: str) -> str:
    """An interval in the dashboard's own spelling.

    Raises:
        FeedRefused: it is not the name of an interval.
    """
    name = _SPELLINGS.get(text, text)
    if not _INTERVAL.fullmatch(name):
        raise FeedRefused(
            f"{text[:20]!r} is not the name of an interval.", "Write a number and a unit: 5m, 1h, 1d, 1w, or 1M."
        )
    return name


def step_of(interval: str) -> pd.Timedelta:
    """Usual time between two bars; a month counts 30 days."""
    if interval == MONTH:
        return pd.Timedelta(days=30)
    number, unit = interval[:-1], interval[-1]
    return pd.Timedelta(**{_UNITS[unit]: int(number)})


def least_step(interval: str) -> pd.Timedelta:
    """Shortest time between two bars; a month has at least 28 days."""
    return pd.Timedelta(days=28) if interval == MONTH else step_of(interval)


def _check_symbol(symbol: str) -> None:
    known = all(letter.isalnum() or letter in _SYMBOL_MARKS for letter in symbol)
    if not (known and 1 <= len(symbol) <= _MOST_LETTERS and any(letter.isalnum() for letter in symbol)):
        raise FeedRefused(
            f"{symbol[:40]!r} is not a symbol.",
            f"A symbol has 1 to {_MOST_LETTERS} letters, digits and marks, as in BTC/USDT, AAPL or EURUSD=X.",
        )
