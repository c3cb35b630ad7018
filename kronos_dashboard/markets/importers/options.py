"""What a user may say about a file, and what comes back from reading it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from kronos_dashboard.errors import ImportFailed
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.notes import Note

__all__ = ["ChoiceNeeded", "Choices", "ImportOptions", "Imported", "parse_interval"]

FIELDS = ("time", "open", "high", "low", "close", "volume", "amount", "symbol")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "t": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a user may say about a file that it does not say itself.

    Raises:
        ImportFailed: an option cannot be used.
    """

    symbol: str | None = None
    """Name of the series; by default what the file says, else the file's name."""
    session_tz: str | None = None
    """Clock on which stamps without a zone stand; UTC by default, which keeps their hours."""
    day_first: bool | None = None
    """Whether 01/02/2024 is the first of February; by default the whole column decides."""
    ticker: str | None = None
    """Which instrument to take from a file with several; by default the first."""
    sheet: str | None = None
    """Sheet of a workbook, file in an archive, or key of a JSON document; by default the first with candles."""
    interval: str | None = None
    """Length of a candle, such as 5m: ticks are put together to it, and candles are said to have it."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field -> name of the column, or its number counted from 1."""
    price_scale: float | None = None
    """What prices are divided by; by default 1, unless a file without a header has prices in ten thousandths."""

    def __post_init__(self) -> None:
        """Check what can be checked without a file."""
        unknown = [name for name in self.columns if name not in FIELDS]
        if unknown:
            raise ImportFailed(f"there is no field {unknown[0][:40]!r}.", f"The fields are {', '.join(FIELDS)}.")
        if self.price_scale is not None and not 0 < self.price_scale < 1e12:
            raise ImportFailed(f"the price scale must be a number above 0; got {self.price_scale}.")
        if self.interval is not None:
            parse_interval(self.interval)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What else the file offers; the option of the same name takes it."""

    option: str
    """"ticker", "sheet" or "interval"."""
    values: tuple[str, ...]
    taken: str | None = None
    """The one that was taken; None when nothing was."""


@dataclass(frozen=True)
class Imported:
    """Candles, and what was found or changed on the way to them."""

    candles: CandleFrame
    notes: tuple[Note, ...]
    choices: tuple[Choices, ...] = ()


class ChoiceNeeded(ImportFailed):
    """The file can be read once the user has made a choice; ``choices`` says which there are."""

    def __init__(self, message: str, hint: str, choices: Choices) -> None:
        super().__init__(message, hint)
        self.choices = choices


def parse_interval(text: str) -> pd.Timedelta:
    """``5m``, ``1h``, ``1d``, ``1w`` as a length of time.

    Raises:
        ImportFailed: it is none.
    """
    match = re.fullmatch(r"\s*(\d{1,5})\s*([a-zA-Z]+)\s*", text)
    unit = match[2] if match else ""
    seconds = 30 * 86_400 if unit in ("M", "mo") else _SECONDS.get(unit.lower(), 0)
    if match is None or not seconds or not int(match[1]):
        raise ImportFailed(f"the interval {text[:40]!r} is none.", "Write 1m, 5m, 1h, 1d or 1w.")
    return pd.Timedelta(seconds=seconds * int(match[1]))
