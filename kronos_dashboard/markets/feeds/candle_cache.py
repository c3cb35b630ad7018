"""Cache of fetched candles on disk: one Parquet file per series, written atomically, bounded, safe to share.

A file holds the six columns and the UTC bar times in ns; its metadata hold the ``SeriesKey``, the ``SeriesInfo`` and
the fingerprint of the candles. A file that contradicts its metadata is corrupt.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.files import PART_SUFFIX, atomic_write
from kronos_dashboard.errors import FeedError, InvalidCandlesError
from kronos_dashboard.markets.candles import COLUMNS, CandleFrame
from kronos_dashboard.markets.feeds.base import SeriesInfo
from kronos_dashboard.messages import Message, msg

__all__ = ["CachedSeries", "CandleCache", "CorruptCacheError", "SeriesKey"]

_VERSION = 1
_FORMER_INFO_KEYS = {"stamped": "timestamp_at", "limits": "history_note"}
"""Fields of ``SeriesInfo`` under the names that older cache files use."""
_METADATA_KEY = b"kronos_candles"
_NUM_LOCKS = 64
"""Lock files in total. Series share them, so their number stays bounded however many series there are."""
_LEFTOVER_MAX_AGE_S = 86_400.0
"""Temporary files of interrupted writes are removed after a day: no write takes that long."""


@dataclass(frozen=True, kw_only=True)
class SeriesKey:
    """Identity of a series."""

    feed: str
    exchange: str
    symbol: str
    interval: str
    adjusted: bool

    @property
    def file_name(self) -> str:
        """File name that is valid on every system for any symbol: a readable part, and a hash of all fields."""
        text = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:20]
        readable = "-".join((self.feed, self.exchange, self.symbol, self.interval))
        return f"{re.sub(r'[^A-Za-z0-9]+', '-', readable).strip('-')[:60]}-{digest}.parquet"


@dataclass(frozen=True, kw_only=True)
class CachedSeries:
    """A series and the span that it covers."""

    candles: CandleFrame
    info: SeriesInfo
    fetched_at: pd.Timestamp
    """Time of the last request to the feed (UTC)."""
    covered_start: pd.Timestamp
    """First bar time from which no bar is missing ..."""
    covered_end: pd.Timestamp
    """... up to and including this one."""


class CorruptCacheError(FeedError):
    """A cache file cannot be used."""


class CandleCache:
    """Cached series in one folder.

    Args:
        folder: created on the first write.
        max_bytes: size from which the least recently used series are removed.
        lock_timeout_s: how long to wait for another session that uses the same series.
    """

    def __init__(self, folder: Path, max_bytes: int, lock_timeout_s: float = 120.0) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._timeout_s = lock_timeout_s

    def path(self, key: SeriesKey) -> Path:
        """File of the series."""
        return self.folder / key.file_name

    @contextlib.contextmanager
    def lock(self, key: SeriesKey) -> Iterator[bool]:
        """Lock the series against other sessions and processes; yields False when the lock was not acquired in time."""
        shard = int(hashlib.sha256(key.file_name.encode()).hexdigest()[:8], 16) % _NUM_LOCKS
        try:
            folder = self.folder / "locks"
            folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(folder / f"{shard:02d}.lock", timeout=self._timeout_s)
            lock.acquire()
        except (filelock.Timeout, OSError, NotImplementedError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def read(self, key: SeriesKey) -> CachedSeries | None:
        """The series; None when it is not cached.

        Raises:
            CorruptCacheError: the file cannot be used.
        """
        path = self.path(key)
        if not path.is_file():
            return None
        try:
            table = pq.read_table(path, page_checksum_verification=True, use_threads=False, memory_map=False)
            cached = _from_table(table, key)
            os.utime(path)
        except (pa.ArrowException, InvalidCandlesError, OSError, KeyError, TypeError, ValueError) as error:
            raise CorruptCacheError(
                msg(
                    "the cached candles of {symbol} cannot be read ({type}).",
                    symbol=key.symbol,
                    type=type(error).__name__,
                )
            ) from error
        return cached

    def write(self, key: SeriesKey, cached: CachedSeries) -> None:
        """Store the series, then remove others until the cache fits its bound.

        Raises:
            OSError: the disk is full, or the folder is not writable.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        sink = pa.BufferOutputStream()
        pq.write_table(_to_table(key, cached), sink, compression="zstd", write_page_checksum=True)
        atomic_write(self.path(key), sink.getvalue().to_pybytes())
        self._evict(self.path(key))

    def remove(self, key: SeriesKey) -> None:
        """Remove the series."""
        with contextlib.suppress(OSError):
            self.path(key).unlink(missing_ok=True)

    def _evict(self, current: Path) -> None:
        """Remove leftovers of interrupted writes, then the least recently used series until the rest fits."""
        now, files = time.time(), []
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):  # another session may remove it at the same time
                status = path.stat()
                if path.name.endswith(PART_SUFFIX) and now - status.st_mtime > _LEFTOVER_MAX_AGE_S:
                    path.unlink()
                elif path.suffix == ".parquet":
                    files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._max_bytes:
                return
            if path != current:
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size


def _to_table(key: SeriesKey, cached: CachedSeries) -> pa.Table:
    candles = cached.candles
    metadata = {
        "version": _VERSION,
        "key": asdict(key),
        "info": asdict(cached.info) | {"history_note": _pack(cached.info.history_note)},
        "interval_ns": candles.interval.value,
        "has_volume": candles.has_volume,
        "has_amount": candles.has_amount,
        "fetched_at": cached.fetched_at.isoformat(),
        "covered_start": cached.covered_start.isoformat(),
        "covered_end": cached.covered_end.isoformat(),
        "fingerprint": candles.fingerprint,
    }
    columns = {"time": candles.index.as_unit("ns").asi8} | {name: candles.frame[name].to_numpy() for name in COLUMNS}
    return pa.table(columns).replace_schema_metadata({_METADATA_KEY: json.dumps(metadata).encode()})


def _pack(text: str) -> str | list[Any]:
    """A message as its template and values, so that it can still be translated when it is read again."""
    return [text.template, dict(text.values)] if isinstance(text, Message) else text


def _unpack(packed: str | list[Any]) -> str:
    return packed if isinstance(packed, str) else Message(*packed)


def _from_table(table: pa.Table, key: SeriesKey) -> CachedSeries:
    """Read a table that ``_to_table`` made.

    Raises:
        ValueError, KeyError, TypeError, InvalidCandlesError: the table contradicts its metadata or the key.
    """
    metadata: dict[str, Any] = json.loads((table.schema.metadata or {})[_METADATA_KEY])
    if metadata["version"] != _VERSION or metadata["key"] != asdict(key):
        raise ValueError("another version, or another series")
    index = pd.DatetimeIndex(table["time"].to_numpy(), tz="UTC")
    fields = metadata["info"] if "info" in metadata else metadata["origin"]
    fields = {_FORMER_INFO_KEYS.get(name, name): value for name, value in fields.items()}
    info = SeriesInfo(**fields | {"history_note": _unpack(fields["history_note"])})
    candles = CandleFrame(
        frame=pd.DataFrame({name: table[name].to_numpy() for name in COLUMNS}, index=index),
        symbol=info.symbol,
        interval=pd.Timedelta(metadata["interval_ns"], unit="ns"),
        session_tz=info.session_tz,
        timestamp_at=info.timestamp_at,
        source=info.source,
        has_volume=metadata["has_volume"],
        has_amount=metadata["has_amount"],
    )
    if not len(candles) or candles.fingerprint != metadata["fingerprint"]:
        raise ValueError("no candles, or others than were written")
    times = {name: pd.Timestamp(metadata[name]) for name in ("fetched_at", "covered_start", "covered_end")}
    if any(value.tz is None for value in times.values()):
        raise ValueError("a time without a zone")
    return CachedSeries(candles=candles, info=info, **times)
