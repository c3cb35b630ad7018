"""Requests to the generation of paths, and the settings that are constant during a run.

Legend: B series of equal shape, N paths, T context, H horizon, j tokens per path. Values are z-scores of each context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from engine.config import SamplingConfig
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = [
    "ContextOverflow",
    "GenerationRequest",
    "GenerationSettings",
    "NormalizedPreviewCallback",
    "token_chunks",
]

ContextOverflow = Literal["recompute", "evict"]
"""What happens when T + H exceeds ``max_context``.

- ``"recompute"``: the window slides and is encoded anew at every later step, as in the reference. The part of the
  context that is still in the window is prefilled once per series and shared; each path's own tokens are encoded again
  on top of it.
- ``"evict"``: nothing is encoded again; the oldest keys and values are no longer attended to. Rotary positions are
  relative, so nothing else changes. A step costs the same as one that does not slide.
"""
NormalizedPreviewCallback = Callable[[int, Tensor], None]
"""Called with a series' position in the request and its candles so far, z-scores float32 [N, t, 6]."""

_MAX_TOKENS_PER_PASS = 4096
"""Most tokens of one forward pass after the prefill; bounds the memory of its activations."""


@dataclass(frozen=True)
class GenerationRequest:
    """Prepared series of equal shape, to be continued together."""

    candles: Tensor
    """Contexts as z-scores, float32 [B, T, 6]."""
    times: Tensor
    """Time features of context and future, int64 [B, T + H, 5]."""
    seeds: Sequence[int]
    """One seed per series."""
    last_close: Tensor | None = None
    """Last closes as unclipped z-scores [B], where paths are to start; None = where the last context token decodes."""

    @property
    def horizon(self) -> int:
        """H."""
        return self.times.shape[1] - self.candles.shape[1]

    def slice(self, first: int, last: int) -> GenerationRequest:
        """Series ``first`` to ``last - 1`` as a request of their own."""
        last_close = None if self.last_close is None else self.last_close[first:last]
        return GenerationRequest(self.candles[first:last], self.times[first:last], self.seeds[first:last], last_close)


@dataclass(frozen=True)
class GenerationSettings:
    """What is constant in a run: the networks, how tokens are sampled, and the callbacks."""

    model: Kronos
    tokenizer: KronosTokenizer
    sampling: SamplingConfig
    max_context: int
    context_overflow: ContextOverflow
    on_step: Callable[[], None]
    on_preview: NormalizedPreviewCallback | None = None


def token_chunks(ids: Tensor) -> list[slice]:
    """Slices of the last axis of ``ids`` [B, N, j] that each fit one forward pass."""
    num_series, num_paths, length = ids.shape
    size = max(1, _MAX_TOKENS_PER_PASS // (num_series * num_paths))
    return [slice(start, start + size) for start in range(0, length, size)]
