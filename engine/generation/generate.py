"""Sampled futures of many series: one prefill per series, then one token pair per path and step.

Legend as in ``engine.generation.request``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.config import SamplingConfig
from engine.generation.decoder import PathDecoder
from engine.generation.path_sampler import TokenSampler
from engine.generation.preview import PreviewDecoder
from engine.generation.request import (
    ContextOverflow,
    GenerationRequest,
    GenerationSettings,
    NormalizedPreviewCallback,
)
from engine.generation.sampling import uniforms
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["decode_steps", "generate"]

_MAX_CACHE_BYTES = 1 << 30
"""Bound on the keys and values of the paths that are sampled together."""
_MAX_SERIES_PER_PREFILL = 32
"""Bounds the memory of the prefill, whose attention grows with series x T x T."""


def generate(
    model: Kronos,
    tokenizer: KronosTokenizer,
    request: GenerationRequest,
    sampling: SamplingConfig,
    *,
    max_context: int,
    context_overflow: ContextOverflow,
    on_step: Callable[[], None],
    on_preview: NormalizedPreviewCallback | None = None,
) -> Tensor:
    """Sample futures as z-scores, float32 [B, N, H, 6] on the CPU. The networks are not changed.

    Memory is bounded by working through slices of series and of paths; a slice changes no path.

    Args:
        model: in evaluation mode.
        tokenizer: in evaluation mode, on the same device.
        request: the series.
        sampling: resolved: nothing is left to the model.
        max_context: most tokens that the model sees.
        context_overflow: what happens beyond them.
        on_step: called after each of ``decode_steps`` steps; an exception ends the run.
        on_preview: called every few steps with the candles so far; changes no number.
    """
    settings = GenerationSettings(model, tokenizer, sampling, max_context, context_overflow, on_step, on_preview)
    max_rows = _max_rows_in_memory(model, request.horizon)
    starts = _batch_starts(request.candles.shape[0], max_rows, sampling.num_paths)
    with torch.inference_mode():
        return torch.cat(
            [_sample_futures(settings, request.slice(start, start + starts.step), max_rows, start) for start in starts]
        )


def decode_steps(model: Kronos, num_series: int, num_paths: int, horizon: int) -> int:
    """How many decode steps ``generate`` takes for series of one shape."""
    max_rows = _max_rows_in_memory(model, horizon)
    num_path_slices = -(-num_paths // max_rows)  # rounded up
    return len(_batch_starts(num_series, max_rows, num_paths)) * num_path_slices * horizon


def _batch_starts(num_series: int, max_rows: int, num_paths: int) -> range:
    """Position of the first series of every prefill; the step of the range is the batch size."""
    return range(0, num_series, max(1, min(_MAX_SERIES_PER_PREFILL, max_rows // num_paths)))


def _max_rows_in_memory(model: Kronos, horizon: int) -> int:
    """How many paths fit ``_MAX_CACHE_BYTES``."""
    bytes_per_row = 2 * 4 * model.config.d_model * (model.config.n_layers + 1) * horizon  # keys and values, float32
    return max(2, _MAX_CACHE_BYTES // bytes_per_row)


def _sample_futures(
    settings: GenerationSettings, request: GenerationRequest, max_rows: int, first_series: int
) -> Tensor:
    """Futures [B, N, H, 6] of series that fit one prefill; ``first_series`` is their position in the whole request."""
    coarse, fine = settings.tokenizer.encode(request.candles)  # [B, T] each
    numbers = uniforms(request.seeds, settings.sampling.num_paths, request.horizon)  # [B, N, H, 2]
    numbers = numbers.to(request.candles.device)
    sampler = TokenSampler(settings, coarse, fine, request.times)
    decoder = PathDecoder(settings, coarse, fine, request)
    futures = []
    for chunk in numbers.split(max_rows, dim=1):
        preview = None
        if settings.on_preview is not None:
            preview = PreviewDecoder(settings.on_preview, decoder, first_series, *chunk.shape[1:3])
        futures.append(decoder.decode(*sampler.sample(chunk, preview)))
    return torch.cat(futures, dim=1)
