"""Binary spherical quantization (arXiv 2406.07548): one bit per axis, the sign of the latent.

Legend: K = s1_bits + s2_bits bits of a code, the first s1_bits of them the coarse token, the rest the fine one, each id
little-endian (bit i counts 2**i). A code is (+-1)**K / sqrt(K), on the unit sphere.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.config import TokenizerConfig

__all__ = ["BinarySphericalQuantizer", "Quantized", "bits_to_ids", "ids_to_bits"]

_LOG_FLOOR = 1e-8
"""Keeps log(0) finite in the entropies, as in the reference."""


def bits_to_ids(bits: Tensor) -> Tensor:
    """Little-endian ids int64 [...] of bits bool [..., k]."""
    weights = 2 ** torch.arange(bits.shape[-1], device=bits.device)
    return (bits * weights).sum(-1)


def ids_to_bits(ids: Tensor, k: int) -> Tensor:
    """The ``k`` bits, bool [..., k], of ids int64 [...]: the inverse of ``bits_to_ids``."""
    return (ids.unsqueeze(-1) >> torch.arange(k, device=ids.device)) & 1 == 1


def _bit_entropy(prob_one: Tensor) -> Tensor:
    """Entropy in nats [...] of independent bits that are 1 with probability ``prob_one`` [..., K]."""
    prob_zero = 1 - prob_one
    terms = prob_one * torch.log(prob_one + _LOG_FLOOR) + prob_zero * torch.log(prob_zero + _LOG_FLOOR)  # [..., K]
    return -terms.sum(-1)


class Quantized(NamedTuple):
    """Output of the quantizer in training."""

    code: Tensor
    """[..., K], straight-through estimator: the code in the forward pass, the identity in the backward pass."""
    loss: Tensor
    """Scalar: commitment and entropy terms; may be negative."""


class BinarySphericalQuantizer(nn.Module):
    """Converts latents to codes, and codes to token ids and back. Has no parameters.

    The entropy terms (BSQ eqs. 8 and 9) treat bits as independent, for one sample and for the codebook, as the
    reference implementation computes them; the published ``group_size`` therefore has no effect on any number.

    Args:
        config: bits and loss weights.
        inverse_temperature: sharpness of the soft assignment in the entropy terms. The published checkpoints were
            trained with 1, at which the codebook entropy hardly moves.
    """

    def __init__(self, config: TokenizerConfig, inverse_temperature: float = 1.0) -> None:
        super().__init__()
        self.config = config
        self.inverse_temperature = inverse_temperature

    @property
    def _scale(self) -> float:
        return self.config.code_bits**-0.5

    def ids(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Coarse and fine ids int64 [...] of latents ``z`` [..., K]. Only signs count: no normalization needed."""
        bits = z > 0
        return bits_to_ids(bits[..., : self.config.s1_bits]), bits_to_ids(bits[..., self.config.s1_bits :])

    def code(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """The code float32 [..., K] of coarse and fine ids [...]."""
        bits = torch.cat((ids_to_bits(coarse, self.config.s1_bits), ids_to_bits(fine, self.config.s2_bits)), dim=-1)
        return (bits.float() * 2 - 1) * self._scale

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents ``z`` [..., K] for training."""
        z = F.normalize(z.float(), dim=-1)
        signs = torch.where(z > 0, 1.0, -1.0)
        code = (z + (signs - z).detach()) * self._scale
        commitment = (code.detach() - z).square().sum(-1).mean()
        prob_one = torch.sigmoid(4 * z * self._scale * self.inverse_temperature)  # [..., K], soft assignment
        sample_entropy = _bit_entropy(prob_one).mean()
        codebook_entropy = _bit_entropy(prob_one.flatten(0, -2).mean(0))
        entropy = self.config.gamma0 * sample_entropy - self.config.gamma * codebook_entropy
        return Quantized(code, self.config.beta * commitment + self.config.zeta * entropy / self.inverse_temperature)
