"""What is minimised, as modules: a batch in, the loss and figures for people out.

Training calls the module itself, never a method of what is inside, so that the wrapper that shares gradients between
processes sees every forward pass. Both losses are causal in training and in evaluation.

Legend: b windows, W candles per window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from engine.finetune.config import ModelStage, TokenizerStage
from engine.finetune.windows import Batch
from engine.model import Kronos
from engine.tokenizer import KronosTokenizer

__all__ = ["ModelObjective", "Objective", "TokenizerObjective", "encoded", "encoded_mirrored"]

Figures = dict[str, Tensor]
LEAST_STEP, MOST_STEP = 0.03, 0.5
"""One-bar changes (z-scores) are held between these where errors are weighed by them."""
USUAL_STEP = 0.1


class Objective(nn.Module, ABC):
    """A network and its loss."""

    network: KronosTokenizer | Kronos

    @abstractmethod
    def forward(self, batch: Batch) -> tuple[Tensor, Figures]:
        """The weighted mean loss of the batch (scalar), and scalars by name."""


class TokenizerObjective(Objective):
    """Reconstruction, weighed by what a forecast must resolve (or as published), and quantization."""

    network: KronosTokenizer

    def __init__(self, network: KronosTokenizer, stage: TokenizerStage) -> None:
        super().__init__()
        self.network, self.stage = network, stage
        self.columns = (1.0, 1.0, 1.0, stage.close_weight, stage.volume_weight, stage.volume_weight)

    def forward(self, batch: Batch) -> tuple[Tensor, Figures]:
        """As in ``Objective``; ``floor`` is the error of the close over its one-bar change (median over windows)."""
        coarse, full, quantization = self.network(batch.candles)
        step = batch.candles[..., 3].diff(dim=1).std(dim=1).clamp(LEAST_STEP, MOST_STEP)  # [b]
        errors = [(made.float() - batch.candles).square() for made in (full, coarse)]
        if self.stage.loss == "published":
            loss = (errors[0].mean() + errors[1].mean() + quantization) / 2
        else:
            weight = (USUAL_STEP / step).square()[:, None, None] * step.new_tensor(self.columns)
            loss = (errors[0] * weight).mean() + self.stage.coarse_weight * (errors[1] * weight).mean()
            loss = loss + self.stage.quantization_weight * quantization
        floor = errors[0].detach()[..., 3].mean(dim=1).sqrt() / step
        return loss, {"mse": errors[0].detach().mean(), "floor": floor.median()}


class ModelObjective(Objective):
    """Next-token cross-entropy after each window's cut, in nats. The tokenizer is frozen and no part of the module."""

    network: Kronos

    def __init__(self, network: Kronos, tokenizer: KronosTokenizer, stage: ModelStage) -> None:
        super().__init__()
        self.network, self.stage = network, stage
        self._tokenizer = (tokenizer,)  # in a tuple, so that it is neither trained nor saved with the model

    @property
    def tokenizer(self) -> KronosTokenizer:
        """The frozen tokenizer."""
        return self._tokenizer[0]

    def forward(self, batch: Batch) -> tuple[Tensor, Figures]:
        """As in ``Objective``; ``coarse`` and ``fine`` are nats per candle."""
        coarse, fine = encoded(self.tokenizer, batch)
        counted = torch.arange(1, coarse.shape[1], device=coarse.device) >= batch.cuts[:, None]
        loss = self.network.loss(
            coarse,
            fine,
            batch.clock,
            counted=counted,
            teacher_forcing=self.stage.teacher_forcing,
            instead=encoded_mirrored(self.tokenizer, batch),
        )
        figures = {"coarse": loss.coarse.detach() * batch.weight, "fine": loss.fine.detach() * batch.weight}
        return loss.total * batch.weight, figures


@torch.no_grad()
def encoded(tokenizer: KronosTokenizer, batch: Batch) -> tuple[Tensor, Tensor]:
    """Coarse and fine ids [b, W]. In float32 whatever training runs in, as they are made when forecasting."""
    if batch.tokens.numel():
        return batch.tokens[..., 0], batch.tokens[..., 1]
    with torch.autocast(batch.candles.device.type, enabled=False):
        return tokenizer.encode(batch.candles)


@torch.no_grad()
def encoded_mirrored(tokenizer: KronosTokenizer, batch: Batch) -> tuple[Tensor, Tensor] | None:
    """Ids [b, W] of each candle had it gone the other way, where the batch has them."""
    if not batch.mirrored.numel():
        return None
    with torch.autocast(batch.candles.device.type, enabled=False):
        return tokenizer.encode_instead(batch.candles, batch.mirrored)
