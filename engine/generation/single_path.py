"""The model's step for a single path: every projection is a matrix and one vector.

A single path spends its time reading weights, which push everything else out of the processor's caches, code included:
what counts besides is how few calls are made and how few different kernels they run. So this says once more what
``Kronos.extend``, ``coarse_logits`` and ``fine_logits`` say, for one row, without modules, on plain vectors. Float32 in
the processor's memory only; ``tests/engine/generation/test_single_path.py`` holds the two together.

Legend as in ``engine.network.layers``: D width, h heads, w = D/h, t tokens so far.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.network.kv_cache import KVCache
from engine.network.layers import NORM_EPS, TransformerBlock, query_key_value_factors
from engine.network.linear import Linear
from engine.network.model import Kronos

__all__ = ["SinglePath", "serves"]


def serves(model: Kronos, rows: int) -> bool:
    """Whether ``SinglePath`` can stand for ``model``: one row, float32, in the processor's memory."""
    weight = model.head.coarse.weight
    return rows == 1 and weight.is_cpu and weight.dtype == torch.float32


class _Block(NamedTuple):
    """A transformer block's weights."""

    norm1: Tensor
    qkv: Tensor
    qkv_bias: Tensor
    out: Tensor
    out_bias: Tensor
    norm2: Tensor
    gate_up: Tensor
    down: Tensor


class SinglePath:
    """Stands for a model where one path of one series is read: the same methods, shapes and cache."""

    def __init__(self, model: Kronos) -> None:
        self.model, self.head_width = model, model.config.d_model // model.config.n_heads
        self.blocks = [_weights(block) for block in cast(list[TransformerBlock], list(model.blocks))]

    def extend(self, coarse: Tensor, fine: Tensor, times: Tensor, cache: KVCache) -> Tensor:
        """Read a pair of ids, int64 [1, 1, 1] each, at an embedded bar time [1, 1, 1, D]; the hidden state."""
        embedding, now = self.model.embedding, cache.position
        pair = torch.cat((embedding.coarse.weight[int(coarse)], embedding.fine.weight[int(fine)]))
        x = _affine(embedding.fusion, pair, embedding.scale).add_(times.view(-1))
        cache.advance(1)
        turn = query_key_value_factors(now, 1, self.head_width, x.device)[0]
        for layer, block in enumerate(self.blocks):
            x = _read(x, block, turn, cache.own(layer))
        x, scale = _scaled(x, self.model.norm.weight)
        hidden = x.mul_(scale)
        kept = cache.own(len(self.blocks))
        kept[:, :, -1] = _affine(self.model.dependency.attention.key_value, hidden).view(2, kept.shape[1], -1)
        return hidden.view(times.shape)

    def coarse_logits(self, hidden: Tensor) -> Tensor:
        """As the model's, of hidden states [1, 1, D]."""
        return _affine(self.model.head.coarse, hidden.view(-1)).view(1, 1, -1)

    def fine_logits(self, hidden: Tensor, coarse: Tensor, cache: KVCache) -> Tensor:
        """As the model's, of hidden states [1, 1, D] and coarse ids [1, 1]."""
        dependency, kept = self.model.dependency, cache.own(len(self.blocks))
        scale = kept.shape[-1] ** -0.5
        asked = _affine(dependency.attention.query, self.model.embedding.coarse.weight[int(coarse)]).mul_(scale)
        answered = _affine(dependency.attention.out, _attended(asked.view(kept.shape[1], 1, -1), kept))
        x, scale = _scaled(answered.add_(hidden.view(-1)), dependency.norm.weight)
        return _affine(self.model.head.fine, x, scale).view(1, 1, -1)


def _affine(layer: Linear, x: Tensor, scale: float = 1.0) -> Tensor:
    """The layer of ``scale`` times ``x`` [in]; [out]."""
    return torch.addmv(cast(Tensor, layer.bias), layer.weight, x, alpha=scale)


def _weights(block: TransformerBlock) -> _Block:
    attention, ffn = block.attention, block.ffn
    return _Block(
        block.norm1.weight,
        attention.qkv.weight,
        cast(Tensor, attention.qkv.bias),
        attention.out.weight,
        cast(Tensor, attention.out.bias),
        block.norm2.weight,
        ffn.gate_up.weight,
        ffn.down.weight,
    )


def _read(x: Tensor, block: _Block, turn: Tensor, kept: Tensor) -> Tensor:
    """One block: ``x`` [D] -> [D]. The token's keys and values become the last of ``kept`` [2, h, t, w]."""
    heads, width = kept.shape[1], kept.shape[3]
    normed, scale = _scaled(x, block.norm1)
    qkv = torch.addmv(block.qkv_bias, block.qkv, normed, alpha=scale)
    pairs = torch.view_as_complex(qkv.view(3, heads, width // 2, 2)).mul_(turn)
    turned = torch.view_as_real(pairs).view(3, heads, width)
    kept[:, :, -1] = turned[1:]
    mixed = _attended(turned[0].unsqueeze(1), kept)
    x = torch.addmv(x.add_(block.out_bias), block.out, mixed)
    normed, scale = _scaled(x, block.norm2)
    gate, up = torch.mv(block.gate_up, normed.mul_(scale)).chunk(2)
    return torch.addmv(x, block.down, F.silu(gate).mul_(up))


def _attended(query: Tensor, kept: Tensor) -> Tensor:
    """What ``query`` [h, 1, w], already scaled, finds among kept keys and values [2, h, t, w]; [D]."""
    keys, values = kept
    weights = torch.bmm(query, keys.transpose(1, 2)).softmax(-1)
    return torch.bmm(weights, values).view(-1)


def _scaled(x: Tensor, weight: Tensor) -> tuple[Tensor, float]:
    """RMSNorm of ``x`` [D] as a vector and the number that it is still to be multiplied by."""
    mean_square = torch.dot(x, x).item() / x.shape[0]
    return x * weight, (mean_square + NORM_EPS) ** -0.5
