"""Surprisal of observed candles: how unlikely their tokens are under the distributions that the model samples from.

The last k rows of a frame are scored as if they were a path sampled after the rows before them: the same statistics (of
the rows before, so that no scored row enters them), tokens and distributions, at temperature 1 and without filters.
Actuals that followed a context are scored alike: pass both as one frame, with the horizon as ``num_candles``.

Legend: B series of equal shape, T rows of the window, k of them scored, S = T - 1 hidden states, D width, V tokens.
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

from engine.errors import ConfigError, InvalidCandlesError
from engine.features import candle_values, compute_stats, time_features
from engine.messages import msg
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["MIN_HISTORY", "LikelihoodModel", "Surprisal", "score_surprisal", "token_log_probs"]

MIN_HISTORY = 2
"""Fewest rows before the scored ones: statistics need two."""
_MAX_TOKENS_PER_PASS = 8192
"""Most tokens of one forward pass; bounds the memory of its logits."""


class LikelihoodModel(Protocol):
    """The part of ``KronosPredictor`` that this module uses."""

    model: Kronos
    tokenizer: KronosTokenizer
    max_context: int
    clip: float
    device: torch.device


@dataclass(frozen=True, eq=False, kw_only=True)
class Surprisal:
    """Surprisal of the last k candles of one series; arrays are float64 [k] unless stated otherwise."""

    index: pd.DatetimeIndex
    """The k bar times, as the frame has them."""
    coarse: np.ndarray
    """Negative log-likelihood of the coarse token, nats."""
    fine: np.ndarray
    """Negative log-likelihood of the fine token, given the true coarse one, nats."""
    entropy: np.ndarray
    """Expected ``nll``: entropy of the coarse token, plus that of the fine one given the true coarse one, nats. Under
    the model ``nll - entropy`` has mean zero."""
    std: np.ndarray
    """Standard deviation of ``nll`` under the model, nats."""
    clipped: np.ndarray
    """bool [k]: a value was clipped, so that the model saw a smaller move than there was."""

    @property
    def nll(self) -> np.ndarray:
        """Negative log-likelihood of the candle: coarse and fine token together."""
        return self.coarse + self.fine

    @property
    def excess_nll(self) -> np.ndarray:
        """``nll - entropy``: positive for a candle less likely than the average of the model's own samples."""
        return self.nll - self.entropy

    @property
    def zscore(self) -> np.ndarray:
        """``excess_nll`` in standard deviations under the model; 0 if the model was certain and right."""
        certain = self.std < 1e-9
        return np.where(certain, np.where(self.excess_nll > 1e-6, np.inf, 0.0), self.excess_nll / (self.std + certain))

    @property
    def percentile(self) -> np.ndarray:
        """Fraction of the scored candles with lower ``excess_nll``, ties counted half."""
        values = self.excess_nll
        ordered = np.sort(values)
        return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (
            2 * len(values)
        )


@dataclass(frozen=True)
class _PreparedRows:
    """One validated frame: the window's candles as z-scores, with their time features."""

    candles: np.ndarray
    """float32 [T, 6]"""
    times: np.ndarray
    """int64 [T, 5]"""
    clipped: np.ndarray
    """bool [k]"""
    index: pd.DatetimeIndex
    """[k]"""


def score_surprisal(
    predictor: LikelihoodModel, frames: Sequence[pd.DataFrame], *, num_candles: int = 50
) -> list[Surprisal]:
    """Score the last candles of many frames. A frame gives the same numbers alone or in a batch.

    Args:
        predictor: a ``KronosPredictor``.
        frames: as for ``forecast_many``. The window is the last ``max_context`` rows of each; lengths may differ.
        num_candles: k, how many candles to score; at least ``MIN_HISTORY`` rows of the window must precede them.

    Raises:
        InvalidCandlesError: a frame cannot be used, or has too few rows.
        ConfigError: ``num_candles`` is out of its range, or the networks are in training mode.
    """
    if predictor.model.training or predictor.tokenizer.training:
        raise ConfigError(msg("model and tokenizer must be in evaluation mode to score candles; call .eval() first."))
    maximum = predictor.max_context - MIN_HISTORY
    if isinstance(num_candles, bool) or not isinstance(num_candles, int) or not 1 <= num_candles <= maximum:
        raise ConfigError(
            msg(
                "num_candles must be 1 to {limit} (the context limit of this model is {max_context}); got {count}.",
                limit=maximum,
                max_context=predictor.max_context,
                count=repr(num_candles),
            )
        )
    rows = [_prepare(predictor, frame, num_candles, f"frames[{i}]") for i, frame in enumerate(frames)]
    groups: dict[int, list[int]] = {}  # T -> positions of the frames of this length
    for position, item in enumerate(rows):
        groups.setdefault(len(item.candles), []).append(position)
    scores: dict[int, Surprisal] = {}
    for length, members in groups.items():
        batch_size = max(1, _MAX_TOKENS_PER_PASS // length)
        for start in range(0, len(members), batch_size):
            batch = members[start : start + batch_size]
            scores.update(zip(batch, _score(predictor, [rows[i] for i in batch], num_candles), strict=True))
    return [scores[i] for i in range(len(rows))]


def token_log_probs(
    model: Kronos, coarse: Tensor, fine: Tensor, times: Tensor, num_candles: int
) -> tuple[Tensor, Tensor]:
    """The distributions that the last k token pairs would be sampled from, in one pass.

    They equal those of ``prefill``, ``extend``, ``coarse_logits`` and ``fine_logits``: the dependency-aware layer gets
    one query per candle, without rotary positions, which attends to the hidden states of all candles before it.
    (``Kronos.forward``, used in training, rotates queries and keys and gives other fine logits.)

    Args:
        model: in evaluation mode.
        coarse: ids int64 [B, T].
        fine: ids int64 [B, T].
        times: time features int64 [B, T, 5].
        num_candles: k, less than T.

    Returns:
        Log-probabilities float64 on the CPU: of the coarse token [B, k, V1], and of the fine one given the true coarse
        one [B, k, V2].
    """
    with torch.inference_mode():
        hidden = model.hidden(coarse[:, :-1], fine[:, :-1], times[:, :-1])  # [B, S, D]; state s predicts token s + 1
        coarse_logits = model.coarse_logits(hidden[:, -num_candles:])  # [B, k, V1]
        fine_logits = _fine_logits(model, hidden, coarse[:, -num_candles:])  # [B, k, V2]
        return _log_probs(coarse_logits), _log_probs(fine_logits)


def _log_probs(logits: Tensor) -> Tensor:
    return logits.cpu().double().log_softmax(-1)  # on the CPU: not every device has float64


def _fine_logits(model: Kronos, hidden: Tensor, coarse: Tensor) -> Tensor:
    """Fine logits [B, k, V2] given coarse ids [B, k], which follow the last k of hidden states [B, S, D]."""
    attention = model.dependency.attention
    count, length = coarse.shape[1], hidden.shape[1]
    embedded = model.embedding.coarse(coarse).float()  # [B, k, D]
    q = attention.query(embedded).unflatten(-1, (attention.heads, attention.width))  # [B, k, h, w]
    keys_values = attention.key_value(hidden).unflatten(-1, (2, attention.heads, attention.width))  # [B, S, 2, h, w]
    k, v = keys_values.float().transpose(1, 3).unbind(2)  # [B, h, S, w]
    mask = torch.ones(count, length, dtype=torch.bool, device=hidden.device).tril(length - count)  # [k, S]
    mixed = F.scaled_dot_product_attention(q.float().transpose(1, 2), k, v, attn_mask=mask)  # [B, h, k, w]
    attention_out = attention.out(mixed.transpose(1, 2).flatten(-2))  # [B, k, D]
    return model.head.fine(model.dependency.norm(hidden[:, -count:] + attention_out)).float()


def _prepare(predictor: LikelihoodModel, frame: pd.DataFrame, num_candles: int, name: str) -> _PreparedRows:
    if not isinstance(frame, pd.DataFrame) or not isinstance(frame.index, pd.DatetimeIndex):
        raise InvalidCandlesError(msg("{name} must be a DataFrame indexed by bar time (DatetimeIndex).", name=name))
    index = frame.index
    if index.hasnans or not (index.is_monotonic_increasing and index.is_unique):
        raise InvalidCandlesError(
            msg("{name} must have unique bar times, sorted oldest first. Call .sort_index().", name=name)
        )
    values = candle_values(frame, name)[-predictor.max_context :]
    num_before = len(values) - num_candles
    if num_before < MIN_HISTORY:
        raise InvalidCandlesError(
            msg(
                "{name} must have at least {min_history} rows before the {last} that are scored; it has "
                "{count} rows. Provide more history, or score fewer candles.",
                name=name,
                min_history=MIN_HISTORY,
                last=num_candles,
                count=len(values),
            )
        )
    stats = compute_stats(values[:num_before])
    zscores = np.abs((values[num_before:] - stats.mean) / stats.scale)  # [k, 6]
    return _PreparedRows(
        candles=stats.normalize(values, predictor.clip),
        times=time_features(index[-len(values) :]),
        clipped=(zscores > predictor.clip).any(axis=1),
        index=index[-num_candles:],
    )


def _score(predictor: LikelihoodModel, rows: list[_PreparedRows], num_candles: int) -> list[Surprisal]:
    """Score rows of equal length in one pass."""
    candles = torch.from_numpy(np.stack([item.candles for item in rows])).to(predictor.device)  # [B, T, 6]
    times = torch.from_numpy(np.stack([item.times for item in rows])).to(predictor.device)  # [B, T, 5]
    with torch.inference_mode():
        coarse, fine = predictor.tokenizer.encode(candles)
    log_probs = token_log_probs(predictor.model, coarse, fine, times, num_candles)
    actual_ids = coarse[:, -num_candles:].cpu(), fine[:, -num_candles:].cpu()  # [B, k] each
    moments = [_moments(*pair) for pair in zip(log_probs, actual_ids, strict=True)]  # [3, B, k] of coarse and of fine
    nll, entropy, variance = np.stack(moments, axis=1)  # [2, B, k] each
    return [
        Surprisal(
            index=item.index,
            coarse=nll[0, i],
            fine=nll[1, i],
            entropy=entropy[:, i].sum(axis=0),
            std=np.sqrt(variance[:, i].sum(axis=0)),
            clipped=item.clipped,
        )
        for i, item in enumerate(rows)
    ]


def _moments(log_probs: Tensor, ids: Tensor) -> np.ndarray:
    """Negative log-likelihood of ids [B, k], its mean and its variance under log-probabilities [B, k, V]: [3, B, k]."""
    probs = log_probs.exp()
    nll = -log_probs.gather(-1, ids.unsqueeze(-1)).squeeze(-1)
    entropy = -(probs * log_probs).sum(-1)
    variance = (probs * (log_probs + entropy.unsqueeze(-1)) ** 2).sum(-1)
    return torch.stack((nll, entropy, variance)).numpy()
