"""Optimizers, the learning rate's course, and averaged weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.finetune.config import StageConfig

__all__ = ["Averaged", "make_optimizers", "rate_at", "set_rates"]

BETAS = (0.9, 0.95)
MOMENTUM = 0.95
LEAST_SIDE = 64
"""Smaller matrices are no work for Muon."""


def make_optimizers(network: nn.Module, stage: StageConfig) -> list[Optimizer]:
    """AdamW with decay on projections' matrices alone; with "muon", that for the inner matrices in front of it."""
    named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    inner = [p for name, p in named if stage.optimizer == "muon" and _is_inner(name, p)]
    taken = {id(p) for p in inner}
    decayed = [p for name, p in named if id(p) not in taken and p.ndim == 2 and "embedding" not in name]
    others = [p for name, p in named if id(p) not in taken and not (p.ndim == 2 and "embedding" not in name)]
    groups = [{"params": decayed, "weight_decay": stage.decay}, {"params": others, "weight_decay": 0.0}]
    fused = all(p.device.type in ("cpu", "cuda") for _, p in named)
    adamw = torch.optim.AdamW([g for g in groups if g["params"]] or groups[:1], lr=stage.rate, betas=BETAS, fused=fused)
    if not inner:
        return [adamw]
    muon = torch.optim.Muon(
        inner, lr=stage.muon_rate, weight_decay=stage.decay, momentum=MOMENTUM, adjust_lr_fn="original"
    )
    return [muon, adamw] if decayed or others else [muon]


def _is_inner(name: str, parameter: Tensor) -> bool:
    outer = any(part in name for part in ("embed", "head", "lora"))
    return parameter.ndim == 2 and min(parameter.shape) >= LEAST_SIDE and not outer


def rate_at(progress: float, stage: StageConfig) -> float:
    """What the peak rates are multiplied by at ``progress`` (0..1 of the budget): a rise, then a cosine."""
    if progress < stage.warmup:
        return progress / stage.warmup
    along = (progress - stage.warmup) / max(1 - stage.warmup, 1e-9)
    return stage.final_rate + (1 - stage.final_rate) * 0.5 * (1 + math.cos(math.pi * min(along, 1.0)))


def set_rates(optimizers: list[Any], stage: StageConfig, factor: float) -> float:
    """Give every group its rate; returns AdamW's."""
    for optimizer in optimizers:
        peak = stage.muon_rate if "momentum" in optimizer.param_groups[0] else stage.rate
        for group in optimizer.param_groups:
            group["lr"] = peak * factor
    return stage.rate * factor


class Averaged:
    """Exponential moving average of the trained parameters, moving faster in the first steps."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.names = [name for name, p in network.named_parameters() if p.requires_grad]
        self._live: list[Tensor] = [p for p in network.parameters() if p.requires_grad]
        self.values = [p.detach().clone() for p in self._live]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the present parameters after step ``step`` (from 1)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, self._live, 1 - decay)

    def state(self, network: nn.Module) -> dict[str, Tensor]:
        """The network's whole state with the averages in place of what is trained."""
        return {**network.state_dict(), **dict(zip(self.names, self.values, strict=True))}

    @torch.no_grad()
    def load(self, values: dict[str, Tensor]) -> None:
        """Take averages by name."""
        for name, value in zip(self.names, self.values, strict=True):
            value.copy_(values[name])
