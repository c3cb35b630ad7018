"""A feed whose history is a frame, for tests of what stands around feeds. It counts what it is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kronos_dashboard.errors import FeedError
from kronos_dashboard.markets.feeds import FetchedCandles, FetchRequest, SeriesInfo, SymbolInfo
from kronos_dashboard.markets.feeds.assemble import Clocks, build_candles

START = pd.Timestamp("2024-01-01", tz="UTC")


def history(hours: int) -> pd.DataFrame:
    """Hourly bars [n, 5] from ``START`` on, always the same. Without ``makers``, which would load a model's library."""
    generator = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, hours)))
    opens = np.r_[100.0, close[:-1]]
    frame = pd.DataFrame({"open": opens, "high": np.maximum(opens, close) * 1.001})
    frame["low"] = np.minimum(opens, close) * 0.999
    frame["close"], frame["volume"] = close, generator.uniform(100, 1_000, hours).round()
    frame.index = pd.date_range(START, periods=hours, freq="1h", tz="UTC")
    return frame


class Scripted:
    """Hourly candles around the clock from ``START`` on; ``keeps`` of them, when it is given, as Kraken does."""

    name = "scripted"
    supports_adjusted = True

    def __init__(self, hours: int = 2_000, keeps: int | None = None) -> None:
        self.frame = history(hours)
        self.keeps = keeps
        self.info = SeriesInfo(symbol="TEST", source="a scripted feed", always_open=True)
        self.failure: FeedError | None = None
        self.asked: list[FetchRequest] = []
        self.sent: list[int] = []

    def intervals(self, exchange: str = "") -> tuple[str, ...]:  # noqa: ARG002
        return ("1h",)

    def search(self, query: str, *, exchange: str = "", limit: int = 20) -> list[SymbolInfo]:
        return [SymbolInfo(symbol="TEST", name=query, kind="spot", exchange=exchange, feed=self.name)][:limit]

    def fetch(self, request: FetchRequest, *, now: pd.Timestamp) -> FetchedCandles:
        self.asked.append(request)
        if self.failure is not None:
            raise self.failure
        frame = self.frame[self.frame.index <= now]
        frame = frame if self.keeps is None else frame.tail(self.keeps)
        fetched = build_candles(frame, self.info, request, Clocks(now=now))
        self.sent.append(len(fetched.candles))
        return fetched
