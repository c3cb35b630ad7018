"""Read candles from a Qlib provider folder, and write candles in its layout.

Reading uses ``qlib.data.D`` and needs the package pyqlib; writing does not. The layout:

    calendars/<freq>.txt                    every bar time, one per line
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

from engine.finetune.data.symbol_candles import SymbolCandles
from engine.finetune.errors import DataError, MissingDependencyError
from engine.messages import msg

__all__ = ["read", "write"]

FIELDS = ("open", "high", "low", "close", "volume", "factor")
_SAFE_NAME = re.compile(r"[\w.-]+")


def read(
    provider: str | Path, *, market: str = "qlib", instruments: str = "all", freq: str = "day"
) -> Iterator[SymbolCandles]:
    """Every instrument of a provider folder. Days without a close (suspensions) are skipped.

    Qlib's prices are adjusted by ``factor`` and its volumes divided by it; both are used unchanged.

    Raises:
        MissingDependencyError: pyqlib is not installed.
        DataError: the folder is not a provider.
    """
    folder = Path(provider).expanduser()
    if not (folder / "calendars" / f"{freq}.txt").is_file():
        raise DataError(
            msg(
                "{folder} is not a Qlib provider: it has no calendars/{freq}.txt. Use the folder passed to qlib.init.",
                folder=folder,
                freq=freq,
            )
        )
    try:
        import qlib  # type: ignore[import-not-found, unused-ignore]
        from qlib.data import D  # type: ignore[import-not-found, unused-ignore]
    except ImportError as cause:
        raise MissingDependencyError(
            msg("reading a Qlib provider requires the package pyqlib. Install it with: pip install pyqlib")
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
            yield SymbolCandles.from_frame(frame, f"{market}_{interval}", str(name))


def write(frames: Mapping[str, pd.DataFrame], folder: str | Path, *, freq: str = "day", universe: str = "all") -> None:
    """Write frames by symbol, indexed by bar time, as a provider folder for ``qlib.init``.

    ``factor`` is 1 if a frame has none. Bars of the common calendar that a symbol lacks become NaN.

    Raises:
        DataError: a frame is not indexed by bar time in order, or a symbol is not a valid folder name.
    """
    folder = Path(folder).expanduser()
    for name, frame in frames.items():
        _check_frame(name, frame)
    calendar = pd.DatetimeIndex(
        np.unique(np.concatenate([_local_times(frame.index).to_numpy() for frame in frames.values()]))
    )
    time_format = "%Y-%m-%d" if freq == "day" else "%Y-%m-%d %H:%M:%S"
    (folder / "calendars").mkdir(parents=True, exist_ok=True)
    (folder / "instruments").mkdir(parents=True, exist_ok=True)
    _write_lines(folder / "calendars" / f"{freq}.txt", calendar.strftime(time_format))
    spans = []
    for name, frame in sorted(frames.items()):
        index = _local_times(frame.index)
        spans.append(f"{name.upper()}\t{index[0].strftime(time_format)}\t{index[-1].strftime(time_format)}")
        first, last = calendar.get_indexer(index[[0, -1]])
        target = folder / "features" / name.lower()
        target.mkdir(parents=True, exist_ok=True)
        aligned = frame.set_axis(index, axis=0).reindex(calendar[first : last + 1])
        for field in FIELDS:
            values = (
                aligned[field]
                if field in aligned.columns
                else aligned["close"] * 0 + (1.0 if field == "factor" else 0.0)
            )
            data = np.concatenate(([first], values.to_numpy(dtype=np.float64))).astype("<f4")
            (target / f"{field}.{freq}.bin").write_bytes(data.tobytes())
    _write_lines(folder / "instruments" / f"{universe}.txt", spans)


def _check_frame(name: str, frame: pd.DataFrame) -> None:
    if not _SAFE_NAME.fullmatch(name):
        raise DataError(
            msg(
                '"{name}" is not a valid folder name, which Qlib requires of a symbol. Rename it, for example '
                'without "/".',
                name=name,
            )
        )
    index = frame.index
    in_order = isinstance(index, pd.DatetimeIndex) and index.is_monotonic_increasing and index.is_unique and len(index)
    if not in_order or not {"open", "high", "low", "close"} <= set(frame.columns):
        raise DataError(
            msg(
                "the frame of {name} must have open, high, low and close, and sorted bar times as its index.", name=name
            )
        )


def _local_times(index: Any) -> pd.DatetimeIndex:
    """Bar times in the market's local time, without a zone."""
    return pd.DatetimeIndex(index if index.tz is None else index.tz_localize(None)).as_unit("s")


def _write_lines(path: Path, lines: Any) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
