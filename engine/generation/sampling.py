"""Sampling of tokens from logits: temperature, then top-k, min-p and top-p, then inverse transform sampling.

Legend: B series, N paths, H horizon, R rows, V tokens. Every row takes one given uniform number and the inverse
cumulative distribution in token order, so that its token depends on its own logits and number alone, whatever else is
in the batch. Logits are not changed in place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.config import SamplingConfig

__all__ = ["probabilities", "sample_token", "uniforms"]


def uniforms(seeds: Sequence[int], num_paths: int, horizon: int) -> Tensor:
    """Uniform numbers in [0, 1), float32 [B, N, H, 2], one stream per series; the first paths do not depend on N."""
    streams = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        streams.append(torch.rand(num_paths, horizon, 2, generator=generator))
    return torch.stack(streams)


def probabilities(logits: Tensor, config: SamplingConfig) -> Tensor:
    """The distribution [R, V] that ``sample_token`` samples from; at temperature 0 the most probable token has all."""
    if config.temperature == 0.0:
        return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)
    weights = _filtered_probs(logits, config)
    return weights / weights.sum(-1, keepdim=True)


def sample_token(logits: Tensor, config: SamplingConfig, uniform: Tensor) -> Tensor:
    """One token id per row, int64 [R], from logits [R, V] and uniform numbers [R] in [0, 1)."""
    if config.temperature == 0.0:
        return logits.argmax(-1)
    cumulative = _filtered_probs(logits, config).cumsum(-1)  # [R, V]
    total = cumulative[:, -1:]  # [R, 1], below 1 where tokens were filtered out
    # rounding could make uniform * total equal the total, and the search would run past the last token
    threshold = torch.minimum(uniform[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, threshold, right=True).squeeze(-1)


def _filtered_probs(logits: Tensor, config: SamplingConfig) -> Tensor:
    """Probabilities [R, V], 0 for tokens that are filtered out; not rescaled to a sum of 1."""
    logits = logits / config.temperature
    if config.top_k is not None and config.top_k < logits.shape[-1]:
        kth_largest = logits.topk(config.top_k, dim=-1).values[:, -1:]  # [R, 1]
        logits = logits.masked_fill(logits < kth_largest, float("-inf"))
    probs = logits.softmax(-1)
    if config.min_p:
        probs = probs.masked_fill(probs < config.min_p * probs.amax(-1, keepdim=True), 0.0)
    if config.nucleus < 1.0:
        probs = probs.masked_fill(probs < _nucleus_threshold(probs, config.nucleus), 0.0)
    return probs


def _nucleus_threshold(probs: Tensor, nucleus: float) -> Tensor:
    """Smallest probability in the nucleus [R, 1]: a token is in it if the mass *before* it is at most ``nucleus``."""
    ranked = _sort_descending(probs)
    mass_before = ranked.cumsum(-1) - ranked  # [R, V]
    size = (mass_before <= nucleus).sum(-1, keepdim=True)  # [R, 1], at least 1: no mass lies before the first token
    return ranked.gather(-1, size - 1)


def _sort_descending(values: Tensor) -> Tensor:
    """Rows of ``values`` [R, V], largest first; numpy sorts ten times faster on the CPU, as it returns no indices."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.numpy())).flip(-1)
    return values.sort(dim=-1, descending=True).values
