"""Exchanges in their own wire formats, over one made-up history: the bar at a time is always the same."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

NOW = pd.Timestamp("2024-06-01 12:30", tz="UTC")
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def ms(time: str | pd.Timestamp) -> int:
    stamp = pd.Timestamp(time)
    return int((stamp.tz_localize("UTC") if stamp.tz is None else stamp).timestamp() * 1000)


def price(time: int) -> float:
    """Somewhere around 30,000, moving."""
    return round(30_000 + 5_000 * math.sin(time / (30 * DAY)) + 200 * math.sin(time / (5 * HOUR)), 2)


@dataclass
class History:
    """What has been traded: bars from ``listed`` to ``now``, without those in ``holes`` (ms, end excluded)."""

    now: int = ms(NOW)
    listed: int = ms("2022-01-01")
    holes: list[tuple[int, int]] = field(default_factory=list)

    def times(self, step: int, start: int, end: int) -> list[int]:
        """Bar times from start to end, both included, the forming bar too."""
        first = -(-max(start, self.listed) // step) * step
        last = min(end, self.now)
        return [t for t in range(first, last + 1, step) if not any(a <= t < b for a, b in self.holes)]

    def bar(self, time: int, step: int) -> tuple[str, str, str, str, str]:
        """Open, high, low, close, volume as exchanges write them."""
        opened, closed = price(time), price(time + step)
        values = (opened, max(opened, closed) + 5, min(opened, closed) - 5, closed, 10 + time / HOUR % 7)
        opens, high, low, close, volume = (f"{value:.2f}" for value in values)
        return opens, high, low, close, volume


STEPS = {
    "1m": MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "1h": HOUR,
    "1H": HOUR,
    "4h": 4 * HOUR,
    "1d": DAY,
    "1Dutc": DAY,
    "1w": 7 * DAY,
}


@dataclass
class Binance:
    """``/api/v3``, ``/fapi/v1`` and ``/dapi/v1``: a page holds the first bars from ``startTime`` on."""

    history: History = field(default_factory=History)
    page: int = 1_000
    border: int = 0
    """Bars before ``startTime`` that come again."""
    edit: Any = None
    """What is done to the rows of a page before they are sent."""

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        if path.endswith("/api/v3/exchangeInfo"):
            pairs = [("BTC", "USDT"), ("ETH", "USDT"), ("ETH", "BTC"), ("BTC", "EUR"), ("WBTC", "BTC")]
            return {"symbols": [self._spot(*pair) for pair in pairs]}
        if path.endswith("/fapi/v1/exchangeInfo"):
            return {"symbols": [self._swap("BTC", "USDT")]}
        if path.endswith("/dapi/v1/exchangeInfo"):
            return {"symbols": []}
        if path.endswith("/klines"):
            return self._klines(query)
        return None

    def _klines(self, query: dict[str, str]) -> Any:
        if query["symbol"] not in ("BTCUSDT", "ETHUSDT", "ETHBTC", "BTCEUR", "WBTCBTC"):
            return {"_status": 400, "code": -1121, "msg": "Invalid symbol."}
        step = STEPS[query["interval"]]
        start = int(query.get("startTime", 0)) - self.border * step
        limit = min(int(query.get("limit", 500)), self.page)
        times = self.history.times(step, start, int(query.get("endTime", self.history.now)))[:limit]
        rows = []
        for time in times:
            opens, high, low, close, volume = self.history.bar(time, step)
            rows.append([time, opens, high, low, close, volume, time + step - 1, "0", 10, "0", "0", "0"])
        return self.edit(rows) if self.edit else rows

    @staticmethod
    def _spot(base: str, quote: str) -> dict[str, Any]:
        return {
            "symbol": base + quote,
            "status": "TRADING",
            "baseAsset": base,
            "baseAssetPrecision": 8,
            "quoteAsset": quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"],
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": True,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
            ],
            "permissions": [],
            "permissionSets": [["SPOT", "MARGIN"]],
        }

    @staticmethod
    def _swap(base: str, quote: str) -> dict[str, Any]:
        return {
            "symbol": base + quote,
            "pair": base + quote,
            "contractType": "PERPETUAL",
            "deliveryDate": 4_133_404_800_000,
            "onboardDate": 1_569_398_400_000,
            "status": "TRADING",
            "baseAsset": base,
            "quoteAsset": quote,
            "marginAsset": quote,
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "filters": [{"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "4529764", "tickSize": "0.1"}],
            "orderTypes": ["LIMIT", "MARKET"],
        }


@dataclass
class Kraken:
    """``/0/public``: the newest 720 bars, whatever ``since`` says."""

    history: History = field(default_factory=History)
    keeps: int = 720

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        if path.endswith("/0/public/Assets"):
            assets = {"XXBT": "XBT", "XETH": "ETH", "ZUSD": "USD"}
            found = {
                name: {"aclass": "currency", "altname": alt, "decimals": 10, "display_decimals": 5, "status": "enabled"}
                for name, alt in assets.items()
            }
            return {"error": [], "result": found}
        if path.endswith("/0/public/AssetPairs"):
            return {
                "error": [],
                "result": {"XXBTZUSD": self._pair("XBT", "XXBT"), "XETHZUSD": self._pair("ETH", "XETH")},
            }
        if path.endswith("/0/public/OHLC"):
            return self._ohlc(query)
        return None

    def _ohlc(self, query: dict[str, str]) -> Any:
        if query["pair"] not in ("XXBTZUSD", "XETHZUSD"):
            return {"error": ["EQuery:Unknown asset pair"]}
        step = int(query["interval"]) * MINUTE
        times = self.history.times(step, 0 if step >= DAY else self.history.now - 3_000 * step, self.history.now)
        since = int(query.get("since", 0)) * 1000
        rows = []
        for time in times[-self.keeps :]:
            if time > since:
                opens, high, low, close, volume = self.history.bar(time, step)
                rows.append([time // 1000, opens, high, low, close, close, volume, 12])
        return {"error": [], "result": {query["pair"]: rows, "last": times[-2] // 1000}}

    @staticmethod
    def _pair(base: str, asset: str) -> dict[str, Any]:
        return {
            "altname": f"{base}USD",
            "wsname": f"{base}/USD",
            "aclass_base": "currency",
            "base": asset,
            "aclass_quote": "currency",
            "quote": "ZUSD",
            "lot": "unit",
            "pair_decimals": 1,
            "lot_decimals": 8,
            "cost_decimals": 5,
            "lot_multiplier": 1,
            "leverage_buy": [2, 3],
            "leverage_sell": [2, 3],
            "fees": [[0, 0.4]],
            "fees_maker": [[0, 0.25]],
            "ordermin": "0.0001",
            "costmin": "0.5",
            "tick_size": "0.1",
            "status": "online",
        }


@dataclass
class Okx:
    """``/api/v5``: windows between ``before`` and ``after`` (both excluded), newest first; 1,440 recent bars apart."""

    history: History = field(default_factory=History)
    page: int = 300

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        if path.endswith("/public/instruments"):
            spot = [self._spot("BTC"), self._spot("ETH")] if query["instType"] == "SPOT" else []
            return {"code": "0", "msg": "", "data": spot}
        if path.endswith(("/market/candles", "/market/history-candles")):
            return self._candles(query, recent=path.endswith("/market/candles"))
        return None

    def _candles(self, query: dict[str, str], *, recent: bool) -> Any:
        if query["instId"] not in ("BTC-USDT", "ETH-USDT"):
            return {"code": "51001", "msg": "Instrument ID does not exist", "data": []}
        step = STEPS[query["bar"]]
        after = int(query.get("after", self.history.now + 1))
        before = int(query.get("before", after - 400 * step))
        if recent:
            before = max(before, self.history.now - 1_440 * step)
        times = self.history.times(step, before + 1, after - 1)[::-1][: min(int(query["limit"]), self.page)]
        rows = []
        for time in times:
            opens, high, low, close, volume = self.history.bar(time, step)
            closed = "1" if time + step <= self.history.now else "0"
            rows.append([str(time), opens, high, low, close, volume, volume, "0", closed])
        return {"code": "0", "msg": "", "data": rows}

    @staticmethod
    def _spot(base: str) -> dict[str, Any]:
        blank = dict.fromkeys(
            ("alias", "category", "ctMult", "ctType", "ctVal", "ctValCcy", "expTime", "instFamily"), ""
        )
        return {
            **blank,
            "baseCcy": base,
            "instId": f"{base}-USDT",
            "instType": "SPOT",
            "lever": "10",
            "listTime": "1606468572000",
            "lotSz": "0.00000001",
            "minSz": "0.00001",
            "maxMktSz": "1000000",
            "optType": "",
            "quoteCcy": "USDT",
            "settleCcy": "",
            "state": "live",
            "stk": "",
            "tickSz": "0.1",
            "uly": "",
        }
