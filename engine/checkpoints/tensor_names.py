"""The one place where published tensor names and row orders meet ours.

Ours fuse what is multiplied with the same input, and put rotary pairs side by side; published checkpoints keep
projections apart and pair row i of a head with row i + w/2. A fused tensor of ours is the concatenation of the rows
of its published parts, in the order given here; parts marked with ``heads`` (queries and keys) are re-ordered by head.
Constants that travel with published checkpoints are checked, dropped, and made again when saving.

Legend: D model width, h heads, w = D/h head width, F feed-forward width, V1 and V2 sizes of the two vocabularies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from engine.config import ModelConfig, TokenizerConfig
from engine.errors import CheckpointMismatch

__all__ = ["KINDS", "Kind", "from_published", "parse_config", "to_published"]

Kind = Literal["tokenizer", "model"]
KINDS: tuple[Kind, ...] = ("tokenizer", "model")

_DEPENDENCY_HEADS = 4
_ROTARY_BASE = 10_000.0
_TIME_SIZES = {"minute": 60, "hour": 24, "weekday": 7, "day": 32, "month": 13}
_MOST_BLOCKS = 1_000
"""A config.json that asks for more blocks is not believed (the table below would fill the memory)."""


@dataclass(frozen=True)
class _Part:
    """One published tensor; ``heads`` > 0: its rows pair i with i + w/2 within each head, ours pair 2i with 2i + 1."""

    name: str
    shape: tuple[int, ...]
    heads: int = 0

    def to_ours(self, tensor: Tensor) -> Tensor:
        """Rows in our order."""
        return self._regrouped(tensor, 2, -1)

    def to_theirs(self, tensor: Tensor) -> Tensor:
        """Rows in the published order."""
        return self._regrouped(tensor, -1, 2)

    def _regrouped(self, tensor: Tensor, outer: int, inner: int) -> Tensor:
        if not self.heads:
            return tensor
        return tensor.unflatten(0, (self.heads, -1)).unflatten(1, (outer, inner)).transpose(1, 2).flatten(0, 2)


@dataclass(frozen=True)
class _Constant:
    """A published tensor with a value that follows from the configuration."""

    shape: tuple[int, ...]
    make: Callable[[], Tensor]


@dataclass
class _Table:
    """What a checkpoint holds: our names with their published parts, and the constants."""

    fused: dict[str, tuple[_Part, ...]] = field(default_factory=dict)
    constants: dict[str, _Constant] = field(default_factory=dict)

    def parts(self) -> Iterator[_Part]:
        """Every published part."""
        for parts in self.fused.values():
            yield from parts

    def add(self, ours: str, *parts: _Part) -> None:
        self.fused[ours] = parts

    def add_linear(self, ours: str, rows: int, columns: int, *names: str, heads: tuple[int, ...] = ()) -> None:
        """Weight [rows, columns] and bias [rows] of each of ``names``, fused in this order."""
        turned = heads or (0,) * len(names)
        pairs = list(zip(names, turned, strict=True))
        self.add(f"{ours}.weight", *(_Part(f"{name}.weight", (rows, columns), h) for name, h in pairs))
        self.add(f"{ours}.bias", *(_Part(f"{name}.bias", (rows,), h) for name, h in pairs))

    def add_rotary(self, name: str, head_width: int) -> None:
        self.constants[f"{name}.rotary.inv_freq"] = _Constant((head_width // 2,), lambda: _frequencies(head_width))

    def add_block(self, ours: str, theirs: str, config: ModelConfig | TokenizerConfig) -> None:
        width, heads, ff_dim = config.d_model, config.n_heads, config.ff_dim
        attention = f"{theirs}.self_attn"
        projections = (f"{attention}.q_proj", f"{attention}.k_proj", f"{attention}.v_proj")
        self.add(f"{ours}.norm1.weight", _Part(f"{theirs}.norm1.weight", (width,)))
        self.add_linear(f"{ours}.attention.qkv", width, width, *projections, heads=(heads, heads, 0))
        self.add_linear(f"{ours}.attention.out", width, width, f"{attention}.out_proj")
        self.add_rotary(attention, width // heads)
        self.add(f"{ours}.norm2.weight", _Part(f"{theirs}.norm2.weight", (width,)))
        gate, up = (_Part(f"{theirs}.ffn.{w}.weight", (ff_dim, width)) for w in ("w1", "w3"))
        self.add(f"{ours}.ffn.gate_up.weight", gate, up)
        self.add(f"{ours}.ffn.down.weight", _Part(f"{theirs}.ffn.w2.weight", (width, ff_dim)))


def _frequencies(head_width: int) -> Tensor:
    """Rotary frequencies [w / 2], computed as the reference does, to the bit."""
    return 1.0 / (_ROTARY_BASE ** (torch.arange(0, head_width, 2).float() / head_width))


def _powers(bits: int) -> Tensor:
    """2**(bits-1) .. 1, int64 [bits]."""
    return 2 ** torch.arange(bits - 1, -1, -1)


def _tokenizer_table(config: TokenizerConfig) -> _Table:
    table, width = _Table(), config.d_model
    table.add_linear("embed", width, config.d_in, "embed")
    for stack, depth in (("encoder", config.n_enc_layers - 1), ("decoder", config.n_dec_layers - 1)):
        for number in range(depth):
            table.add_block(f"{stack}.{number}", f"{stack}.{number}", config)
    table.add_linear("to_code", config.code_bits, width, "quant_embed")
    table.add_linear("from_coarse", width, config.s1_bits, "post_quant_embed_pre")
    table.add_linear("from_code", width, config.code_bits, "post_quant_embed")
    table.add_linear("head", config.d_in, width, "head")
    bits, group = config.code_bits, config.group_size
    table.constants["tokenizer.bsq.basis"] = _Constant((bits,), lambda: _powers(bits))
    table.constants["tokenizer.bsq.group_basis"] = _Constant((group,), lambda: _powers(group))
    return table


def _model_table(config: ModelConfig) -> _Table:
    table, width = _Table(), config.d_model
    sizes = {"coarse": ("s1", 2**config.s1_bits), "fine": ("s2", 2**config.s2_bits)}
    for ours, (theirs, vocabulary) in sizes.items():
        table.add(f"embedding.{ours}.weight", _Part(f"embedding.emb_{theirs}.weight", (vocabulary, width)))
        table.add_linear(f"head.{ours}", vocabulary, width, f"head.proj_{theirs}")
    table.add_linear("embedding.fusion", width, 2 * width, "embedding.fusion_proj")
    level = "" if config.learn_te else ".emb"  # fixed sinusoids sit one level deeper
    for unit, size in _TIME_SIZES.items():
        published = f"time_emb.{unit}_embed{level}.weight"
        table.add(f"time_embedding.{unit}.weight", _Part(published, (size, width)))
    for number in range(config.n_layers):
        table.add_block(f"blocks.{number}", f"transformer.{number}", config)
    table.add("norm.weight", _Part("norm.weight", (width,)))
    theirs, h = "dep_layer.cross_attn", _DEPENDENCY_HEADS
    table.add_linear("dependency.attention.query", width, width, f"{theirs}.q_proj", heads=(h,))
    table.add_linear(
        "dependency.attention.key_value", width, width, f"{theirs}.k_proj", f"{theirs}.v_proj", heads=(h, 0)
    )
    table.add_linear("dependency.attention.out", width, width, f"{theirs}.out_proj")
    table.add_rotary(theirs, width // h)
    table.add("dependency.norm.weight", _Part("dep_layer.norm.weight", (width,)))
    return table


def parse_config(kind: Kind, config: Mapping[str, Any]) -> ModelConfig | TokenizerConfig:
    """The checked settings behind a published ``config.json``.

    Raises:
        ConfigError: a key is missing or unknown, or a value is out of its range.
    """
    return TokenizerConfig.from_mapping(config) if kind == "tokenizer" else ModelConfig.from_mapping(config)


def _table(kind: Kind, config: Mapping[str, Any]) -> _Table:
    parsed = parse_config(kind, config)
    blocks = parsed.n_layers if isinstance(parsed, ModelConfig) else max(parsed.n_enc_layers, parsed.n_dec_layers)
    if blocks > _MOST_BLOCKS:
        raise CheckpointMismatch(f"the configuration asks for {blocks} blocks; at most {_MOST_BLOCKS} are believed.")
    return _tokenizer_table(parsed) if isinstance(parsed, TokenizerConfig) else _model_table(parsed)


def _refuse(kind: Kind, findings: Mapping[str, list[str]]) -> None:
    """Raise with every finding, or return when there is none."""
    lines = [f"{what}: {', '.join(names)}" for what, names in findings.items() if names]
    if lines:
        raise CheckpointMismatch(
            f"the tensors do not fit this {kind}'s configuration. "
            + "; ".join(lines)
            + ". Check that config.json and model.safetensors belong together and to a Kronos checkpoint."
        )


def _misshapen(wanted: Mapping[str, tuple[int, ...]], tensors: Mapping[str, Tensor]) -> list[str]:
    return [
        f"{name} {list(tensors[name].shape)} instead of {list(shape)}"
        for name, shape in wanted.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]


def _agrees(tensor: Tensor, constant: Tensor) -> bool:
    if not constant.is_floating_point():
        return bool((tensor == constant).all())
    tolerance = 1e-5 if tensor.dtype in (torch.float32, torch.float64) else 1e-2  # half precision rounds
    return torch.allclose(tensor.float(), constant, rtol=tolerance, atol=0.0)


def from_published(kind: Kind, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under published names -> our state dict. Every name is accounted for; dtypes stay as they are.

    Raises:
        ConfigError: the configuration is not one of this kind.
        CheckpointMismatch: names are missing or unknown, or shapes, types or constants are wrong; lists them all.
    """
    table = _table(kind, config)
    wanted = {part.name: part.shape for part in table.parts()}
    shapes = wanted | {name: constant.shape for name, constant in table.constants.items()}
    misshapen = _misshapen(shapes, tensors)
    _refuse(
        kind,
        {
            "missing": sorted(shapes.keys() - tensors.keys()),
            "unknown": sorted(tensors.keys() - shapes.keys()),
            "wrong shape": misshapen,
            "not floating point": [n for n in wanted if n in tensors and not tensors[n].is_floating_point()],
        },
    )
    _refuse(kind, {"wrong constant": [n for n, c in table.constants.items() if not _agrees(tensors[n], c.make())]})
    return {ours: torch.cat([p.to_ours(tensors[p.name]) for p in parts]) for ours, parts in table.fused.items()}


def to_published(kind: Kind, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state dict -> tensors under published names, on the CPU and contiguous: the inverse of ``from_published``.

    Raises:
        ConfigError: the configuration is not one of this kind.
        CheckpointMismatch: names are missing or unknown, or shapes are wrong; lists them all.
    """
    table = _table(kind, config)
    shapes = {ours: (sum(part.shape[0] for part in parts), *parts[0].shape[1:]) for ours, parts in table.fused.items()}
    _refuse(
        kind,
        {
            "missing": sorted(shapes.keys() - state.keys()),
            "unknown": sorted(state.keys() - shapes.keys()),
            "wrong shape": _misshapen(shapes, state),
        },
    )
    published = {name: constant.make() for name, constant in table.constants.items()}
    for ours, parts in table.fused.items():
        rows = state[ours].detach().cpu().split([part.shape[0] for part in parts])
        for part, own in zip(parts, rows, strict=True):
            published[part.name] = part.to_theirs(own).clone(memory_format=torch.contiguous_format)
    return published
