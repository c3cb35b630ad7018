"""Which bar times are trained on, which validate, and which stay untouched; and the windows of the last two.

Each group has its own bounds in time, common to its symbols. Training candles end an embargo before the first
validation target; contexts of validation windows may reach back, since the past is known, but only targets count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from engine.errors import NoValidation, SettingsError, TooFewCandles
from engine.finetune.config import DataConfig
from engine.finetune.data.mapped_candles import CandleStore

__all__ = [
    "Bounds",
    "Place",
    "Split",
    "TrainRows",
    "choose",
    "make_split",
    "require_validation",
    "targets",
    "targets_since",
    "train_rows",
]

FOREVER = 2**62
Part = Literal["validation", "test"]


@dataclass(frozen=True)
class Bounds:
    """Of one group; bar times in seconds. Training ends before ``train_until``; a part's end is not in it."""

    train_until: int
    validate_from: int
    validate_until: int
    test_from: int


@dataclass(frozen=True)
class Place:
    """Where one window lies in the store: rows ``first`` .. ``first + context + horizon - 1`` of series ``series``."""

    series: int
    first: int


@dataclass(frozen=True)
class Split:
    """The bounds of every group, and the symbols kept out of training."""

    bounds: dict[str, Bounds]
    held_out: frozenset[str]

    def to_dict(self) -> dict[str, dict[str, int]]:
        """The bounds as plain values, as ``compare`` reads them back."""
        return {group: asdict(one) for group, one in self.bounds.items()}

    def places(self, store: CandleStore, part: Part, context: int, horizon: int) -> list[Place]:
        """Every window of a part whose targets lie in it; targets of one series do not overlap."""
        found = []
        for number, one in enumerate(store.series):
            bounds = self.bounds[one.group]
            since, until = (
                (bounds.validate_from, bounds.validate_until) if part == "validation" else (bounds.test_from, FOREVER)
            )
            if not self.held_out or one.symbol in self.held_out:
                found += targets(store, number, since, until, context, horizon)
        return found


def targets(store: CandleStore, number: int, since: int, until: int, context: int, horizon: int) -> list[Place]:
    """Windows of series ``number`` whose targets lie from ``since`` to before ``until`` and do not overlap."""
    found = []
    for first, end in store.stretches(number):
        begin, stop = first + np.searchsorted(store.times[first:end], (since, until))
        cuts = range(max(int(begin), first + context), int(stop) - horizon + 1, horizon)
        found += [Place(number, cut - context) for cut in cuts]
    return found


def make_split(store: CandleStore, config: DataConfig) -> Split:
    """Bounds for every group of ``store``.

    Raises:
        TooFewCandles: the parts and their embargoes do not fit in any group.
        SettingsError: a date cannot be read, or a symbol to hold out is not there.
    """
    unknown = set(config.held_out_symbols) - {one.symbol for one in store.series}
    if unknown:
        raise SettingsError(
            f"data.held_out_symbols names {', '.join(sorted(unknown))}; the candles have no such symbol."
        )
    groups: dict[str, list[int]] = {}
    for number, one in enumerate(store.series):
        groups.setdefault(one.group, []).append(number)
    bounds = {}
    for group, numbers in groups.items():
        parts = [store.series[n] for n in numbers]
        times = np.unique(np.concatenate([store.times[p.first : p.first + p.length] for p in parts]))
        later = [p.later_from for p in parts if p.later_from is not None]
        bounds[group] = _divide(times, min(later) if later else None, bool(config.validation_path), config)
    return Split(bounds, frozenset(config.held_out_symbols))


def _divide(times: np.ndarray, later_from: int | None, has_later: bool, config: DataConfig) -> Bounds:
    """Bounds on the bar times [K] of one group."""
    validate = _seconds(config.validation_from, "validation_from") or later_from
    test = _seconds(config.test_from, "test_from")
    gap, count = config.gap, len(times)
    if validate is None and has_later:
        return Bounds(FOREVER, FOREVER, FOREVER, FOREVER)  # nothing later of this group: all of it is trained on
    if validate is None:
        usable = count - gap * (1 + bool(config.test_share))
        trained = round(usable * (1 - config.validation_share - config.test_share))
        if usable <= 0 or trained <= 0:
            return Bounds(-FOREVER, FOREVER, FOREVER, FOREVER)
        begin, train_until = trained + gap, _at(times, trained)
    else:
        begin = int(np.searchsorted(times, validate))
        train_until = _at(times, max(begin - gap, 0)) if begin else -FOREVER
    if test is None:
        left = count - begin - gap
        share = config.validation_share + config.test_share
        if config.test_share == 0 or left <= 0:
            return Bounds(train_until, _at(times, begin), FOREVER, FOREVER)
        end = begin + round(left * config.validation_share / share)
        return Bounds(train_until, _at(times, begin), _at(times, end), _at(times, end + gap))
    end = int(np.searchsorted(times, test))
    return Bounds(train_until, _at(times, begin), _at(times, max(end - gap, begin)), test)


def _at(times: np.ndarray, position: int) -> int:
    return int(times[position]) if position < len(times) else FOREVER


def _seconds(date: str | None, name: str) -> int | None:
    if date is None:
        return None
    try:
        stamp = pd.Timestamp(date)
    except ValueError as cause:
        raise SettingsError(f'data.{name} must be a date like "2024-07-01"; got "{date}".') from cause
    return int(stamp.timestamp())


@dataclass(frozen=True)
class TrainRows:
    """Where training windows may begin: one entry per stretch, S in all."""

    first: np.ndarray
    """First row, int64 [S]."""
    room: np.ndarray
    """Windows that begin in the stretch, int64 [S]."""
    group: np.ndarray
    """Number of its group, int64 [S]."""
    groups: tuple[str, ...]


def train_rows(store: CandleStore, split: Split, window: int) -> TrainRows:
    """Every stretch of training candles that holds a window.

    Raises:
        TooFewCandles: none does.
    """
    found, names, longest = [], sorted({one.group for one in store.series}), 0
    for number, one in enumerate(store.series):
        if one.symbol in split.held_out:
            continue
        until = split.bounds[one.group].train_until
        for first, end in store.stretches(number):
            length = int(np.searchsorted(store.times[first:end], until))
            longest = max(longest, length)
            if length >= window:
                found.append((first, length - window + 1, names.index(one.group)))
    if not found:
        raise TooFewCandles(
            f"a window takes {window} candles without a long break (data.context + data.horizon); the longest run to "
            f"train on has {longest}, of {len(store.times):,} candles in all, after validation, test and the embargoes "
            "between them. Load more history, or lower data.context, data.horizon or data.embargo."
        )
    first, room, group = np.array(found, dtype=np.int64).T
    return TrainRows(first, room, group, tuple(names))


def targets_since(store: CandleStore, since: Mapping[str, int], context: int, horizon: int) -> list[Place]:
    """Windows of every series whose targets do not overlap and come from ``since`` on: seconds by group; else any."""
    found = []
    for number, one in enumerate(store.series):
        found += targets(store, number, since.get(one.group, -FOREVER), FOREVER, context, horizon)
    return found


def choose(store: CandleStore, places: list[Place], most: int, seed: int) -> list[Place]:
    """At most ``most`` windows, taken from the groups in turn; the same for the same seed."""
    rng = np.random.default_rng(seed)
    queues: dict[str, list[Place]] = {}
    for place in places:
        queues.setdefault(store.series[place.series].group, []).append(place)
    for queue in queues.values():
        rng.shuffle(queue)
    turns = [
        queue[i]
        for i in range(max(map(len, queues.values()), default=0))
        for queue in queues.values()
        if i < len(queue)
    ]
    return turns[:most]


def require_validation(places: list[Place], config: DataConfig) -> None:
    """Refuse to train without anything to validate on: a loss over nothing would look like the best.

    Raises:
        NoValidation: there is no window.
    """
    if not places:
        raise NoValidation(
            f"no window is left to validate on: its {config.horizon} targets must lie in the validation part, after a "
            f"context of {config.context}. Raise data.validation_share, load more history, or lower data.horizon, "
            "data.context or data.embargo."
        )
