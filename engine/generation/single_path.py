"""Decoding of a single path: every projection is a matrix times one vector.

With one row the time goes into reading weights, which evict everything else from the processor's caches, code included.
What helps is to make few calls and to use few different kernels. This module therefore repeats ``Kronos.extend``,
``coarse_logits`` and ``fine_logits`` for one row, on plain vectors and without calling modules. CPU and float32 only;
``tests/engine/generation/test_single_path.py`` compares both.

Legend as in ``engine.network.layers``: D model width, h heads, w = D/h head width, F feed-forward width, t tokens so
far including the new one.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.network.kv_cache import KVCache
from engine.network.layers import NORM_EPS, TransformerBlock, qkv_rotary_factors
from engine.network.linear import PackedLinear
from engine.network.model import Kronos

__all__ = ["SinglePathDecoder", "supports_single_path"]


def supports_single_path(model: Kronos, num_rows: int) -> bool:
    """Whether ``SinglePathDecoder`` can replace ``model``: one row, float32, on the CPU."""
    weight = model.head.coarse.weight
    return num_rows == 1 and weight.is_cpu and weight.dtype == torch.float32


class _BlockWeights(NamedTuple):
    """Weights of a transformer block."""

    norm1: Tensor
    """[D]"""
    qkv: Tensor
    """[3D, D]"""
    qkv_bias: Tensor
    """[3D]"""
    out: Tensor
    """[D, D]"""
    out_bias: Tensor
    """[D]"""
    norm2: Tensor
    """[D]"""
    gate_up: Tensor
    """[2F, D]"""
    down: Tensor
    """[D, F]"""


class SinglePathDecoder:
    """Replaces a model for one path of one series: the same methods, shapes and cache."""

    def __init__(self, model: Kronos) -> None:
        self.model, self.head_width = model, model.config.d_model // model.config.n_heads
        self.blocks = [_block_weights(block) for block in cast(list[TransformerBlock], list(model.blocks))]

    def extend(self, coarse: Tensor, fine: Tensor, times: Tensor, cache: KVCache) -> Tensor:
        """Hidden state [1, 1, 1, D] after one more token pair.

        Args:
            coarse: id, int64 [1, 1, 1].
            fine: id, int64 [1, 1, 1].
            times: embedded time features of its bar, [1, 1, 1, D].
            cache: of all layers; the token is appended.
        """
        embedding, position = self.model.embedding, cache.position
        pair = torch.cat((embedding.coarse.weight[int(coarse)], embedding.fine.weight[int(fine)]))  # [2D]
        x = _linear(embedding.fusion, pair, embedding.scale).add_(times.view(-1))  # [D]
        cache.advance(1)
        rotary = qkv_rotary_factors(position, 1, self.head_width, x.device)[0]  # complex [3, 1, w / 2]
        for layer, block in enumerate(self.blocks):
            x = _block_step(x, block, rotary, cache.path_kv(layer))  # [D]
        x, scale = _rms_norm(x, self.model.norm.weight)
        hidden = x.mul_(scale)  # [D]
        kv = cache.path_kv(len(self.blocks))  # [2, h, t, w] of the dependency-aware layer
        kv[:, :, -1] = _linear(self.model.dependency.attention.key_value, hidden).view(2, kv.shape[1], -1)  # [2, h, w]
        return hidden.view(times.shape)

    def coarse_logits(self, hidden: Tensor) -> Tensor:
        """Logits [1, 1, V1] of hidden states [1, 1, D]."""
        return _linear(self.model.head.coarse, hidden.view(-1)).view(1, 1, -1)

    def fine_logits(self, hidden: Tensor, coarse: Tensor, cache: KVCache) -> Tensor:
        """Logits [1, 1, V2] of hidden states [1, 1, D] and coarse ids [1, 1]."""
        dependency, kv = self.model.dependency, cache.path_kv(len(self.blocks))  # kv [2, h, t, w]
        scale = kv.shape[-1] ** -0.5
        query = _linear(dependency.attention.query, self.model.embedding.coarse.weight[int(coarse)]).mul_(scale)  # [D]
        attention_out = _attend(query.view(kv.shape[1], 1, -1), kv)  # [D]
        projected = _linear(dependency.attention.out, attention_out)  # [D]
        x, scale = _rms_norm(projected.add_(hidden.view(-1)), dependency.norm.weight)
        return _linear(self.model.head.fine, x, scale).view(1, 1, -1)


def _linear(layer: PackedLinear, x: Tensor, scale: float = 1.0) -> Tensor:
    """The layer's output [out] for ``scale`` times ``x`` [in]."""
    return torch.addmv(cast(Tensor, layer.bias), layer.weight, x, alpha=scale)


def _block_weights(block: TransformerBlock) -> _BlockWeights:
    attention, ffn = block.attention, block.ffn
    return _BlockWeights(
        block.norm1.weight,
        attention.qkv.weight,
        cast(Tensor, attention.qkv.bias),
        attention.out.weight,
        cast(Tensor, attention.out.bias),
        block.norm2.weight,
        ffn.gate_up.weight,
        ffn.down.weight,
    )


def _block_step(x: Tensor, block: _BlockWeights, rotary: Tensor, kv: Tensor) -> Tensor:
    """One block, ``x`` [D] -> [D]. Writes the token's keys and values to the last position of ``kv`` [2, h, t, w]."""
    heads, width = kv.shape[1], kv.shape[3]
    normed, scale = _rms_norm(x, block.norm1)  # [D]
    qkv = torch.addmv(block.qkv_bias, block.qkv, normed, alpha=scale)  # [3D]
    pairs = torch.view_as_complex(qkv.view(3, heads, width // 2, 2)).mul_(rotary)  # complex [3, h, w / 2]
    rotated = torch.view_as_real(pairs).view(3, heads, width)  # [3, h, w]: query (scaled), key, value
    kv[:, :, -1] = rotated[1:]
    attention_out = _attend(rotated[0].unsqueeze(1), kv)  # [D]
    x = torch.addmv(x.add_(block.out_bias), block.out, attention_out)  # [D], residual included
    normed, scale = _rms_norm(x, block.norm2)  # [D]
    gate, up = torch.mv(block.gate_up, normed.mul_(scale)).chunk(2)  # [F] each
    return torch.addmv(x, block.down, F.silu(gate).mul_(up))  # [D], residual included


def _attend(query: Tensor, kv: Tensor) -> Tensor:
    """Attention of a scaled ``query`` [h, 1, w] over keys and values [2, h, t, w]; returns [D]."""
    keys, values = kv  # [h, t, w] each
    weights = torch.bmm(query, keys.transpose(1, 2)).softmax(-1)  # [h, 1, t]
    return torch.bmm(weights, values).view(-1)  # [h, 1, w] -> [D]


def _rms_norm(x: Tensor, weight: Tensor) -> tuple[Tensor, float]:
    """RMSNorm of ``x`` [D] as an unscaled vector [D] and its scale; the caller folds the scale into its product."""
    mean_square = torch.dot(x, x).item() / x.shape[0]
    return x * weight, (mean_square + NORM_EPS) ** -0.5
