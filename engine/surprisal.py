"""How surprising candles that came were to the model: the likelihood of their tokens under what it draws from.

The last ``last`` rows of a frame are judged as a path would be that had been sampled after the rows before them: same
statistics (of the rows before, so that nothing judged enters them), same tokens, same distributions, at temperature 1
and with nothing filtered. So they are judged by what was known before, and a truth that came after a context can be
judged in the same way: give context and truth as one frame, and the horizon as ``last``.

Legend: B series of equal shape, T rows of the window, k of them judged, S = T - 1 hidden states, D width, V tokens.
Likelihoods are in nats, of the coarse token and of the fine one given the true coarse one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import CandlesError, ConfigError
from engine.features import candle_values, statistics, time_features
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["LEAST_BEFORE", "Judge", "Surprise", "surprise", "token_log_chances"]

LEAST_BEFORE = 2
"""Fewest rows before the judged ones."""
_MOST_TOKENS = 8192
"""Tokens that one pass reads; more series are read in several passes."""


class Judge(Protocol):
    """What this module needs of ``KronosPredictor``."""

    model: Kronos
    tokenizer: KronosTokenizer
    max_context: int
    clip: float
    device: torch.device


@dataclass(frozen=True, eq=False, kw_only=True)
class Surprise:
    """What the model thought of the last k candles of one series; arrays are float64 [k] unless told otherwise."""

    index: pd.DatetimeIndex
    """The k bar times, as the frame has them."""
    coarse: np.ndarray
    """Negative log-likelihood of the coarse token, nats."""
    fine: np.ndarray
    """Negative log-likelihood of the fine token, given the true coarse one, nats."""
    entropy: np.ndarray
    """What the model expected ``nll`` to be: the entropy of the coarse token, and of the fine one given the true coarse
    one, nats. Under the model ``nll - entropy`` has mean zero."""
    spread: np.ndarray
    """Standard deviation of ``nll`` under the model, nats."""
    clipped: np.ndarray
    """bool [k]: a value lay beyond the clip, so that the model saw less of the candle's move than there was."""

    @property
    def nll(self) -> np.ndarray:
        """Negative log-likelihood of the candle, coarse and fine token together."""
        return self.coarse + self.fine

    @property
    def surprise(self) -> np.ndarray:
        """``nll - entropy``: positive where the candle was less likely than the model's candles are on average."""
        return self.nll - self.entropy

    @property
    def deviation(self) -> np.ndarray:
        """``surprise`` in standard deviations under the model; 0 where the model was certain, and right."""
        certain = self.spread < 1e-9
        return np.where(certain, np.where(self.surprise > 1e-6, np.inf, 0.0), self.surprise / (self.spread + certain))

    @property
    def percentile(self) -> np.ndarray:
        """Fraction of the judged candles that surprised less, ties counted half."""
        mine = self.surprise
        ordered = np.sort(mine)
        return (np.searchsorted(ordered, mine, "left") + np.searchsorted(ordered, mine, "right")) / (2 * len(mine))


@dataclass(frozen=True)
class _Rows:
    """One frame, ready to be read: the window's candles, normalised, and what belongs to them."""

    candles: np.ndarray
    """float32 [T, 6]"""
    times: np.ndarray
    """int64 [T, 5]"""
    clipped: np.ndarray
    """bool [k]"""
    index: pd.DatetimeIndex
    """[k]"""


def surprise(judge: Judge, frames: Sequence[pd.DataFrame], *, last: int = 50) -> list[Surprise]:
    """Judge the last candles of many frames. Each comes out as it would alone.

    Args:
        judge: a ``KronosPredictor``.
        frames: as for ``forecast_many``. The window is the last ``max_context`` rows of each; lengths may differ.
        last: k, how many candles to judge; at least ``LEAST_BEFORE`` rows of the window must come before them.

    Raises:
        CandlesError: a frame cannot be used, or has too few rows.
        ConfigError: ``last`` is out of its range, or the modules are in training mode.
    """
    if judge.model.training or judge.tokenizer.training:
        raise ConfigError(
            "model and tokenizer must be in evaluation mode to judge candles; call .eval() on them first."
        )
    most = judge.max_context - LEAST_BEFORE
    if isinstance(last, bool) or not isinstance(last, int) or not 1 <= last <= most:
        raise ConfigError(f"last must be 1..{most} candles (this model sees {judge.max_context}); got {last!r}.")
    rows = [_prepared(judge, frame, last, f"frames[{i}]") for i, frame in enumerate(frames)]
    groups: dict[int, list[int]] = {}
    for i, one in enumerate(rows):
        groups.setdefault(len(one.candles), []).append(i)
    found: dict[int, Surprise] = {}
    for length, members in groups.items():
        at_once = max(1, _MOST_TOKENS // length)
        for first in range(0, len(members), at_once):
            part = members[first : first + at_once]
            found.update(zip(part, _judged(judge, [rows[i] for i in part], last), strict=True))
    return [found[i] for i in range(len(rows))]


def token_log_chances(model: Kronos, coarse: Tensor, fine: Tensor, times: Tensor, last: int) -> tuple[Tensor, Tensor]:
    """The distributions that the last k token pairs are drawn from, all in one pass.

    They are those of ``prefill``, ``extend``, ``coarse_logits`` and ``fine_logits``: the dependency-aware layer is
    asked with one unturned query per candle, which sees the hidden states of all candles before it.
    (``Kronos.forward``, which training uses, turns queries and keys and gives other fine logits.)

    Args:
        model: in evaluation mode.
        coarse: ids int64 [B, T].
        fine: ids int64 [B, T].
        times: time features int64 [B, T, 5].
        last: k, less than T.

    Returns:
        Log-probabilities float64 on the CPU: of the coarse token [B, k, V1], and of the fine one given the true coarse
        one [B, k, V2].
    """
    with torch.inference_mode():
        hidden = model.hidden(coarse[:, :-1], fine[:, :-1], times[:, :-1])  # [B, S, D]; state s predicts token s + 1
        coarse_logits = model.coarse_logits(hidden[:, -last:])
        fine_logits = _fine_logits(model, hidden, coarse[:, -last:])
        return _log_chances(coarse_logits), _log_chances(fine_logits)


def _log_chances(logits: Tensor) -> Tensor:
    return logits.cpu().double().log_softmax(-1)  # on the CPU: not every device has float64


def _fine_logits(model: Kronos, hidden: Tensor, coarse: Tensor) -> Tensor:
    """Fine logits [B, k, V2] given coarse ids [B, k], which come after the last k of hidden states [B, S, D]."""
    attention = model.dependency.attention
    count, length = coarse.shape[1], hidden.shape[1]
    q = attention.query(model.embedding.coarse(coarse).float()).unflatten(-1, (attention.heads, attention.width))
    keys_values = attention.key_value(hidden).unflatten(-1, (2, attention.heads, attention.width))  # [B, S, 2, h, w]
    k, v = keys_values.float().transpose(1, 3).unbind(2)  # [B, h, S, w]
    seen = torch.ones(count, length, dtype=torch.bool, device=hidden.device).tril(length - count)
    mixed = F.scaled_dot_product_attention(q.float().transpose(1, 2), k, v, attn_mask=seen)  # [B, h, k, w]
    answered = attention.out(mixed.transpose(1, 2).flatten(-2))
    return model.head.fine(model.dependency.norm(hidden[:, -count:] + answered)).float()


def _prepared(judge: Judge, frame: pd.DataFrame, last: int, name: str) -> _Rows:
    if not isinstance(frame, pd.DataFrame) or not isinstance(frame.index, pd.DatetimeIndex):
        raise CandlesError(f"{name} must be a DataFrame indexed by bar time (a DatetimeIndex).")
    index = frame.index
    if index.hasnans or not (index.is_monotonic_increasing and index.is_unique):
        raise CandlesError(
            f"{name} must have its bar times in order, oldest first, each once. Call .sort_index() on it."
        )
    values = candle_values(frame, name)[-judge.max_context :]
    before = len(values) - last
    if before < LEAST_BEFORE:
        raise CandlesError(
            f"{name} must have at least {LEAST_BEFORE} rows before the {last} that are judged; it has {len(values)} "
            "rows. Give more history, or judge fewer candles."
        )
    known = statistics(values[:before])
    scores = np.abs((values[before:] - known.mean) / known.scale)
    return _Rows(
        candles=known.normalise(values, judge.clip),
        times=time_features(index[-len(values) :]),
        clipped=(scores > judge.clip).any(axis=1),
        index=index[-last:],
    )


def _judged(judge: Judge, rows: list[_Rows], last: int) -> list[Surprise]:
    """Rows of equal length, in one pass."""
    candles = torch.from_numpy(np.stack([one.candles for one in rows])).to(judge.device)
    times = torch.from_numpy(np.stack([one.times for one in rows])).to(judge.device)
    with torch.inference_mode():
        coarse, fine = judge.tokenizer.encode(candles)
    chances = token_log_chances(judge.model, coarse, fine, times, last)
    parts = [_figures(*pair) for pair in zip(chances, (coarse[:, -last:].cpu(), fine[:, -last:].cpu()), strict=True)]
    nll, entropy, variance = np.stack(parts, axis=1)  # [2, B, k] each
    return [
        Surprise(
            index=one.index,
            coarse=nll[0, i],
            fine=nll[1, i],
            entropy=entropy[:, i].sum(axis=0),
            spread=np.sqrt(variance[:, i].sum(axis=0)),
            clipped=one.clipped,
        )
        for i, one in enumerate(rows)
    ]


def _figures(log_chances: Tensor, ids: Tensor) -> np.ndarray:
    """Negative log-likelihood of ids [B, k], its mean and its variance under log-probabilities [B, k, V]: [3, B, k]."""
    chances = log_chances.exp()
    nll = -log_chances.gather(-1, ids.unsqueeze(-1)).squeeze(-1)
    entropy = -(chances * log_chances).sum(-1)
    variance = (chances * (log_chances + entropy.unsqueeze(-1)) ** 2).sum(-1)
    return torch.stack((nll, entropy, variance)).numpy()
