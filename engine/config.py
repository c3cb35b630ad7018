"""Settings of the engine: frozen, keyword-only, checked when made.

The field names of ``TokenizerConfig`` and ``ModelConfig`` are the keys of the published ``config.json`` files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from engine.errors import ConfigError

__all__ = ["BEGINNINGS", "LEANINGS", "MAX_PATHS", "ModelConfig", "SamplingConfig", "TokenizerConfig"]

MAX_PATHS = 10_000
"""Most paths that one series may ask for."""

BEGINNINGS: Mapping[str, bool | None] = {"model": None, "close": True, "tokens": False}
"""What a person may choose of where paths begin -> ``SamplingConfig.from_last_close``."""
LEANINGS: Mapping[str, bool | None] = {"model": None, "none": True, "drawn": False}
"""What a person may choose of whether paths lean up or down -> ``SamplingConfig.mirrored``."""

LEAST_TEMPERATURE = 1e-6
"""Below this, logits would overflow; 0 means greedy."""

MAX_BITS = 20


def _require(holds: bool, wanted: str, came: object) -> None:
    if not holds:
        raise ConfigError(f"{wanted}; got {came!r}.")


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most


def _is_within(value: object, least: float, most: float) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and least <= float(value) <= most


def _is_part(value: object) -> bool:
    return _is_within(value, 0.0, 1.0) and value != 1


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How paths are drawn.

    Raises:
        ConfigError: a value is out of its range.
    """

    num_paths: int = 30
    """Sampled futures per series, 1..10000."""
    temperature: float = 1.0
    """Divides the logits; 0 = greedy (always the likeliest token), else LEAST_TEMPERATURE..10."""
    top_p: float | None = 1.0
    """Nucleus: keep the likeliest tokens until their probability reaches this; None or 1 = off."""
    top_k: int | None = None
    """Keep this many of the likeliest tokens, and those that tie with the last; None = off. Applied before the nucleus,
    both count."""
    min_p: float | None = None
    """Tokens are never drawn whose probability is below this part of the likeliest's (Nguyen et al., arXiv 2407.01082):
    0 to below 1; 0 = off, None = as the model's ``config.json`` says. Applied before the nucleus."""
    seed: int = 0
    """Same weights, seed and window give the same paths. 0..2**63 - 1."""
    from_last_close: bool | None = None
    """Whether paths begin at the last close (True), or at the level that its tokens stand for, which misses
    it by a part of a one-bar change (False, as the reference's do); None = as the model's ``config.json`` says."""
    mirrored: bool | None = None
    """Whether every second path is mirrored at the last close, so that all of them lean neither up nor down (True), or
    they are as they were drawn (False); None = as the model's ``config.json`` says."""

    def __post_init__(self) -> None:
        """Check every field."""
        paths, heat, top_p, top_k = self.num_paths, self.temperature, self.top_p, self.top_k
        _require(_is_whole(paths, 1, MAX_PATHS), f"num_paths must be 1..{MAX_PATHS}", paths)
        greedy_or_drawn = heat == 0 or _is_within(heat, LEAST_TEMPERATURE, 10.0)
        _require(greedy_or_drawn, f"temperature must be 0 (greedy) or {LEAST_TEMPERATURE:g} to 10", heat)
        _require(top_p is None or _is_within(top_p, 1e-9, 1.0), "top_p must be above 0 and at most 1, or None", top_p)
        _require(top_k is None or _is_whole(top_k, 1, 2**31), "top_k must be at least 1, or None for off", top_k)
        _require(self.min_p is None or _is_part(self.min_p), "min_p must be 0 to below 1, or None", self.min_p)
        _require(_is_whole(self.seed, 0, 2**63 - 1), "seed must be 0..2**63 - 1", self.seed)
        for name in ("from_last_close", "mirrored"):
            value = getattr(self, name)
            _require(value is None or isinstance(value, bool), f"{name} must be true, false or None", value)

    @property
    def nucleus(self) -> float:
        """``top_p`` with None read as 1 (off)."""
        return 1.0 if self.top_p is None else self.top_p


class _Published:
    """Reading and writing of the published ``config.json`` keys."""

    added: ClassVar[frozenset[str]] = frozenset()
    """Keys of ours that published files do not have; written only where they are not at their default."""

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Build from a parsed ``config.json``.

        Raises:
            ConfigError: a key is missing or unknown, or a value is out of its range.
        """
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        missing, unknown = sorted(known - cls.added - values.keys()), sorted(values.keys() - known)
        if missing or unknown:
            raise ConfigError(
                f"{cls.__name__} wants the keys {sorted(known)}; missing: {missing or 'none'}, "
                f"unknown: {unknown or 'none'}. Check that this config.json belongs to this kind of checkpoint."
            )
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """The published keys and their values, and ours where they say something."""
        usual, values = self.usual(), asdict(self)  # type: ignore[call-overload]
        return {key: value for key, value in values.items() if key not in usual or value != usual[key]}

    @classmethod
    def usual(cls) -> dict[str, Any]:
        """Our keys as they hold for a published file, which does not have them."""
        return {field.name: field.default for field in fields(cls) if field.name in cls.added}  # type: ignore[arg-type]


def _check_width(config: ModelConfig | TokenizerConfig) -> None:
    for name in ("d_model", "n_heads", "ff_dim", "s1_bits", "s2_bits"):
        value = getattr(config, name)
        _require(isinstance(value, int) and value >= 1, f"{name} must be a whole number of at least 1", value)
    _require(
        max(config.s1_bits, config.s2_bits) <= MAX_BITS,
        f"bits must be at most {MAX_BITS}",
        (config.s1_bits, config.s2_bits),
    )
    even_heads = config.d_model % config.n_heads == 0 and (config.d_model // config.n_heads) % 2 == 0
    _require(even_heads, "d_model must be n_heads times an even head width", (config.d_model, config.n_heads))
    for name in ("ffn_dropout_p", "attn_dropout_p", "resid_dropout_p"):
        value = getattr(config, name)
        _require(0.0 <= value < 1.0, f"{name} must be 0 to below 1", value)


@dataclass(frozen=True, kw_only=True)
class TokenizerConfig(_Published):
    """Geometry of a ``KronosTokenizer``, and the weights of its quantization loss.

    Raises:
        ConfigError: a value is out of its range.
    """

    d_in: int = 6
    d_model: int
    n_heads: int
    ff_dim: int
    n_enc_layers: int
    """Encoder depth plus one: the published tokenizers have ``n_enc_layers - 1`` blocks."""
    n_dec_layers: int
    """Decoder depth plus one."""
    ffn_dropout_p: float = 0.0
    attn_dropout_p: float = 0.0
    resid_dropout_p: float = 0.0
    s1_bits: int
    """Bits of the coarse token."""
    s2_bits: int
    """Bits of the fine token."""
    beta: float = 0.05
    """Weight of the commitment loss."""
    gamma0: float = 1.0
    """Weight of the per-sample entropy (to be lowered)."""
    gamma: float = 1.1
    """Weight of the codebook entropy (to be raised)."""
    zeta: float = 0.05
    """Weight of both entropies together."""
    group_size: int
    """Divides ``s1_bits + s2_bits``; published, and without effect (``engine.network.quantizer``)."""

    def __post_init__(self) -> None:
        """Check every field."""
        _check_width(self)
        _require(self.d_in == 6, "d_in must be 6 (open, high, low, close, volume, amount)", self.d_in)
        _require(
            self.n_enc_layers >= 1 and self.n_dec_layers >= 1,
            "layers must be at least 1",
            (self.n_enc_layers, self.n_dec_layers),
        )
        grouped = self.group_size >= 1 and self.code_bits % self.group_size == 0
        _require(grouped, f"group_size must divide s1_bits + s2_bits = {self.code_bits}", self.group_size)

    @property
    def code_bits(self) -> int:
        """Bits of a whole code, coarse and fine."""
        return self.s1_bits + self.s2_bits


@dataclass(frozen=True, kw_only=True)
class ModelConfig(_Published):
    """Geometry of a ``Kronos`` model, and how its paths are to be drawn where the caller says nothing.

    Raises:
        ConfigError: a value is out of its range.
    """

    added: ClassVar[frozenset[str]] = frozenset({"from_last_close", "mirrored", "min_p"})

    s1_bits: int
    """Bits of the coarse token."""
    s2_bits: int
    """Bits of the fine token."""
    n_layers: int
    d_model: int
    n_heads: int
    ff_dim: int
    ffn_dropout_p: float = 0.0
    attn_dropout_p: float = 0.0
    resid_dropout_p: float = 0.0
    token_dropout_p: float = 0.0
    learn_te: bool = True
    """Learned time embeddings; False = fixed sinusoids."""
    min_p: float = 0.0
    """What is drawn unless ``SamplingConfig`` says otherwise; the published models have none."""
    from_last_close: bool = False
    """Paths begin at the last close unless ``SamplingConfig`` says otherwise; the published models' do not."""
    mirrored: bool = False
    """Every second path is mirrored at the last close unless ``SamplingConfig`` says otherwise: for a model that knows
    nothing of direction. The published models' are not."""

    def __post_init__(self) -> None:
        """Check every field."""
        _check_width(self)
        _require(self.n_layers >= 1, "n_layers must be at least 1", self.n_layers)
        _require(
            self.d_model % 8 == 0,
            "d_model must be a multiple of 8 (four heads of even width in the dependency layer)",
            self.d_model,
        )
        _require(0.0 <= self.token_dropout_p < 1.0, "token_dropout_p must be 0 to below 1", self.token_dropout_p)
        _require(_is_part(self.min_p), "min_p must be 0 to below 1", self.min_p)
        for name in ("from_last_close", "mirrored"):
            _require(isinstance(getattr(self, name), bool), f"{name} must be true or false", getattr(self, name))
