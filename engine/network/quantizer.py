"""Binary spherical quantization, arXiv 2406.07548: a direction on the sphere becomes one bit per axis.

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


def bits_to_ids(bits: Tensor) -> Tensor:
    """Little-endian ids int64 [...] of bits bool [..., k]."""
    weights = 2 ** torch.arange(bits.shape[-1], device=bits.device)
    return (bits * weights).sum(-1)


def ids_to_bits(ids: Tensor, k: int) -> Tensor:
    """The ``k`` bits, bool [..., k], of ids int64 [...]: the inverse of ``bits_to_ids``."""
    return (ids.unsqueeze(-1) >> torch.arange(k, device=ids.device)) & 1 == 1


def _bit_entropy(one: Tensor) -> Tensor:
    """Entropy in nats [...] of independent bits that are 1 with probability ``one`` [..., K]."""
    zero = 1 - one
    return -(one * torch.log(one + _LOG_FLOOR) + zero * torch.log(zero + _LOG_FLOOR)).sum(-1)


class Quantized(NamedTuple):
    """What quantizing in training gives."""

    code: Tensor
    """[..., K], straight-through: the code forward, the identity backward."""
    loss: Tensor
    """Scalar: commitment plus entropy terms; may be negative."""


class BinarySphericalQuantizer(nn.Module):
    """Turns latents into codes, codes into token ids and back. Has no parameters.

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
        """Coarse and fine ids int64 [...] of latents ``z`` [..., K]. Only the signs count, so nothing is normalised."""
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
        one = torch.sigmoid(4 * z * self._scale * self.inverse_temperature)  # chance that a bit is 1
        each, all_together = _bit_entropy(one).mean(), _bit_entropy(one.flatten(0, -2).mean(0))
        entropy = self.config.gamma0 * each - self.config.gamma * all_together
        return Quantized(code, self.config.beta * commitment + self.config.zeta * entropy / self.inverse_temperature)
