"""Options for reading a file, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from kronos_dashboard.errors import ImportFileError, InvalidCandlesError
from kronos_dashboard.markets import intervals
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["ChoiceRequiredError", "ImportChoice", "ImportOptions", "ImportedCandles", "parse_interval"]

FIELDS = ("time", "open", "high", "low", "close", "volume", "amount", "symbol")
_MAX_PRICE_DIVISOR = 1e12
"""Integers in units of 10**-9 are common; a larger scale is a typing error."""
_MAX_INTERVAL_LENGTH = 40
"""Characters of the text that an error message repeats; every interval is shorter."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Facts about a file that it does not contain itself.

    Raises:
        ImportFileError: an option is invalid.
    """

    name: str | None = None
    """Name of the series; by default the symbol in the file, or else the name of the file."""
    session_tz: str | None = None
    """Timezone of timestamps without one; UTC by default, which keeps their hours."""
    day_first: bool | None = None
    """Whether 01/02/2024 is the first of February; inferred from the whole column by default."""
    symbol: str | None = None
    """Instrument to read from a file with several; the first by default."""
    sheet: str | None = None
    """Sheet of a workbook, member of an archive, or key of a JSON document; the first with candles by default."""
    interval: str | None = None
    """Length of a candle, such as 5m: ticks are aggregated to it, and candles are labeled with it."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field -> name of the column, or its number counted from 1."""
    price_divisor: float | None = None
    """Divisor of the prices; 1 by default, or 10,000 for a file without a header whose prices are ten thousandths."""

    def __post_init__(self) -> None:
        """Check the options as far as that is possible without the file."""
        unknown = [name for name in self.columns if name not in FIELDS]
        if unknown:
            raise ImportFileError(
                msg("there is no field {unknown}.", unknown=repr(unknown[0][:40])),
                msg("The fields are {fields}.", fields=", ".join(FIELDS)),
            )
        if self.price_divisor is not None and not 0 < self.price_divisor < _MAX_PRICE_DIVISOR:
            raise ImportFileError(
                msg("the price scale must be a number above 0; got {price_scale}.", price_scale=self.price_divisor)
            )
        if self.interval is not None:
            parse_interval(self.interval)


@dataclass(frozen=True, kw_only=True)
class ImportChoice:
    """Alternatives in the file; the option of the same name selects one."""

    option: str
    """"symbol", "sheet" or "interval"."""
    values: tuple[str, ...]
    selected: str | None = None
    """The value that was read; None when nothing was."""


@dataclass(frozen=True)
class ImportedCandles:
    """Candles, with notes on everything that was assumed or changed."""

    candles: CandleFrame
    notes: tuple[Note, ...]
    choices: tuple[ImportChoice, ...] = ()


class ChoiceRequiredError(ImportFileError):
    """The file can be read once an option is chosen; ``choice`` lists the values."""

    def __init__(self, message: str, hint: str, choice: ImportChoice) -> None:
        super().__init__(message, hint)
        self.choice = choice


def parse_interval(text: str) -> pd.Timedelta:
    """``5m``, ``1h``, ``1d``, ``1w`` or ``1M`` as a length of time.

    Raises:
        ImportFileError: the text is not an interval.
    """
    try:
        return intervals.parse_interval(text[:_MAX_INTERVAL_LENGTH])
    except InvalidCandlesError as error:
        raise ImportFileError(error.message, error.hint) from error
