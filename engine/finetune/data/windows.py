"""Which windows make a step, and their tensors. Everything follows from the seed.

Windows are numbered 0, 1, 2, ... through the whole run. Number, seed and data determine the candles, the context length
and the augmentation. Optimizer step k with batches of B windows uses the numbers k*B .. k*B + B - 1, whichever process
computes them. Workers and processes therefore never repeat a window, and a resumed run sees the windows that it would
have seen without the interruption.

Shapes: b windows of a micro-batch, W candles per window. The context length of a window is the number of candles that
normalize it; the loss counts the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from engine.features import _SMALL_STD as SMALL_STD
from engine.features import EPSILON, ZSCORE_CLIP
from engine.finetune.config import DataConfig
from engine.finetune.data.augmentation import mirror_windows, random_reflection, random_signs
from engine.finetune.data.mapped_candles import MappedCandles
from engine.finetune.data.split import TrainingRuns, WindowRef
from engine.finetune.errors import FinetuneConfigError
from engine.messages import msg

__all__ = [
    "Batch",
    "BatchSharding",
    "TrainingBatches",
    "WindowDraws",
    "evaluation_batch",
    "fixed_batch",
    "invert_windows",
    "normalize_windows",
    "plan_epoch",
    "window_counts",
    "window_statistics",
]

MIN_WINDOWS_PER_EPOCH = 1024
NEAR_CONTEXT_FACTORS = (0.9, 1.1)
"""Half of the context lengths lie within these multiples of ``data.context``, the length that forecasts use."""

_EMPTY = torch.empty(0)


class Batch(NamedTuple):
    """One micro-batch, or some evaluation windows."""

    candles: Tensor
    """Normalized, float32 [b, W, 6]."""
    time_features: Tensor
    """int64 [b, W, 5]"""
    context_lengths: Tensor
    """int64 [b]; the loss counts later candles."""
    weight: Tensor
    """Scalar: weight of this micro-batch's mean loss; the weights of a step average 1."""
    tokens: Tensor
    """Coarse and fine ids int64 [b, W, 2] if they were encoded before training; else empty."""
    mirrored_candles: Tensor = _EMPTY
    """Each candle mirrored about the previous close, in the same normalization, float32 [b, W, 6]; else empty."""
    price_scale: Tensor = _EMPTY
    """Scale and shift of normalized prices: ``scale * z + shift`` puts open, high, low and close on one scale, whose
    unit is the standard deviation of the close in the context; float32 [b, 2, 4]."""


@dataclass(frozen=True)
class WindowDraws:
    """The windows of one epoch in order, E of them, all different."""

    first_rows: np.ndarray
    """int64 [E]"""
    context_lengths: np.ndarray
    """int64 [E]"""
    is_inverted: np.ndarray
    """bool [E]"""
    drop_volume: np.ndarray
    """bool [E]"""
    in_session_time: np.ndarray
    """bool [E]"""
    reflection_seeds: np.ndarray
    """Seed of the reflected bars, int64 [E]; -1 = no reflection."""


@dataclass(frozen=True)
class BatchSharding:
    """How the windows of a step are shared among processes, each with ``grad_accum_steps`` micro-batches."""

    batch_size: int
    """Windows of a step, over all processes."""
    world_size: int
    """Processes."""
    rank: int
    grad_accum_steps: int

    @classmethod
    def plan(cls, batch_size: int, micro_batch_size: int, world_size: int, rank: int) -> BatchSharding:
        """The fewest micro-batches of equal size, at most ``micro_batch_size`` each.

        Raises:
            FinetuneConfigError: the windows cannot be shared evenly.
        """
        if batch_size % world_size:
            raise FinetuneConfigError(
                msg(
                    "batch_size = {batch_size} windows cannot be split evenly across {world_size} processes. "
                    "Use a multiple of {world_size}, or change --num_processes.",
                    batch_size=batch_size,
                    world_size=world_size,
                )
            )
        local = batch_size // world_size
        steps = next(n for n in range(1, local + 1) if local % n == 0 and local // n <= micro_batch_size)
        return cls(batch_size, world_size, rank, steps)

    @property
    def micro_batch_size(self) -> int:
        """Windows in a micro-batch."""
        return self.batch_size // self.world_size // self.grad_accum_steps

    def window_numbers(self, micro_step: int) -> range:
        """Window numbers of this process's micro-batch ``micro_step``, counted through all steps."""
        step, index = divmod(micro_step, self.grad_accum_steps)
        start = step * self.batch_size + (self.rank * self.grad_accum_steps + index) * self.micro_batch_size
        return range(start, start + self.micro_batch_size)


def window_counts(runs: TrainingRuns, config: DataConfig, window_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of each group in an epoch, and those that exist; int64 [G] each, G groups."""
    num_groups = len(runs.groups)
    existing = np.bincount(runs.group_ids, weights=runs.num_windows, minlength=num_groups).astype(np.int64)
    run_lengths = runs.num_windows + window_length - 1
    candles = np.bincount(runs.group_ids, weights=run_lengths, minlength=num_groups)
    total = config.windows_per_epoch or max(MIN_WINDOWS_PER_EPOCH, int(candles.sum()) // window_length)
    weights = np.where(existing > 0, candles**config.group_sampling_exponent, 0.0)
    counts = np.round(total * weights / weights.sum()).astype(np.int64)
    return np.clip(counts, np.minimum(existing, 1), existing), existing


def plan_epoch(runs: TrainingRuns, config: DataConfig, seed: int, epoch: int) -> WindowDraws:
    """The windows of an epoch: stratified over all possible starts of each group, then shuffled."""
    rng = np.random.default_rng((seed, epoch))
    counts, existing = window_counts(runs, config, config.window_length)
    first_rows = []
    for group, (n, m) in enumerate(zip(counts.tolist(), existing.tolist(), strict=True)):
        # one window in each of n equal strata of the m possible starts
        edges = np.arange(n + 1) * m // max(n, 1)
        positions = edges[:-1] + (rng.random(n) * np.diff(edges)).astype(np.int64)
        of_group = np.flatnonzero(runs.group_ids == group)
        ends = np.cumsum(runs.num_windows[of_group])
        run = np.searchsorted(ends, positions, side="right")
        first_rows.append(runs.first_rows[of_group[run]] + positions - (ends - runs.num_windows[of_group])[run])
    order = np.concatenate(first_rows)
    rng.shuffle(order)
    size = len(order)
    return WindowDraws(
        first_rows=order,
        context_lengths=_draw_context_lengths(rng, config, size),
        is_inverted=rng.random(size) < config.inversion_prob,
        drop_volume=rng.random(size) < config.volume_dropout_prob,
        in_session_time=rng.random(size) < config.session_timezone_prob,
        reflection_seeds=np.where(rng.random(size) < config.reflection_prob, rng.integers(2**62, size=size), -1),
    )


def _draw_context_lengths(rng: np.random.Generator, config: DataConfig, size: int) -> np.ndarray:
    """Half of the lengths near ``context``, half uniform from ``min_context`` to ``context``."""
    low, high = (min(int(factor * config.context), config.window_length - 1) for factor in NEAR_CONTEXT_FACTORS)
    high, low = max(high, config.min_context), max(low, config.min_context)
    uniform = rng.integers(config.min_context, config.context + 1, size)
    return np.where(rng.random(size) < 0.5, rng.integers(low, high + 1, size), uniform)


class TrainingBatches(Dataset):
    """The micro-batches of one process, by number."""

    def __init__(
        self, candles: MappedCandles, runs: TrainingRuns, config: DataConfig, seed: int, sharding: BatchSharding
    ) -> None:
        self.candles, self.runs, self.config, self.seed, self.sharding = candles, runs, config, seed, sharding
        self.epoch_size = int(window_counts(runs, config, config.window_length)[0].sum())
        self._plan_epoch = self._make_planner()

    def _make_planner(self) -> Any:
        # two epochs, because a step may span the end of one and the start of the next
        return lru_cache(maxsize=2)(lambda epoch: plan_epoch(self.runs, self.config, self.seed, epoch))

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_plan_epoch"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._plan_epoch = self._make_planner()

    def draws(self, numbers: range) -> WindowDraws:
        """The windows with these numbers."""
        number = np.asarray(numbers)
        epoch = number // self.epoch_size
        chunks = [(self._plan_epoch(int(e)), number[epoch == e] - e * self.epoch_size) for e in np.unique(epoch)]
        names = WindowDraws.__dataclass_fields__
        return WindowDraws(*(np.concatenate([getattr(plan, name)[i] for plan, i in chunks]) for name in names))

    def __getitem__(self, micro_step: int) -> Batch:
        """Micro-batch number ``micro_step`` of this process."""
        numbers = self.sharding.window_numbers(micro_step)
        return self.tensors(self.draws(numbers), self._weight(numbers))

    def _weight(self, numbers: range, /) -> float:
        """Targets in this micro-batch relative to the average micro-batch of the step."""
        start = numbers.start // self.sharding.batch_size * self.sharding.batch_size
        step = self.draws(range(start, start + self.sharding.batch_size)).context_lengths
        local = step[numbers.start - start : numbers.stop - start]
        return float((self.config.window_length - local).mean() / (self.config.window_length - step).mean())

    def tensors(self, draws: WindowDraws, weight: float = 1.0) -> Batch:
        """The tensors of some windows."""
        rows = draws.first_rows[:, None] + np.arange(self.config.window_length)  # [b, W]
        windows = self.candles.values[rows]  # a copy, float64 [b, W, 6]
        windows = np.where(draws.is_inverted[:, None, None], invert_windows(windows), windows)
        is_reflected = draws.reflection_seeds >= 0
        if is_reflected.any():
            seeds = draws.reflection_seeds[is_reflected]
            signs = np.stack([random_signs(int(seed), self.config.window_length) for seed in seeds])
            windows[is_reflected] = random_reflection(self.candles.values[rows[is_reflected]], signs)
        windows[draws.drop_volume, :, 4:] = 0.0
        batch = _to_batch(windows, self._time_features(draws, rows), draws.context_lengths, weight)
        if not self.config.mirror_targets:
            return batch
        mirrored = normalize_windows(windows, draws.context_lengths, mirror_windows(windows))
        return batch._replace(mirrored_candles=torch.from_numpy(mirrored))

    def _time_features(self, draws: WindowDraws, rows: np.ndarray) -> np.ndarray:
        """int8 [b, W, 5], in session time where a draw says so."""
        local, utc = self.candles.session_time_features[rows], self.candles.time_features[rows]
        return np.where(draws.in_session_time[:, None, None], local, utc)


def evaluation_batch(candles: MappedCandles, windows: list[WindowRef], context: int, window_length: int) -> Batch:
    """Evaluation windows, without augmentation."""
    return fixed_batch(candles, np.array([window.first_row for window in windows]), context, window_length)


def fixed_batch(candles: MappedCandles, first_rows: np.ndarray, context: int, window_length: int) -> Batch:
    """Windows that start at ``first_rows`` [b], normalized by their contexts, without augmentation."""
    rows = first_rows[:, None] + np.arange(window_length)
    return _to_batch(candles.values[rows], candles.time_features[rows], np.full(len(first_rows), context), 1.0)


def _to_batch(windows: np.ndarray, features: np.ndarray, context_lengths: np.ndarray, weight: float) -> Batch:
    return Batch(
        torch.from_numpy(normalize_windows(windows, context_lengths)),
        torch.from_numpy(features.astype(np.int64)),
        torch.from_numpy(context_lengths),
        torch.tensor(weight),
        torch.empty(0, dtype=torch.int64),
        price_scale=torch.from_numpy(_price_scale(*window_statistics(windows, context_lengths))),
    )


def invert_windows(windows: np.ndarray) -> np.ndarray:
    """The same candles as 1 / price, scaled to the level of the first close; float64 [b, W, 6]."""
    result = windows.copy()
    result[..., :4] = windows[:, :1, 3:4] ** 2 / windows[..., [0, 2, 1, 3]]  # high and low swap
    return result


def normalize_windows(windows: np.ndarray, context_lengths: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    """Z-scores float32 [b, W, 6] by the statistics of each window's context, as in ``engine.features``.

    Args:
        windows: raw candles, [b, W, 6].
        context_lengths: see ``window_statistics``.
        values: candles to normalize instead of ``windows``, [b, W, 6].
    """
    mean, scale = window_statistics(windows, context_lengths)
    zscores = ((windows if values is None else values) - mean[:, None]) / scale[:, None]
    return np.clip(zscores, -ZSCORE_CLIP, ZSCORE_CLIP).astype(np.float32)


def window_statistics(windows: np.ndarray, context_lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale [b, 6] of each window's context.

    Args:
        windows: raw candles, [b, W, 6].
        context_lengths: candles that enter the statistics, [b]. Later ones do not.
    """
    in_context = (np.arange(windows.shape[1]) < context_lengths[:, None])[..., None]  # [b, W, 1]
    context = np.where(in_context, windows, windows[:, :1])
    constant = context.max(axis=1) == context.min(axis=1)  # [b, 6]
    mean = np.where(constant, windows[:, 0], (windows * in_context).sum(axis=1) / context_lengths[:, None])
    variance = (((windows - mean[:, None]) ** 2) * in_context).sum(axis=1) / context_lengths[:, None]
    std = np.where(constant, 0.0, np.sqrt(variance))
    return mean, std + _epsilons(mean, std, constant)


def _price_scale(mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """``Batch.price_scale`` [b, 2, 4] of statistics [b, 6]."""
    unit = scale[:, 3:4]
    return np.stack((scale[:, :4] / unit, (mean[:, :4] - mean[:, 3:4]) / unit), axis=1).astype(np.float32)


def _epsilons(mean: np.ndarray, std: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Offsets of the standard deviations [b, 6]; smaller for small columns, which would otherwise be suppressed."""
    with np.errstate(divide="ignore"):
        shrunk = EPSILON * 10.0 ** np.floor(np.log10(std))
    epsilon = np.where((std > 0) & (std < SMALL_STD), shrunk, EPSILON)
    return np.where(constant & (mean != 0), EPSILON * np.minimum(1.0, np.abs(mean)), epsilon)
