"""Candles of many symbols from files, frames or Qlib. One ``SymbolCandles`` per symbol and file.

The plain schema: timestamp (or timestamps, datetime, date, time), open, high, low, close, optional volume, amount and
symbol. Bar times with an offset become UTC; times without are used unchanged. A custom reader can handle other formats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from engine.files import sha256_of
from engine.finetune.data import qlib
from engine.finetune.data.symbol_candles import GROUP_PATTERN, SymbolCandles
from engine.finetune.errors import DataError
from engine.messages import msg

__all__ = ["CandleSource", "Reader", "read_table", "source_from_frame", "source_from_paths"]

Reader = Callable[[Path], Iterable[tuple[str, pd.DataFrame]]]
"""Reads one file into pairs of a symbol and its frame, indexed by bar time."""

SUFFIXES = (".csv", ".parquet", ".feather", ".arrow")
QLIB_PREFIX = "qlib:"
_TIME_COLUMNS = ("timestamp", "timestamps", "datetime", "date", "time", "open_time")
_EPOCH_UNITS = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (0.0, "s"))
"""Smallest magnitude of a numeric timestamp in each unit: 1e11 seconds are the year 5138, 1e11 ms are 1973."""


@dataclass(frozen=True)
class CandleSource:
    """Where candles come from."""

    digest: str
    """Changes whenever the candles do."""
    read: Callable[[], Iterator[SymbolCandles]]
    label: str
    """Shown to users."""


def source_from_paths(paths: Sequence[str | Path], reader: Reader | None = None) -> CandleSource:
    """Candles of files and of all files in folders, without subfolders.

    Args:
        paths: files, folders, or "qlib:FOLDER".
        reader: reads one file; None = the plain schema.

    Raises:
        DataError: there is nothing to read.
    """
    files: list[Path] = []
    providers = [str(path).removeprefix(QLIB_PREFIX) for path in paths if str(path).startswith(QLIB_PREFIX)]
    for path in (Path(path).expanduser() for path in paths if not str(path).startswith(QLIB_PREFIX)):
        files += _list_files(path, any_suffix=reader is not None)
    if not files and not providers:
        raise DataError(
            msg("no candles were specified. Set data.train to files or folders of CSV, Parquet or Feather.")
        )
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{sha256_of(file)}\0".encode())
    for provider in providers:
        digest.update(f"{provider}\0{Path(provider).expanduser().stat().st_mtime_ns}\0".encode())

    def read() -> Iterator[SymbolCandles]:
        for file in files:
            group = file.stem.lower() if GROUP_PATTERN.fullmatch(file.stem) else file.stem
            for symbol, frame in (reader or read_table)(file):
                if len(frame):
                    yield SymbolCandles.from_frame(frame, group, symbol)
        for provider in providers:
            yield from qlib.read(provider)

    return CandleSource(digest.hexdigest(), read, ", ".join(map(str, paths)))


def source_from_frame(frame: pd.DataFrame, group: str = "candles", symbol: str = "candles") -> CandleSource:
    """Candles of one frame in the plain schema; bar times in a column or the index, symbols in a column or none."""
    frames = list(_split_symbols(frame, symbol))
    digest = hashlib.sha256()
    for name, one in frames:
        digest.update(name.encode() + pd.util.hash_pandas_object(one, index=True).to_numpy().tobytes())

    def read() -> Iterator[SymbolCandles]:
        for name, one in frames:
            if len(one):
                yield SymbolCandles.from_frame(one, group, name)

    return CandleSource(digest.hexdigest(), read, "a frame")


def _list_files(path: Path, *, any_suffix: bool) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(
            msg("there is no file or folder {path}. Set data.train to files or folders of candles.", path=path)
        )
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    readable = [file for file in files if any_suffix or file.suffix.lower() in SUFFIXES]
    if not readable:
        raise DataError(
            msg(
                "{path} contains no {suffixes} files. Specify a file or a folder of candles.",
                path=path,
                suffixes=", ".join(SUFFIXES),
            )
        )
    return readable


def read_table(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Symbols and frames of one file in the plain schema.

    Raises:
        DataError: the file cannot be read, or has no bar times.
    """
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    try:
        frame = readers.get(path.suffix.lower(), pd.read_feather)(path)
    except (OSError, ValueError) as cause:  # the errors of pyarrow and pandas are ValueErrors
        raise DataError(
            msg(
                "{path} could not be read: {cause}. Supported formats: CSV, Parquet and Feather.",
                path=path,
                cause=cause,
            )
        ) from cause
    yield from _split_symbols(frame, path.stem, str(path))


def _split_symbols(frame: pd.DataFrame, symbol: str, name: str = "the frame") -> Iterator[tuple[str, pd.DataFrame]]:
    frame = frame.rename(columns=lambda column: str(column).strip().lower())
    frame = frame.set_axis(_bar_times(frame, name), axis=0)
    if "symbol" not in frame.columns:
        yield symbol, frame
        return
    for key, rows in frame.groupby("symbol", sort=True, observed=True):
        yield str(key), rows


def _bar_times(frame: pd.DataFrame, name: str) -> pd.DatetimeIndex:
    """Bar times without a zone; in UTC if the file states an offset."""
    column = next((c for c in _TIME_COLUMNS if c in frame.columns), None)
    if column is None and not isinstance(frame.index, pd.DatetimeIndex):
        raise DataError(
            msg(
                "{name} must have bar times in a column named timestamp; its columns: {columns}.",
                name=name,
                columns=", ".join(map(str, frame.columns)),
            )
        )
    stamps = frame.index if column is None else frame[column]
    try:
        if pd.api.types.is_numeric_dtype(stamps):
            largest = np.abs(np.asarray(stamps)).max(initial=0)
            unit = next(unit for minimum, unit in _EPOCH_UNITS if largest >= minimum)
            times = pd.DatetimeIndex(pd.to_datetime(stamps, unit=unit))
        else:
            times = pd.DatetimeIndex(pd.to_datetime(stamps, format="ISO8601"))
    except (ValueError, TypeError) as cause:
        try:
            # offsets that change with daylight saving can only be parsed into UTC
            times = pd.DatetimeIndex(pd.to_datetime(stamps, format="ISO8601", utc=True))
        except (ValueError, TypeError):
            raise DataError(
                msg(
                    "the bar times of {name} could not be read: {cause}. Write them as 2024-07-01 16:30, or as "
                    "seconds or milliseconds since 1970.",
                    name=name,
                    cause=cause,
                )
            ) from cause
    return times if times.tz is None else times.tz_convert("UTC").tz_localize(None)
