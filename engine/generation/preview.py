"""Candles of a run that is still in progress. Legend as in ``engine.generation.request``."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.generation.decoder import PathDecoder
from engine.generation.request import NormalizedPreviewCallback

__all__ = ["PREVIEW_INTERVAL", "PreviewDecoder"]

PREVIEW_INTERVAL = 8
"""Decode steps between two previews; the first comes after half as many, so that short runs show one too."""


class PreviewDecoder:
    """Decodes what has been sampled so far, each token once, and hands it to a callback.

    Args:
        on_preview: receives the candles of each series.
        decoder: of the same series.
        first_series: position of the first of them in the whole request.
        num_paths: N.
        horizon: H.
    """

    def __init__(
        self,
        on_preview: NormalizedPreviewCallback,
        decoder: PathDecoder,
        first_series: int,
        num_paths: int,
        horizon: int,
    ) -> None:
        self.on_preview, self.decoder, self.first_series = on_preview, decoder, first_series
        self.cache = decoder.context_cache.expand(num_paths, horizon)
        self.candles: list[Tensor] = []  # [B, N, j, 6] each
        self.num_decoded = 0

    def on_step(self, path_ids: Tensor) -> None:
        """Take the ids so far [2, B, N, t] after every step; report every few steps."""
        num_steps = path_ids.shape[-1]
        if num_steps % PREVIEW_INTERVAL != PREVIEW_INTERVAL // 2:
            return
        coarse, fine = path_ids[..., self.num_decoded :]
        self.candles.append(self.decoder.extend(coarse, fine, self.cache))
        self.num_decoded = num_steps
        for i, candles in enumerate(torch.cat(self.candles, dim=2)):
            self.on_preview(self.first_series + i, candles)
