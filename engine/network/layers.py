"""Building blocks of the tokenizer and the model.

Legend: B series, N paths, T tokens, j new tokens per path, D model width, h heads, w = D/h head width, F feed-forward
width, S context tokens that all paths of a series share, t tokens per path.

Attention has three methods: ``forward`` (training: causal, without a cache), ``prefill`` (causal, stores keys and
values for all paths) and ``extend`` (a few new tokens per path, after the cached ones). Projections are fused, and
rotary pairs are adjacent, so that one complex product rotates queries and keys; ``engine.checkpoints.tensor_names``
converts from and to the published names and row orders.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.network.kv_cache import AttendedKV, KVCache
from engine.network.linear import PackedLinear

__all__ = [
    "Attention",
    "CrossAttention",
    "FeedForward",
    "RMSNorm",
    "TransformerBlock",
    "qkv_rotary_factors",
    "rotary_factors",
]

ROTARY_BASE = 10_000.0
NORM_EPS = 1e-5
_TABLE_STEP = 512


@lru_cache(maxsize=32)
def _rotary_table(length: int, width: int, device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):
        frequencies = 1.0 / (ROTARY_BASE ** (torch.arange(0, width, 2).float() / width))
        angles = torch.outer(torch.arange(length).float(), frequencies)
        return torch.complex(angles.cos(), angles.sin()).to(device)


@lru_cache(maxsize=32)
def _qkv_rotary_table(length: int, width: int, device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):
        keys = _rotary_table(length, width, device)
        return torch.stack((keys * width**-0.5, keys, torch.ones_like(keys)), dim=1).unsqueeze(2)


def _round_up(length: int) -> int:
    """Length of the table to take rows from; rounded up, so that few tables are cached."""
    return -(-length // _TABLE_STEP) * _TABLE_STEP


def qkv_rotary_factors(start: int, length: int, width: int, device: torch.device) -> Tensor:
    """Rotary factors of queries (times the scale 1/sqrt(width)), keys, and values (1, which leaves them as they are).

    Returns complex64 [length, 3, 1, width / 2].
    """
    return _qkv_rotary_table(_round_up(start + length), width, device)[start : start + length]


def rotary_factors(start: int, length: int, width: int, device: torch.device) -> Tensor:
    """Rotary factors exp(i * position * frequency) of positions ``start`` .. ``start + length - 1``.

    Rotary position embedding, arXiv 2104.09864, base 10000. Returns complex64 [length, width / 2].
    """
    return _rotary_table(_round_up(start + length), width, device)[start : start + length]


def _rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotate adjacent pairs of the last axis of ``x`` [..., T, h, w] by ``rotation`` [T, w / 2]; float32."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))  # complex [..., T, h, w / 2]
    return torch.view_as_real(pairs * rotation.unsqueeze(-2)).flatten(-2)


class RMSNorm(nn.Module):
    """Root-mean-square normalization in float32, arXiv 1910.07467."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """[..., D] -> [..., D] float32."""
        return F.rms_norm(x.float(), self.weight.shape, self.weight.float(), NORM_EPS)


class FeedForward(nn.Module):
    """SwiGLU, arXiv 2002.05202: down(silu(gate) * up), without biases."""

    def __init__(self, width: int, ff_dim: int, dropout: float) -> None:
        super().__init__()
        self.gate_up = PackedLinear(width, 2 * ff_dim, bias=False)
        self.down = PackedLinear(ff_dim, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[..., D] -> [..., D]."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)  # [..., F] each
        output = self.down(F.silu(gate) * up)  # [..., D]
        return self.dropout(output) if self.training else output

    def residual_forward(self, residual: Tensor, x: Tensor) -> Tensor:
        """``residual`` plus the output of ``forward``, both [..., D]; for inference."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)  # [..., F] each
        return self.down.add_to(residual, F.silu(gate).mul_(up))


def _attend(q: Tensor, kv: AttendedKV) -> Tensor:
    """Attention of new tokens over the shared and each path's own tokens, with one softmax over both.

    ``q`` [B, h, N, j, w] is scaled already; the new tokens are the last ones in ``kv``. The shared part is one matrix
    product over the N*j queries of a series instead of N copies of the context. Returns float32 [B, N, j, h*w].
    """
    num_series, heads, num_paths, num_new, width = q.shape
    shared_keys, shared_values, path_keys, path_values = kv
    num_shared, num_own = shared_keys.shape[1], path_keys.shape[1]
    rows = q.reshape(-1, num_new, width)  # [B*h*N, j, w]
    weights = torch.bmm(rows, path_keys.transpose(1, 2))  # [B*h*N, j, t]
    if num_new > 1:  # a new token must not attend to later ones
        is_later = torch.ones(num_new, num_own, dtype=torch.bool, device=q.device).triu(num_own - num_new + 1)  # [j, t]
        weights = weights.masked_fill(is_later, float("-inf"))
    if num_shared:
        rows = rows.view(num_series * heads, num_paths * num_new, width)  # [B*h, N*j, w]
        shared_weights = torch.bmm(rows, shared_keys.transpose(1, 2))  # [B*h, N*j, S]
        own_weights = weights.view(num_series * heads, num_paths * num_new, num_own)  # [B*h, N*j, t]
        weights = torch.cat((shared_weights, own_weights), -1)  # [B*h, N*j, S + t]
    weights = weights.softmax(-1)
    own_part = weights.view(-1, num_new, num_shared + num_own)[..., num_shared:]  # [B*h*N, j, t]
    mixed = torch.bmm(own_part, path_values)  # [B*h*N, j, w]
    if num_shared:
        mixed = torch.bmm(weights[..., :num_shared], shared_values).view(-1, num_new, width).add_(mixed)
    return mixed.view(num_series, heads, num_paths, num_new, width).permute(0, 2, 3, 1, 4).flatten(-2)


class Attention(nn.Module):
    """Causal self-attention with rotary position embeddings."""

    def __init__(self, width: int, heads: int, attention_dropout: float, residual_dropout: float) -> None:
        super().__init__()
        self.heads, self.width = heads, width // heads
        self.attention_dropout = attention_dropout
        self.qkv = PackedLinear(width, 3 * width)
        self.out = PackedLinear(width, width)
        self.dropout = nn.Dropout(residual_dropout)

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``x`` [..., T, D] at positions from 0 -> q (rotated, scaled), k (rotated), v, each [..., T, h, w]."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, self.width))  # [..., T, 3, h, w]
        pairs = torch.view_as_complex(qkv[..., :2, :, :].float().unflatten(-1, (-1, 2)))  # [..., T, 2, h, w / 2]
        factors = qkv_rotary_factors(0, x.shape[-2], self.width, x.device)
        rotated = torch.view_as_real(pairs * factors[:, :2]).flatten(-2)  # [..., T, 2, h, w]
        return rotated[..., 0, :, :], rotated[..., 1, :, :], qkv[..., 2, :, :]

    def _causal(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Causal attention within ``x`` [B, T, D]; also the keys and values [B, h, T, w]."""
        q, k, v = (item.transpose(1, 2) for item in self._project(x))  # [B, h, T, w] each
        dropout = self.attention_dropout if self.training else 0.0
        q, k = q.to(v.dtype), k.to(v.dtype)
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True, scale=1.0)  # [B, h, T, w]
        return self.dropout(self.out(mixed.transpose(1, 2).flatten(-2))), k, v

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]; position t sees 0..t, in training and in evaluation."""
        return self._causal(x)[0]

    def forward_counterfactual(self, x: Tensor, alternatives: Tensor) -> Tensor:
        """Attention output [B, T, D] of ``alternatives`` [B, T, D], each replacing the token of ``x`` at its position.

        An alternative attends to the tokens of ``x`` [B, T, D] before its position, and to itself. For inference.
        """
        _, k, v = (item.transpose(1, 2) for item in self._project(x))  # [B, h, T, w] each
        q, alternative_k, alternative_v = (item.transpose(1, 2) for item in self._project(alternatives))
        position = torch.arange(x.shape[-2], device=x.device)
        mask = torch.cat((position[:, None] > position, position[:, None] == position), dim=-1)  # [T, 2T]
        keys = torch.cat((k, alternative_k), dim=-2)  # [B, h, 2T, w]
        values = torch.cat((v, alternative_v), dim=-2)
        mixed = F.scaled_dot_product_attention(q.to(v.dtype), keys.to(v.dtype), values, attn_mask=mask, scale=1.0)
        return self.out(mixed.transpose(1, 2).flatten(-2))

    def prefill(self, x: Tensor, cache: KVCache, layer: int) -> Tensor:
        """``forward`` that also stores keys and values in ``cache``, for all paths."""
        mixed, k, v = self._causal(x)
        cache.set_shared(layer, k.float(), v.float())
        return mixed

    def extend(self, residual: Tensor, x: Tensor, cache: KVCache, layer: int) -> Tensor:
        """``residual`` plus the attention output of new tokens ``x``, both [B, N, j, D]; appends to ``cache``."""
        pairs = torch.view_as_complex(self.qkv(x).float().unflatten(-1, (3, self.heads, -1, 2)))  # [B, N, j, 3, h, w/2]
        factors = qkv_rotary_factors(cache.position, x.shape[-2], self.width, x.device)
        rotated = torch.view_as_real(pairs * factors).flatten(-2).permute(3, 0, 4, 1, 2, 5)  # [3, B, h, N, j, w]
        return self.out.add_to(residual, _attend(rotated[0], cache.append(layer, rotated[1:])))


class CrossAttention(nn.Module):
    """Attention of one sequence over another, as the dependency-aware layer uses it.

    Training attends causally with rotary positions. Inference uses one query over the whole window *without* rotary
    positions, because the reference builds its rotation for a query of length one, which gives every key position 0;
    ``prefill`` and ``extend`` do the same.
    """

    def __init__(self, width: int, heads: int, attention_dropout: float, residual_dropout: float) -> None:
        super().__init__()
        self.heads, self.width = heads, width // heads
        self.attention_dropout = attention_dropout
        self.query = PackedLinear(width, width)
        self.key_value = PackedLinear(width, 2 * width)
        self.out = PackedLinear(width, width)
        self.dropout = nn.Dropout(residual_dropout)

    def _keys_values(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """``context`` [..., T, D] -> keys and values without rotation, each [..., T, h, w]."""
        k, v = self.key_value(context).unflatten(-1, (2 * self.heads, self.width)).chunk(2, dim=-2)
        return k, v

    def forward(self, query: Tensor, context: Tensor) -> Tensor:
        """``query``, ``context`` [B, T, D] -> [B, T, D]; position t sees 0..t, in training and in evaluation."""
        rotation = rotary_factors(0, context.shape[-2], self.width, context.device)
        k, v = self._keys_values(context)
        q = _rotate(self.query(query).unflatten(-1, (self.heads, self.width)), rotation).to(v.dtype)
        k = _rotate(k, rotation).to(v.dtype)
        q, k, v = (item.transpose(1, 2) for item in (q, k, v))  # [B, h, T, w] each
        dropout = self.attention_dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self.dropout(self.out(mixed.transpose(1, 2).flatten(-2)))

    def prefill(self, context: Tensor, cache: KVCache, layer: int) -> None:
        """Store keys and values of ``context`` [B, T, D] in ``cache``, without rotation, for all paths."""
        k, v = self._keys_values(context)
        cache.set_shared(layer, k.transpose(1, 2).float(), v.transpose(1, 2).float())

    def append_kv(self, context: Tensor, cache: KVCache, layer: int) -> None:
        """Append keys and values of new tokens ``context`` [B, N, j, D] to ``cache``, without rotation."""
        keys_values = self.key_value(context).unflatten(-1, (2, self.heads, self.width))  # [B, N, j, 2, h, w]
        cache.append(layer, keys_values.permute(3, 0, 4, 1, 2, 5))  # [2, B, h, N, j, w]

    def extend(self, query: Tensor, cache: KVCache, layer: int) -> Tensor:
        """One ``query`` per path [B, N, 1, D] over all cached tokens -> [B, N, 1, D]."""
        q = self.query(query).unflatten(-1, (self.heads, self.width)).permute(0, 3, 1, 2, 4)  # [B, h, N, 1, w]
        return self.out(_attend(q.float() * self.width**-0.5, cache.attended(layer)))


class TransformerBlock(nn.Module):
    """Pre-norm block: attention, then feed-forward, each added to its input."""

    def __init__(
        self,
        width: int,
        heads: int,
        ff_dim: int,
        *,
        ffn_dropout: float,
        attention_dropout: float,
        residual_dropout: float,
    ) -> None:
        super().__init__()
        self.norm1 = RMSNorm(width)
        self.attention = Attention(width, heads, attention_dropout, residual_dropout)
        self.norm2 = RMSNorm(width)
        self.ffn = FeedForward(width, ff_dim, ffn_dropout)

    def _add_residuals(self, x: Tensor, attention_out: Tensor) -> Tensor:
        x = x + attention_out
        return x + self.ffn(self.norm2(x))

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        return self._add_residuals(x, self.attention(self.norm1(x)))

    def forward_counterfactual(self, x: Tensor, alternatives: Tensor) -> Tensor:
        """``alternatives`` [B, T, D], each replacing the token of ``x`` [B, T, D] at its position -> [B, T, D]."""
        return self._add_residuals(
            alternatives, self.attention.forward_counterfactual(self.norm1(x), self.norm1(alternatives))
        )

    def prefill(self, x: Tensor, cache: KVCache, layer: int) -> Tensor:
        """``forward`` that also stores keys and values in ``cache``, for all paths."""
        return self._add_residuals(x, self.attention.prefill(self.norm1(x), cache, layer))

    def extend(self, x: Tensor, cache: KVCache, layer: int) -> Tensor:
        """New tokens of every path, [B, N, j, D] -> [B, N, j, D]."""
        x = self.attention.extend(x, self.norm1(x), cache, layer)
        return self.ffn.residual_forward(x, self.norm2(x))
