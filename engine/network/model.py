"""``Kronos``: the next candle's two tokens from the candles so far (arXiv 2508.02739, section 3.2).

Legend: B series, N paths, T tokens, D width, V1 and V2 coarse and fine vocabularies. Time features are int64
[..., T, 5]: minute, hour, weekday, day, month of each bar (``engine.features``).

A decode step has two parts: ``extend`` encodes the last token pair into hidden states, which give ``coarse_logits``;
once a coarse token is sampled, ``fine_logits`` uses the dependency-aware layer for the fine one.
"""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.checkpoints.pretrained import PretrainedModule
from engine.config import ModelConfig
from engine.network.kv_cache import KVCache
from engine.network.layers import CrossAttention, RMSNorm, TransformerBlock
from engine.network.linear import PackedLinear

__all__ = ["Kronos", "Logits", "ModelLoss"]

DEPENDENCY_HEADS = 4
"""Heads of the dependency-aware layer, whatever the model has."""

_TIME_SIZES = {"minute": 60, "hour": 24, "weekday": 7, "day": 32, "month": 13}


class Logits(NamedTuple):
    """Next-token logits of every position, for training."""

    coarse: Tensor
    """[B, T, V1]"""
    fine: Tensor
    """[B, T, V2], given the next coarse token"""


class ModelLoss(NamedTuple):
    """The parts of the model's training loss, in nats; scalars."""

    total: Tensor
    """(coarse + fine) / 2"""
    coarse: Tensor
    fine: Tensor


class HierarchicalEmbedding(nn.Module):
    """Embedding of a token pair as one vector."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.scale = math.sqrt(config.d_model)
        self.coarse = nn.Embedding(2**config.s1_bits, config.d_model)
        self.fine = nn.Embedding(2**config.s2_bits, config.d_model)
        self.fusion = PackedLinear(2 * config.d_model, config.d_model)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Ids [...] -> [..., D]."""
        pair = torch.cat((self.coarse(coarse), self.fine(fine)), dim=-1)  # [..., 2D]
        return self.fusion(pair.float() * self.scale)


class TemporalEmbedding(nn.Module):
    """Sum of one embedding per time feature."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        for name, size in _TIME_SIZES.items():
            self.add_module(name, nn.Embedding(size, config.d_model))
        if not config.learn_te:
            self.requires_grad_(requires_grad=False)

    def forward(self, time_features: Tensor) -> Tensor:
        """Int64 [..., 5] -> [..., D]."""
        embeddings = [self.get_submodule(name)(time_features[..., i]) for i, name in enumerate(_TIME_SIZES)]
        return torch.stack(embeddings).sum(0).float()  # [5, ..., D] -> [..., D]


class DependencyLayer(nn.Module):
    """Makes the fine token depend on the sampled coarse one, which is the query over the hidden states."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention = CrossAttention(config.d_model, DEPENDENCY_HEADS, 0.0, 0.0)  # no dropout, as published
        self.norm = RMSNorm(config.d_model)

    def forward(self, hidden: Tensor, query: Tensor) -> Tensor:
        """Hidden states and embedded next coarse tokens, both [B, T, D] -> [B, T, D]; causal in every mode."""
        return self.norm(hidden + self.attention(query, hidden))


class DualHead(nn.Module):
    """One projection per vocabulary."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.coarse = PackedLinear(config.d_model, 2**config.s1_bits)
        self.fine = PackedLinear(config.d_model, 2**config.s2_bits)


class Kronos(PretrainedModule):
    """Decoder-only transformer over token pairs."""

    kind = "model"
    config: ModelConfig

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = HierarchicalEmbedding(config)
        self.time_embedding = TemporalEmbedding(config)
        self.token_dropout = nn.Dropout(config.token_dropout_p)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                config.d_model,
                config.n_heads,
                config.ff_dim,
                ffn_dropout=config.ffn_dropout_p,
                attention_dropout=config.attn_dropout_p,
                residual_dropout=config.resid_dropout_p,
            )
            for _ in range(config.n_layers)
        )
        self.norm = RMSNorm(config.d_model)
        self.dependency = DependencyLayer(config)
        self.head = DualHead(config)
        self._initialize_weights()

    def _initialize_weights(self) -> None:
        """Xavier for matrices, 1/sqrt(D) for embeddings, zero biases; sinusoids if ``learn_te`` is off."""
        for module in self.modules():
            if isinstance(module, PackedLinear):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.config.d_model**-0.5)
        if not self.config.learn_te:
            for name, size in _TIME_SIZES.items():
                table = cast(nn.Embedding, self.time_embedding.get_submodule(name)).weight
                with torch.no_grad():
                    table.copy_(_sinusoids(size, self.config.d_model))

    @property
    def _layers(self) -> list[TransformerBlock]:
        return cast(list[TransformerBlock], list(self.blocks))

    def _embed(self, coarse: Tensor, fine: Tensor, times: Tensor) -> Tensor:
        x = self.embedding(coarse, fine) + (times if times.is_floating_point() else self.time_embedding(times))
        return self.token_dropout(x) if self.training else x

    def hidden(self, coarse: Tensor, fine: Tensor, time_features: Tensor) -> Tensor:
        """Hidden states [B, T, D] of ids [B, T] and time features [B, T, 5]; causal."""
        x = self._embed(coarse, fine, time_features)
        for block in self._layers:
            x = block(x)
        return self.norm(x)

    def prefill(self, coarse: Tensor, fine: Tensor, times: Tensor, limit: int | None = None) -> tuple[Tensor, KVCache]:
        """Encode the context once for all paths: ids [B, T], and time features [B, T, 5] or their embedding [B, T, D].

        Returns the hidden state [B, 1, D] of the last token and the cache to ``expand``; with a ``limit`` the cache
        attends to that many newest tokens only.
        """
        cache = KVCache(len(self.blocks) + 1, limit)
        x = self._embed(coarse, fine, times)
        for layer, block in enumerate(self._layers):
            x = block.prefill(x, cache, layer)
        hidden = self.norm(x)
        self.dependency.attention.prefill(hidden, cache, len(self.blocks))
        return hidden[:, -1:], cache

    def extend(self, coarse: Tensor, fine: Tensor, times: Tensor, cache: KVCache) -> Tensor:
        """Encode j new token pairs per path: ids [B, N, j], and time features [B, 1 or N, j, 5] or their embedding.

        Returns hidden states [B, N, j, D].
        """
        x = self._embed(coarse, fine, times)
        for layer, block in enumerate(self._layers):
            x = block.extend(x, cache, layer)
        hidden = self.norm(x)
        self.dependency.attention.append_kv(hidden, cache, len(self.blocks))
        cache.advance(coarse.shape[-1])
        return hidden

    def coarse_logits(self, hidden: Tensor) -> Tensor:
        """Logits float32 [..., V1] of the next coarse token."""
        return self.head.coarse(hidden).float()

    def fine_logits(self, hidden: Tensor, coarse: Tensor, cache: KVCache) -> Tensor:
        """Logits float32 [B, N, V2] of the next fine token, given last hidden states [B, N, D] and coarse ids [B, N].

        One query, the coarse token's embedding, over the keys and values of all tokens, without rotary positions.
        """
        query = self.embedding.coarse(coarse).float().unsqueeze(2)  # [B, N, 1, D]
        attention_out = self.dependency.attention.extend(query, cache, len(self.blocks)).squeeze(2)  # [B, N, D]
        return self.head.fine(self.dependency.norm(hidden + attention_out)).float()

    def forward(
        self,
        coarse: Tensor,
        fine: Tensor,
        time_features: Tensor,
        next_coarse: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Logits:
        """Logits of every position for training: ids [B, T], time features [B, T, 5].

        The dependency-aware layer gets ``next_coarse`` [B, T] (teacher forcing) or, if that is None, coarse tokens
        sampled from the model's own logits, as in the reference's training.
        """
        hidden = self.hidden(coarse, fine, time_features)
        coarse_logits = self.coarse_logits(hidden)
        if next_coarse is None:
            next_coarse = self._sample_coarse(coarse_logits, generator)
        conditioned = self.dependency(hidden, self.embedding.coarse(next_coarse))  # [B, T, D]
        return Logits(coarse_logits, self.head.fine(conditioned).float())

    def loss(
        self,
        coarse: Tensor,
        fine: Tensor,
        time_features: Tensor,
        *,
        loss_mask: Tensor | None = None,
        teacher_forcing: bool = True,
        generator: torch.Generator | None = None,
        alternative_targets: tuple[Tensor, Tensor] | None = None,
    ) -> ModelLoss:
        """Next-token cross-entropy of ids [B, T] at times [B, T, 5]; the first pair is input only.

        Args:
            coarse: int64 [B, T].
            fine: int64 [B, T].
            time_features: int64 [B, T, 5].
            loss_mask: bool [B, T - 1], the predicted positions that count; None = all.
            teacher_forcing: condition the fine token on the true coarse one, else on one that the model samples.
            generator: for that sampling.
            alternative_targets: coarse and fine ids [B, T], equally valid outcomes at each position, which get the same
                weight as the observed ones.
        """
        mask = torch.ones_like(coarse[:, 1:], dtype=torch.bool) if loss_mask is None else loss_mask
        hidden = self.hidden(coarse[:, :-1], fine[:, :-1], time_features[:, :-1])
        logits = self.coarse_logits(hidden[mask])
        sampled = None if teacher_forcing else self._sample_coarse(self.coarse_logits(hidden), generator)
        coarse_losses, fine_losses = [], []
        for coarse_target, fine_target in filter(None, ((coarse, fine), alternative_targets)):
            next_coarse = coarse_target[:, 1:] if sampled is None else sampled
            conditioned = self.dependency(hidden, self.embedding.coarse(next_coarse))[mask]  # [M, D], M positions
            coarse_losses.append(F.cross_entropy(logits, coarse_target[:, 1:][mask]))
            fine_losses.append(F.cross_entropy(self.head.fine(conditioned).float(), fine_target[:, 1:][mask]))
        loss_coarse, loss_fine = torch.stack(coarse_losses).mean(), torch.stack(fine_losses).mean()
        return ModelLoss((loss_coarse + loss_fine) / 2, loss_coarse, loss_fine)

    @staticmethod
    def _sample_coarse(logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """Coarse ids [B, T] sampled from logits [B, T, V1]; no gradient."""
        probs = logits.detach().softmax(-1).flatten(0, -2)  # [B*T, V1]
        return torch.multinomial(probs, 1, generator=generator).view(logits.shape[:-1])


def _sinusoids(size: int, width: int) -> Tensor:
    """Fixed embedding [size, width]: sines in even columns, cosines in odd ones (arXiv 1706.03762, 3.5)."""
    frequencies = torch.exp(torch.arange(0, width, 2).float() * -(math.log(10_000.0) / width))
    angles = torch.outer(torch.arange(size).float(), frequencies)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)
