"""Candles of one symbol, checked once; everything behind the importers trusts the type.

Shapes: n candles; the frame is float64 [n, 6], its index UTC bar times, strictly increasing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np
import pandas as pd

from kronos_dashboard.errors import CandleError

__all__ = [
    "COLUMNS",
    "PRICES",
    "ZONE_HINT",
    "CandleFrame",
    "Gap",
    "check_values",
    "interval_label",
    "interval_of",
    "is_zone",
]

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume", "amount")
"""The six columns of a candle: prices and amount in quote currency, volume in base units."""

TOLERANCE = 1e-6
"""Relative room for a high below its close: prices adjusted or stored as float32 miss by this much."""

ZONE_HINT = "Use a name such as America/New_York, Asia/Shanghai or UTC."
"""What to do about a name that ``is_zone`` does not know."""

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_NAMED_ROWS = 5


@dataclass(frozen=True)
class Gap:
    """A stretch between two neighbouring candles that is longer than the interval."""

    after: pd.Timestamp
    before: pd.Timestamp
    missing: int
    """Bars that would fit in between if the market never closed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CandleFrame:
    """Checked candles of one symbol.

    Raises:
        CandleError: a column is missing, a value is impossible, the bar times are not strictly increasing UTC, or the
            interval, the session clock or the stamping is none.
    """

    frame: pd.DataFrame
    """float64 [n, 6], index = UTC bar times as the source stamps them (never shifted). Not to be written to."""
    symbol: str
    interval: pd.Timedelta
    """Usual time between bar opens."""
    session_tz: str = "UTC"
    """The market's local clock, on which minute, hour and weekday are read."""
    stamped: Literal["open", "close"] = "open"
    """Whether a bar time is the bar's open or its close."""
    source: str = ""
    """Where the candles came from, for people."""
    has_volume: bool = True
    """False: the volume column holds zeros that mean nothing."""
    has_amount: bool = False
    """False: the amount column holds zeros that mean nothing."""

    def __post_init__(self) -> None:
        """Take a clean copy of the frame and check it."""
        missing = [name for name in COLUMNS if name not in self.frame.columns]
        if missing:
            raise CandleError(f"candles need the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}.")
        clean = self.frame.loc[:, list(COLUMNS)].astype("float64")
        check_values(clean)
        _check_times(clean.index)
        _check_labels(self.interval, self.session_tz, self.stamped)
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
        """The bar times [n] on the session clock (with its zone)."""
        return self.index.tz_convert(self.session_tz)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that mean something, as the engine wants them: prices, then volume, then amount if known."""
        known = (*PRICES, "volume", "amount") if self.has_amount else (*PRICES, "volume")
        return known if self.has_volume else PRICES

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over symbol, interval, clock, stamping, bar times and all values."""
        label = f"{self.symbol}|{self.interval}|{self.session_tz}|{self.stamped}|{self.columns}"
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
        """Where neighbouring candles are further apart than the interval: closed hours, weekends, missing bars."""
        index = self.index
        steps = np.diff(index.as_unit("ns").asi8) / self.interval.as_unit("ns").value
        wide = np.flatnonzero(steps > 1.5)
        missing = np.round(steps[wide]).astype(int) - 1
        return list(map(Gap, index[wide].to_list(), index[wide + 1].to_list(), missing.tolist()))


def check_values(frame: pd.DataFrame, rows: np.ndarray | None = None) -> None:
    """Check prices [n, 4] and, where there are such columns, volume and amount.

    Args:
        frame: float64 columns, in any order of rows.
        rows: int [n], what to call each row in a message; counted from 1 by default.

    Raises:
        CandleError: naming the first rows that are wrong.
    """
    numbers = np.arange(1, len(frame) + 1) if rows is None else rows
    prices = frame.loc[:, list(PRICES)].to_numpy()
    finite = np.isfinite(prices)
    _refuse(~finite.all(axis=1), numbers, "a price is missing or not a finite number")
    _refuse((prices <= 0).any(axis=1), numbers, "a price is zero or negative")
    opens, highs, lows, closes = prices.T
    _refuse(highs < lows * (1 - TOLERANCE), numbers, "the high is below the low")
    _refuse(highs < np.maximum(opens, closes) * (1 - TOLERANCE), numbers, "the high is below the open or the close")
    _refuse(lows > np.minimum(opens, closes) * (1 + TOLERANCE), numbers, "the low is above the open or the close")
    for name in ("volume", "amount"):
        if name in frame.columns:
            values = frame[name].to_numpy()
            _refuse(~(np.isfinite(values) & (values >= 0)), numbers, f"the {name} is negative or not a finite number")


def interval_of(index: pd.DatetimeIndex) -> pd.Timedelta:
    """The commonest step between neighbouring bar times (the shorter one when two are equally common).

    Raises:
        CandleError: there are fewer than two bar times.
    """
    if len(index) < 2:
        raise CandleError(f"an interval needs at least 2 candles; got {len(index)}.", "Load more history.")
    steps, counts = np.unique(np.diff(index.as_unit("ns").asi8), return_counts=True)
    return pd.Timedelta(int(steps[counts.argmax()]), unit="ns")


def interval_label(interval: pd.Timedelta) -> str:
    """A short name: ``5m``, ``1h``, ``1d``, ``1w``, ``1M``."""
    seconds = int(interval.total_seconds())
    if 28 * 86_400 <= seconds <= 31 * 86_400:
        return "1M"
    if seconds and seconds % (7 * 86_400) == 0:
        return f"{seconds // (7 * 86_400)}w"
    for label, size in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{label}"
    return str(interval)


def is_zone(name: str) -> bool:
    """Whether this is the name of a time zone."""
    try:
        pd.Timestamp(0, tz=name)
    except (LookupError, ValueError, OSError, TypeError):
        return False
    return True


def _refuse(wrong: np.ndarray, numbers: np.ndarray, what: str) -> None:
    """Raise when any of ``wrong`` [n] is set, naming the rows."""
    if not wrong.any():
        return
    found = numbers[wrong]
    named = ", ".join(str(number) for number in found[:_NAMED_ROWS])
    more = f" and {len(found) - _NAMED_ROWS:,} more" if len(found) > _NAMED_ROWS else ""
    rows = "row" if len(found) == 1 else "rows"
    raise CandleError(f"{what} in {rows} {named}{more}.", "Correct or remove these rows; the file was not changed.")


def _check_times(index: pd.Index) -> None:
    if not isinstance(index, pd.DatetimeIndex) or str(index.tz) != "UTC":
        came = getattr(index, "tz", None) or type(index).__name__
        raise CandleError(f"candles need an index of UTC bar times; got {came}.")
    if index.hasnans:
        raise CandleError("a bar time is missing.")
    backward = np.flatnonzero(np.diff(index.as_unit("ns").asi8) <= 0)
    if len(backward):
        row = int(backward[0]) + 2
        raise CandleError(f"bar times must increase from row to row; row {row} ({index[row - 1]}) does not.")


def _check_labels(interval: pd.Timedelta, session_tz: str, stamped: str) -> None:
    if not isinstance(interval, pd.Timedelta) or not interval > pd.Timedelta(0):
        raise CandleError(f"candles need an interval of more than nothing; got {interval!r}.")
    if stamped not in ("open", "close"):
        raise CandleError(f"bar times stand at the open or at the close of their bars; got {stamped!r}.")
    if not is_zone(session_tz):
        raise CandleError(f"the session clock {session_tz!r} is not the name of a time zone.", ZONE_HINT)
