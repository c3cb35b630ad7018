"""A code for candles that is defined by rules, taught to an encoder first so that most of its codes occur.

Trained by reconstruction alone, a tokenizer finds bits that are thresholds of the same few projections of a candle.
They duplicate one another: of 2**20 codes some thousands occur (docs/design/0003-the-bundled-checkpoint.md). Gradient
descent does not find the fine digits of a number, so they are shown. The coarse token holds the close in 128 cells and
the body; the fine token the wicks, the volume, a finer body, and whether the open differs from the previous close. All
numbers are reflected binary codes (F. Gray, US patent 2,632,058): neighbors differ in one bit, so a bit that is learned
poorly costs one cell.

Shapes: b windows, W candles, K code bits; candles are normalized, [b, W, 6].
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.config import TokenizerConfig
from engine.network.quantizer import ids_to_bits

__all__ = ["code_loss", "target_bits"]

_CELL, _MAX_FINE = 0.075, 2.4
"""Width of a cell of the close in standard deviations; cells beyond ``_MAX_FINE`` are twice as wide. With 128 cells
the code covers 7.2 standard deviations, beyond the clip of 5."""
_BODIES = (0.015, 0.03, 0.05, 0.08, 0.13, 0.2, 0.32)
"""Edges of the body's absolute length, standard deviations."""
_WICKS = (-0.11, -0.057, 0.0)
"""Edges of the upper (lower) wick after each column is normalized on its own, so that 0 is not zero length."""
_VOLUMES = (-0.8, -0.6, -0.45, -0.3, -0.2, -0.1, -0.02, 0.1, 0.25, 0.4, 0.6, 0.9, 1.4, 2.2, 3.5)
_GAP = 0.03
"""Smallest distance between the open and the previous close that counts as a gap."""
_LOGIT_SCALE = 3.0
"""Logit of a bit whose latent has the root-mean-square size."""


def target_bits(candles: Tensor, config: TokenizerConfig) -> Tensor:
    """Target code, bool [b, W, K], of normalized candles [b, W, 6]; bits beyond the defined 10 + 10 are off."""
    opens, highs, lows, closes, volumes = candles[..., :5].unbind(-1)  # [b, W] each
    body, upper, lower = closes - opens, torch.maximum(opens, closes), torch.minimum(opens, closes)
    gap = F.pad(opens[:, 1:] - closes[:, :-1], (1, 0))
    excess = (closes.abs() - _MAX_FINE).clamp(min=0)
    level = ((closes.abs() - excess / 2) * closes.sign() / _CELL + 64).floor().clamp(0, 127).long()
    body_bits = _gray_code(_bucket(body.abs(), _BODIES), 3)
    coarse = (_gray_code(level, 7), (body > 0)[..., None], body_bits[..., :2])
    fine = (
        _gray_code(_bucket(highs - upper, _WICKS), 2),
        _gray_code(_bucket(lower - lows, _WICKS), 2),
        _gray_code(_bucket(volumes, _VOLUMES), 4),
        body_bits[..., 2:],
        (gap.abs() > _GAP)[..., None],
    )
    return torch.cat((_truncate_or_pad(coarse, config.s1_bits), _truncate_or_pad(fine, config.s2_bits)), dim=-1)


def code_loss(latents: Tensor, bits: Tensor) -> Tensor:
    """Mean cross-entropy, nats per bit (scalar), of latents [b, W, K] against target bits [b, W, K].

    Latents are normalized first, as the quantizer does, so that their length does not matter.
    """
    logits = F.normalize(latents.float(), dim=-1) * latents.shape[-1] ** 0.5 * _LOGIT_SCALE
    return F.binary_cross_entropy_with_logits(logits, bits.float())


def _bucket(values: Tensor, edges: tuple[float, ...]) -> Tensor:
    return torch.bucketize(values.contiguous(), values.new_tensor(edges))


def _gray_code(numbers: Tensor, num_bits: int) -> Tensor:
    """The reflected binary code, bool [..., num_bits], of int64 ``numbers`` [...], most significant bit first."""
    return ids_to_bits(numbers ^ (numbers >> 1), num_bits).flip(-1)


def _truncate_or_pad(groups: tuple[Tensor, ...], num_bits: int) -> Tensor:
    """The first ``num_bits`` of all bits in ``groups``, padded with off."""
    bits = torch.cat(groups, dim=-1)
    return F.pad(bits, (0, num_bits - bits.shape[-1]))
