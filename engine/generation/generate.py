"""Sampling futures: one prefill per series, then one token pair per path and step.

Legend: B series of equal shape, N paths, T context, H horizon, 6 columns. Values are normalised; the caller has them.

When T + H passes ``max_context`` there are two ways:

- ``"exact"``: the window slides and is read anew at every later step, as the reference does. The context's untouched
  part is read once per series and shared; each path's own tokens are read again on top of it.
- ``"roll"``: nothing is read again; the oldest keys and values are no longer attended to. Rotary positions are
  relative, so nothing else changes. Costs the same as a step that does not slide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.config import SamplingConfig
from engine.features import PRICES
from engine.forecast import COLUMNS
from engine.generation.sampling import draw, uniforms
from engine.generation.single_path import SinglePath, serves
from engine.network.kv_cache import KVCache
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["Glimpse", "Question", "WindowPolicy", "decode_steps", "generate"]

WindowPolicy = Literal["exact", "roll"]
Glimpse = Callable[[int, Tensor], None]
"""Called with the number of a series and its normalised candles so far, float32 [N, t, 6]."""
GLIMPSE_EVERY = 8
"""Decode steps from one glimpse to the next; the first comes after half as many."""
_MOST_CACHE_BYTES = 1 << 30
_MOST_SERIES = 32
"""Series that are read in one prefill."""
_MOST_TOKENS = 4096
"""Tokens that one pass reads after the context; more of them are read in several passes."""
_CLOSE, _PRICES = COLUMNS.index("close"), len(PRICES)
"""Where the close stands in a candle, and how many of its columns are prices; the prices come first."""


@dataclass(frozen=True)
class Question:
    """Series of equal shape, and what is asked of them."""

    candles: Tensor
    """Normalised contexts, float32 [B, T, 6]."""
    times: Tensor
    """Time features of context and future, int64 [B, T + H, 5]."""
    seeds: Sequence[int]
    """One seed per series."""
    last_close: Tensor | None = None
    """Normalised last closes [B], uncut, for paths to begin at; None = they begin where the context's tokens end."""

    @property
    def horizon(self) -> int:
        """H."""
        return self.times.shape[1] - self.candles.shape[1]

    def series(self, first: int, last: int) -> Question:
        """The question of some of the series."""
        level = None if self.last_close is None else self.last_close[first:last]
        return Question(self.candles[first:last], self.times[first:last], self.seeds[first:last], level)


@dataclass(frozen=True)
class _Run:
    """What stays the same in one run."""

    model: Kronos
    tokenizer: KronosTokenizer
    sampling: SamplingConfig
    max_context: int
    policy: WindowPolicy
    step_done: Callable[[], None]
    glimpse: Glimpse | None = None


def generate(
    model: Kronos,
    tokenizer: KronosTokenizer,
    question: Question,
    sampling: SamplingConfig,
    *,
    max_context: int,
    policy: WindowPolicy,
    step_done: Callable[[], None],
    glimpse: Glimpse | None = None,
) -> Tensor:
    """Sample futures, normalised, float32 [B, N, H, 6] on the CPU. The modules are read and never changed.

    Memory is bounded by working through slices of series and of paths; a slice changes no path. ``step_done`` is called
    ``decode_steps`` times, after each step, ``glimpse`` with the candles so far every few steps; what they raise
    ends the run. Watching changes no number.
    """
    run = _Run(model, tokenizer, sampling, max_context, policy, step_done, glimpse)
    at_once = _rows_at_once(model, question.horizon)
    firsts = _firsts(question.candles.shape[0], at_once, sampling.num_paths)
    with torch.inference_mode():
        return torch.cat(
            [_futures(run, question.series(first, first + firsts.step), at_once, first) for first in firsts]
        )


def decode_steps(model: Kronos, num_series: int, num_paths: int, horizon: int) -> int:
    """How many decode steps ``generate`` will take for series of one shape."""
    at_once = _rows_at_once(model, horizon)
    return len(_firsts(num_series, at_once, num_paths)) * -(-num_paths // at_once) * horizon


def _firsts(num_series: int, at_once: int, num_paths: int) -> range:
    """The first series of every prefill."""
    return range(0, num_series, max(1, min(_MOST_SERIES, at_once // num_paths)))


def _rows_at_once(model: Kronos, horizon: int) -> int:
    """How many paths fit the bound on cache memory; even, so that every second path is the same in slices and whole."""
    per_row = 2 * 4 * model.config.d_model * (model.config.n_layers + 1) * horizon
    return max(2, _MOST_CACHE_BYTES // per_row // 2 * 2)


def _futures(run: _Run, question: Question, at_once: int, number: int) -> Tensor:
    """Futures [B, N, H, 6] of series that fit one prefill; the first of them has this ``number``."""
    coarse, fine = run.tokenizer.encode(question.candles)
    numbers = uniforms(question.seeds, run.sampling.num_paths, question.horizon).to(question.candles.device)
    sampler = _Sampler(run, coarse, fine, question.times)
    decoder = _Decoder(run, coarse, fine, question)
    parts = []
    for some in numbers.split(at_once, dim=1):
        watcher = _Watcher(run, decoder, number, *some.shape[1:3]) if run.glimpse else None
        parts.append(decoder.decode(*sampler.sample(some, watcher)))
    return torch.cat(parts, dim=1)


class _Decoder:
    """Decodes what was drawn after a context, ids [B, T], that is decoded once per series for all paths to go on from.

    As in the reference, it sees the last ``max_context`` tokens of context and future together. Where the paths begin
    at the last close, the four prices move by what the context's tokens miss of it.
    """

    def __init__(self, run: _Run, coarse: Tensor, fine: Tensor, question: Question) -> None:
        start = max(0, coarse.shape[1] + question.horizon - run.max_context)
        seen, self.context = run.tokenizer.prefill(coarse[:, start:], fine[:, start:])
        self.tokenizer = run.tokenizer
        self.missed: Tensor | None = None  # [B]
        if question.last_close is not None:
            if not seen.shape[1]:  # the horizon alone fills what it sees
                seen = run.tokenizer.decode(coarse, fine)
            self.missed = (question.last_close - seen[:, -1, _CLOSE]).cpu()

    def decode(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Normalised candles [B, N, H, 6] of drawn ids [B, N, H], on the CPU."""
        cache = self.context.expand(coarse.shape[1], coarse.shape[2])
        parts = [self.extend(coarse[..., part], fine[..., part], cache) for part in _parts(coarse)]
        return torch.cat(parts, dim=2)

    def extend(self, coarse: Tensor, fine: Tensor, cache: KVCache) -> Tensor:
        """Normalised candles [B, N, j, 6] of j more ids per path after those in ``cache``, on the CPU."""
        candles = self.tokenizer.extend(coarse, fine, cache).cpu()
        if self.missed is not None:
            candles[..., :_PRICES] += self.missed[:, None, None, None]
        return candles


def _parts(ids: Tensor) -> list[slice]:
    """Stretches of the last axis of ids [B, N, j] that are small enough for one pass."""
    series, paths, length = ids.shape
    most = max(1, _MOST_TOKENS // (series * paths))
    return [slice(first, first + most) for first in range(0, length, most)]


class _Watcher:
    """Decodes what has been drawn so far, each token once, and shows it."""

    def __init__(self, run: _Run, decoder: _Decoder, number: int, paths: int, horizon: int) -> None:
        self.run, self.decoder, self.number = run, decoder, number
        self.cache = decoder.context.expand(paths, horizon)
        self.candles: list[Tensor] = []
        self.decoded = 0

    def drawn(self, own: Tensor) -> None:
        """Ids so far [2, B, N, t]."""
        t = own.shape[-1]
        if self.run.glimpse is None or t % GLIMPSE_EVERY != GLIMPSE_EVERY // 2:
            return
        coarse, fine = own[..., self.decoded :]
        self.candles.append(self.decoder.extend(coarse, fine, self.cache))
        self.decoded = t
        for i, candles in enumerate(torch.cat(self.candles, dim=2)):
            self.run.glimpse(self.number + i, candles)


class _Sampler:
    """Draws the tokens of N paths of each of B series, step by step."""

    def __init__(self, run: _Run, coarse: Tensor, fine: Tensor, times: Tensor) -> None:
        self.run = run
        self.coarse, self.fine = coarse, fine  # [B, T] each
        self.times = run.model.time_embedding(times)  # [B, T + H, D]
        self.context = coarse.shape[1]
        self.beginning = self._read_context(0)

    def sample(self, numbers: Tensor, watcher: _Watcher | None = None) -> tuple[Tensor, Tensor]:
        """Coarse and fine ids, each [B, N, H], drawn with uniform ``numbers`` [B, N, H, 2]."""
        series, paths, horizon, _ = numbers.shape
        reader = SinglePath(self.run.model) if serves(self.run.model, series * paths) else self.run.model
        own = torch.empty(2, series, paths, horizon, dtype=torch.int64, device=numbers.device)
        for step in range(horizon):
            if step == 0:
                hidden, shared = self.beginning
                hidden, cache = hidden.unsqueeze(1).expand(-1, paths, -1, -1), shared.expand(paths, horizon)
            elif self._slides(step):
                hidden, cache = self._read_again(own[..., :step])
            else:
                now = self.times[:, None, self.context + step - 1, None]  # [B, 1, 1, D]
                hidden = reader.extend(own[0, :, :, step - 1, None], own[1, :, :, step - 1, None], now, cache)
            self._draw(reader, hidden[:, :, -1], cache, numbers[:, :, step], own[..., step])
            self.run.step_done()
            if watcher is not None:
                watcher.drawn(own[..., : step + 1])
        return own[0], own[1]

    def _slides(self, step: int) -> bool:
        return self.run.policy == "exact" and self.context + step > self.run.max_context

    def _read_context(self, drawn: int) -> tuple[Tensor, KVCache]:
        """Read, once per series, what the window still holds of the context after ``drawn`` steps.

        Returns the last hidden state [B, 1, D] and the cache that all paths share.
        """
        window = slice(max(0, self.context + drawn - self.run.max_context), self.context)
        limit = self.run.max_context if self.run.policy == "roll" else None
        return self.run.model.prefill(self.coarse[:, window], self.fine[:, window], self.times[:, window], limit=limit)

    def _read_again(self, own: Tensor) -> tuple[Tensor, KVCache]:
        """Read the window that has slid: the context, and then what each path has drawn so far, own ids [2, B, N, j].

        Returns hidden states [B, N, j or less, D], the last one that of the newest token, and the cache of all paths.
        """
        paths, drawn = own.shape[2:]
        cache = self._read_context(drawn)[1].expand(paths, drawn)
        times = self.times[:, None, self.context : self.context + drawn]  # [B, 1, j, D]
        for part in _parts(own[0]):
            hidden = self.run.model.extend(own[0, ..., part], own[1, ..., part], times[:, :, part], cache)
        return hidden, cache

    def _draw(self, reader: Kronos | SinglePath, hidden: Tensor, cache: KVCache, numbers: Tensor, into: Tensor) -> None:
        """Draw one pair per path from the last hidden states [B, N, D] ``into`` ids [2, B, N]."""
        shape = hidden.shape[:2]
        coarse = draw(reader.coarse_logits(hidden).flatten(0, 1), self.run.sampling, numbers[..., 0].flatten())
        into[0] = coarse.view(shape)
        fine = draw(
            reader.fine_logits(hidden, into[0], cache).flatten(0, 1),
            self.run.sampling,
            numbers[..., 1].flatten(),
        )
        into[1] = fine.view(shape)
