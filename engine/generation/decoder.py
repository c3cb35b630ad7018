"""From sampled token ids back to candles. Legend as in ``engine.generation.request``."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.features import PRICES
from engine.forecast import COLUMNS
from engine.generation.request import GenerationRequest, GenerationSettings, token_chunks
from engine.network.kv_cache import KVCache

__all__ = ["PathDecoder"]

_CLOSE, _NUM_PRICES = COLUMNS.index("close"), len(PRICES)
"""Column of the close, and the number of price columns, which come first."""


class PathDecoder:
    """Decodes sampled ids after a context of ids [B, T], which is decoded once per series and shared by all paths.

    As in the reference, the decoder sees the last ``max_context`` tokens of context and future together. If paths start
    at the last close, all four prices are shifted by ``close_offset``: last close less decoded last close.
    """

    def __init__(self, settings: GenerationSettings, coarse: Tensor, fine: Tensor, request: GenerationRequest) -> None:
        self.tokenizer = settings.tokenizer
        start = max(0, coarse.shape[1] + request.horizon - settings.max_context)
        decoded, self.context_cache = self.tokenizer.prefill(coarse[:, start:], fine[:, start:])  # [B, T - start, 6]
        self.close_offset: Tensor | None = None  # [B]
        if request.last_close is not None:
            if not decoded.shape[1]:  # the horizon alone fills the window: decode the context by itself
                decoded = self.tokenizer.decode(coarse, fine)  # [B, T, 6]
            self.close_offset = (request.last_close - decoded[:, -1, _CLOSE]).cpu()

    def decode(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Candles of sampled ids [B, N, H], as z-scores [B, N, H, 6] on the CPU."""
        cache = self.context_cache.expand(coarse.shape[1], coarse.shape[2])
        chunks = [self.extend(coarse[..., chunk], fine[..., chunk], cache) for chunk in token_chunks(coarse)]
        return torch.cat(chunks, dim=2)

    def extend(self, coarse: Tensor, fine: Tensor, cache: KVCache) -> Tensor:
        """Candles of j more ids per path [B, N, j] after those in ``cache``, as z-scores [B, N, j, 6] on the CPU."""
        candles = self.tokenizer.extend(coarse, fine, cache).cpu()
        if self.close_offset is not None:
            candles[..., :_NUM_PRICES] += self.close_offset[:, None, None, None]  # [B] over [B, N, j, 4]
        return candles
