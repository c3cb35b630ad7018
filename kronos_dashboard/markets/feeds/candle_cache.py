"""Fetched candles on disk: one Parquet file per series, whole or not there, bounded in all, for many sessions at once.

A file holds the six columns, the UTC bar times in ns, and as metadata what the series is (``SeriesKey``), what is known
about it and the fingerprint of its candles. What does not agree with itself counts as corrupt.
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

from kronos_dashboard.errors import CandleError, FeedError
from kronos_dashboard.files import PART, replace_file
from kronos_dashboard.markets.candles import COLUMNS, CandleFrame
from kronos_dashboard.markets.feeds.base import Origin

__all__ = ["CandleStore", "Corrupt", "Held", "SeriesKey"]

_VERSION = 1
_META = b"kronos_candles"
_LOCKS = 64
"""Lock files in all; series share them, so that their number stays bounded."""
_STALE_S = 86_400.0
"""What is left of a write that never ended is removed after a day."""


@dataclass(frozen=True, kw_only=True)
class SeriesKey:
    """What makes two series different."""

    feed: str
    exchange: str
    symbol: str
    interval: str
    adjusted: bool

    @property
    def file_name(self) -> str:
        """Safe on every system whatever the symbol: readable letters for people, a hash for the rest."""
        told = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(told.encode()).hexdigest()[:20]
        readable = "-".join((self.feed, self.exchange, self.symbol, self.interval))
        return f"{re.sub(r'[^A-Za-z0-9]+', '-', readable).strip('-')[:60]}-{digest}.parquet"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A series as it is kept."""

    candles: CandleFrame
    origin: Origin
    fetched_at: pd.Timestamp
    """When the feed was last asked (UTC)."""
    covered_start: pd.Timestamp
    """Nothing is missing among the bar times from here ..."""
    covered_end: pd.Timestamp
    """... to here."""


class Corrupt(FeedError):
    """A file of the cache cannot be used."""


class CandleStore:
    """Series in one folder.

    Args:
        folder: made when something is written.
        max_bytes: beyond it, the series that were not used for longest are removed.
        lock_timeout_s: how long to wait for another session that works on the same series.
    """

    def __init__(self, folder: Path, max_bytes: int, lock_timeout_s: float = 120.0) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._timeout_s = lock_timeout_s

    def path(self, key: SeriesKey) -> Path:
        """Where the series is kept."""
        return self.folder / key.file_name

    @contextlib.contextmanager
    def lock(self, key: SeriesKey) -> Iterator[bool]:
        """Keep other sessions and processes away from the series; yields False when it could not be had in time."""
        shard = int(hashlib.sha256(key.file_name.encode()).hexdigest()[:8], 16) % _LOCKS
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

    def read(self, key: SeriesKey) -> Held | None:
        """The series; None when it is not kept.

        Raises:
            Corrupt: there is a file that cannot be used.
        """
        path = self.path(key)
        if not path.is_file():
            return None
        try:
            table = pq.read_table(path, page_checksum_verification=True, use_threads=False, memory_map=False)
            held = _held(table, key)
            os.utime(path)
        except (pa.ArrowException, CandleError, OSError, KeyError, TypeError, ValueError) as error:
            raise Corrupt(f"the cached candles of {key.symbol} cannot be read ({type(error).__name__}).") from error
        return held

    def write(self, key: SeriesKey, held: Held) -> None:
        """Keep the series, and stay within the bound.

        Raises:
            OSError: the disk is full, or the folder may not be written to.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        sink = pa.BufferOutputStream()
        pq.write_table(_table(key, held), sink, compression="zstd", write_page_checksum=True)
        replace_file(self.path(key), sink.getvalue().to_pybytes())
        self._evict(self.path(key))

    def remove(self, key: SeriesKey) -> None:
        """Forget the series."""
        with contextlib.suppress(OSError):
            self.path(key).unlink(missing_ok=True)

    def _evict(self, kept: Path) -> None:
        """Remove leftovers of broken writes, then the series unused for longest until the rest fits."""
        now, files = time.time(), []
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):  # another session may remove it at the same time
                found = path.stat()
                if path.name.endswith(PART) and now - found.st_mtime > _STALE_S:
                    path.unlink()
                elif path.suffix == ".parquet":
                    files.append((found.st_mtime, found.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._max_bytes:
                return
            if path != kept:
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size


def _table(key: SeriesKey, held: Held) -> pa.Table:
    candles = held.candles
    told = {
        "version": _VERSION,
        "key": asdict(key),
        "origin": asdict(held.origin),
        "interval_ns": candles.interval.value,
        "has_volume": candles.has_volume,
        "has_amount": candles.has_amount,
        "fetched_at": held.fetched_at.isoformat(),
        "covered_start": held.covered_start.isoformat(),
        "covered_end": held.covered_end.isoformat(),
        "fingerprint": candles.fingerprint,
    }
    columns = {"time": candles.index.as_unit("ns").asi8} | {name: candles.frame[name].to_numpy() for name in COLUMNS}
    return pa.table(columns).replace_schema_metadata({_META: json.dumps(told).encode()})


def _held(table: pa.Table, key: SeriesKey) -> Held:
    """Raises ValueError (or KeyError, TypeError, CandleError) for what does not agree with itself or with the key."""
    told: dict[str, Any] = json.loads((table.schema.metadata or {})[_META])
    if told["version"] != _VERSION or told["key"] != asdict(key):
        raise ValueError("another version, or another series")
    index = pd.DatetimeIndex(table["time"].to_numpy(), tz="UTC")
    origin = Origin(**told["origin"])
    candles = CandleFrame(
        frame=pd.DataFrame({name: table[name].to_numpy() for name in COLUMNS}, index=index),
        symbol=origin.symbol,
        interval=pd.Timedelta(told["interval_ns"], unit="ns"),
        session_tz=origin.session_tz,
        stamped=origin.stamped,
        source=origin.source,
        has_volume=told["has_volume"],
        has_amount=told["has_amount"],
    )
    if not len(candles) or candles.fingerprint != told["fingerprint"]:
        raise ValueError("no candles, or others than were written")
    times = {name: pd.Timestamp(told[name]) for name in ("fetched_at", "covered_start", "covered_end")}
    if any(value.tz is None for value in times.values()):
        raise ValueError("a time without a zone")
    return Held(candles=candles, origin=origin, **times)
