"""Token ids of windows: encoded on the fly, or once before training.

On the fly, a window is normalized by a random context, augmented and encoded each time it is used: more variety for
the cost of an encoding, which is 6 to 8 % of a step with a small tokenizer. With a tokenizer as large as the model,
``data.pretokenize`` gives up the variety for speed: windows start every ``horizon`` candles, each normalized by its
first ``context`` ones, without augmentation.

Shapes: b windows of a batch, G windows on disk, W candles per window.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.files import atomic_write
from engine.finetune.config import DataConfig
from engine.finetune.data.mapped_candles import MappedCandles
from engine.finetune.data.split import TrainingRuns
from engine.finetune.data.windows import Batch, BatchSharding, TrainingBatches, WindowDraws, fixed_batch
from engine.network.tokenizer import KronosTokenizer

__all__ = ["PretokenizedBatches", "encode_batch", "encode_mirrored", "encode_windows", "strided_runs"]

ENCODE_BATCH_SIZE = 32


@torch.no_grad()
def encode_batch(tokenizer: KronosTokenizer, batch: Batch) -> tuple[Tensor, Tensor]:
    """Coarse and fine ids [b, W]. Always in float32, as they are computed for forecasts."""
    if batch.tokens.numel():
        return batch.tokens[..., 0], batch.tokens[..., 1]
    with torch.autocast(batch.candles.device.type, enabled=False):
        return tokenizer.encode(batch.candles)


@torch.no_grad()
def encode_mirrored(tokenizer: KronosTokenizer, batch: Batch) -> tuple[Tensor, Tensor] | None:
    """Ids [b, W] of the mirrored candles, each in the context of the original ones; None if the batch has none."""
    if not batch.mirrored_candles.numel():
        return None
    with torch.autocast(batch.candles.device.type, enabled=False):
        return tokenizer.encode_counterfactual(batch.candles, batch.mirrored_candles)


def strided_runs(runs: TrainingRuns, stride: int) -> TrainingRuns:
    """Every ``stride``-th window of each run, as runs of one window, in order of their first rows."""
    counts = (runs.num_windows - 1) // stride + 1  # [S]
    run = np.repeat(np.arange(len(counts)), counts)  # [G]
    index_in_run = np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts, counts)
    first_rows = runs.first_rows[run] + index_in_run * stride
    order = np.argsort(first_rows)
    ones = np.ones(len(first_rows), dtype=np.int64)
    return TrainingRuns(first_rows[order], ones, runs.group_ids[run][order], runs.groups)


def encode_windows(
    tokenizer: KronosTokenizer,
    candles: MappedCandles,
    runs: TrainingRuns,
    config: DataConfig,
    path: Path,
    device: torch.device,
) -> None:
    """Write the coarse and fine ids, int32 [G, W, 2], of the first window of each run to ``path``."""
    shape = (len(runs.first_rows), config.window_length, 2)

    def write(temporary: Path) -> None:
        tokens = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.int32, shape=shape)
        for start in range(0, len(runs.first_rows), ENCODE_BATCH_SIZE):
            first_rows = runs.first_rows[start : start + ENCODE_BATCH_SIZE]
            batch = fixed_batch(candles, first_rows, config.context, config.window_length)
            coarse, fine = encode_batch(tokenizer, Batch(*(tensor.to(device) for tensor in batch)))
            tokens[start : start + len(first_rows)] = torch.stack((coarse, fine), dim=-1).cpu().numpy()
        tokens.flush()

    atomic_write(path, write)


class PretokenizedBatches(TrainingBatches):
    """Micro-batches of windows that were encoded before training."""

    def __init__(
        self,
        candles: MappedCandles,
        runs: TrainingRuns,
        config: DataConfig,
        seed: int,
        sharding: BatchSharding,
        path: Path,
    ) -> None:
        super().__init__(candles, runs, config, seed, sharding)
        self.path = path
        self.ids = np.load(path, mmap_mode="r", allow_pickle=False)

    def _weight(self, _numbers: range, /) -> float:
        return 1.0

    def tensors(self, draws: WindowDraws, weight: float = 1.0) -> Batch:
        """As in ``TrainingBatches``, with ids instead of candles. Only rows and time zone of the draws are used."""
        rows = draws.first_rows[:, None] + np.arange(self.config.window_length)
        ids = self.ids[np.searchsorted(self.runs.first_rows, draws.first_rows)]  # int32 [b, W, 2]
        return Batch(
            candles=torch.empty(0),
            time_features=torch.from_numpy(self._time_features(draws, rows).astype(np.int64)),
            context_lengths=torch.full((len(ids),), self.config.context),
            weight=torch.tensor(weight),
            tokens=torch.from_numpy(ids.astype(np.int64)),
        )
