"""Building blocks of the tokenizer and the model.

Legend: B series, N paths, R = B*N rows, T tokens, j new tokens per row, D model width, h heads, w = D/h head width,
S tokens of context that all paths of a series share, t tokens of a path's own.

Each attention has three ways of use, one function each: ``forward`` (training: causal, nothing kept), ``prefill``
(causal, keys and values kept for all paths) and ``extend`` (a few new tokens per path, after the kept ones).
Projections are fused, and rotary pairs lie side by side, so that one complex product turns queries and keys;
``engine.checkpoints.tensor_names`` maps the published names and row orders to these and back.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.network.kv_cache import KVCache, Visible
from engine.network.linear import Linear

__all__ = [
    "Attention",
    "CrossAttention",
    "FeedForward",
    "RMSNorm",
    "TransformerBlock",
    "query_key_value_factors",
    "rotation_table",
]

ROTARY_BASE = 10_000.0
NORM_EPS = 1e-5
_TABLE_STEP = 512


@lru_cache(maxsize=32)
def _full_table(length: int, width: int, device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):
        frequencies = 1.0 / (ROTARY_BASE ** (torch.arange(0, width, 2).float() / width))
        angles = torch.outer(torch.arange(length).float(), frequencies)
        return torch.complex(angles.cos(), angles.sin()).to(device)


@lru_cache(maxsize=32)
def _query_key_value_table(length: int, width: int, device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):
        keys = _full_table(length, width, device)
        return torch.stack((keys * width**-0.5, keys, torch.ones_like(keys)), dim=1).unsqueeze(2)


def _rounded(length: int) -> int:
    """The length of the table to take rows from: few tables serve all lengths."""
    return -(-length // _TABLE_STEP) * _TABLE_STEP


def query_key_value_factors(start: int, length: int, width: int, device: torch.device) -> Tensor:
    """What turns queries (and scales them by 1/sqrt(width)), keys, and values (by nothing: they are multiplied by 1).

    Returns complex64 [length, 3, 1, width / 2].
    """
    return _query_key_value_table(_rounded(start + length), width, device)[start : start + length]


def rotation_table(start: int, length: int, width: int, device: torch.device) -> Tensor:
    """Rotary factors exp(i * position * frequency) of positions ``start`` .. ``start + length - 1``.

    Rotary position embedding, arXiv 2104.09864, base 10000. Returns complex64 [length, width / 2].
    """
    return _full_table(_rounded(start + length), width, device)[start : start + length]


def _rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn adjacent pairs of the last axis of ``x`` [..., T, heads, w] by ``rotation`` [T, w / 2]; float32."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotation.unsqueeze(-2)).flatten(-2)


class RMSNorm(nn.Module):
    """Root-mean-square normalisation in float32, arXiv 1910.07467."""

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
        self.gate_up = Linear(width, 2 * ff_dim, bias=False)
        self.down = Linear(ff_dim, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[..., D] -> [..., D]."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        mixed = self.down(F.silu(gate) * up)
        return self.dropout(mixed) if self.training else mixed

    def onto(self, residual: Tensor, x: Tensor) -> Tensor:
        """``residual`` plus what ``forward`` gives, both [..., D]; for inference."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down.onto(residual, F.silu(gate).mul_(up))


def _attend(q: Tensor, seen: Visible) -> Tensor:
    """Attention of new tokens over what all paths share and what is each path's own, softmax over both together.

    ``q`` [B, h, N, j, w], already scaled; its own tokens are the last in ``seen``. The shared part is one matrix
    product over the N*j queries of a series, never N copies of the context. Returns float32 [B, N, j, h*w].
    """
    series, heads, paths, new, width = q.shape
    shared_keys, shared_values, own_keys, own_values = seen
    shared, own = shared_keys.shape[1], own_keys.shape[1]
    rows = q.reshape(-1, new, width)
    weights = torch.bmm(rows, own_keys.transpose(1, 2))  # [BhN, j, t]
    if new > 1:
        future = torch.ones(new, own, dtype=torch.bool, device=q.device).triu(own - new + 1)
        weights = weights.masked_fill(future, float("-inf"))
    if shared:
        rows = rows.view(series * heads, paths * new, width)
        to_shared = torch.bmm(rows, shared_keys.transpose(1, 2))  # [Bh, N*j, S]
        weights = torch.cat((to_shared, weights.view(series * heads, paths * new, own)), -1)
    weights = weights.softmax(-1)
    mixed = torch.bmm(weights.view(-1, new, shared + own)[..., shared:], own_values)  # [BhN, j, w]
    if shared:
        mixed = torch.bmm(weights[..., :shared], shared_values).view(-1, new, width).add_(mixed)
    return mixed.view(series, heads, paths, new, width).permute(0, 2, 3, 1, 4).flatten(-2)


class Attention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self, width: int, heads: int, attention_dropout: float, residual_dropout: float) -> None:
        super().__init__()
        self.heads, self.width = heads, width // heads
        self.attention_dropout = attention_dropout
        self.qkv = Linear(width, 3 * width)
        self.out = Linear(width, width)
        self.dropout = nn.Dropout(residual_dropout)

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``x`` [..., T, D] at positions from 0 -> q (turned, scaled), k (turned), v: each [..., T, h, w]."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, self.width))
        pairs = torch.view_as_complex(qkv[..., :2, :, :].float().unflatten(-1, (-1, 2)))
        factors = query_key_value_factors(0, x.shape[-2], self.width, x.device)
        turned = torch.view_as_real(pairs * factors[:, :2]).flatten(-2)  # [..., T, 2, h, w]
        return turned[..., 0, :, :], turned[..., 1, :, :], qkv[..., 2, :, :]

    def _causal(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Causal attention within ``x`` [B, T, D]; also the keys and values [B, h, T, w]."""
        q, k, v = (part.transpose(1, 2) for part in self._project(x))
        dropout = self.attention_dropout if self.training else 0.0
        q, k = q.to(v.dtype), k.to(v.dtype)
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True, scale=1.0)
        return self.dropout(self.out(mixed.transpose(1, 2).flatten(-2))), k, v

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]; position t sees 0..t, in training and in evaluation."""
        return self._causal(x)[0]

    def instead(self, x: Tensor, others: Tensor) -> Tensor:
        """What ``others`` [B, T, D] get, each in place of the token of ``x`` [B, T, D] at its position; for inference.

        Each sees what of ``x`` lies before it, and itself. Returns [B, T, D].
        """
        _, k, v = (part.transpose(1, 2) for part in self._project(x))
        q, own_k, own_v = (part.transpose(1, 2) for part in self._project(others))
        at = torch.arange(x.shape[-2], device=x.device)
        seen = torch.cat((at[:, None] > at, at[:, None] == at), dim=-1)
        keys, values = torch.cat((k, own_k), dim=-2), torch.cat((v, own_v), dim=-2)
        mixed = F.scaled_dot_product_attention(q.to(v.dtype), keys.to(v.dtype), values, attn_mask=seen, scale=1.0)
        return self.out(mixed.transpose(1, 2).flatten(-2))

    def prefill(self, x: Tensor, cache: KVCache, layer: int) -> Tensor:
        """As ``forward``, and keeps the keys and values in ``cache`` for all paths."""
        mixed, k, v = self._causal(x)
        cache.share(layer, k.float(), v.float())
        return mixed

    def extend(self, residual: Tensor, x: Tensor, cache: KVCache, layer: int) -> Tensor:
        """``residual`` plus the attention of ``x``, new tokens of every path, both [B, N, j, D]; writes ``cache``."""
        pairs = torch.view_as_complex(self.qkv(x).float().unflatten(-1, (3, self.heads, -1, 2)))
        factors = query_key_value_factors(cache.position, x.shape[-2], self.width, x.device)
        turned = torch.view_as_real(pairs * factors).flatten(-2).permute(3, 0, 4, 1, 2, 5)  # [3, B, h, N, j, w]
        return self.out.onto(residual, _attend(turned[0], cache.write(layer, turned[1:])))


class CrossAttention(nn.Module):
    """Attention of one sequence over another, as the dependency-aware layer uses it.

    Training attends causally with turned queries and keys. At inference the published weights are used with one query
    over the whole window, *neither side turned* (the reference builds its rotation for a query of length one, so that
    every key gets position 0); ``prefill`` and ``extend`` do the same.
    """

    def __init__(self, width: int, heads: int, attention_dropout: float, residual_dropout: float) -> None:
        super().__init__()
        self.heads, self.width = heads, width // heads
        self.attention_dropout = attention_dropout
        self.query = Linear(width, width)
        self.key_value = Linear(width, 2 * width)
        self.out = Linear(width, width)
        self.dropout = nn.Dropout(residual_dropout)

    def _keys_values(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """``context`` [..., T, D] -> unturned keys and values, each [..., T, h, w]."""
        k, v = self.key_value(context).unflatten(-1, (2 * self.heads, self.width)).chunk(2, dim=-2)
        return k, v

    def forward(self, query: Tensor, context: Tensor) -> Tensor:
        """``query``, ``context`` [B, T, D] -> [B, T, D]; position t sees 0..t, in training and in evaluation."""
        rotation = rotation_table(0, context.shape[-2], self.width, context.device)
        k, v = self._keys_values(context)
        q = _rotate(self.query(query).unflatten(-1, (self.heads, self.width)), rotation).to(v.dtype)
        k = _rotate(k, rotation).to(v.dtype)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        dropout = self.attention_dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self.dropout(self.out(mixed.transpose(1, 2).flatten(-2)))

    def prefill(self, context: Tensor, cache: KVCache, layer: int) -> None:
        """Keep the unturned keys and values of ``context`` [B, T, D] in ``cache`` for all paths."""
        k, v = self._keys_values(context)
        cache.share(layer, k.transpose(1, 2).float(), v.transpose(1, 2).float())

    def remember(self, context: Tensor, cache: KVCache, layer: int) -> None:
        """Write the unturned keys and values of new tokens ``context`` [B, N, j, D] to ``cache``."""
        keys_values = self.key_value(context).unflatten(-1, (2, self.heads, self.width))
        cache.write(layer, keys_values.permute(3, 0, 4, 1, 2, 5))  # [2, B, h, N, j, w]

    def extend(self, query: Tensor, cache: KVCache, layer: int) -> Tensor:
        """One ``query`` per path [B, N, 1, D] over everything remembered -> [B, N, 1, D]."""
        q = self.query(query).unflatten(-1, (self.heads, self.width)).permute(0, 3, 1, 2, 4)
        return self.out(_attend(q.float() * self.width**-0.5, cache.visible(layer)))


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

    def _finish(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + attended
        return x + self.ffn(self.norm2(x))

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, T, D]."""
        return self._finish(x, self.attention(self.norm1(x)))

    def instead(self, x: Tensor, others: Tensor) -> Tensor:
        """``others`` [B, T, D], each in place of the token of ``x`` [B, T, D] at its position -> [B, T, D]."""
        return self._finish(others, self.attention.instead(self.norm1(x), self.norm1(others)))

    def prefill(self, x: Tensor, cache: KVCache, layer: int) -> Tensor:
        """As ``forward``, keeping keys and values for all paths."""
        return self._finish(x, self.attention.prefill(self.norm1(x), cache, layer))

    def extend(self, x: Tensor, cache: KVCache, layer: int) -> Tensor:
        """New tokens of every path, [B, N, j, D] -> [B, N, j, D]."""
        x = self.attention.extend(x, self.norm1(x), cache, layer)
        return self.ffn.onto(x, self.norm2(x))
