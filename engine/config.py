"""Settings of the engine: frozen, keyword-only dataclasses that are validated when they are made.

The fields of ``TokenizerConfig`` and ``ModelConfig`` are the keys of the published ``config.json`` files, plus a few
extension keys of this engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Self

from engine.errors import ConfigError
from engine.messages import msg

__all__ = ["MAX_PATHS", "ModelConfig", "SamplingConfig", "TokenizerConfig"]

MAX_PATHS = 10_000
"""Most sampled paths per series."""

MIN_TEMPERATURE = 1e-6
"""Smallest temperature above 0: below it, scaled logits overflow float32. 0 itself means greedy decoding."""

MAX_BITS = 20
"""Most bits per token: 2**20 rows of embeddings are already more than any published model has."""


def _require(is_valid: bool, requirement: str, value: object) -> None:
    if not is_valid:
        raise ConfigError(msg("{expected}; got {value}.", expected=requirement, value=repr(value)))


def _is_whole(value: object, minimum: int, maximum: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and minimum <= int(value) <= maximum


def _is_within(value: object, minimum: float, maximum: float) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and minimum <= float(value) <= maximum


def _is_fraction_below_one(value: object) -> bool:
    return _is_within(value, 0.0, 1.0) and value != 1


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How paths are sampled.

    Raises:
        ConfigError: a value is out of its range.
    """

    num_paths: int = 30
    """Sampled paths per series, 1..10000."""
    temperature: float = 1.0
    """Divides the logits; 0 = greedy (always the most probable token), else MIN_TEMPERATURE..10."""
    top_p: float | None = 1.0
    """Nucleus sampling: keep the most probable tokens until their probabilities add up to this; None or 1 = off."""
    top_k: int | None = None
    """Keep this many of the most probable tokens, and those that tie with the last; None = off. Applied before top-p;
    a token must pass both."""
    min_p: float | None = None
    """Drop tokens less probable than this fraction of the most probable one (Nguyen et al., arXiv 2407.01082): 0 to
    below 1; 0 = off, None = as the model's ``config.json`` says. Applied before top-p."""
    seed: int = 0
    """Same weights, seed and window give the same paths. 0..2**63 - 1."""
    anchor_to_last_close: bool | None = None
    """True: paths start at the last close. False: at the price that the last context token decodes to, which is off by
    a fraction of a one-bar move, as in the reference. None = as the model's ``config.json`` says."""
    mirror_paths: bool | None = None
    """True: antithetic pairs. Each sampled path is followed by its own mirror image about the last close, so that N
    paths cost N / 2 and the forecast is direction-neutral: the median is the last close. The last of an odd number of
    paths has no mirror image. False: all paths as sampled. None = as the model's ``config.json`` says."""

    def __post_init__(self) -> None:
        """Check every field."""
        paths, temperature, top_p, top_k = self.num_paths, self.temperature, self.top_p, self.top_k
        _require(_is_whole(paths, 1, MAX_PATHS), msg("num_paths must be 1 to {limit}", limit=MAX_PATHS), paths)
        in_range = temperature == 0 or _is_within(temperature, MIN_TEMPERATURE, 10.0)
        _require(
            in_range,
            msg("temperature must be 0 (greedy) or {min_temperature:g} to 10", min_temperature=MIN_TEMPERATURE),
            temperature,
        )
        _require(
            top_p is None or _is_within(top_p, 1e-9, 1.0), msg("top_p must be above 0 and at most 1, or None"), top_p
        )
        _require(
            top_k is None or _is_whole(top_k, 1, 2**31), msg("top_k must be at least 1, or None to turn it off"), top_k
        )
        _require(
            self.min_p is None or _is_fraction_below_one(self.min_p),
            msg("min_p must be at least 0 and below 1, or None"),
            self.min_p,
        )
        _require(_is_whole(self.seed, 0, 2**63 - 1), msg("seed must be 0 to 2**63 - 1"), self.seed)
        for name in ("anchor_to_last_close", "mirror_paths"):
            value = getattr(self, name)
            _require(
                value is None or isinstance(value, bool), msg("{name} must be true, false or None", name=name), value
            )

    @property
    def has_mirror_images(self) -> bool:
        """Whether paths come in antithetic pairs; a single path has no mirror image."""
        return bool(self.mirror_paths) and self.num_paths > 1

    @property
    def num_decoded_paths(self) -> int:
        """How many of the paths the model samples; the others are their mirror images."""
        return (self.num_paths + 1) // 2 if self.has_mirror_images else self.num_paths

    @property
    def nucleus(self) -> float:
        """``top_p`` with None read as 1 (off)."""
        return 1.0 if self.top_p is None else self.top_p


class _PublishedConfig:
    """Reading and writing of ``config.json``."""

    extension_keys: ClassVar[frozenset[str]] = frozenset()
    """Keys of this engine that published files lack; written only where they differ from their defaults."""
    old_keys: ClassVar[Mapping[str, str]] = {}
    """Earlier spelling of a key -> the key. Read, never written."""

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Build from a parsed ``config.json``.

        Raises:
            ConfigError: a key is missing or unknown, or a value is out of its range.
        """
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        values = cls.rename_old_keys(values)
        missing, unknown = sorted(known - cls.extension_keys - values.keys()), sorted(values.keys() - known)
        if missing or unknown:
            raise ConfigError(
                msg(
                    "{kind} needs the keys {known}; missing: {missing}, unknown: {unknown}. Check that this "
                    "config.json belongs to this kind of checkpoint.",
                    kind=cls.__name__,
                    known=sorted(known),
                    missing=missing or msg("none"),
                    unknown=unknown or msg("none"),
                )
            )
        return cls(**values)

    @classmethod
    def rename_old_keys(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """``values`` under the current keys; an old key next to its new one stays, and is then reported as unknown."""
        renamed = dict(values)
        for old, new in cls.old_keys.items():
            if old in renamed and new not in renamed:
                renamed[new] = renamed.pop(old)
        return renamed

    def to_dict(self) -> dict[str, Any]:
        """The published keys with their values, and the extension keys that differ from their defaults."""
        defaults, values = self.extension_defaults(), asdict(self)  # type: ignore[call-overload]
        return {key: value for key, value in values.items() if key not in defaults or value != defaults[key]}

    @classmethod
    def extension_defaults(cls) -> dict[str, Any]:
        """Extension keys -> the values that hold for a published file, which lacks them."""
        return {
            field.name: field.default
            for field in fields(cls)  # type: ignore[arg-type]
            if field.name in cls.extension_keys
        }


def _check_width(config: ModelConfig | TokenizerConfig) -> None:
    for name in ("d_model", "n_heads", "ff_dim", "s1_bits", "s2_bits"):
        value = getattr(config, name)
        _require(
            isinstance(value, int) and value >= 1, msg("{name} must be a whole number of at least 1", name=name), value
        )
    _require(
        max(config.s1_bits, config.s2_bits) <= MAX_BITS,
        msg("bits must be at most {limit}", limit=MAX_BITS),
        (config.s1_bits, config.s2_bits),
    )
    even_heads = config.d_model % config.n_heads == 0 and (config.d_model // config.n_heads) % 2 == 0
    _require(even_heads, msg("d_model must be n_heads times an even head dimension"), (config.d_model, config.n_heads))
    for name in ("ffn_dropout_p", "attn_dropout_p", "resid_dropout_p"):
        value = getattr(config, name)
        _require(0.0 <= value < 1.0, msg("{name} must be at least 0 and below 1", name=name), value)


@dataclass(frozen=True, kw_only=True)
class TokenizerConfig(_PublishedConfig):
    """Architecture of a ``KronosTokenizer``, and the weights of its quantization loss.

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
    """Weight of the per-sample entropy, which training lowers."""
    gamma: float = 1.1
    """Weight of the codebook entropy, which training raises."""
    zeta: float = 0.05
    """Weight of the two entropy terms together."""
    group_size: int
    """Divides ``s1_bits + s2_bits``; a published key without effect (see ``engine.network.quantizer``)."""

    def __post_init__(self) -> None:
        """Check every field."""
        _check_width(self)
        _require(self.d_in == 6, msg("d_in must be 6 (open, high, low, close, volume, amount)"), self.d_in)
        _require(
            self.n_enc_layers >= 1 and self.n_dec_layers >= 1,
            msg("layers must be at least 1"),
            (self.n_enc_layers, self.n_dec_layers),
        )
        grouped = self.group_size >= 1 and self.code_bits % self.group_size == 0
        _require(
            grouped,
            msg("group_size must divide s1_bits + s2_bits = {code_bits}", code_bits=self.code_bits),
            self.group_size,
        )

    @property
    def code_bits(self) -> int:
        """Bits per candle, coarse and fine."""
        return self.s1_bits + self.s2_bits


@dataclass(frozen=True, kw_only=True)
class ModelConfig(_PublishedConfig):
    """Architecture of a ``Kronos`` model, and its sampling defaults.

    Raises:
        ConfigError: a value is out of its range.
    """

    extension_keys: ClassVar[frozenset[str]] = frozenset({"anchor_to_last_close", "mirror_paths", "min_p"})
    old_keys: ClassVar[Mapping[str, str]] = {"from_last_close": "anchor_to_last_close", "mirrored": "mirror_paths"}

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
    """Default of ``SamplingConfig.min_p``; published models have 0 (off)."""
    anchor_to_last_close: bool = False
    """Default of ``SamplingConfig.anchor_to_last_close``; published models have False."""
    mirror_paths: bool = False
    """Default of ``SamplingConfig.mirror_paths``; True suits a model without directional skill. Published models have
    False."""

    def __post_init__(self) -> None:
        """Check every field."""
        _check_width(self)
        _require(self.n_layers >= 1, msg("n_layers must be at least 1"), self.n_layers)
        _require(
            self.d_model % 8 == 0,
            msg("d_model must be a multiple of 8 (four heads of even dimension in the dependency layer)"),
            self.d_model,
        )
        _require(
            0.0 <= self.token_dropout_p < 1.0,
            msg("token_dropout_p must be at least 0 and below 1"),
            self.token_dropout_p,
        )
        _require(_is_fraction_below_one(self.min_p), msg("min_p must be at least 0 and below 1"), self.min_p)
        for name in ("anchor_to_last_close", "mirror_paths"):
            _require(
                isinstance(getattr(self, name), bool),
                msg("{name} must be true or false", name=name),
                getattr(self, name),
            )
