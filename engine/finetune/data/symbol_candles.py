"""Candles of many symbols from files, frames or Qlib, checked once. One ``SymbolCandles`` per symbol and file.

The plain schema: timestamp (or timestamps, datetime, date, time), open, high, low, close, optional volume, amount and
symbol. Bar times with an offset become UTC; those without are taken as they stand. A reader of other formats can be
given in its place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from engine.errors import CandlesError, DataError
from engine.features import PRICES, candle_values

__all__ = ["Reader", "Source", "SymbolCandles", "from_frame", "from_paths", "read_plain"]

Reader = Callable[[Path], Iterable[tuple[str, pd.DataFrame]]]
"""Reads one file: pairs of a symbol and its frame, indexed by bar time."""

SUFFIXES = (".csv", ".parquet", ".feather", ".arrow")
_TIME_COLUMNS = ("timestamp", "timestamps", "datetime", "date", "time", "open_time")
_GROUP = re.compile(r"(?P<market>.+)_(?P<interval>\d+(?:mo|min|m|h|d|w))", re.IGNORECASE)
_EPOCH_UNITS = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (0.0, "s"))
QLIB = "qlib:"


@dataclass(frozen=True)
class SymbolCandles:
    """The candles of one symbol at one interval; R rows in order of time."""

    group: str
    """<market>_<interval>, or the file's name: what is drawn from and reported together."""
    symbol: str
    times: np.ndarray
    """int64 [R], seconds since 1970, UTC, strictly increasing."""
    values: np.ndarray
    """float64 [R, 6]"""
    notes: tuple[str, ...] = ()
    """What was left out or filled in, in sentences."""

    @property
    def market(self) -> str:
        """The part of the group before the interval."""
        found = _GROUP.fullmatch(self.group)
        return found["market"] if found else self.group


@dataclass(frozen=True)
class Source:
    """Where candles come from."""

    digest: str
    """Changes when the candles do."""
    read: Callable[[], Iterator[SymbolCandles]]
    label: str
    """For people."""


def from_paths(paths: Sequence[str | Path], reader: Reader | None = None) -> Source:
    """Candles of files and of all files in folders (not of folders inside them).

    Args:
        paths: files, folders, or "qlib:FOLDER".
        reader: reads one file; None = the plain schema.

    Raises:
        DataError: there is nothing to read there.
    """
    files: list[Path] = []
    providers = [str(path).removeprefix(QLIB) for path in paths if str(path).startswith(QLIB)]
    for path in (Path(path).expanduser() for path in paths if not str(path).startswith(QLIB)):
        files += _files_of(path, any_suffix=reader is not None)
    if not files and not providers:
        raise DataError("no candles were named. Give data.path: files or folders of CSV, Parquet or Feather.")
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{_digest_of(file)}\0".encode())
    for provider in providers:
        digest.update(f"{provider}\0{Path(provider).expanduser().stat().st_mtime_ns}\0".encode())

    def read() -> Iterator[SymbolCandles]:
        for file in files:
            group = file.stem.lower() if _GROUP.fullmatch(file.stem) else file.stem
            for symbol, frame in (reader or read_plain)(file):
                if len(frame):
                    yield checked(frame, group, symbol)
        for provider in providers:
            from engine.finetune.data import qlib  # it builds on this module

            yield from qlib.read(provider)

    return Source(digest.hexdigest(), read, ", ".join(map(str, paths)))


def from_frame(frame: pd.DataFrame, group: str = "candles", symbol: str = "candles") -> Source:
    """Candles of one frame of the plain schema; bar times in a column or in the index, symbols in a column or none."""
    pairs = list(_split(frame, symbol))
    digest = hashlib.sha256()
    for name, one in pairs:
        digest.update(name.encode() + pd.util.hash_pandas_object(one, index=True).to_numpy().tobytes())
    return Source(digest.hexdigest(), lambda: (checked(one, group, name) for name, one in pairs if len(one)), "a frame")


def _files_of(path: Path, *, any_suffix: bool) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"there is no file or folder {path}. Give data.path: files or folders of candles.")
    found = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    kept = [file for file in found if any_suffix or file.suffix.lower() in SUFFIXES]
    if not kept:
        raise DataError(f"{path} holds no {', '.join(SUFFIXES)} files. Name a folder of candles, or a file.")
    return kept


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_plain(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Symbols and frames of one file of the plain schema.

    Raises:
        DataError: the file cannot be read, or has no bar times.
    """
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    try:
        frame = readers.get(path.suffix.lower(), pd.read_feather)(path)
    except (OSError, ValueError) as cause:  # pyarrow's and pandas' own errors are ValueErrors
        raise DataError(f"{path} could not be read: {cause}. CSV, Parquet and Feather are.") from cause
    yield from _split(frame, path.stem, str(path))


def _split(frame: pd.DataFrame, symbol: str, name: str = "the frame") -> Iterator[tuple[str, pd.DataFrame]]:
    frame = frame.rename(columns=lambda column: str(column).strip().lower())
    frame = frame.set_axis(_bar_times(frame, name), axis=0)
    if "symbol" not in frame.columns:
        yield symbol, frame
        return
    for key, rows in frame.groupby("symbol", sort=True, observed=True):
        yield str(key), rows


def _bar_times(frame: pd.DataFrame, name: str) -> pd.DatetimeIndex:
    """Bar times without a zone, in UTC where the file says which zone they are in."""
    column = next((c for c in _TIME_COLUMNS if c in frame.columns), None)
    if column is None and not isinstance(frame.index, pd.DatetimeIndex):
        raise DataError(
            f"{name} must have bar times in a column timestamp; it has: {', '.join(map(str, frame.columns))}."
        )
    stamps = frame.index if column is None else frame[column]
    try:
        if pd.api.types.is_numeric_dtype(stamps):
            unit = next(unit for least, unit in _EPOCH_UNITS if np.abs(np.asarray(stamps)).max(initial=0) >= least)
            times = pd.DatetimeIndex(pd.to_datetime(stamps, unit=unit))
        else:
            times = pd.DatetimeIndex(pd.to_datetime(stamps, format="ISO8601"))
    except (ValueError, TypeError) as cause:
        try:
            times = pd.DatetimeIndex(
                pd.to_datetime(stamps, format="ISO8601", utc=True)
            )  # offsets that change with daylight saving
        except (ValueError, TypeError):
            raise DataError(
                f"the bar times of {name} could not be read: {cause}. Give them like 2024-07-01 16:30, or in "
                "seconds or milliseconds since 1970."
            ) from cause
    return times if times.tz is None else times.tz_convert("UTC").tz_localize(None)


def checked(frame: pd.DataFrame, group: str, symbol: str) -> SymbolCandles:
    """One symbol's frame, indexed by bar time, in order and checked.

    Raises:
        DataError: prices are missing, not finite or not above zero.
    """
    name = f"{symbol} of {group}"
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.hasnans:
        raise DataError(f"every candle of {name} needs a bar time; the index is {index.dtype}, or has empty times.")
    index = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
    seconds = index.to_numpy().astype("datetime64[s]").astype(np.int64)
    order = np.argsort(seconds, kind="stable")
    order = order[np.append(np.diff(seconds[order]) > 0, True)] if len(order) else order  # the last of equal times
    notes = (
        []
        if len(order) == len(frame)
        else [f"{name}: {len(frame) - len(order)} candles come twice; the later one stays."]
    )
    kept = frame.iloc[order].copy()
    for column in ("volume", "amount"):
        if column in kept.columns and kept[column].isna().any():
            notes.append(f"{name}: {int(kept[column].isna().sum())} candles without {column}.")
            if column == "amount":
                kept = kept.drop(columns="amount")
            else:
                kept[column] = kept[column].fillna(0.0)
    try:
        values = candle_values(kept, name)
    except CandlesError as cause:
        raise DataError(str(cause)) from cause
    low = values[:, : len(PRICES)].min(axis=1)
    if (low <= 0).any():
        row = int(np.argmax(low <= 0))
        raise DataError(
            f"{name} must have prices above zero; the candle of {index[order][row]} has {low[row]:g}. Drop it."
        )
    return SymbolCandles(group, symbol, seconds[order], values, tuple(notes))
