"""Candles from a Qlib provider, and candles into Qlib's own layout, so that one data folder serves both.

Reading asks ``qlib.data.D`` and needs the package pyqlib; writing does not:

    calendars/<freq>.txt                    every bar time, one a line
    instruments/<universe>.txt              SYMBOL <tab> first <tab> last
    features/<symbol>/<field>.<freq>.bin    little-endian float32: index of the first bar in the calendar, then values
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.errors import DataError, MissingExtra
from engine.finetune.data.symbol_candles import SymbolCandles, checked

__all__ = ["read", "write"]

FIELDS = ("open", "high", "low", "close", "volume", "factor")
_SAFE = re.compile(r"[\w.-]+")


def read(
    provider: str | Path, *, market: str = "qlib", instruments: str = "all", freq: str = "day"
) -> Iterator[SymbolCandles]:
    """Every instrument of a provider folder. Days without a close (suspended) are no candles.

    Qlib's prices are adjusted by ``factor`` and its volumes divided by it; both are taken as they are.

    Raises:
        MissingExtra: pyqlib is not installed.
        DataError: the folder is no provider.
    """
    folder = Path(provider).expanduser()
    if not (folder / "calendars" / f"{freq}.txt").is_file():
        raise DataError(f"{folder} is no Qlib provider: it has no calendars/{freq}.txt. Give the folder of qlib.init.")
    try:
        import qlib  # type: ignore[import-not-found, unused-ignore]
        from qlib.data import D  # type: ignore[import-not-found, unused-ignore]
    except ImportError as cause:
        raise MissingExtra(
            "reading a Qlib provider needs the package pyqlib. Install it with: pip install pyqlib"
        ) from cause
    qlib.init(provider_uri=str(folder), region="cn")
    interval = {"day": "1d"}.get(freq, freq)
    names = D.list_instruments(D.instruments(instruments), freq=freq, as_list=True)
    fields = [f"${field}" for field in FIELDS[:5]]
    for name in names:
        frame: Any = D.features([name], fields, freq=freq)
        frame = frame.droplevel("instrument").rename(columns=lambda column: str(column).removeprefix("$"))
        frame = frame.dropna(subset=["open", "high", "low", "close"]).astype("float64")
        if len(frame):
            yield checked(frame, f"{market}_{interval}", str(name))


def write(frames: Mapping[str, pd.DataFrame], folder: str | Path, *, freq: str = "day", universe: str = "all") -> None:
    """Write frames by symbol, indexed by bar time, as a provider folder that ``qlib.init`` takes.

    ``factor`` is 1 where a frame has none. Bars of the common calendar that a symbol lacks become NaN.

    Raises:
        DataError: a frame is not indexed by bar time in order, or a symbol cannot be a file's name.
    """
    folder = Path(folder).expanduser()
    for name, frame in frames.items():
        _check(name, frame)
    calendar = pd.DatetimeIndex(
        np.unique(np.concatenate([_plain(frame.index).to_numpy() for frame in frames.values()]))
    )
    style = "%Y-%m-%d" if freq == "day" else "%Y-%m-%d %H:%M:%S"
    (folder / "calendars").mkdir(parents=True, exist_ok=True)
    (folder / "instruments").mkdir(parents=True, exist_ok=True)
    _lines(folder / "calendars" / f"{freq}.txt", calendar.strftime(style))
    spans = []
    for name, frame in sorted(frames.items()):
        index = _plain(frame.index)
        spans.append(f"{name.upper()}\t{index[0].strftime(style)}\t{index[-1].strftime(style)}")
        first, last = calendar.get_indexer(index[[0, -1]])
        target = folder / "features" / name.lower()
        target.mkdir(parents=True, exist_ok=True)
        own = frame.set_axis(index, axis=0).reindex(calendar[first : last + 1])
        for field in FIELDS:
            values = own[field] if field in own.columns else own["close"] * 0 + (1.0 if field == "factor" else 0.0)
            data = np.concatenate(([first], values.to_numpy(dtype=np.float64))).astype("<f4")
            (target / f"{field}.{freq}.bin").write_bytes(data.tobytes())
    _lines(folder / "instruments" / f"{universe}.txt", spans)


def _check(name: str, frame: pd.DataFrame) -> None:
    if not _SAFE.fullmatch(name):
        raise DataError(f'"{name}" cannot name a folder, where Qlib keeps a symbol. Rename it, say without "/".')
    index = frame.index
    in_order = isinstance(index, pd.DatetimeIndex) and index.is_monotonic_increasing and index.is_unique and len(index)
    if not in_order or not {"open", "high", "low", "close"} <= set(frame.columns):
        raise DataError(f"the frame of {name} must have open, high, low, close, and bar times in order as its index.")


def _plain(index: Any) -> pd.DatetimeIndex:
    """Bar times as the market's clock shows them, without a zone."""
    return pd.DatetimeIndex(index if index.tz is None else index.tz_localize(None)).as_unit("s")


def _lines(path: Path, lines: Any) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
