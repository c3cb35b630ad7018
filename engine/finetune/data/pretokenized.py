"""Windows that are encoded once, before training, where the tokenizer is frozen and the normalisation fixed.

On the fly, a window is normalised by a random prefix, altered, and encoded anew each time it comes: more variety, for
the price of an encoding, which is small where the tokenizer is (6 to 8 % of a step). With a tokenizer as large as the
model it is not, and ``data.pretokenise`` trades the variety for it: windows begin every ``horizon`` candles, each
normalised by its first ``context`` ones, unaltered.

Legend: G windows, W candles per window.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import torch

from engine.finetune.config import DataConfig
from engine.finetune.data.mapped_candles import CandleStore
from engine.finetune.data.split import TrainRows
from engine.finetune.data.windows import Batch, Batches, Draws, Sharing, fixed_batch
from engine.finetune.training.losses import encoded
from engine.network.tokenizer import KronosTokenizer

__all__ = ["TokenBatches", "encode_windows", "grid"]

WINDOWS_AT_ONCE = 32


def grid(rows: TrainRows, stride: int) -> TrainRows:
    """Every ``stride``-th window of each stretch, as stretches with one window each, in order of their first rows."""
    counts = (rows.room - 1) // stride + 1
    stretch = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(stretch)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = rows.first[stretch] + place * stride
    order = np.argsort(first)
    return TrainRows(first[order], np.ones(len(first), dtype=np.int64), rows.group[stretch][order], rows.groups)


def encode_windows(
    tokenizer: KronosTokenizer,
    store: CandleStore,
    rows: TrainRows,
    config: DataConfig,
    path: Path,
    device: torch.device,
) -> None:
    """Write coarse and fine ids int32 [G, W, 2] of every window of ``rows`` to ``path``."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    shape = (len(rows.first), config.window, 2)
    tokens = np.lib.format.open_memmap(beside, mode="w+", dtype=np.int32, shape=shape)
    try:
        for begin in range(0, len(rows.first), WINDOWS_AT_ONCE):
            first = rows.first[begin : begin + WINDOWS_AT_ONCE]
            batch = fixed_batch(store, first, config.context, config.window)
            coarse, fine = encoded(tokenizer, Batch(*(part.to(device) for part in batch)))
            tokens[begin : begin + len(first)] = torch.stack((coarse, fine), dim=-1).cpu().numpy()
        tokens.flush()
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


class TokenBatches(Batches):
    """Micro-batches of windows that were encoded before."""

    def __init__(
        self, store: CandleStore, rows: TrainRows, config: DataConfig, seed: int, sharing: Sharing, path: Path
    ) -> None:
        super().__init__(store, rows, config, seed, sharing)
        self.path = path
        self.ids = np.load(path, mmap_mode="r", allow_pickle=False)

    def _weight(self, _numbers: range, /) -> float:
        return 1.0

    def tensors(self, draws: Draws, weight: float = 1.0) -> Batch:
        """As in ``Batches``, with ids instead of candles; of what a draw says, its place and its clock."""
        at = draws.first[:, None] + np.arange(self.config.window)
        clock = np.where(draws.on_session_clock[:, None, None], self.store.session_clock[at], self.store.clock[at])
        ids = self.ids[np.searchsorted(self.rows.first, draws.first)]
        return Batch(
            candles=torch.empty(0),
            clock=torch.from_numpy(clock.astype(np.int64)),
            cuts=torch.full((len(ids),), self.config.context),
            weight=torch.tensor(weight),
            tokens=torch.from_numpy(ids.astype(np.int64)),
        )
