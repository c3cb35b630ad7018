"""Conversion between published tensor names and row orders and those of this engine.

The engine fuses projections of the same input, and makes rotary pairs adjacent; published checkpoints store projections
separately and pair row i of a head with row i + w/2. A fused tensor is the concatenation of the rows of its published
tensors, in the order given here; those marked with ``heads`` (queries and keys) are reordered within each head.
Constants in published checkpoints are verified and dropped when loading, and computed again when saving.

Legend: D model width, h heads, w = D/h head width, F feed-forward width, V1 and V2 sizes of the two vocabularies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from engine.config import ModelConfig, TokenizerConfig
from engine.errors import CheckpointMismatchError
from engine.messages import join_messages, msg

__all__ = ["KINDS", "Kind", "from_published", "parse_config", "to_published"]

Kind = Literal["tokenizer", "model"]
KINDS: tuple[Kind, ...] = ("tokenizer", "model")

_DEPENDENCY_HEADS = 4
_ROTARY_BASE = 10_000.0
_TIME_SIZES = {"minute": 60, "hour": 24, "weekday": 7, "day": 32, "month": 13}
_MAX_BLOCKS = 1_000
"""More blocks in a config.json are rejected: the map below would fill the memory."""


@dataclass(frozen=True)
class _TensorRule:
    """One published tensor. ``heads`` > 0: it pairs rows i and i + w/2 within each head, the engine 2i and 2i + 1."""

    name: str
    shape: tuple[int, ...]
    heads: int = 0

    def from_reference(self, tensor: Tensor) -> Tensor:
        """Rows in the engine's order."""
        return self._reorder_rows(tensor, 2, -1)

    def to_reference(self, tensor: Tensor) -> Tensor:
        """Rows in the published order."""
        return self._reorder_rows(tensor, -1, 2)

    def _reorder_rows(self, tensor: Tensor, outer: int, inner: int) -> Tensor:
        if not self.heads:
            return tensor
        return tensor.unflatten(0, (self.heads, -1)).unflatten(1, (outer, inner)).transpose(1, 2).flatten(0, 2)


@dataclass(frozen=True)
class _Constant:
    """A published tensor whose value follows from the configuration."""

    shape: tuple[int, ...]
    make: Callable[[], Tensor]


@dataclass
class _TensorMap:
    """Tensors of a checkpoint: engine name -> published tensors, and the constants."""

    fused: dict[str, tuple[_TensorRule, ...]] = field(default_factory=dict)
    constants: dict[str, _Constant] = field(default_factory=dict)

    def rules(self) -> Iterator[_TensorRule]:
        """Every published tensor but the constants."""
        for rules in self.fused.values():
            yield from rules

    def add(self, engine_name: str, *rules: _TensorRule) -> None:
        self.fused[engine_name] = rules

    def add_linear(self, engine_name: str, rows: int, columns: int, *names: str, heads: tuple[int, ...] = ()) -> None:
        """Weight [rows, columns] and bias [rows] of each of ``names``, fused in this order."""
        heads = heads or (0,) * len(names)
        pairs = list(zip(names, heads, strict=True))
        self.add(f"{engine_name}.weight", *(_TensorRule(f"{name}.weight", (rows, columns), h) for name, h in pairs))
        self.add(f"{engine_name}.bias", *(_TensorRule(f"{name}.bias", (rows,), h) for name, h in pairs))

    def add_rotary(self, name: str, head_width: int) -> None:
        self.constants[f"{name}.rotary.inv_freq"] = _Constant((head_width // 2,), lambda: _frequencies(head_width))

    def add_block(self, engine_name: str, published_name: str, config: ModelConfig | TokenizerConfig) -> None:
        width, heads, ff_dim = config.d_model, config.n_heads, config.ff_dim
        attention = f"{published_name}.self_attn"
        projections = (f"{attention}.q_proj", f"{attention}.k_proj", f"{attention}.v_proj")
        self.add(f"{engine_name}.norm1.weight", _TensorRule(f"{published_name}.norm1.weight", (width,)))
        self.add_linear(f"{engine_name}.attention.qkv", width, width, *projections, heads=(heads, heads, 0))
        self.add_linear(f"{engine_name}.attention.out", width, width, f"{attention}.out_proj")
        self.add_rotary(attention, width // heads)
        self.add(f"{engine_name}.norm2.weight", _TensorRule(f"{published_name}.norm2.weight", (width,)))
        gate, up = (_TensorRule(f"{published_name}.ffn.{w}.weight", (ff_dim, width)) for w in ("w1", "w3"))
        self.add(f"{engine_name}.ffn.gate_up.weight", gate, up)
        self.add(f"{engine_name}.ffn.down.weight", _TensorRule(f"{published_name}.ffn.w2.weight", (width, ff_dim)))


def _frequencies(head_width: int) -> Tensor:
    """Rotary frequencies [w / 2], computed as the reference does, to the bit."""
    return 1.0 / (_ROTARY_BASE ** (torch.arange(0, head_width, 2).float() / head_width))


def _powers_of_two(bits: int) -> Tensor:
    """2**(bits-1) .. 1, int64 [bits]."""
    return 2 ** torch.arange(bits - 1, -1, -1)


def _tokenizer_map(config: TokenizerConfig) -> _TensorMap:
    tensor_map, width = _TensorMap(), config.d_model
    tensor_map.add_linear("embed", width, config.d_in, "embed")
    for stack, depth in (("encoder", config.n_enc_layers - 1), ("decoder", config.n_dec_layers - 1)):
        for number in range(depth):
            tensor_map.add_block(f"{stack}.{number}", f"{stack}.{number}", config)
    tensor_map.add_linear("to_code", config.code_bits, width, "quant_embed")
    tensor_map.add_linear("from_coarse", width, config.s1_bits, "post_quant_embed_pre")
    tensor_map.add_linear("from_code", width, config.code_bits, "post_quant_embed")
    tensor_map.add_linear("head", config.d_in, width, "head")
    bits, group = config.code_bits, config.group_size
    tensor_map.constants["tokenizer.bsq.basis"] = _Constant((bits,), lambda: _powers_of_two(bits))
    tensor_map.constants["tokenizer.bsq.group_basis"] = _Constant((group,), lambda: _powers_of_two(group))
    return tensor_map


def _model_map(config: ModelConfig) -> _TensorMap:
    tensor_map, width = _TensorMap(), config.d_model
    sizes = {"coarse": ("s1", 2**config.s1_bits), "fine": ("s2", 2**config.s2_bits)}
    for engine_name, (published_name, vocabulary) in sizes.items():
        tensor_map.add(
            f"embedding.{engine_name}.weight",
            _TensorRule(f"embedding.emb_{published_name}.weight", (vocabulary, width)),
        )
        tensor_map.add_linear(f"head.{engine_name}", vocabulary, width, f"head.proj_{published_name}")
    tensor_map.add_linear("embedding.fusion", width, 2 * width, "embedding.fusion_proj")
    level = "" if config.learn_te else ".emb"  # fixed sinusoids sit one level deeper
    for unit, size in _TIME_SIZES.items():
        published = f"time_emb.{unit}_embed{level}.weight"
        tensor_map.add(f"time_embedding.{unit}.weight", _TensorRule(published, (size, width)))
    for number in range(config.n_layers):
        tensor_map.add_block(f"blocks.{number}", f"transformer.{number}", config)
    tensor_map.add("norm.weight", _TensorRule("norm.weight", (width,)))
    published_name, h = "dep_layer.cross_attn", _DEPENDENCY_HEADS
    tensor_map.add_linear("dependency.attention.query", width, width, f"{published_name}.q_proj", heads=(h,))
    tensor_map.add_linear(
        "dependency.attention.key_value",
        width,
        width,
        f"{published_name}.k_proj",
        f"{published_name}.v_proj",
        heads=(h, 0),
    )
    tensor_map.add_linear("dependency.attention.out", width, width, f"{published_name}.out_proj")
    tensor_map.add_rotary(published_name, width // h)
    tensor_map.add("dependency.norm.weight", _TensorRule("dep_layer.norm.weight", (width,)))
    return tensor_map


def parse_config(kind: Kind, config: Mapping[str, Any]) -> ModelConfig | TokenizerConfig:
    """The checked settings behind a published ``config.json``.

    Raises:
        ConfigError: a key is missing or unknown, or a value is out of its range.
    """
    return TokenizerConfig.from_mapping(config) if kind == "tokenizer" else ModelConfig.from_mapping(config)


def _tensor_map(kind: Kind, config: Mapping[str, Any]) -> _TensorMap:
    parsed = parse_config(kind, config)
    blocks = parsed.n_layers if isinstance(parsed, ModelConfig) else max(parsed.n_enc_layers, parsed.n_dec_layers)
    if blocks > _MAX_BLOCKS:
        raise CheckpointMismatchError(
            msg(
                "the configuration specifies {blocks} blocks; the limit is {limit}.",
                blocks=blocks,
                limit=_MAX_BLOCKS,
            )
        )
    return _tokenizer_map(parsed) if isinstance(parsed, TokenizerConfig) else _model_map(parsed)


def _raise_mismatch(kind: Kind, findings: Mapping[str, Sequence[str]]) -> None:
    """Raise an error that lists every finding; return if there is none."""
    lines = [msg("{what}: {names}", what=what, names=join_messages(names)) for what, names in findings.items() if names]
    if lines:
        raise CheckpointMismatchError(
            msg(
                "the tensors do not match this {kind}'s configuration. {lines}. Check that config.json and "
                "model.safetensors belong together and to a Kronos checkpoint.",
                kind=msg("tokenizer") if kind == "tokenizer" else msg("model"),
                lines=join_messages(lines, "{left}; {right}"),
            )
        )


def _shape_mismatches(expected: Mapping[str, tuple[int, ...]], tensors: Mapping[str, Tensor]) -> list[str]:
    return [
        msg(
            "{name} is {actual} instead of {expected}",
            name=name,
            actual=list(tensors[name].shape),
            expected=list(shape),
        )
        for name, shape in expected.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]


def _matches_constant(tensor: Tensor, constant: Tensor) -> bool:
    if not constant.is_floating_point():
        return bool((tensor == constant).all())
    tolerance = 1e-5 if tensor.dtype in (torch.float32, torch.float64) else 1e-2  # half precision rounds
    return torch.allclose(tensor.float(), constant, rtol=tolerance, atol=0.0)


def from_published(kind: Kind, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors by published name -> state dict of this engine's module. Every name must be known; dtypes are preserved.

    Raises:
        ConfigError: the configuration is not of this kind.
        CheckpointMismatchError: names are missing or unknown, or shapes, types or constants are wrong; lists them all.
    """
    tensor_map = _tensor_map(kind, config)
    expected = {rule.name: rule.shape for rule in tensor_map.rules()}
    shapes = expected | {name: constant.shape for name, constant in tensor_map.constants.items()}
    mismatches = _shape_mismatches(shapes, tensors)
    _raise_mismatch(
        kind,
        {
            msg("missing"): sorted(shapes.keys() - tensors.keys()),
            msg("unknown"): sorted(tensors.keys() - shapes.keys()),
            msg("wrong shape"): mismatches,
            msg("not floating point"): [n for n in expected if n in tensors and not tensors[n].is_floating_point()],
        },
    )
    _raise_mismatch(
        kind,
        {
            msg("wrong constant"): [
                n for n, c in tensor_map.constants.items() if not _matches_constant(tensors[n], c.make())
            ]
        },
    )
    return {
        engine_name: torch.cat([rule.from_reference(tensors[rule.name]) for rule in rules])
        for engine_name, rules in tensor_map.fused.items()
    }


def to_published(kind: Kind, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict -> tensors by published name, on the CPU and contiguous: the inverse of ``from_published``.

    Raises:
        ConfigError: the configuration is not of this kind.
        CheckpointMismatchError: names are missing or unknown, or shapes are wrong; lists them all.
    """
    tensor_map = _tensor_map(kind, config)
    shapes = {
        engine_name: (sum(rule.shape[0] for rule in rules), *rules[0].shape[1:])
        for engine_name, rules in tensor_map.fused.items()
    }
    _raise_mismatch(
        kind,
        {
            msg("missing"): sorted(shapes.keys() - state.keys()),
            msg("unknown"): sorted(state.keys() - shapes.keys()),
            msg("wrong shape"): _shape_mismatches(shapes, state),
        },
    )
    published = {name: constant.make() for name, constant in tensor_map.constants.items()}
    for name, rules in tensor_map.fused.items():
        chunks = state[name].detach().cpu().split([rule.shape[0] for rule in rules])
        for rule, rows in zip(rules, chunks, strict=True):
            published[rule.name] = rule.to_reference(rows).clone(memory_format=torch.contiguous_format)
    return published
