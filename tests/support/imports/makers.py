"""Files in the layouts of many exports, made from synthetic candles; each tells what must come out of it.

A maker takes the candles and gives the bytes. Layouts, never rows, are those of real exports.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tests.support import makers

ROWS = 40


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file, and what is expected of it."""

    name: str
    make: Callable[[pd.DataFrame], str | bytes]
    filename: str = "file.csv"
    freq: str = "1d"
    digits: int = 2
    start: str = "2024-01-02"
    volume: bool = True
    amount: bool = False
    scale: float = 1.0
    rows: int = ROWS
    says: str = ""
    """Words of a warning that must be told; empty: no warning but those on the order of rows is allowed."""
    zone: str = "UTC"
    symbol: str = ""
    stamps: str = ""
    """Frequency of the stamps, where it is not what the interval says."""
    options: dict = field(default_factory=dict)


def candles(case: Case) -> pd.DataFrame:
    """Synthetic candles at the case's bar times, as naive stamps in ``t``; columns o h l c v a."""
    whole = {"1d": "B", "1w": "W-FRI", "1M": "MS"}.get(case.freq, case.freq.replace("m", "min"))
    times = pd.date_range(case.start, periods=case.rows, freq=case.stamps or whole)
    made = makers.values(case.rows, seed=len(case.name))
    frame = (made[["open", "high", "low", "close"]] * case.scale).round(case.digits)
    frame["high"] = frame.max(axis=1)
    frame["low"] = frame.min(axis=1)
    frame.columns = list("ohlc")
    frame["v"] = (made["volume"] * 1_000 + np.arange(case.rows)).astype("int64")
    frame["a"] = (frame["v"] * frame["c"]).round(2)
    frame.insert(0, "t", times)
    return frame


def text(
    header: str,
    row: Callable[[pd.Series], Sequence[object] | str],
    sep: str = ",",
    before: str = "",
    after: str = "",
    newest_first: bool = False,
    encoding: str = "utf-8",
    end: str = "\n",
) -> Callable[[pd.DataFrame], bytes]:
    """A maker of delimited text."""

    def make(frame: pd.DataFrame) -> bytes:
        rows = frame[::-1] if newest_first else frame
        lines = [
            r if isinstance(r := row(one), str) else sep.join(str(cell) for cell in r) for _, one in rows.iterrows()
        ]
        head = [header] if header else []
        return (before + end.join([*head, *lines]) + end + after).encode(encoding)

    return make


def record(frame: pd.DataFrame, **keys: str) -> list[dict]:
    """Records under other names; ``t`` as milliseconds."""
    rows = []
    for _, one in frame.iterrows():
        rows.append(
            {
                name: ms(one.t) if key == "ms" else s(one.t) if key == "s" else str(one.t) if key == "t" else one[key]
                for name, key in keys.items()
            }
        )
    return rows


def ms(t: pd.Timestamp) -> int:
    return int(t.timestamp() * 1000)


def s(t: pd.Timestamp) -> int:
    return int(t.timestamp())


def as_json(document: Callable[[pd.DataFrame], object]) -> Callable[[pd.DataFrame], bytes]:
    """A maker of JSON."""
    return lambda frame: json.dumps(document(frame)).encode()


def comma(number: float, digits: int = 2, thousands: str = "") -> str:
    """A number with a decimal comma."""
    return f"{number:,.{digits}f}".replace(",", "_").replace(".", ",").replace("_", thousands)


def suffixed(number: float, mark: str = ".") -> str:
    """A volume in thousands, as sites shorten it."""
    return f"{number / 1000:.3f}K".replace(".", mark)


D = "%Y-%m-%d"
DT = "%Y-%m-%d %H:%M:%S"


def day(one: pd.Series, pattern: str = D) -> str:
    return one.t.strftime(pattern)
