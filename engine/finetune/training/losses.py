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
from engine.finetune.data.windows import Batch
from engine.finetune.training.code_supervision import guidance_loss, guided_bits
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["ModelObjective", "Objective", "TokenizerObjective", "encoded", "encoded_mirrored", "squared_correlation"]

Figures = dict[str, Tensor]
LEAST_STEP, MOST_STEP = 0.03, 0.5
"""One-bar changes (z-scores) are held between these where errors are weighed by them."""
USUAL_STEP = 0.1


class Objective(nn.Module, ABC):
    """A network and its loss."""

    network: KronosTokenizer | Kronos

    @property
    @abstractmethod
    def figures(self) -> tuple[str, ...]:
        """Names of what ``forward`` gives beside the loss."""

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

    @property
    def figures(self) -> tuple[str, ...]:
        """As in ``Objective``."""
        return ("wrong_bits",) if self.stage.loss == "guided" else ("mse", "floor", "correlation")

    def forward(self, batch: Batch) -> tuple[Tensor, Figures]:
        """As in ``Objective``.

        ``floor`` is the error of the close over its one-bar change (median over windows), ``correlation`` that of two
        bits (root mean square), ``wrong_bits`` the fraction that is not as the guide has it.
        """
        if self.stage.loss == "guided":
            return self._guided(batch.candles)
        coarse, full, quantization, code = self.network(batch.candles)
        correlation = squared_correlation(code)
        step = batch.candles[..., 3].diff(dim=1).std(dim=1).clamp(LEAST_STEP, MOST_STEP)  # [b]
        errors = [(made.float() - batch.candles).square() for made in (full, coarse)]
        if self.stage.loss == "published":
            loss = (errors[0].mean() + errors[1].mean() + quantization) / 2
        else:
            weight = (USUAL_STEP / step).square()[:, None, None] * step.new_tensor(self.columns)
            loss = (errors[0] * weight).mean() + self.stage.coarse_weight * (errors[1] * weight).mean()
            loss = loss + self.stage.quantization_weight * quantization
        loss = loss + self.stage.decorrelation_weight * correlation
        floor = errors[0].detach()[..., 3].mean(dim=1).sqrt() / step
        figures = {"mse": errors[0].mean(), "floor": floor.median(), "correlation": correlation.sqrt()}
        return loss, {name: value.detach() for name, value in figures.items()}

    def _guided(self, candles: Tensor) -> tuple[Tensor, Figures]:
        latents = self.network.latents(candles)
        bits = guided_bits(candles, self.network.config)
        return guidance_loss(latents, bits), {"wrong_bits": ((latents > 0) != bits).float().mean()}


def squared_correlation(code: Tensor) -> Tensor:
    """Mean over pairs of bits of their squared correlation about zero, scalar 0..1, of codes [b, W, K].

    About zero, so that two bits that hardly ever change count as repeating one another too. Zero where all pairs of
    values occur alike often. (The off-diagonal part of Barlow Twins, arXiv 2103.03230, eq. 1, on bits.)
    """
    with torch.autocast(code.device.type, enabled=False):
        bits = code.flatten(0, -2).float() * code.shape[-1] ** 0.5  # 1 or -1
        together = bits.T @ bits / len(bits)
    return (together.square().sum() - together.diagonal().square().sum()) / (len(together) * (len(together) - 1))


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

    @property
    def figures(self) -> tuple[str, ...]:
        """As in ``Objective``."""
        return ("coarse", "fine")

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
