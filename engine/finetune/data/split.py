"""The split in time into training, validation and test, and the windows of each part.

Each group has its own bounds in time, common to its symbols. Training candles end an embargo before the first
validation target. Contexts of validation windows may reach back, since the past is known; only targets count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from engine.finetune.config import DataConfig
from engine.finetune.data.mapped_candles import MappedCandles
from engine.finetune.errors import FinetuneConfigError, NoValidationError, TooFewCandlesError
from engine.messages import msg

__all__ = [
    "FOREVER",
    "Split",
    "SplitBounds",
    "TrainingRuns",
    "WindowRef",
    "disjoint_windows",
    "make_split",
    "require_validation_windows",
    "sample_windows",
    "training_runs",
    "windows_since",
]

FOREVER = 2**62
"""A bar time later than any, seconds; as a bound: no limit."""
Subset = Literal["validation", "test"]


@dataclass(frozen=True)
class SplitBounds:
    """Bounds of one group: bar times in seconds. Ends are exclusive."""

    train_end: int
    validation_start: int
    validation_end: int
    test_start: int


@dataclass(frozen=True)
class WindowRef:
    """One window: rows ``first_row`` .. ``first_row + context + horizon - 1`` of a series."""

    series_index: int
    first_row: int


@dataclass(frozen=True)
class Split:
    """The bounds of every group, and the symbols excluded from training."""

    bounds: dict[str, SplitBounds]
    holdout_symbols: frozenset[str]

    def to_dict(self) -> dict[str, dict[str, int]]:
        """The bounds as plain values, for ``run.json``."""
        return {group: asdict(bounds) for group, bounds in self.bounds.items()}

    def windows(self, candles: MappedCandles, subset: Subset, context: int, horizon: int) -> list[WindowRef]:
        """Every window whose targets lie in a part; targets of one series do not overlap."""
        windows = []
        for index, series in enumerate(candles.series):
            if self.holdout_symbols and series.symbol not in self.holdout_symbols:
                continue
            bounds = self.bounds[series.group]
            start, end = bounds.test_start, FOREVER
            if subset == "validation":
                start, end = bounds.validation_start, bounds.validation_end
            windows += disjoint_windows(candles, index, start, end, context, horizon)
        return windows


def disjoint_windows(
    candles: MappedCandles, series_index: int, start: int, end: int, context: int, horizon: int
) -> list[WindowRef]:
    """Windows of a series whose targets lie from ``start`` to before ``end`` and do not overlap."""
    windows = []
    for first_row, end_row in candles.contiguous_runs(series_index):
        low, high = first_row + np.searchsorted(candles.times[first_row:end_row], (start, end))
        target_rows = range(max(int(low), first_row + context), int(high) - horizon + 1, horizon)
        windows += [WindowRef(series_index, row - context) for row in target_rows]
    return windows


def make_split(candles: MappedCandles, config: DataConfig) -> Split:
    """Split the time range of every group.

    Raises:
        FinetuneConfigError: a date cannot be parsed, or a symbol to hold out does not exist.
    """
    unknown = set(config.holdout_symbols) - {series.symbol for series in candles.series}
    if unknown:
        raise FinetuneConfigError(
            msg(
                "data.holdout_symbols contains {unknown}; the candles have no such symbol.",
                unknown=", ".join(sorted(unknown)),
            )
        )
    bounds = {}
    for group in dict.fromkeys(series.group for series in candles.series):
        members = [series for series in candles.series if series.group == group]
        times = np.unique(
            np.concatenate([candles.times[one.first_row : one.first_row + one.num_rows] for one in members])
        )
        starts = [one.validation_start for one in members if one.validation_start is not None]
        bounds[group] = _split_times(times, min(starts, default=None), config)
    return Split(bounds, frozenset(config.holdout_symbols))


def _split_times(times: np.ndarray, validation_start: int | None, config: DataConfig) -> SplitBounds:
    """Bounds on the bar times [K] of one group; ``validation_start`` is that of its separate validation candles."""
    start = _parse_date(config.validation_start, "validation_start") or validation_start
    test = _parse_date(config.test_start, "test_start")
    embargo, count = config.embargo_length, len(times)
    fractions = config.validation_fraction + config.test_fraction
    if start is None and config.validation:
        return SplitBounds(FOREVER, FOREVER, FOREVER, FOREVER)  # no validation candles in this group: train on all
    if start is None:
        usable = count - embargo * (1 + bool(config.test_fraction))
        num_trained = round(usable * (1 - fractions))
        if usable <= 0 or num_trained <= 0:
            return SplitBounds(-FOREVER, FOREVER, FOREVER, FOREVER)
        position, train_end = num_trained + embargo, _time_at(times, num_trained)
    else:
        position = int(np.searchsorted(times, start))
        train_end = _time_at(times, max(position - embargo, 0)) if position else -FOREVER
    if test is not None:
        end = int(np.searchsorted(times, test))
        return SplitBounds(train_end, _time_at(times, position), _time_at(times, max(end - embargo, position)), test)
    remaining = count - position - embargo
    if config.test_fraction == 0 or remaining <= 0:
        return SplitBounds(train_end, _time_at(times, position), FOREVER, FOREVER)
    end = position + round(remaining * config.validation_fraction / fractions)
    return SplitBounds(train_end, _time_at(times, position), _time_at(times, end), _time_at(times, end + embargo))


def _time_at(times: np.ndarray, position: int) -> int:
    return int(times[position]) if position < len(times) else FOREVER


def _parse_date(date: str | None, name: str) -> int | None:
    if date is None:
        return None
    try:
        stamp = pd.Timestamp(date)
    except ValueError as cause:
        raise FinetuneConfigError(
            msg('data.{name} must be a date like "2024-07-01"; got "{date}".', name=name, date=date)
        ) from cause
    return int(stamp.timestamp())


@dataclass(frozen=True)
class TrainingRuns:
    """Rows at which training windows may start: one entry per contiguous run, S in all."""

    first_rows: np.ndarray
    """int64 [S]"""
    num_windows: np.ndarray
    """Windows that start in the run, one per row; int64 [S]."""
    group_ids: np.ndarray
    """Index into ``groups``, int64 [S]."""
    groups: tuple[str, ...]


def training_runs(candles: MappedCandles, split: Split, window_length: int) -> TrainingRuns:
    """Every contiguous run of training candles that holds a window.

    Raises:
        TooFewCandlesError: there is none.
    """
    runs, groups, longest = [], sorted({series.group for series in candles.series}), 0
    for index, series in enumerate(candles.series):
        if series.symbol in split.holdout_symbols:
            continue
        train_end = split.bounds[series.group].train_end
        for first_row, end_row in candles.contiguous_runs(index):
            length = int(np.searchsorted(candles.times[first_row:end_row], train_end))
            longest = max(longest, length)
            if length >= window_length:
                runs.append((first_row, length - window_length + 1, groups.index(series.group)))
    if not runs:
        raise TooFewCandlesError(
            msg(
                "a window needs {window_length} candles without a long gap (data.context + data.horizon); the "
                "longest training segment has {longest} of {count:,} candles, after validation, test and the "
                "embargoes between them. Load more history, or lower data.context, data.horizon or "
                "data.embargo.",
                window_length=window_length,
                longest=longest,
                count=len(candles.times),
            )
        )
    first_rows, num_windows, group_ids = np.array(runs, dtype=np.int64).T
    return TrainingRuns(first_rows, num_windows, group_ids, tuple(groups))


def windows_since(candles: MappedCandles, starts: Mapping[str, int], context: int, horizon: int) -> list[WindowRef]:
    """Windows of every series whose targets lie from its group's start (seconds) on and do not overlap.

    Groups without a start count whole.
    """
    windows = []
    for index, series in enumerate(candles.series):
        start = starts.get(series.group, -FOREVER)
        windows += disjoint_windows(candles, index, start, FOREVER, context, horizon)
    return windows


def sample_windows(candles: MappedCandles, windows: list[WindowRef], max_windows: int, seed: int) -> list[WindowRef]:
    """At most ``max_windows`` windows, taken from the groups in turn; the same for the same seed."""
    rng = np.random.default_rng(seed)
    queues: dict[str, list[WindowRef]] = {}
    for window in windows:
        queues.setdefault(candles.series[window.series_index].group, []).append(window)
    for queue in queues.values():
        rng.shuffle(queue)
    longest = max(map(len, queues.values()), default=0)
    interleaved = [queue[turn] for turn in range(longest) for queue in queues.values() if turn < len(queue)]
    return interleaved[:max_windows]


def require_validation_windows(windows: list[WindowRef], config: DataConfig) -> None:
    """Refuse to train without validation windows: the loss over none of them would look like the best.

    Raises:
        NoValidationError: there is no window.
    """
    if not windows:
        raise NoValidationError(
            msg(
                "no window remains for validation: its {horizon} targets must be in the validation set, after "
                "a context of {context}. Raise data.validation_fraction, load more history, or lower "
                "data.horizon, data.context or data.embargo.",
                horizon=config.horizon,
                context=config.context,
            )
        )
