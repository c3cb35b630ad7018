"""Objectives as modules: a batch in, the loss and metrics out.

Training calls the module itself, never a method of the network inside, so that the wrapper that averages gradients
between processes sees every forward pass. Both losses are causal, in training and in evaluation.

Shapes: b windows, W candles per window, K code bits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from engine.finetune.config import ModelStage, TokenizerStage
from engine.finetune.data.pretokenized import encode_batch, encode_mirrored
from engine.finetune.data.windows import Batch
from engine.finetune.training.code_supervision import code_loss, target_bits
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["ModelObjective", "Objective", "TokenizerObjective", "squared_correlation", "wick_lengths"]

Metrics = dict[str, Tensor]
MIN_STEP, MAX_STEP = 0.03, 0.5
"""One-bar changes (z-scores) are clamped to this range before errors are divided by them: a flat window must not
dominate the loss, nor a wild one vanish from it."""
MIN_WICK = 0.05
"""Wicks shorter than this, in one-bar changes, are penalized: real ones are often 0, and the decoder is not exact."""
DEFAULT_STEP = 0.1
"""One-bar change (z-score) of a typical window, at which errors have weight 1."""


class Objective(nn.Module, ABC):
    """A network and its loss."""

    network: KronosTokenizer | Kronos

    @property
    @abstractmethod
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics that ``forward`` returns beside the loss."""

    @abstractmethod
    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """The weighted mean loss of the batch (scalar), and scalar metrics by name."""


class TokenizerObjective(Objective):
    """Reconstruction and quantization losses, or the supervised code loss."""

    network: KronosTokenizer

    def __init__(self, network: KronosTokenizer, stage: TokenizerStage) -> None:
        super().__init__()
        self.network, self.stage = network, stage
        self.column_weights = (1.0, 1.0, 1.0, stage.close_weight, stage.volume_weight, stage.volume_weight)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """As in ``Objective``."""
        if self.stage.loss == "supervised":
            return ("wrong_bits",)
        return ("mse", "floor", "correlation", *(("impossible",) if self.stage.wick_weight else ()))

    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """As in ``Objective``.

        ``floor`` is the error of the close relative to its one-bar change (median over windows), ``correlation`` that
        of two bits (root mean square), ``impossible`` the fraction of candles whose high or low lies inside the body,
        ``wrong_bits`` the fraction of bits that differ from the target code.
        """
        if self.stage.loss == "supervised":
            return self._code_supervision(batch.candles)
        coarse, full, quantization, code = self.network(batch.candles)
        correlation = squared_correlation(code)
        step = batch.candles[..., 3].diff(dim=1).std(dim=1).clamp(MIN_STEP, MAX_STEP)  # [b]
        full_errors, coarse_errors = ((made.float() - batch.candles).square() for made in (full, coarse))  # [b, W, 6]
        if self.stage.loss == "mse":
            loss = (full_errors.mean() + coarse_errors.mean() + quantization) / 2
        else:
            weight = (DEFAULT_STEP / step).square()[:, None, None] * step.new_tensor(self.column_weights)  # [b, 1, 6]
            loss = (full_errors * weight).mean() + self.stage.coarse_weight * (coarse_errors * weight).mean()
            loss = loss + self.stage.quantization_weight * quantization
        loss = loss + self.stage.decorrelation_weight * correlation
        floor = full_errors.detach()[..., 3].mean(dim=1).sqrt() / step  # [b]
        metrics = {"mse": full_errors.mean(), "floor": floor.median(), "correlation": correlation.sqrt()}
        if self.stage.wick_weight:
            wicks = wick_lengths(full.float(), batch.price_scale) / step[:, None, None]  # [b, W, 2]
            loss = loss + self.stage.wick_weight * (MIN_WICK - wicks).relu().mean()
            metrics["impossible"] = (wicks < 0).any(dim=-1).float().mean()
        return loss, {name: value.detach() for name, value in metrics.items()}

    def _code_supervision(self, candles: Tensor) -> tuple[Tensor, Metrics]:
        latents = self.network.latents(candles)  # [b, W, K]
        bits = target_bits(candles, self.network.config)
        return code_loss(latents, bits), {"wrong_bits": ((latents > 0) != bits).float().mean()}


def wick_lengths(candles: Tensor, price_scale: Tensor) -> Tensor:
    """Upper and lower wick [b, W, 2] of normalized candles [b, W, 6], below 0 where a high or low is inside the body.

    Args:
        candles: z-scores, each column by its own statistics.
        price_scale: what puts them on one scale, ``Batch.price_scale`` [b, 2, 4].
    """
    scale, shift = price_scale[:, :1], price_scale[:, 1:]  # [b, 1, 4] each
    opens, highs, lows, closes = (candles[..., :4] * scale + shift).unbind(-1)  # [b, W] each
    return torch.stack((highs - torch.maximum(opens, closes), torch.minimum(opens, closes) - lows), dim=-1)


def squared_correlation(code: Tensor) -> Tensor:
    """Mean over pairs of bits of their squared correlation about zero, scalar 0..1, of codes [b, W, K].

    About zero, so that two bits that hardly ever change also count as correlated. Zero if all pairs of values are
    equally frequent. This is the off-diagonal term of Barlow Twins (arXiv 2103.03230, eq. 1), applied to bits.
    """
    with torch.autocast(code.device.type, enabled=False):
        bits = code.flatten(0, -2).float() * code.shape[-1] ** 0.5  # [b*W, K], values 1 or -1
        correlations = bits.T @ bits / len(bits)  # [K, K]
    num_pairs = len(correlations) * (len(correlations) - 1)
    return (correlations.square().sum() - correlations.diagonal().square().sum()) / num_pairs


class ModelObjective(Objective):
    """Next-token cross-entropy after each window's context, in nats. The tokenizer is frozen and not a submodule."""

    network: Kronos

    def __init__(self, network: Kronos, tokenizer: KronosTokenizer, stage: ModelStage) -> None:
        super().__init__()
        self.network, self.stage = network, stage
        self._tokenizer = (tokenizer,)  # a tuple hides it from nn.Module: neither trained nor saved with the model

    @property
    def tokenizer(self) -> KronosTokenizer:
        """The frozen tokenizer."""
        return self._tokenizer[0]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """As in ``Objective``."""
        return ("coarse", "fine")

    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """As in ``Objective``; ``coarse`` and ``fine`` are nats per candle."""
        coarse, fine = encode_batch(self.tokenizer, batch)  # [b, W]
        loss = self.network.loss(
            coarse,
            fine,
            batch.time_features,
            loss_mask=torch.arange(1, coarse.shape[1], device=coarse.device) >= batch.context_lengths[:, None],
            teacher_forcing=self.stage.teacher_forcing,
            alternative_targets=encode_mirrored(self.tokenizer, batch),
        )
        metrics = {"coarse": loss.coarse.detach() * batch.weight, "fine": loss.fine.detach() * batch.weight}
        return loss.total * batch.weight, metrics
