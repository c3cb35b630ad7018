"""Optimizers, the learning rate schedule, and averaged weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.finetune.config import StageConfig

__all__ = ["WeightEma", "learning_rate_at", "make_optimizers", "set_learning_rates"]

BETAS = (0.9, 0.95)
MOMENTUM = 0.95
MUON_MIN_DIM = 64
"""Matrices with a smaller side are trained by AdamW."""


def make_optimizers(network: nn.Module, stage: StageConfig) -> list[Optimizer]:
    """AdamW with weight decay on projection matrices only; with "muon", preceded by Muon for the inner matrices."""
    named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    inner = [p for name, p in named if stage.optimizer == "muon" and _is_inner_matrix(name, p)]
    inner_ids = {id(p) for p in inner}
    rest = [(name, p) for name, p in named if id(p) not in inner_ids]
    decayed = [p for name, p in rest if p.ndim == 2 and "embedding" not in name]
    undecayed = [p for name, p in rest if not (p.ndim == 2 and "embedding" not in name)]
    groups = [{"params": decayed, "weight_decay": stage.weight_decay}, {"params": undecayed, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(
        [group for group in groups if group["params"]] or groups[:1],
        lr=stage.learning_rate,
        betas=BETAS,
        fused=all(p.device.type in ("cpu", "cuda") for _, p in named),
    )
    if not inner:
        return [adamw]
    muon = torch.optim.Muon(
        inner,
        lr=stage.muon_learning_rate,
        weight_decay=stage.weight_decay,
        momentum=MOMENTUM,
        adjust_lr_fn="original",
    )
    return [muon, adamw] if decayed or undecayed else [muon]


def _is_inner_matrix(name: str, parameter: Tensor) -> bool:
    is_outer = any(part in name for part in ("embed", "head", "lora"))
    return parameter.ndim == 2 and min(parameter.shape) >= MUON_MIN_DIM and not is_outer


def learning_rate_at(progress: float, stage: StageConfig) -> float:
    """Factor of the peak learning rates at ``progress`` (0..1 of the budget): linear warmup, then cosine decay."""
    if progress < stage.warmup_fraction:
        return progress / stage.warmup_fraction
    decay_progress = (progress - stage.warmup_fraction) / max(1 - stage.warmup_fraction, 1e-9)
    cosine = 0.5 * (1 + math.cos(math.pi * min(decay_progress, 1.0)))
    return stage.min_lr_ratio + (1 - stage.min_lr_ratio) * cosine


def set_learning_rates(optimizers: list[Any], stage: StageConfig, factor: float) -> float:
    """Set the learning rate of every parameter group; returns that of AdamW."""
    for optimizer in optimizers:
        is_muon = "momentum" in optimizer.param_groups[0]
        peak = stage.muon_learning_rate if is_muon else stage.learning_rate
        for group in optimizer.param_groups:
            group["lr"] = peak * factor
    return stage.learning_rate * factor


class WeightEma:
    """Exponential moving average of the trained parameters, with a faster start."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.names = [name for name, p in network.named_parameters() if p.requires_grad]
        self._parameters: list[Tensor] = [p for p in network.parameters() if p.requires_grad]
        self.values = [p.detach().clone() for p in self._parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Average in the current parameters after step ``step`` (from 1)."""
        decay = min(self.decay, (1 + step) / (10 + step))  # the warmup of TensorFlow's ExponentialMovingAverage
        torch._foreach_lerp_(self.values, self._parameters, 1 - decay)

    def state(self, network: nn.Module) -> dict[str, Tensor]:
        """The network's state with averages in place of the trained parameters."""
        return {**network.state_dict(), **dict(zip(self.names, self.values, strict=True))}

    @torch.no_grad()
    def load(self, values: dict[str, Tensor]) -> None:
        """Set the averages by name."""
        for name, value in zip(self.names, self.values, strict=True):
            value.copy_(values[name])
