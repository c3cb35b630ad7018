"""Candles of one symbol, and what makes a candle possible. Checked once, at the edge; later code trusts the type.

Shapes: n candles; the frame is float64 [n, 6], its index UTC bar times, strictly increasing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np
import pandas as pd

from kronos_dashboard.errors import InvalidCandlesError
from kronos_dashboard.messages import msg, nmsg, term

__all__ = [
    "COLUMNS",
    "PRICES",
    "TIMEZONE_HINT",
    "CandleFrame",
    "CleanedVolume",
    "Gap",
    "check_values",
    "clean_volume",
    "infer_interval",
    "invalid_rows",
    "is_timezone",
]

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume", "amount")
"""The six columns of a candle: prices and amount in quote currency, volume in base units."""
_COLUMN_TERMS = (msg("open"), msg("high"), msg("low"), msg("close"), msg("volume"), msg("amount"))
"""Their names in sentences, for the catalogs; see ``messages.term``."""

PRICE_TOLERANCE = 1e-6
"""Relative tolerance for a high below the close: prices that were adjusted or stored as float32 miss by this much."""

TIMEZONE_HINT = msg("Use a name such as America/New_York, Asia/Shanghai or UTC.")
"""Hint for a name that ``is_timezone`` does not know."""

_MIN_GAP = 1.5
"""Intervals between neighbors from which a bar is missing: daily bars that shift with summer time stay below it."""
_MAX_NAMED_ROWS = 5


@dataclass(frozen=True)
class Gap:
    """Two neighboring candles further apart than the interval."""

    after: pd.Timestamp
    before: pd.Timestamp
    missing: int
    """Bars that would fit in between if the market never closed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CandleFrame:
    """Checked candles of one symbol.

    Raises:
        InvalidCandlesError: a column is missing, a value is impossible, the bar times are not strictly increasing UTC,
            or the interval, the session timezone or ``timestamp_at`` is invalid.
    """

    frame: pd.DataFrame
    """float64 [n, 6], index = UTC bar times as the source stamps them (never shifted). Not to be written to."""
    symbol: str
    interval: pd.Timedelta
    """Most common time between bar opens."""
    session_tz: str = "UTC"
    """The market's local clock, on which minute, hour and weekday are read."""
    timestamp_at: Literal["open", "close"] = "open"
    """Whether a bar time is the bar's open or its close."""
    source: str = ""
    """Origin of the candles, for display."""
    has_volume: bool = True
    """False: volume is unknown, and its column holds zeros."""
    has_amount: bool = False
    """False: amount is unknown, and its column holds zeros."""

    def __post_init__(self) -> None:
        """Take a clean copy of the frame and check it."""
        missing = [name for name in COLUMNS if name not in self.frame.columns]
        if missing:
            raise InvalidCandlesError(
                msg(
                    "candles need the columns {columns}; missing: {missing}.",
                    columns=", ".join(COLUMNS),
                    missing=", ".join(missing),
                )
            )
        clean = self.frame.loc[:, list(COLUMNS)].astype("float64")
        check_values(clean)
        _check_times(clean.index)
        _check_labels(self.interval, self.session_tz, self.timestamp_at)
        object.__setattr__(self, "frame", clean)

    def __len__(self) -> int:
        """Number of candles."""
        return len(self.frame)

    @property
    def index(self) -> pd.DatetimeIndex:
        """The UTC bar times [n]."""
        return pd.DatetimeIndex(self.frame.index)

    @property
    def local_index(self) -> pd.DatetimeIndex:
        """The bar times [n] in the session timezone."""
        return self.index.tz_convert(self.session_tz)

    @property
    def columns(self) -> tuple[str, ...]:
        """The known columns in the order that the engine expects: prices, volume, amount."""
        known = (*PRICES, "volume", "amount") if self.has_amount else (*PRICES, "volume")
        return known if self.has_volume else PRICES

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over symbol, interval, session timezone, ``timestamp_at``, bar times and all values."""
        label = f"{self.symbol}|{self.interval}|{self.session_tz}|{self.timestamp_at}|{self.columns}"
        digest = hashlib.sha256(label.encode())
        digest.update(self.index.as_unit("ns").asi8.tobytes())
        digest.update(np.ascontiguousarray(self.frame.to_numpy()).tobytes())
        return digest.hexdigest()

    def rows(self, start: int, stop: int) -> Self:
        """Candles ``start`` (counted from 0) up to but not including ``stop``."""
        return replace(self, frame=self.frame.iloc[start:stop])

    def tail(self, n: int) -> Self:
        """The last ``n`` candles (all when there are fewer)."""
        return self.rows(max(0, len(self) - n), len(self))

    def until(self, time: pd.Timestamp) -> Self:
        """The candles with bar times up to and including ``time`` (zone-aware)."""
        return self.rows(0, int(self.index.searchsorted(time, side="right")))

    def gaps(self) -> list[Gap]:
        """Neighboring candles further apart than the interval: closed hours, weekends, missing bars."""
        index = self.index
        steps = np.diff(index.as_unit("ns").asi8) / self.interval.as_unit("ns").value
        wide = np.flatnonzero(steps > _MIN_GAP)
        missing = np.round(steps[wide]).astype(int) - 1
        return list(map(Gap, index[wide].to_list(), index[wide + 1].to_list(), missing.tolist()))


def invalid_rows(values: pd.DataFrame | Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows that cannot be candles, by reason: the one definition of a possible candle.

    A row may have several reasons. A missing value has only its own.

    Args:
        values: columns float64 [n]: the four prices, and ``volume`` and ``amount`` where they are known.

    Returns:
        Masks bool [n]: ``missing_price`` (NaN), ``infinite_price``, ``nonpositive_price``, ``high_below_low``,
        ``high_below_body`` (the body spans open and close), ``low_above_body``; and for each of volume and amount
        ``missing_volume`` (NaN), ``infinite_volume``, ``negative_volume``, likewise ``..._amount``.
    """
    prices = np.stack([np.asarray(values[name]) for name in PRICES])  # [4, n]
    opens, highs, lows, closes = prices
    with np.errstate(invalid="ignore"):  # comparisons with NaN are False, which is what is meant
        masks = {
            "missing_price": np.isnan(prices).any(axis=0),
            "infinite_price": np.isinf(prices).any(axis=0),
            "nonpositive_price": (prices <= 0).any(axis=0),
            "high_below_low": highs < lows * (1 - PRICE_TOLERANCE),
            "high_below_body": highs < np.maximum(opens, closes) * (1 - PRICE_TOLERANCE),
            "low_above_body": lows > np.minimum(opens, closes) * (1 + PRICE_TOLERANCE),
        }
        for name in ("volume", "amount"):
            if name in values:
                column = np.asarray(values[name])
                masks[f"missing_{name}"] = np.isnan(column)
                masks[f"infinite_{name}"] = np.isinf(column)
                masks[f"negative_{name}"] = column < 0
    return masks


@dataclass(frozen=True)
class CleanedVolume:
    """A volume or amount column without blanks, and what was replaced."""

    values: np.ndarray | None
    """float64 [n]; None when the column holds nothing but zeros and blanks, and so is unknown."""
    blank: np.ndarray
    """Bool [n]: missing or not finite, set to 0."""
    negative: np.ndarray
    """Bool [n]: negative, set to 0."""


def clean_volume(column: np.ndarray) -> CleanedVolume:
    """The policy for a volume or amount column [n]: blanks and negative numbers are 0, all zeros mean unknown.

    Vendors leave the volume of a bar without trades blank, and fill the column with zeros where they have none.
    """
    blank = ~np.isfinite(column)
    negative = ~blank & (column < 0)
    if not np.where(blank, 0.0, column).any():
        return CleanedVolume(None, blank, negative)
    return CleanedVolume(np.where(blank | negative, 0.0, column), blank, negative)


def check_values(frame: pd.DataFrame, rows: np.ndarray | None = None) -> None:
    """Check prices, and volume and amount where there are such columns.

    Args:
        frame: float64 columns, in any order of rows.
        rows: int [n], the number of each row in a message; counted from 1 by default.

    Raises:
        InvalidCandlesError: naming the first rows that are wrong.
    """
    numbers = np.arange(1, len(frame) + 1) if rows is None else rows
    masks = invalid_rows(frame)
    checks = [
        (masks["missing_price"] | masks["infinite_price"], msg("a price is missing or not a finite number")),
        (masks["nonpositive_price"], msg("a price is zero or negative")),
        (masks["high_below_low"], msg("the high is below the low")),
        (masks["high_below_body"], msg("the high is below the open or the close")),
        (masks["low_above_body"], msg("the low is above the open or the close")),
    ]
    for name in ("volume", "amount"):
        if name in frame.columns:
            bad = masks[f"missing_{name}"] | masks[f"infinite_{name}"] | masks[f"negative_{name}"]
            checks.append((bad, msg("the {name} is negative or not a finite number", name=term(name))))
    for mask, reason in checks:
        if mask.any():
            raise _invalid_rows_error(numbers[mask], reason)


def infer_interval(index: pd.DatetimeIndex) -> pd.Timedelta:
    """The most common step between neighboring bar times (the shorter of two that are equally common).

    Raises:
        InvalidCandlesError: there are fewer than two bar times.
    """
    if len(index) < 2:
        raise InvalidCandlesError(
            msg("at least 2 candles are needed to determine the interval; got {count}.", count=len(index)),
            msg("Load more history."),
        )
    steps, counts = np.unique(np.diff(index.as_unit("ns").asi8), return_counts=True)
    return pd.Timedelta(int(steps[counts.argmax()]), unit="ns")


def is_timezone(name: str) -> bool:
    """Whether ``name`` is the name of a time zone."""
    try:
        pd.Timestamp(0, tz=name)
    except (LookupError, ValueError, OSError, TypeError):
        return False
    return True


def _invalid_rows_error(numbers: np.ndarray, reason: str) -> InvalidCandlesError:
    """The error for rows with these numbers, of which the first few are named."""
    named: str = ", ".join(str(number) for number in numbers[:_MAX_NAMED_ROWS])
    if len(numbers) > _MAX_NAMED_ROWS:
        named = msg("{named} and {count:,} more", named=named, count=len(numbers) - _MAX_NAMED_ROWS)
    return InvalidCandlesError(
        nmsg("{what} in row {rows}.", "{what} in rows {rows}.", len(numbers), what=reason, rows=named),
        msg("Correct or remove these rows; the file was not changed."),
    )


def _check_times(index: pd.Index) -> None:
    if not isinstance(index, pd.DatetimeIndex) or str(index.tz) != "UTC":
        actual = getattr(index, "tz", None) or type(index).__name__
        raise InvalidCandlesError(msg("candles must be indexed by UTC bar times; got {value}.", value=actual))
    if index.hasnans:
        raise InvalidCandlesError(msg("a bar time is missing."))
    backward = np.flatnonzero(np.diff(index.as_unit("ns").asi8) <= 0)
    if len(backward):
        row = int(backward[0]) + 2
        raise InvalidCandlesError(
            msg("bar times must increase from row to row; row {row} ({time}) does not.", row=row, time=index[row - 1])
        )


def _check_labels(interval: pd.Timedelta, session_tz: str, timestamp_at: str) -> None:
    if not isinstance(interval, pd.Timedelta) or not interval > pd.Timedelta(0):
        raise InvalidCandlesError(msg("the candle interval must be positive; got {interval}.", interval=repr(interval)))
    if timestamp_at not in ("open", "close"):
        raise InvalidCandlesError(
            msg("timestamps must mark the open or the close of a bar; got {value}.", value=repr(timestamp_at))
        )
    if not is_timezone(session_tz):
        raise InvalidCandlesError(
            msg("the session time zone {zone} is not the name of a time zone.", zone=repr(session_tz)),
            TIMEZONE_HINT,
        )
