"""Candles of mainland Chinese shares, through akshare, which is installed only where it is wanted.

akshare gives tables with Chinese headers: times on the clock of Shanghai, volume in lots of 100 shares, intraday bars
and weeks stamped at their close.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

import numpy as np
import pandas as pd

from kronos_dashboard.errors import FeedEmpty, FeedError, FeedMissing, FeedRefused, FeedUnreachable
from kronos_dashboard.markets.feeds.assemble import Clocks, assemble
from kronos_dashboard.markets.feeds.base import MONTH, Fetched, FetchRequest, Origin, SymbolInfo
from kronos_dashboard.markets.feeds.transport import Patience, Transport, patiently
from kronos_dashboard.notes import Note

__all__ = ["AkshareFeed"]

_ZONE = "Asia/Shanghai"
_MINUTES = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60"}
_PERIODS = {"1d": "daily", "1w": "weekly", MONTH: "monthly"}
_COLUMNS = {"开盘": "open", "最高": "high", "最低": "low", "收盘": "close", "成交量": "volume", "成交额": "amount"}
_TIMES = ("日期", "时间")
_LOT = 100
"""Shares in a lot (手), the unit of volume."""
_CODE = re.compile(r"(?:SH|SZ|BJ)?\.?(\d{6})(?:\.(?:SH|SS|SZ|BJ))?", re.IGNORECASE)
_TRADING_DAY_H = 4.0
_SETTLED = pd.Timedelta(hours=15, minutes=30)
"""Time of day in Shanghai by which the day's bar is final (the market closes at 15:00)."""
_DAY = pd.Timedelta(days=1)
_FIRST = pd.Timestamp("1990-01-01", tz="UTC")
_NAMES_LIVE_S = 86_400.0


class AkshareFeed:
    """A-shares of Shanghai, Shenzhen and Beijing.

    Args:
        transport: its patience holds; akshare finds its own way to its servers.
        module: akshare, or what stands in for it; imported when it is first needed by default.
    """

    name = "akshare"
    adjusts = True

    def __init__(self, transport: Transport | None = None, module: Any = None) -> None:
        self._transport = transport or Transport()
        self._module = module
        self._names: tuple[float, pd.DataFrame] | None = None

    def intervals(self, exchange: str = "") -> tuple[str, ...]:  # noqa: ARG002
        """The intervals that akshare serves."""
        return (*_MINUTES, *_PERIODS)

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:  # noqa: ARG002
        """Shares whose code or name holds the query.

        Raises:
            FeedMissing: akshare is not installed.
            FeedUnreachable: no usable answer.
        """
        now = self._transport.clock()
        if self._names is None or now - self._names[0] > _NAMES_LIVE_S:
            self._names = (now, self._ask("stock_info_a_code_name", {}))
        table = self._names[1]
        if not {"code", "name"} <= set(table.columns):
            raise _changed(table)
        wanted = query.strip()
        code, name = table["code"].astype("str").str.zfill(6), table["name"].astype("str")
        hit = code.str.contains(wanted, regex=False) | name.str.contains(wanted, case=False, regex=False)
        rows = zip(code[hit].head(limit), name[hit].head(limit), strict=True)
        return [SymbolInfo(symbol=c, name=n, kind="stock", exchange="A-shares", feed=self.name) for c, n in rows]

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> Fetched:
        """Candles of one share.

        Raises:
            FeedError: they cannot be had; each reason has its own type.
        """
        code = _code(request.symbol)
        if request.interval not in self.intervals():
            raise FeedRefused(
                f"akshare has no candles at {request.interval}.", f"It has {', '.join(self.intervals())}."
            )
        table = self._ask(*_call(code, request, now))
        if table.empty:
            raise FeedEmpty(f"akshare has no {request.interval} candles of {code}.", "Check the code and the span.")
        bars = _bars(table)
        at_close = request.interval != "1d"
        limits = "akshare serves 1m candles of the last 5 trading days alone." if request.interval == "1m" else ""
        origin = Origin(
            symbol=code,
            source="akshare",
            session_tz=_ZONE,
            stamped="close" if at_close else "open",
            limits=limits,
        )
        ends = _ends(pd.DatetimeIndex(bars.index), request.interval)
        fetched = assemble(bars, origin, request, Clocks(now=now), ends)
        return Fetched(fetched.candles, (*_assumptions(request), *fetched.notes), origin)

    def _ask(self, function: str, arguments: dict[str, str]) -> pd.DataFrame:
        """Call akshare.

        Raises:
            FeedMissing: it is not installed, or lacks the function.
            FeedUnreachable: no usable answer.
        """
        if self._module is None:
            self._module = _import()
        call = getattr(self._module, function, None)
        if call is None:
            raise FeedMissing(f"The installed akshare has no {function}.", "Update it: pip install -U akshare")
        try:
            table = patiently(lambda: call(**arguments), self._transport, _judge)
        except OSError as error:  # what requests raises is one
            raise FeedUnreachable(f"akshare cannot reach its source ({type(error).__name__}).", "Try again.") from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise FeedUnreachable(
                f"akshare cannot read the answer of its source ({type(error).__name__}: {str(error)[:80]}).",
                "Check the code; try again later, or update akshare.",
            ) from error
        if not isinstance(table, pd.DataFrame):
            raise FeedUnreachable("akshare gave no table.", "Try again later, or update akshare.")
        return table


def _import() -> Any:
    try:
        return importlib.import_module("akshare")
    except ImportError as error:
        raise FeedMissing("A-shares need akshare, which is not installed.", "Run: pip install akshare") from error


def _judge(error: BaseException) -> Patience:
    return Patience(3 if isinstance(error, OSError) else 1)


def _code(symbol: str) -> str:
    found = _CODE.fullmatch(symbol)
    if found is None:
        raise FeedRefused(f"{symbol!r} is not the code of an A-share.", "Write six digits, as in 600519 or 000001.")
    return found.group(1)


def _call(code: str, request: FetchRequest, now: pd.Timestamp) -> tuple[str, dict[str, str]]:
    """The function of akshare and its arguments."""
    end = now if request.end is None else min(now, request.end)
    start = request.start if request.start is not None else max(_FIRST, end - _reach(request))
    since, until = (time.tz_convert(_ZONE) for time in (start, end))
    adjust = "qfq" if request.adjusted and request.interval != "1m" else ""
    if request.interval in _MINUTES:
        span = {"start_date": f"{since:%Y-%m-%d %H:%M:%S}", "end_date": f"{until:%Y-%m-%d %H:%M:%S}"}
        return "stock_zh_a_hist_min_em", {
            "symbol": code,
            "period": _MINUTES[request.interval],
            "adjust": adjust,
            **span,
        }
    span = {"start_date": f"{since:%Y%m%d}", "end_date": f"{until:%Y%m%d}"}
    return "stock_zh_a_hist", {"symbol": code, "period": _PERIODS[request.interval], "adjust": adjust, **span}


def _reach(request: FetchRequest) -> pd.Timedelta:
    """How far back ``count`` bars reach at most, with weekends and the long holidays."""
    count, step = request.count or 0, request.step
    if step >= 7 * _DAY:
        return step * (count + 3) * 1.1
    days = count if step >= _DAY else count * step / pd.Timedelta(hours=_TRADING_DAY_H)
    return _DAY * min(20_000.0, days * 7 / 5 * 1.08 + 20)


def _bars(table: pd.DataFrame) -> pd.DataFrame:
    """Akshare's table as bars [n, 6] on UTC bar times; volume in shares."""
    time = next((name for name in _TIMES if name in table.columns), None)
    if time is None or not set(_COLUMNS) <= set(table.columns):
        raise _changed(table)
    bars = table.rename(columns=_COLUMNS).loc[:, list(_COLUMNS.values())]
    bars = bars.apply(pd.to_numeric, errors="coerce").astype("float64")
    bars["volume"] *= _LOT
    stamps = pd.to_datetime(table[time].astype("str"), errors="coerce")
    bars.index = pd.DatetimeIndex(stamps).tz_localize(_ZONE, nonexistent="shift_forward", ambiguous="NaT")
    bars.index = pd.DatetimeIndex(bars.index).tz_convert("UTC").as_unit("ns")
    return bars


def _ends(index: pd.DatetimeIndex, interval: str) -> pd.DatetimeIndex:
    """When bars are final: at their stamp; in the afternoon of their day; after their week or month."""
    if interval in _MINUTES:
        return index
    days = index.tz_convert(_ZONE).tz_localize(None).normalize()
    if interval == "1w":
        days = days + pd.to_timedelta(np.asarray(4 - days.day_of_week).clip(min=0), unit="D")
    elif interval == MONTH:
        days = days + pd.offsets.MonthEnd(0)
    return (days + _SETTLED).tz_localize(_ZONE, nonexistent="shift_forward", ambiguous="NaT").tz_convert("UTC")


def _assumptions(request: FetchRequest) -> list[Note]:
    notes = [Note("info", "Volume came in lots of 100 shares (手); it is given in shares.")]
    if request.interval != "1d":
        notes.append(Note("info", "Bars are stamped at their close."))
    if request.interval == "1m" and request.adjusted:
        notes.append(Note("warning", "akshare has no adjusted prices at 1m; these are raw."))
    elif request.adjusted:
        notes.append(
            Note("info", "Prices are adjusted backward from today (qfq); each dividend changes all older ones.")
        )
    return notes


def _changed(table: pd.DataFrame) -> FeedError:
    has = ", ".join(str(name)[:20] for name in list(table.columns)[:12])
    return FeedUnreachable(
        f"akshare's table has other columns than expected: {has}.", "Update akshare: pip install -U akshare"
    )
