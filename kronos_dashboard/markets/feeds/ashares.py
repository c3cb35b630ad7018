"""Candles of mainland Chinese shares through akshare, an optional dependency.

akshare returns tables with Chinese headers: times in Shanghai time, volume in lots of 100 shares, intraday and weekly
bars with close timestamps.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

import numpy as np
import pandas as pd

from kronos_dashboard.errors import (
    FeedDependencyError,
    FeedError,
    FeedUnavailableError,
    InvalidFeedRequestError,
    NoCandlesError,
)
from kronos_dashboard.markets.feeds.assemble import Clocks, build_candles
from kronos_dashboard.markets.feeds.base import FetchedCandles, FetchRequest, SeriesInfo, SymbolInfo
from kronos_dashboard.markets.feeds.transport import RetryPolicy, Transport, with_retries
from kronos_dashboard.markets.intervals import MONTH
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["AkshareFeed"]

_TIMEZONE = "Asia/Shanghai"
_MINUTE_PERIODS = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60"}
_DAY_PERIODS = {"1d": "daily", "1w": "weekly", MONTH: "monthly"}
_COLUMNS = {"开盘": "open", "最高": "high", "最低": "low", "收盘": "close", "成交量": "volume", "成交额": "amount"}
_TIMES = ("日期", "时间")
_LOT = 100
"""Shares in a lot (手), the unit of volume."""
_CODE = re.compile(r"(?:SH|SZ|BJ)?\.?(\d{6})(?:\.(?:SH|SS|SZ|BJ))?", re.IGNORECASE)
_TRADING_DAY_HOURS = 4.0
"""Two sessions of two hours."""
_FINAL_AT = pd.Timedelta(hours=15, minutes=30)
"""Time of day in Shanghai at which the daily bar is final: after-hours trading ends at 15:30."""
_DAY = pd.Timedelta(days=1)
_FIRST_TIME = pd.Timestamp("1990-01-01", tz="UTC")
"""Both exchanges opened in December 1990."""
_NAMES_MAX_AGE_S = 86_400.0
"""The list of all shares changes with new listings, a few a day."""


class AkshareFeed:
    """A-shares of Shanghai, Shenzhen and Beijing.

    Args:
        transport: gives the retry budget; akshare connects to its servers itself.
        module: a replacement of akshare in tests; by default akshare, imported on first use.
    """

    name = "akshare"
    supports_adjusted = True

    def __init__(self, transport: Transport | None = None, module: Any = None) -> None:
        self._transport = transport or Transport()
        self._module = module
        self._names: tuple[float, pd.DataFrame] | None = None

    def intervals(self, exchange: str = "") -> tuple[str, ...]:  # noqa: ARG002
        """The intervals that akshare serves."""
        return (*_MINUTE_PERIODS, *_DAY_PERIODS)

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:  # noqa: ARG002
        """Shares whose code or name contains the query.

        Raises:
            FeedDependencyError: akshare is not installed.
            FeedUnavailableError: no usable response.
        """
        now = self._transport.clock()
        if self._names is None or now - self._names[0] > _NAMES_MAX_AGE_S:
            self._names = (now, self._call("stock_info_a_code_name", {}))
        table = self._names[1]
        if not {"code", "name"} <= set(table.columns):
            raise _columns_error(table)
        text = query.strip()
        code, name = table["code"].astype("str").str.zfill(6), table["name"].astype("str")
        matches = code.str.contains(text, regex=False) | name.str.contains(text, case=False, regex=False)
        rows = zip(code[matches].head(limit), name[matches].head(limit), strict=True)
        return [SymbolInfo(symbol=c, name=n, kind="stock", exchange="A-shares", feed=self.name) for c, n in rows]

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> FetchedCandles:
        """Candles of one share.

        Raises:
            FeedError: the fetch failed; each reason has its own subclass.
        """
        code = _normalize_code(request.symbol)
        if request.interval not in self.intervals():
            raise InvalidFeedRequestError(
                msg("akshare has no {interval} candles.", interval=request.interval),
                msg("Available: {intervals}.", intervals=", ".join(self.intervals())),
            )
        table = self._call(*_request_arguments(code, request, now))
        if table.empty:
            raise NoCandlesError(
                msg("akshare has no {interval} candles of {code}.", interval=request.interval, code=code),
                msg("Check the code and the date range."),
            )
        bars = _bars_from_table(table)
        has_close_timestamps = request.interval != "1d"
        history_note = (
            msg("akshare only provides the last 5 trading days of 1m candles.") if request.interval == "1m" else ""
        )
        info = SeriesInfo(
            symbol=code,
            source="akshare",
            session_tz=_TIMEZONE,
            timestamp_at="close" if has_close_timestamps else "open",
            history_note=history_note,
        )
        ends = _bar_end_times(pd.DatetimeIndex(bars.index), request.interval)
        fetched = build_candles(bars, info, request, Clocks(now=now), ends)
        return FetchedCandles(fetched.candles, (*_assumption_notes(request), *fetched.notes), info)

    def _call(self, function: str, arguments: dict[str, str]) -> pd.DataFrame:
        """Call akshare.

        Raises:
            FeedDependencyError: akshare is not installed, or lacks the function.
            FeedUnavailableError: no usable response.
        """
        if self._module is None:
            self._module = _import()
        call = getattr(self._module, function, None)
        if call is None:
            raise FeedDependencyError(
                msg("The installed akshare has no {function}.", function=function),
                msg("Update akshare: pip install -U akshare"),
            )
        try:
            table = with_retries(lambda: call(**arguments), self._transport, _retry_policy)
        except OSError as error:  # the base of the errors of requests
            raise FeedUnavailableError(
                msg("akshare cannot reach its data source ({type}).", type=type(error).__name__), msg("Try again.")
            ) from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise FeedUnavailableError(
                msg(
                    "akshare cannot read the response of its data source ({type}: {error}).",
                    type=type(error).__name__,
                    error=str(error)[:80],
                ),
                msg("Check the code, try again later, or update akshare."),
            ) from error
        if not isinstance(table, pd.DataFrame):
            raise FeedUnavailableError(msg("akshare returned no table."), msg("Try again later, or update akshare."))
        return table


def _import() -> Any:
    try:
        return importlib.import_module("akshare")
    except ImportError as error:
        raise FeedDependencyError(
            msg("A-shares require the package akshare, which is not installed."),
            msg("Install it with: pip install akshare"),
        ) from error


def _retry_policy(error: BaseException) -> RetryPolicy:
    return RetryPolicy(3 if isinstance(error, OSError) else 1)


def _normalize_code(symbol: str) -> str:
    match = _CODE.fullmatch(symbol)
    if match is None:
        raise InvalidFeedRequestError(
            msg("{symbol} is not an A-share code.", symbol=repr(symbol)),
            msg("Enter six digits, such as 600519 or 000001."),
        )
    return match.group(1)


def _request_arguments(code: str, request: FetchRequest, now: pd.Timestamp) -> tuple[str, dict[str, str]]:
    """The function of akshare and its arguments."""
    end = now if request.end is None else min(now, request.end)
    start = request.start if request.start is not None else max(_FIRST_TIME, end - _lookback(request))
    since, until = (time.tz_convert(_TIMEZONE) for time in (start, end))
    adjust = "qfq" if request.adjusted and request.interval != "1m" else ""
    if request.interval in _MINUTE_PERIODS:
        span = {"start_date": f"{since:%Y-%m-%d %H:%M:%S}", "end_date": f"{until:%Y-%m-%d %H:%M:%S}"}
        return "stock_zh_a_hist_min_em", {
            "symbol": code,
            "period": _MINUTE_PERIODS[request.interval],
            "adjust": adjust,
            **span,
        }
    span = {"start_date": f"{since:%Y%m%d}", "end_date": f"{until:%Y%m%d}"}
    return "stock_zh_a_hist", {"symbol": code, "period": _DAY_PERIODS[request.interval], "adjust": adjust, **span}


def _lookback(request: FetchRequest) -> pd.Timedelta:
    """Upper bound of the time that ``limit`` bars span.

    Five trading days take seven days; 8 % and 20 days on top cover the holidays of a year and Golden Week.
    """
    num_bars, step = request.limit or 0, request.interval_length
    if step >= 7 * _DAY:
        return step * (num_bars + 3) * 1.1
    days = num_bars if step >= _DAY else num_bars * step / pd.Timedelta(hours=_TRADING_DAY_HOURS)
    return _DAY * min(20_000.0, days * 7 / 5 * 1.08 + 20)


def _bars_from_table(table: pd.DataFrame) -> pd.DataFrame:
    """Akshare's table as bars [n, 6] on UTC bar times; volume in shares."""
    time = next((name for name in _TIMES if name in table.columns), None)
    if time is None or not set(_COLUMNS) <= set(table.columns):
        raise _columns_error(table)
    bars = table.rename(columns=_COLUMNS).loc[:, list(_COLUMNS.values())]
    bars = bars.apply(pd.to_numeric, errors="coerce").astype("float64")
    bars["volume"] *= _LOT
    stamps = pd.to_datetime(table[time].astype("str"), errors="coerce")
    bars.index = pd.DatetimeIndex(stamps).tz_localize(_TIMEZONE, nonexistent="shift_forward", ambiguous="NaT")
    bars.index = pd.DatetimeIndex(bars.index).tz_convert("UTC").as_unit("ns")
    return bars


def _bar_end_times(index: pd.DatetimeIndex, interval: str) -> pd.DatetimeIndex:
    """UTC times at which bars are final: their timestamp, or the afternoon of the last day of their period."""
    if interval in _MINUTE_PERIODS:
        return index
    days = index.tz_convert(_TIMEZONE).tz_localize(None).normalize()
    if interval == "1w":
        days = days + pd.to_timedelta(np.asarray(4 - days.day_of_week).clip(min=0), unit="D")
    elif interval == MONTH:
        days = days + pd.offsets.MonthEnd(0)
    return (days + _FINAL_AT).tz_localize(_TIMEZONE, nonexistent="shift_forward", ambiguous="NaT").tz_convert("UTC")


def _assumption_notes(request: FetchRequest) -> list[Note]:
    notes = [Note("info", msg("Volume was received in lots of 100 shares (手) and converted to shares."))]
    if request.interval != "1d":
        notes.append(Note("info", msg("Bars carry close timestamps.")))
    if request.interval == "1m" and request.adjusted:
        notes.append(Note("warning", msg("akshare has no adjusted prices for 1m; these are unadjusted.")))
    elif request.adjusted:
        notes.append(
            Note(
                "info", msg("Prices are adjusted backward from today (qfq); each dividend changes all earlier prices.")
            )
        )
    return notes


def _columns_error(table: pd.DataFrame) -> FeedError:
    has = ", ".join(str(name)[:20] for name in list(table.columns)[:12])
    return FeedUnavailableError(
        msg("akshare's table has unexpected columns: {names}.", names=has),
        msg("Update akshare: pip install -U akshare"),
    )
