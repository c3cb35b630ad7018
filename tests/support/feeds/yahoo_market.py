"""Yahoo's chart and search in its own wire format: stocks with sessions, a currency without volume, a coin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tests.support.feeds.markets import price

NOW = pd.Timestamp("2024-05-31 15:45", tz="America/New_York").tz_convert("UTC")
RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
KINDS = {"AAPL": "EQUITY", "EURUSD=X": "CURRENCY", "BTC-USD": "CRYPTOCURRENCY", "THIN": "EQUITY"}
STEPS = {"1m": 60, "2m": 120, "5m": 300, "15m": 900, "1h": 3600, "60m": 3600, "90m": 5400}


@dataclass
class Yahoo:
    """``fc.yahoo.com`` gives a cookie, ``getcrumb`` a crumb, ``/v8/finance/chart`` candles."""

    now: pd.Timestamp = NOW
    factor: float = 0.9
    """Adjusted close over close before 2024."""
    holes: tuple[str, ...] = ()
    """Days (YYYY-MM-DD) whose values Yahoo sends as null."""
    edit: Any = None
    zone: str = "America/New_York"
    asked: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        if path.startswith("fc.yahoo.com"):
            return {}
        if path.endswith("/v1/test/getcrumb"):
            return "crumb"
        if path.endswith("/v1/finance/search"):
            return {"quotes": self._quotes(query["q"].lower())[: int(query["quotesCount"])], "news": []}
        if "/v8/finance/chart/" in path:
            self.asked.append(query)
            return self._chart(path.rsplit("/", 1)[1].replace("%3D", "="), query)
        return None

    @staticmethod
    def _quotes(text: str) -> list[dict[str, Any]]:
        known = [
            ("AAPL", "Apple Inc.", "EQUITY", "NASDAQ"),
            ("APLE", "Apple Hospitality REIT, Inc.", "EQUITY", "NYSE"),
            ("EURUSD=X", "EUR/USD", "CURRENCY", "CCY"),
        ]
        return [
            {"symbol": symbol, "shortname": name, "longname": name, "quoteType": kind, "exchDisp": exchange}
            for symbol, name, kind, exchange in known
            if text in (symbol + name).lower()
        ]

    def _chart(self, symbol: str, query: dict[str, str]) -> Any:
        if symbol not in KINDS:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return {"_status": 404, "chart": {"result": None, "error": error}}
        day = self.now.tz_convert(self.zone).normalize()
        hours = {"timezone": "EDT", "gmtoffset": -14_400, "start": self._open(day), "end": self._close(day)}
        meta: dict[str, Any] = {
            "currency": "USD",
            "symbol": symbol,
            "exchangeName": "NMS",
            "instrumentType": KINDS[symbol],
            "firstTradeDate": 345_479_400,
            "gmtoffset": -14_400,
            "timezone": "EDT",
            "exchangeTimezoneName": self.zone,
            "priceHint": 2,
            "currentTradingPeriod": {"pre": hours, "regular": hours, "post": hours},
            "dataGranularity": query["interval"],
            "range": query.get("range", ""),
            "validRanges": RANGES,
        }
        last = int(self.now.timestamp())
        start = int(query.get("period1", last - 86_400))
        end = min(int(query.get("period2", last)), last)
        times = [t for t in self._times(query["interval"], symbol) if start <= t <= end]
        if query["interval"] in STEPS:
            meta["tradingPeriods"] = self._periods(times, all_day=KINDS[symbol] == "CRYPTOCURRENCY")
        result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
        if times:
            result |= {"timestamp": times, "indicators": self._indicators(times, symbol)}
        answer = {"chart": {"result": [result], "error": None}}
        return self.edit(answer) if self.edit else answer

    def _open(self, day: pd.Timestamp) -> int:
        return int((day + pd.Timedelta(hours=9, minutes=30)).timestamp())

    def _close(self, day: pd.Timestamp) -> int:
        return int((day + pd.Timedelta(hours=16)).timestamp())

    def _days(self) -> pd.DatetimeIndex:
        return pd.bdate_range("2023-01-02", self.now.tz_convert(self.zone).strftime("%Y-%m-%d"), tz=self.zone)

    def _times(self, interval: str, symbol: str) -> list[int]:
        if KINDS[symbol] == "CRYPTOCURRENCY":
            step = STEPS.get(interval, 86_400)
            return list(range(1_672_531_200, int(self.now.timestamp()) + 1, step))
        days = self._days()
        if interval == "1wk":
            return [int(day.timestamp()) for day in days[days.day_of_week == 0]]
        if interval == "1mo":
            firsts = pd.date_range(
                "2023-01-01", self.now.tz_convert(self.zone).tz_localize(None), freq="MS", tz=self.zone
            )
            return [int(day.timestamp()) for day in firsts]
        if interval not in STEPS:
            return [self._open(day) for day in days]
        step = STEPS[interval]
        return [t for day in days[-520:] for t in range(self._open(day), self._close(day), step)]

    def _periods(self, times: list[int], *, all_day: bool) -> list[list[dict[str, Any]]]:
        days = sorted({pd.Timestamp(t, unit="s", tz="UTC").tz_convert(self.zone).normalize() for t in times})
        found = []
        for day in days:
            start, end = (day, day + pd.Timedelta(days=1)) if all_day else (self._open(day), self._close(day))
            seconds = [int(t.timestamp()) if isinstance(t, pd.Timestamp) else t for t in (start, end)]
            found.append([{"timezone": "EDT", "gmtoffset": -14_400, "start": seconds[0], "end": seconds[1]}])
        return found

    def _indicators(self, times: list[int], symbol: str) -> dict[str, Any]:
        columns: dict[str, list[float | None]] = {name: [] for name in ("open", "high", "low", "close", "volume")}
        adjusted: list[float | None] = []
        border = int(pd.Timestamp("2024-01-01", tz="UTC").timestamp())
        for t in times:
            opened, closed = price(t * 1000) / 100, price(t * 1000 + 3_600_000) / 100
            row = (opened, max(opened, closed) + 1, min(opened, closed) - 1, closed, 1_000 + t % 977)
            missing = pd.Timestamp(t, unit="s", tz="UTC").tz_convert(self.zone).strftime("%Y-%m-%d") in self.holes
            for name, value in zip(columns, row, strict=True):
                columns[name].append(None if missing else 0 if name == "volume" and symbol == "EURUSD=X" else value)
            adjusted.append(None if missing else closed * (self.factor if t < border else 1.0))
        return {"quote": [columns], "adjclose": [{"adjclose": adjusted}]}
