"""Which parts of a network are trained: all, the head, the last blocks, or low-rank additions (LoRA, arXiv 2106.09685).

However it was trained, ``plain_state`` gives the state of the plain network, additions merged in, so that every export
is a checkpoint like any other.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import SettingsError
from engine.finetune.config import StageConfig, TokenizerStage
from engine.network.linear import Linear
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["LowRankLinear", "plain_state", "prepare_parts"]

_BLOCKS = {Kronos: "blocks", KronosTokenizer: "decoder"}
_WITH_LAST = {Kronos: ("norm.", "dependency.", "head."), KronosTokenizer: ("head.",)}
"""What is trained together with the last blocks: all that comes after them."""
_DECODING = ("from_code.", "from_coarse.", "decoder.", "head.")
_ENCODING = ("embed.", "encoder.", "to_code.")
_DOWN, _UP = ".lora_down", ".lora_up"


class LowRankLinear(Linear):
    """A frozen ``Linear`` and a trained addition of low rank, zero at first."""

    def __init__(self, base: Linear, rank: int, scale: float) -> None:
        with torch.device("meta"):
            super().__init__(base.in_features, base.out_features, bias=base.bias is not None)
        self.weight, self.bias, self.scale = base.weight, base.bias, scale
        self.requires_grad_(requires_grad=False)
        self.lora_down = nn.Parameter(torch.randn(rank, base.in_features) * base.in_features**-0.5)
        self.lora_up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] -> [..., out]."""
        return super().forward(x) + self.scale * F.linear(F.linear(x, self.lora_down), self.lora_up)


def prepare_parts(network: Kronos | KronosTokenizer, stage: StageConfig) -> None:
    """Mark what is trained, and put low-rank additions in place where they are.

    Raises:
        SettingsError: there are not as many blocks, or no decoder.
    """
    kind = Kronos if isinstance(network, Kronos) else KronosTokenizer
    stack = network.get_submodule(_BLOCKS[kind])
    depth = len(list(stack.children()))
    if stage.parts == "last" and stage.last_layers > depth:
        raise SettingsError(
            f"last_layers must be at most {depth}, the blocks of this {kind.__name__}; got {stage.last_layers}."
        )
    if stage.parts == "decoder" and kind is Kronos:
        raise SettingsError('parts must be "full", "head", "last" or "lora" in a model, which has no decoder.')
    if stage.parts == "lora":
        network.requires_grad_(requires_grad=False)
        for part in [module for name, module in network.named_modules() if name.endswith((".attention", ".ffn"))]:
            for name, child in list(part.named_children()):
                if isinstance(child, Linear):
                    setattr(part, name, LowRankLinear(child, stage.lora_rank, stage.lora_scale))
        return
    last = tuple(f"{_BLOCKS[kind]}.{number}." for number in range(depth - stage.last_layers, depth))
    trained = {"full": ("",), "head": ("head.",), "last": (*last, *_WITH_LAST[kind]), "decoder": _DECODING}[stage.parts]
    if isinstance(stage, TokenizerStage) and stage.loss == "guided":
        trained = _ENCODING  # nothing else has a part in that loss
    fixed_clock = isinstance(network, Kronos) and not network.config.learn_te
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(trained) and not (fixed_clock and name.startswith("time_embedding.")))


def plain_state(state: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """The state of the plain network: low-rank additions of weight ``scale`` merged into the weights they belong to."""
    plain = {name: value for name, value in state.items() if not name.endswith((_DOWN, _UP))}
    for name, down in state.items():
        if name.endswith(_DOWN):
            base = name.removesuffix(_DOWN)
            plain[f"{base}.weight"] = state[f"{base}.weight"] + scale * state[f"{base}{_UP}"] @ down
    return plain
