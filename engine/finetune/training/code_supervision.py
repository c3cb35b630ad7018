"""A code for candles made by hand, which an encoder can be taught at first, so that most of its codes occur.

Left to itself, a tokenizer's gradient makes bits that are thresholds of the same few lines through a candle. They
repeat one another: of 2**20 codes some thousands occur. To fold a line, as the finer digits of a number do, has to be
shown. Shown is in the coarse token the close, to a 128th of its range, and the body; in the fine token the wicks, the
volume, a finer body and whether the open is away from the close before it. All numbers are reflected binary codes (F.
Gray, US patent 2,632,058): neighbours differ in one bit, so a bit that is learned badly costs a neighbour.

Legend: b windows, W candles, K code bits; candles are normalised, [b, W, 6].
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.config import TokenizerConfig
from engine.network.quantizer import ids_to_bits

__all__ = ["guidance_loss", "guided_bits"]

_CELL, _FINE_TO = 0.075, 2.4
"""Standard deviations that one cell of the close spans, twice as many beyond the second."""
_BODIES = (0.015, 0.03, 0.05, 0.08, 0.13, 0.2, 0.32)
_WICKS = (-0.11, -0.057, 0.0)
"""A wick here is the high above (the low below) the body after each column is normalised on its own: 0 is no length."""
_VOLUMES = (-0.8, -0.6, -0.45, -0.3, -0.2, -0.1, -0.02, 0.1, 0.25, 0.4, 0.6, 0.9, 1.4, 2.2, 3.5)
_GAP = 0.03
_SURE = 3.0
"""Logit of a bit whose latent has the mean size."""


def guided_bits(candles: Tensor, config: TokenizerConfig) -> Tensor:
    """The bits bool [b, W, K] that stand for normalised candles [b, W, 6]; any beyond the 10 + 10 shown are off."""
    opens, highs, lows, closes, volumes = candles[..., :5].unbind(-1)
    body, upper, lower = closes - opens, torch.maximum(opens, closes), torch.minimum(opens, closes)
    gap = F.pad(opens[:, 1:] - closes[:, :-1], (1, 0))
    beyond = (closes.abs() - _FINE_TO).clamp(min=0)
    level = ((closes.abs() - beyond / 2) * closes.sign() / _CELL + 64).floor().clamp(0, 127).long()
    bodies = _reflected(_cell(body.abs(), _BODIES), 3)
    coarse = (_reflected(level, 7), (body > 0)[..., None], bodies[..., :2])
    fine = (
        _reflected(_cell(highs - upper, _WICKS), 2),
        _reflected(_cell(lower - lows, _WICKS), 2),
        _reflected(_cell(volumes, _VOLUMES), 4),
        bodies[..., 2:],
        (gap.abs() > _GAP)[..., None],
    )
    return torch.cat((_fitted(coarse, config.s1_bits), _fitted(fine, config.s2_bits)), dim=-1)


def guidance_loss(latents: Tensor, bits: Tensor) -> Tensor:
    """Mean cross-entropy, nats per bit (scalar), of latents [b, W, K] on the sphere against ``bits``."""
    logits = F.normalize(latents.float(), dim=-1) * latents.shape[-1] ** 0.5 * _SURE
    return F.binary_cross_entropy_with_logits(logits, bits.float())


def _cell(values: Tensor, edges: tuple[float, ...]) -> Tensor:
    return torch.bucketize(values.contiguous(), values.new_tensor(edges))


def _reflected(numbers: Tensor, digits: int) -> Tensor:
    """The reflected binary code, bool [..., digits], of int64 ``numbers`` [...], the most telling digit first."""
    return ids_to_bits(numbers ^ (numbers >> 1), digits).flip(-1)


def _fitted(parts: tuple[Tensor, ...], count: int) -> Tensor:
    """The first ``count`` of the bits of all ``parts``; off where there are fewer."""
    bits = torch.cat(parts, dim=-1)
    return F.pad(bits, (0, count - bits.shape[-1]))
