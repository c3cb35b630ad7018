"""Which parameters are trained: all, the head, the last blocks, or LoRA adapters (arXiv 2106.09685).

``merge_lora`` returns the state of the plain network in every case, adapters merged in, so that every export is an
ordinary checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.finetune.config import StageConfig, TokenizerStage
from engine.finetune.errors import FinetuneConfigError
from engine.messages import msg
from engine.network.linear import PackedLinear
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["LoraLinear", "merge_lora", "select_trainable"]

_BLOCKS = {Kronos: "blocks", KronosTokenizer: "decoder"}
_AFTER_BLOCKS = {Kronos: ("norm.", "dependency.", "head."), KronosTokenizer: ("head.",)}
"""Modules after the last blocks, trained together with them."""
_DECODER = ("from_code.", "from_coarse.", "decoder.", "head.")
_ENCODER = ("embed.", "encoder.", "to_code.")
_DOWN, _UP = ".lora_down", ".lora_up"


class LoraLinear(PackedLinear):
    """A frozen linear layer and a trained low-rank addition, initially zero."""

    def __init__(self, base: PackedLinear, rank: int, scale: float) -> None:
        with torch.device("meta"):
            super().__init__(base.in_features, base.out_features, bias=base.bias is not None)
        self.weight, self.bias, self.scale = base.weight, base.bias, scale
        self.requires_grad_(requires_grad=False)
        self.lora_down = nn.Parameter(torch.randn(rank, base.in_features) * base.in_features**-0.5)
        self.lora_up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] -> [..., out]."""
        return super().forward(x) + self.scale * F.linear(F.linear(x, self.lora_down), self.lora_up)


def select_trainable(network: Kronos | KronosTokenizer, stage: StageConfig) -> None:
    """Set ``requires_grad`` of every parameter, and insert LoRA adapters if they are trained.

    Raises:
        FinetuneConfigError: the network has fewer blocks, or no decoder.
    """
    kind = Kronos if isinstance(network, Kronos) else KronosTokenizer
    if stage.trainable == "decoder" and kind is Kronos:
        raise FinetuneConfigError(
            msg('trainable must be "full", "head", "last" or "lora" for a model, which has no decoder.')
        )
    if stage.trainable == "lora":
        _insert_lora(network, stage)
        return
    depth = len(list(network.get_submodule(_BLOCKS[kind]).children()))
    if stage.trainable == "last" and stage.num_trainable_layers > depth:
        raise FinetuneConfigError(
            msg(
                "num_trainable_layers must be at most {depth}, the number of blocks of this {type}; got {count}.",
                depth=depth,
                type=kind.__name__,
                count=stage.num_trainable_layers,
            )
        )
    last_blocks = (f"{_BLOCKS[kind]}.{index}." for index in range(depth - stage.num_trainable_layers, depth))
    prefixes = {
        "full": ("",),
        "head": ("head.",),
        "last": (*last_blocks, *_AFTER_BLOCKS[kind]),
        "decoder": _DECODER,
    }[stage.trainable]
    if isinstance(stage, TokenizerStage) and stage.loss == "supervised":
        prefixes = _ENCODER  # the loss depends on nothing else
    # without learn_te the published models use fixed sinusoids, which are parameters all the same
    has_fixed_times = isinstance(network, Kronos) and not network.config.learn_te
    for name, parameter in network.named_parameters():
        is_fixed = has_fixed_times and name.startswith("time_embedding.")
        parameter.requires_grad_(name.startswith(prefixes) and not is_fixed)


def _insert_lora(network: Kronos | KronosTokenizer, stage: StageConfig) -> None:
    network.requires_grad_(requires_grad=False)
    for parent in [module for name, module in network.named_modules() if name.endswith((".attention", ".ffn"))]:
        for name, child in list(parent.named_children()):
            if isinstance(child, PackedLinear):
                setattr(parent, name, LoraLinear(child, stage.lora_rank, stage.lora_scale))


def merge_lora(state: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """The state of the plain network: LoRA adapters, multiplied by ``scale``, merged into their weights."""
    plain = {name: value for name, value in state.items() if not name.endswith((_DOWN, _UP))}
    for name, down in state.items():
        if name.endswith(_DOWN):
            base = name.removesuffix(_DOWN)
            plain[f"{base}.weight"] = state[f"{base}.weight"] + scale * state[f"{base}{_UP}"] @ down
    return plain
