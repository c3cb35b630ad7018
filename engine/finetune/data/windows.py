"""Which windows make a step, and their tensors. Nothing here is random beyond the seed.

Windows are numbered 0, 1, 2, ... through the whole run; number, seed and data say which candles, where the cut is and
how they are altered. An optimizer step k of B windows takes the numbers k*B .. k*B + B - 1, whoever computes them. So
workers and processes never repeat a window, and a run that goes on after a stop sees what it would have seen.

Legend: b windows of a micro-batch, W candles per window, cut = length of the part that a window is normalised by.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from engine.errors import SettingsError
from engine.features import _SMALL_STD as SMALL_STD
from engine.features import CLIP, EPSILON
from engine.finetune.config import DataConfig
from engine.finetune.data.augmentation import directions, mirrored, reflected
from engine.finetune.data.mapped_candles import CandleStore
from engine.finetune.data.split import Place, TrainRows

__all__ = ["Batch", "Batches", "Draws", "Sharing", "epoch_plan", "fixed_batch", "inverted", "normalised", "place_batch"]

LEAST_EPOCH = 1024
NEAR_CONTEXT = (0.9, 1.1)
"""Half of the cuts lie within these multiples of the context, where forecasts are asked for."""


_NOTHING = torch.empty(0)


class Batch(NamedTuple):
    """One micro-batch, or some windows to validate on."""

    candles: Tensor
    """Normalised, float32 [b, W, 6]."""
    clock: Tensor
    """Time features, int64 [b, W, 5]."""
    cuts: Tensor
    """int64 [b]; targets from the cut on count."""
    weight: Tensor
    """Scalar: what its mean loss counts among the micro-batches of the step, whose weights average 1."""
    tokens: Tensor
    """Coarse and fine ids int64 [b, W, 2] where they were made before; else empty."""
    mirrored: Tensor = _NOTHING
    """Each candle had it gone the other way, normalised alike, float32 [b, W, 6], where that counts too; else empty."""


@dataclass(frozen=True)
class Draws:
    """The windows of one epoch in order, E of them, no two alike."""

    first: np.ndarray
    """First row, int64 [E]."""
    cut: np.ndarray
    """int64 [E]"""
    is_inverted: np.ndarray
    """bool [E]"""
    no_volume: np.ndarray
    """bool [E]"""
    on_session_clock: np.ndarray
    """bool [E]"""
    turning: np.ndarray
    """Seed of the bars at which a window turns round, int64 [E]; -1 = nowhere."""


@dataclass(frozen=True)
class Sharing:
    """How the B windows of a step are shared: by ``world`` processes, each in ``turns`` micro-batches."""

    batch: int
    """B"""
    world: int
    rank: int
    turns: int

    @classmethod
    def of(cls, batch: int, micro_batch: int, world: int, rank: int) -> Sharing:
        """The fewest turns of equal size that keep to ``micro_batch``.

        Raises:
            SettingsError: the windows cannot be shared evenly.
        """
        if batch % world:
            raise SettingsError(
                f"batch = {batch} windows cannot be shared evenly by {world} processes. Take a multiple of {world}, or "
                "other --processes."
            )
        own = batch // world
        turns = next(t for t in range(1, own + 1) if own % t == 0 and own // t <= micro_batch)
        return cls(batch, world, rank, turns)

    @property
    def size(self) -> int:
        """Windows in a micro-batch."""
        return self.batch // self.world // self.turns

    def numbers(self, micro_step: int) -> range:
        """The window numbers of this process's micro-batch ``micro_step`` (turns of step 0, then of step 1, ...)."""
        step, turn = divmod(micro_step, self.turns)
        begin = step * self.batch + (self.rank * self.turns + turn) * self.size
        return range(begin, begin + self.size)


def quotas(rows: TrainRows, config: DataConfig, window: int) -> tuple[np.ndarray, np.ndarray]:
    """How many windows of each group an epoch has, and how many there are; int64 [G] each."""
    there = np.bincount(rows.group, weights=rows.room, minlength=len(rows.groups)).astype(np.int64)
    candles = np.bincount(rows.group, weights=rows.room + window - 1, minlength=len(rows.groups))
    wanted = config.epoch_windows or max(LEAST_EPOCH, int(candles.sum()) // window)
    chances = np.where(there > 0, candles**config.group_power, 0.0)
    return np.clip(np.round(wanted * chances / chances.sum()).astype(np.int64), np.minimum(there, 1), there), there


def epoch_plan(rows: TrainRows, config: DataConfig, seed: int, epoch: int) -> Draws:
    """The windows of epoch ``epoch``: each group's are spread evenly over all that begin in it, then shuffled."""
    rng = np.random.default_rng((seed, epoch))
    taken, there = quotas(rows, config, config.window)
    first = []
    for group, (n, m) in enumerate(zip(taken.tolist(), there.tolist(), strict=True)):
        edges = np.arange(n + 1) * m // max(n, 1)
        position = edges[:-1] + (rng.random(n) * np.diff(edges)).astype(np.int64)  # one in each of n equal parts
        mine = np.flatnonzero(rows.group == group)
        ends = np.cumsum(rows.room[mine])
        stretch = np.searchsorted(ends, position, side="right")
        first.append(rows.first[mine[stretch]] + position - (ends - rows.room[mine])[stretch])
    order = np.concatenate(first)
    rng.shuffle(order)
    size = len(order)
    return Draws(
        first=order,
        cut=_cuts(rng, config, size),
        is_inverted=rng.random(size) < config.inversion,
        no_volume=rng.random(size) < config.volume_dropout,
        on_session_clock=rng.random(size) < config.session_clock_share,
        turning=np.where(rng.random(size) < config.reflection, rng.integers(2**62, size=size), -1),
    )


def _cuts(rng: np.random.Generator, config: DataConfig, size: int) -> np.ndarray:
    """Half of the cuts near the context, half anywhere from ``shortest_cut`` up to it."""
    near, far = (min(int(factor * config.context), config.window - 1) for factor in NEAR_CONTEXT)
    far, near = max(far, config.shortest_cut), max(near, config.shortest_cut)
    anywhere = rng.integers(config.shortest_cut, config.context + 1, size)
    return np.where(rng.random(size) < 0.5, rng.integers(near, far + 1, size), anywhere)


class Batches(Dataset):
    """The micro-batches of one process; an index says all there is to know."""

    def __init__(self, store: CandleStore, rows: TrainRows, config: DataConfig, seed: int, sharing: Sharing) -> None:
        self.store, self.rows, self.config, self.seed, self.sharing = store, rows, config, seed, sharing
        self.epoch_size = int(quotas(rows, config, config.window)[0].sum())
        self._epoch = lru_cache(maxsize=2)(lambda epoch: epoch_plan(rows, config, seed, epoch))

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_epoch"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._epoch = lru_cache(maxsize=2)(lambda epoch: epoch_plan(self.rows, self.config, self.seed, epoch))

    def draws(self, numbers: range) -> Draws:
        """What the windows of these numbers are."""
        at = np.asarray(numbers)
        epochs = at // self.epoch_size
        parts = [(self._epoch(int(e)), at[epochs == e] - e * self.epoch_size) for e in np.unique(epochs)]
        return Draws(*(np.concatenate([getattr(plan, f)[i] for plan, i in parts]) for f in Draws.__dataclass_fields__))

    def __getitem__(self, micro_step: int) -> Batch:
        """Micro-batch number ``micro_step`` of this process."""
        numbers = self.sharing.numbers(micro_step)
        return self.tensors(self.draws(numbers), self._weight(numbers))

    def _weight(self, numbers: range, /) -> float:
        """The targets counted here against those of an average micro-batch of the step."""
        begin = numbers.start // self.sharing.batch * self.sharing.batch
        whole = self.draws(range(begin, begin + self.sharing.batch)).cut
        own = whole[numbers.start - begin : numbers.stop - begin]
        return float((self.config.window - own).mean() / (self.config.window - whole).mean())

    def tensors(self, draws: Draws, weight: float = 1.0) -> Batch:
        """The windows themselves."""
        rows = draws.first[:, None] + np.arange(self.config.window)
        windows = self.store.values[rows]  # a copy, float64 [b, W, 6]
        windows = np.where(draws.is_inverted[:, None, None], inverted(windows), windows)
        turning = draws.turning >= 0
        if turning.any():
            signs = np.stack([directions(int(seed), self.config.window) for seed in draws.turning[turning]])
            windows[turning] = reflected(self.store.values[rows[turning]], signs)
        windows[draws.no_volume, :, 4:] = 0.0
        clock = np.where(draws.on_session_clock[:, None, None], self.store.session_clock[rows], self.store.clock[rows])
        batch = _batch(windows, clock, draws.cut, weight)
        if not self.config.mirrored_targets:
            return batch
        return batch._replace(mirrored=torch.from_numpy(normalised(windows, draws.cut, mirrored(windows))))


def place_batch(store: CandleStore, places: list[Place], context: int, window: int) -> Batch:
    """Windows to validate on."""
    return fixed_batch(store, np.array([place.first for place in places]), context, window)


def fixed_batch(store: CandleStore, first: np.ndarray, context: int, window: int) -> Batch:
    """Windows that begin at rows ``first`` [b], unaltered, normalised by their contexts."""
    rows = first[:, None] + np.arange(window)
    return _batch(store.values[rows], store.clock[rows], np.full(len(first), context), 1.0)


def _batch(windows: np.ndarray, clock: np.ndarray, cuts: np.ndarray, weight: float) -> Batch:
    return Batch(
        torch.from_numpy(normalised(windows, cuts)),
        torch.from_numpy(clock.astype(np.int64)),
        torch.from_numpy(cuts),
        torch.tensor(weight),
        torch.empty(0, dtype=torch.int64),
    )


def inverted(windows: np.ndarray) -> np.ndarray:
    """The same candles quoted the other way round (1 / price, at the first close's level), float64 [b, W, 6]."""
    mirrored = windows.copy()
    mirrored[..., :4] = windows[:, :1, 3:4] ** 2 / windows[..., [0, 2, 1, 3]]
    return mirrored


def normalised(windows: np.ndarray, cuts: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    """Z-scores float32 [b, W, 6] by the first ``cuts`` candles of each window, as ``engine.features`` makes them.

    Nothing from the cut on enters the statistics. With ``values`` [b, W, 6], theirs in place of the windows' own.
    """
    inside = (np.arange(windows.shape[1]) < cuts[:, None])[..., None]
    past = np.where(inside, windows, windows[:, :1])
    constant = past.max(axis=1) == past.min(axis=1)
    mean = np.where(constant, windows[:, 0], (windows * inside).sum(axis=1) / cuts[:, None])  # [b, 6]
    spread = np.sqrt((((windows - mean[:, None]) ** 2) * inside).sum(axis=1) / cuts[:, None])
    std = np.where(constant, 0.0, spread)
    scale = std + _epsilons(mean, std, constant)
    return np.clip(((windows if values is None else values) - mean[:, None]) / scale[:, None], -CLIP, CLIP).astype(
        np.float32
    )


def _epsilons(mean: np.ndarray, std: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """What is added to standard deviations [b, 6] so that small columns are not drowned."""
    with np.errstate(divide="ignore"):
        shrunk = EPSILON * 10.0 ** np.floor(np.log10(std))
    epsilon = np.where((std > 0) & (std < SMALL_STD), shrunk, EPSILON)
    return np.where(constant & (mean != 0), EPSILON * np.minimum(1.0, np.abs(mean)), epsilon)
