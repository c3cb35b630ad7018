"""Sampling of token paths, step by step. Legend as in ``engine.generation.request``; D model width."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.generation.preview import PreviewDecoder
from engine.generation.request import GenerationSettings, token_chunks
from engine.generation.sampling import sample_token
from engine.generation.single_path import SinglePathDecoder, supports_single_path
from engine.network.kv_cache import KVCache
from engine.network.model import Kronos

__all__ = ["TokenSampler"]


class TokenSampler:
    """Samples the tokens of N paths of each of B series after a context of ids [B, T].

    Args:
        settings: the run's.
        coarse: ids of the context, int64 [B, T].
        fine: the same.
        times: time features of context and future, int64 [B, T + H, 5].
    """

    def __init__(self, settings: GenerationSettings, coarse: Tensor, fine: Tensor, times: Tensor) -> None:
        self.settings, self.model = settings, settings.model
        self.coarse, self.fine = coarse, fine
        self.times = settings.model.time_embedding(times)  # [B, T + H, D]
        self.context = coarse.shape[1]
        self.prefill_state = self._prefill_window(0)

    def sample(self, uniforms: Tensor, preview: PreviewDecoder | None = None) -> tuple[Tensor, Tensor]:
        """Coarse and fine ids, int64 [B, N, H] each, sampled with ``uniforms`` [B, N, H, 2] in [0, 1)."""
        num_series, num_paths, horizon, _ = uniforms.shape
        is_single = supports_single_path(self.model, num_series * num_paths)
        network = SinglePathDecoder(self.model) if is_single else self.model
        path_ids = torch.empty(2, num_series, num_paths, horizon, dtype=torch.int64, device=uniforms.device)
        for step in range(horizon):
            if step == 0:
                hidden, shared = self.prefill_state  # [B, 1, D]
                hidden = hidden.unsqueeze(1).expand(-1, num_paths, -1, -1)  # [B, N, 1, D]
                cache = shared.expand(num_paths, horizon)
            elif self._window_slides(step):
                hidden, cache = self._reencode_window(path_ids[..., :step])  # [B, N, j, D]
            else:
                time = self.times[:, None, self.context + step - 1, None]  # [B, 1, 1, D]
                coarse, fine = path_ids[..., step - 1, None]  # [B, N, 1] each
                hidden = network.extend(coarse, fine, time, cache)  # [B, N, 1, D]
            self._sample_pair(network, hidden[:, :, -1], cache, uniforms[:, :, step], path_ids[..., step])
            self.settings.on_step()
            if preview is not None:
                preview.on_step(path_ids[..., : step + 1])
        return path_ids[0], path_ids[1]

    def _window_slides(self, step: int) -> bool:
        """Whether this step needs a new window; under "evict" the cache drops the oldest tokens by itself."""
        is_full = self.context + step > self.settings.max_context
        return self.settings.context_overflow == "recompute" and is_full

    def _prefill_window(self, num_sampled: int) -> tuple[Tensor, KVCache]:
        """Encode, once per series, the part of the context that is in the window after ``num_sampled`` steps.

        Returns the last hidden state [B, 1, D] and the cache that all paths share.
        """
        window = slice(max(0, self.context + num_sampled - self.settings.max_context), self.context)
        limit = self.settings.max_context if self.settings.context_overflow == "evict" else None
        return self.model.prefill(self.coarse[:, window], self.fine[:, window], self.times[:, window], limit=limit)

    def _reencode_window(self, path_ids: Tensor) -> tuple[Tensor, KVCache]:
        """Encode a window that has slid: the context, then each path's own ids [2, B, N, t].

        Returns hidden states [B, N, t or fewer, D], of which the last is that of the newest token, and the cache.
        """
        num_paths, num_sampled = path_ids.shape[2:]
        cache = self._prefill_window(num_sampled)[1].expand(num_paths, num_sampled)
        times = self.times[:, None, self.context : self.context + num_sampled]  # [B, 1, t, D]
        for chunk in token_chunks(path_ids[0]):
            hidden = self.model.extend(path_ids[0, ..., chunk], path_ids[1, ..., chunk], times[:, :, chunk], cache)
        return hidden, cache

    def _sample_pair(
        self, network: Kronos | SinglePathDecoder, hidden: Tensor, cache: KVCache, uniforms: Tensor, out: Tensor
    ) -> None:
        """Sample one token pair per path from last hidden states [B, N, D] into ``out`` [2, B, N]."""
        sampling, shape = self.settings.sampling, hidden.shape[:2]
        coarse_logits = network.coarse_logits(hidden).flatten(0, 1)  # [B * N, V1]
        out[0] = sample_token(coarse_logits, sampling, uniforms[..., 0].flatten()).view(shape)
        fine_logits = network.fine_logits(hidden, out[0], cache).flatten(0, 1)  # [B * N, V2]
        out[1] = sample_token(fine_logits, sampling, uniforms[..., 1].flatten()).view(shape)
