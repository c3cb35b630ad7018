"""All candles of a run in a few arrays on disk, mapped and so shared by all processes.

Legend: R rows (candles) of all series one after another. A *series* is one symbol of one group; a *stretch* is a run of
its rows without a gap longer than a normal session break. The folder's name is the digest of what went in, so that the
same candles are written once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from engine.errors import ConstantPrices, DataError
from engine.features import time_features
from engine.finetune.config import DataConfig
from engine.finetune.data.symbol_candles import Source, SymbolCandles

__all__ = ["CandleStore", "SeriesRows", "longest_break_s", "make_store"]

HOUR, DAY = 3600, 86_400
_ARRAYS = ("values", "times", "clock", "session_clock")
_VERSION = 1


@dataclass(frozen=True)
class SeriesRows:
    """Where one symbol's candles lie in the arrays."""

    group: str
    symbol: str
    first: int
    """Its first row."""
    length: int
    """Its rows."""
    later_from: int | None
    """Bar time (seconds) from which its rows come from ``validation_path``; None = none do."""
    zone: str | None
    """Its session clock, where it has one of its own."""


@dataclass(frozen=True)
class CandleStore:
    """Mapped arrays and what they hold."""

    folder: Path
    series: tuple[SeriesRows, ...]
    values: np.ndarray
    """float64 [R, 6]"""
    times: np.ndarray
    """int64 [R], seconds since 1970, UTC."""
    clock: np.ndarray
    """Time features in UTC (or as the file has them), int8 [R, 5]."""
    session_clock: np.ndarray
    """Time features on the session clock, int8 [R, 5]; the same where a series has none."""
    notes: tuple[str, ...]
    longest_break_hours: float | None

    @property
    def digest(self) -> str:
        """Of the candles, and of the settings that shape the arrays."""
        return self.folder.name

    def stretches(self, number: int) -> list[tuple[int, int]]:
        """First row and row after the last of every gapless run of series ``number``."""
        one = self.series[number]
        times = np.asarray(self.times[one.first : one.first + one.length])
        limit = longest_break_s(times, self.longest_break_hours)
        breaks = np.flatnonzero(np.diff(times) > limit) + 1
        edges = [0, *breaks.tolist(), one.length]
        return [(one.first + a, one.first + b) for a, b in itertools.pairwise(edges)]

    def frame(self, first: int, end: int, zone: str | None = None) -> pd.DataFrame:
        """Rows ``first`` .. ``end - 1`` as the predictor reads them, on the clock of ``zone``."""
        index = pd.DatetimeIndex(np.asarray(self.times[first:end]).astype("datetime64[s]"))
        index = index if zone is None else index.tz_localize("UTC").tz_convert(zone)
        columns = ["open", "high", "low", "close", "volume", "amount"]
        return pd.DataFrame(np.asarray(self.values[first:end]), index=index, columns=columns)


def longest_break_s(times: np.ndarray, hours: float | None = None) -> float:
    """The longest normal session break of a series with bar times in seconds [R]; seconds.

    Daily bars: 12 days (the longest public holidays); longer bars: three of them. Intraday: a long weekend of 4.5 days,
    or a day where bars come on weekends too (a market that never closes has no breaks, only outages).
    """
    if hours is not None:
        return hours * HOUR
    if len(times) < 2:
        return float(DAY)
    interval = float(np.median(np.diff(times)))
    if interval > 0.9 * DAY:
        return max(12.0 * DAY, 3 * interval)
    weekend = ((times // DAY + 3) % 7 >= 5).mean()  # day 0 was a Thursday; Monday is 0 here
    return float(DAY) if weekend > 0.2 else 4.5 * DAY


def make_store(source: Source, later: Source | None, config: DataConfig, cache: Path) -> CandleStore:
    """Read ``source`` (and ``later`` candles to validate on) into ``cache``, or map what lies there already.

    Raises:
        DataError: candles cannot be read or trained on.
        ConstantPrices: no symbol's price ever moves.
    """
    key = json.dumps(
        [_VERSION, source.digest, later.digest if later else "", dict(sorted(config.session_clocks.items()))]
    )
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not (folder / "series.json").is_file():
        beside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
        beside.mkdir(parents=True)
        try:
            _write(beside, source, later, config)
            if not folder.exists():
                beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return open_store(folder, config)


def open_store(folder: Path, config: DataConfig) -> CandleStore:
    """Map the arrays of a folder that ``make_store`` wrote."""
    held = json.loads((folder / "series.json").read_text(encoding="utf-8"))
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
    series = tuple(SeriesRows(**one) for one in held["series"])
    return CandleStore(
        folder, series, **arrays, notes=tuple(held["notes"]), longest_break_hours=config.longest_break_hours
    )


def _joined(source: Source, later: Source | None) -> tuple[list[SymbolCandles], dict[tuple[str, str], int]]:
    """Every series once, later candles appended; and from which bar time on those are."""
    found: dict[tuple[str, str], SymbolCandles] = {}
    for one in source.read():
        key = (one.group, one.symbol)
        found[key] = _after(found[key], one) if key in found else one
    since: dict[tuple[str, str], int] = {}
    for one in later.read() if later else ():
        if len(one.times):
            key = (one.group, one.symbol)
            since[key] = int(one.times[0])
            found[key] = _after(found[key], one) if key in found else one
    return list(found.values()), since


def _after(before: SymbolCandles, after: SymbolCandles) -> SymbolCandles:
    """Two parts of one series; where they overlap, the second's candles stay."""
    if not len(after.times):
        return before
    kept = before.times < after.times[0]
    times, values = (
        np.concatenate((before.times[kept], after.times)),
        np.concatenate((before.values[kept], after.values)),
    )
    return SymbolCandles(before.group, before.symbol, times, values, before.notes + after.notes)


def _write(folder: Path, source: Source, later: Source | None, config: DataConfig) -> None:
    found, since = _joined(source, later)
    notes = [note for one in found for note in one.notes]
    still = [one for one in found if len(one.values) and not _moves(one)]
    moving = [one for one in found if len(one.values) and _moves(one)]
    if still and not moving:
        names = ", ".join(one.symbol for one in still[:5])
        raise ConstantPrices(
            f"the price of {names} never moves, so there is nothing to learn. Give another file, or drop it."
        )
    if not moving:
        raise DataError(f"there are no candles in {source.label}. Give files with rows in them.")
    notes += [f"{one.symbol} of {one.group} is left out: its price never moves." for one in still]
    rows, series = 0, []
    for one in moving:
        zone = config.session_clocks.get(one.market, config.session_clocks.get("*"))
        zone = zone if _is_intraday(one.times) else None
        series.append(SeriesRows(one.group, one.symbol, rows, len(one.times), since.get((one.group, one.symbol)), zone))
        rows += len(one.times)
    clocks = [_clocks(one.times, part.zone) for one, part in zip(moving, series, strict=True)]
    np.save(folder / "values.npy", np.concatenate([one.values for one in moving]))
    np.save(folder / "times.npy", np.concatenate([one.times for one in moving]))
    np.save(folder / "clock.npy", np.concatenate([utc for utc, _ in clocks]))
    np.save(folder / "session_clock.npy", np.concatenate([local for _, local in clocks]))
    held = {"series": [asdict(one) for one in series], "notes": notes}
    (folder / "series.json").write_text(json.dumps(held), encoding="utf-8")


def _moves(one: SymbolCandles) -> bool:
    return bool((one.values[:, :4] != one.values[0, 0]).any())


def _is_intraday(times: np.ndarray) -> bool:
    return len(times) > 1 and float(np.median(np.diff(times))) < 0.9 * DAY


def _clocks(times: np.ndarray, zone: str | None) -> tuple[np.ndarray, np.ndarray]:
    index = pd.DatetimeIndex(times.astype("datetime64[s]"))
    utc = time_features(index).astype(np.int8)
    if zone is None:
        return utc, utc
    try:
        return utc, time_features(index.tz_localize("UTC").tz_convert(zone)).astype(np.int8)
    except (KeyError, ValueError, OSError) as cause:  # zoneinfo's errors
        raise DataError(f'"{zone}" is no time zone. Give data.session_clocks names like "America/New_York".') from cause
