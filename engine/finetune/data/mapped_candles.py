"""All candles of a run in a few memory-mapped arrays on disk, shared by all processes.

Shapes: R rows (candles) of all series, one after another. A *series* is one symbol of one group; a *run* of a series is
a range of rows without a gap longer than a normal session break. The folder is named by the digest of its inputs, so
that the same candles are written once.
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

from engine.features import time_features
from engine.finetune.config import DataConfig
from engine.finetune.data.readers import CandleSource
from engine.finetune.data.symbol_candles import SymbolCandles
from engine.finetune.errors import ConstantPricesError, DataError
from engine.finetune.legacy_keys import upgrade_series
from engine.messages import msg

__all__ = ["INDEX_FILE", "MappedCandles", "SeriesRows", "map_candles", "max_gap_s", "open_mapped_candles"]

HOUR, DAY = 3600, 86_400
INDEX_FILE = "series.json"
_ARRAY_FILES = {
    "values": "values.npy",
    "times": "times.npy",
    "time_features": "clock.npy",
    "session_time_features": "session_clock.npy",
}
_VERSION = 1
_DAILY = 0.9 * DAY
"""Shorter median intervals are intraday; the margin allows for days shortened by daylight saving."""


@dataclass(frozen=True)
class SeriesRows:
    """The rows of one symbol."""

    group: str
    symbol: str
    first_row: int
    num_rows: int
    validation_start: int | None
    """Bar time (seconds) from which the rows come from ``data.validation``; None = none do."""
    timezone: str | None
    """Its session time zone, if it has one."""


@dataclass(frozen=True)
class MappedCandles:
    """The mapped arrays and their index."""

    folder: Path
    series: tuple[SeriesRows, ...]
    values: np.ndarray
    """float64 [R, 6]"""
    times: np.ndarray
    """int64 [R], seconds since 1970, UTC."""
    time_features: np.ndarray
    """In UTC (or as in the file, if it states no offset), int8 [R, 5]."""
    session_time_features: np.ndarray
    """In the session time zone, int8 [R, 5]; the same for a series without one."""
    notes: tuple[str, ...]
    max_gap_hours: float | None

    @property
    def digest(self) -> str:
        """Identifies the candles and the settings that shape the arrays."""
        return self.folder.name

    def contiguous_runs(self, series_index: int) -> list[tuple[int, int]]:
        """First row and end row of every run of a series without a long gap."""
        series = self.series[series_index]
        times = np.asarray(self.times[series.first_row : series.first_row + series.num_rows])
        gaps = np.flatnonzero(np.diff(times) > max_gap_s(times, self.max_gap_hours)) + 1
        edges = [0, *gaps.tolist(), series.num_rows]
        return [(series.first_row + start, series.first_row + end) for start, end in itertools.pairwise(edges)]

    def frame(self, first: int, end: int, timezone: str | None = None) -> pd.DataFrame:
        """Rows ``first`` .. ``end - 1`` as the predictor reads them, with times in ``timezone``."""
        index = pd.DatetimeIndex(np.asarray(self.times[first:end]).astype("datetime64[s]"))
        index = index if timezone is None else index.tz_localize("UTC").tz_convert(timezone)
        columns = ["open", "high", "low", "close", "volume", "amount"]
        return pd.DataFrame(np.asarray(self.values[first:end]), index=index, columns=columns)


def max_gap_s(times: np.ndarray, hours: float | None = None) -> float:
    """The longest normal session break of a series with bar times [R] in seconds; seconds.

    Daily bars: 12 days, which covers the longest public holidays; longer intervals: three of them. Intraday: 4.5 days,
    a long weekend; one day if bars occur on weekends too (a market that never closes has only outages).
    """
    if hours is not None:
        return hours * HOUR
    if len(times) < 2:
        return float(DAY)
    interval = float(np.median(np.diff(times)))
    if interval > _DAILY:
        return max(12.0 * DAY, 3 * interval)
    weekend_fraction = ((times // DAY + 3) % 7 >= 5).mean()  # day 0 was a Thursday; Monday is 0 here
    # 2 of 7 days are weekend (0.29); a market with a short Sunday session stays below 0.2
    return float(DAY) if weekend_fraction > 0.2 else 4.5 * DAY


def map_candles(
    source: CandleSource, validation: CandleSource | None, config: DataConfig, cache_dir: Path
) -> MappedCandles:
    """Write the candles of ``source`` (and later ones for validation) to ``cache_dir``, unless they are there already.

    Raises:
        DataError: candles cannot be read or trained on.
        ConstantPricesError: no symbol's price ever changes.
    """
    key = json.dumps(
        [
            _VERSION,
            source.digest,
            validation.digest if validation else "",
            dict(sorted(config.session_timezones.items())),
        ]
    )
    folder = cache_dir / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not (folder / INDEX_FILE).is_file():
        temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
        temporary.mkdir(parents=True)
        try:
            _write(temporary, source, validation, config)
            if not folder.exists():
                temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return open_mapped_candles(folder, config)


def open_mapped_candles(folder: Path, config: DataConfig) -> MappedCandles:
    """Map the arrays of a folder that ``map_candles`` wrote."""
    index = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    return MappedCandles(
        folder,
        tuple(SeriesRows(**upgrade_series(one)) for one in index["series"]),
        **{name: np.load(folder / file, mmap_mode="r", allow_pickle=False) for name, file in _ARRAY_FILES.items()},
        notes=tuple(index["notes"]),
        max_gap_hours=config.max_gap_hours,
    )


def _merge(
    source: CandleSource, validation: CandleSource | None
) -> tuple[list[SymbolCandles], dict[tuple[str, str], int]]:
    """Every series once, validation candles appended; and the bar time at which those start."""
    series: dict[tuple[str, str], SymbolCandles] = {}
    for one in source.read():
        key = (one.group, one.symbol)
        series[key] = _append(series[key], one) if key in series else one
    starts: dict[tuple[str, str], int] = {}
    for one in validation.read() if validation else ():
        if len(one.times):
            key = (one.group, one.symbol)
            starts[key] = int(one.times[0])
            series[key] = _append(series[key], one) if key in series else one
    return list(series.values()), starts


def _append(earlier: SymbolCandles, later: SymbolCandles) -> SymbolCandles:
    """Two parts of one series; where they overlap, the candles of the second are used."""
    if not len(later.times):
        return earlier
    before = earlier.times < later.times[0]
    times = np.concatenate((earlier.times[before], later.times))
    values = np.concatenate((earlier.values[before], later.values))
    return SymbolCandles(earlier.group, earlier.symbol, times, values, earlier.notes + later.notes)


def _write(folder: Path, source: CandleSource, validation: CandleSource | None, config: DataConfig) -> None:
    candles, validation_starts = _merge(source, validation)
    notes = [note for one in candles for note in one.notes]
    constant = [one for one in candles if len(one.values) and _is_constant(one)]
    usable = [one for one in candles if len(one.values) and not _is_constant(one)]
    if constant and not usable:
        names = ", ".join(one.symbol for one in constant[:5])
        raise ConstantPricesError(
            msg(
                "the price of {names} never changes, so there is nothing to learn. Use another file, or drop it.",
                names=names,
            )
        )
    if not usable:
        raise DataError(msg("{label} contains no candles. Provide files with at least one row.", label=source.label))
    notes += [f"{one.symbol} of {one.group} is left out: its price never changes." for one in constant]
    num_rows, series = 0, []
    for one in usable:
        timezone = config.session_timezones.get(one.market, config.session_timezones.get("*"))
        timezone = timezone if _is_intraday(one.times) else None
        validation_start = validation_starts.get((one.group, one.symbol))
        series.append(SeriesRows(one.group, one.symbol, num_rows, len(one.times), validation_start, timezone))
        num_rows += len(one.times)
    features = [_time_features(one.times, rows.timezone) for one, rows in zip(usable, series, strict=True)]
    arrays = {
        "values": [one.values for one in usable],
        "times": [one.times for one in usable],
        "time_features": [utc for utc, _ in features],
        "session_time_features": [local for _, local in features],
    }
    for name, chunks in arrays.items():
        np.save(folder / _ARRAY_FILES[name], np.concatenate(chunks))
    index = {"series": [asdict(one) for one in series], "notes": notes}
    (folder / INDEX_FILE).write_text(json.dumps(index), encoding="utf-8")


def _is_constant(one: SymbolCandles) -> bool:
    return bool((one.values[:, :4] == one.values[0, 0]).all())


def _is_intraday(times: np.ndarray) -> bool:
    return len(times) > 1 and float(np.median(np.diff(times))) < _DAILY


def _time_features(times: np.ndarray, timezone: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Time features in UTC and in ``timezone``, int8 [R, 5] each."""
    index = pd.DatetimeIndex(times.astype("datetime64[s]"))
    utc = time_features(index).astype(np.int8)
    if timezone is None:
        return utc, utc
    try:
        return utc, time_features(index.tz_localize("UTC").tz_convert(timezone)).astype(np.int8)
    except (KeyError, ValueError, OSError) as cause:  # the errors of zoneinfo
        raise DataError(
            msg(
                '"{zone}" is not a time zone. Use names such as "America/New_York" in data.session_timezones.',
                zone=timezone,
            )
        ) from cause
