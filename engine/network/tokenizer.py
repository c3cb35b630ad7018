"""``KronosTokenizer``: candles to token ids and back (arXiv 2508.02739, section 3.1).

Legend: B series, N paths, T candles, j new candles per path, D width, K code bits. Candles are z-scores float32
[B, T, 6] (``engine.features``). Encoder and decoder are causal: the tokens of a candle and its reconstruction depend on
it and on earlier candles only, so that many paths can share one decoded context.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.checkpoints.pretrained import PretrainedModule
from engine.config import TokenizerConfig
from engine.network.kv_cache import KVCache
from engine.network.layers import TransformerBlock
from engine.network.linear import PackedLinear
from engine.network.quantizer import BinarySphericalQuantizer

__all__ = ["KronosTokenizer", "Reconstruction", "TokenizerLoss"]


class Reconstruction(NamedTuple):
    """Output of the tokenizer in training."""

    coarse: Tensor
    """[B, T, 6], from the coarse bits alone."""
    full: Tensor
    """[B, T, 6], from all bits."""
    quantization_loss: Tensor
    """Scalar: commitment and entropy terms."""
    code: Tensor
    """[B, T, K], each entry 1 / sqrt(K) or its negative; straight-through: the gradient passes to the latents."""


class TokenizerLoss(NamedTuple):
    """Terms of the tokenizer's training loss; scalars."""

    total: Tensor
    """(mse_coarse + mse_full + quantization) / 2; may be negative."""
    mse_coarse: Tensor
    mse_full: Tensor
    quantization: Tensor


def _blocks(config: TokenizerConfig, layers: int) -> nn.ModuleList:
    """``layers - 1`` blocks: the published configurations count one more than there are."""
    return nn.ModuleList(
        TransformerBlock(
            config.d_model,
            config.n_heads,
            config.ff_dim,
            ffn_dropout=config.ffn_dropout_p,
            attention_dropout=config.attn_dropout_p,
            residual_dropout=config.resid_dropout_p,
        )
        for _ in range(layers - 1)
    )


def _each(blocks: nn.ModuleList) -> Iterator[TransformerBlock]:
    return cast(Iterator[TransformerBlock], iter(blocks))


class KronosTokenizer(PretrainedModule):
    """Encoder, binary spherical quantizer and decoder."""

    kind = "tokenizer"
    config: TokenizerConfig

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = PackedLinear(config.d_in, config.d_model)
        self.encoder = _blocks(config, config.n_enc_layers)
        self.to_code = PackedLinear(config.d_model, config.code_bits)
        self.quantizer = BinarySphericalQuantizer(config)
        self.from_coarse = PackedLinear(config.s1_bits, config.d_model)
        self.from_code = PackedLinear(config.code_bits, config.d_model)
        self.decoder = _blocks(config, config.n_dec_layers)
        self.head = PackedLinear(config.d_model, config.d_in)

    def latents(self, candles: Tensor) -> Tensor:
        """Latents before quantization: [B, T, 6] -> [B, T, K]."""
        x = self.embed(candles)
        for block in self.encoder:
            x = block(x)
        return self.to_code(x)

    def encode(self, candles: Tensor) -> tuple[Tensor, Tensor]:
        """Coarse and fine ids, each int64 [B, T], of candles [B, T, 6]."""
        return self.quantizer.ids(self.latents(candles))

    def encode_counterfactual(self, candles: Tensor, alternatives: Tensor) -> tuple[Tensor, Tensor]:
        """Ids [B, T] of ``alternatives`` [B, T, 6], each replacing the candle at its position.

        The candles before it are those of ``candles`` [B, T, 6]. Equals encoding T sequences, each with its last candle
        replaced, in one pass.
        """
        x, y = self.embed(candles), self.embed(alternatives)
        for block in _each(self.encoder):
            x, y = block(x), block.forward_counterfactual(x, y)
        return self.quantizer.ids(self.to_code(y))

    def _decode(self, x: Tensor) -> Tensor:
        for block in self.decoder:
            x = block(x)
        return self.head(x)

    def decode(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Candles float32 [B, T, 6] of ids [B, T]."""
        return self._decode(self.from_code(self.quantizer.code(coarse, fine))).float()

    def decode_coarse(self, coarse: Tensor) -> Tensor:
        """Candles float32 [B, T, 6] of the coarse ids [B, T] alone."""
        code = self.quantizer.code(coarse, torch.zeros_like(coarse))[..., : self.config.s1_bits]
        return self._decode(self.from_coarse(code)).float()

    def prefill(self, coarse: Tensor, fine: Tensor) -> tuple[Tensor, KVCache]:
        """Decode the context ids [B, T] once for all paths.

        Returns the candles float32 [B, T, 6], and the cache to ``expand``.
        """
        cache = KVCache(len(self.decoder))
        x = self.from_code(self.quantizer.code(coarse, fine))
        for layer, block in enumerate(_each(self.decoder)):
            x = block.prefill(x, cache, layer)
        return self.head(x).float(), cache

    def extend(self, coarse: Tensor, fine: Tensor, cache: KVCache) -> Tensor:
        """Candles float32 [B, N, j, 6] of j new ids per path [B, N, j], after those in ``cache``."""
        x = self.from_code(self.quantizer.code(coarse, fine))
        for layer, block in enumerate(_each(self.decoder)):
            x = block.extend(x, cache, layer)
        cache.advance(coarse.shape[-1])
        return self.head(x).float()

    def forward(self, candles: Tensor) -> Reconstruction:
        """Encode, quantize and decode candles [B, T, 6] for training."""
        code, quantization_loss = self.quantizer(self.latents(candles))
        coarse_code = code[..., : self.config.s1_bits]
        inputs = torch.cat((self.from_coarse(coarse_code), self.from_code(code)))  # [2B, T, D]
        coarse, full = self._decode(inputs).chunk(2)  # [B, T, 6] each
        return Reconstruction(coarse, full, quantization_loss, code)

    def loss(self, candles: Tensor) -> TokenizerLoss:
        """Training loss on candles [B, T, 6], as in the reference: eq. 4-6 of the paper with halved terms."""
        coarse, full, quantization, _ = self(candles)
        mse_coarse, mse_full = F.mse_loss(coarse.float(), candles), F.mse_loss(full.float(), candles)
        return TokenizerLoss((mse_coarse + mse_full + quantization) / 2, mse_coarse, mse_full, quantization)
