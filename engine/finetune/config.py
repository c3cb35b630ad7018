"""Settings of a run: frozen, keyword-only, checked on construction. ``RunConfig`` is a run; its parts are TOML tables.

The docstring under each field is its help text and its description in the JSON schema, and states the unit. "Windows
per step" counts all processes together, so that a run takes the same steps regardless of how many processes share the
work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from engine.finetune.errors import FinetuneConfigError
from engine.messages import msg
from engine.validation import report_invalid

__all__ = [
    "SCRATCH",
    "STAGES",
    "DataConfig",
    "EvaluationConfig",
    "ModelStage",
    "RunConfig",
    "StageConfig",
    "StageName",
    "TokenizerStage",
    "describe_field",
    "finetune_schema",
]

StageName = Literal["tokenizer", "model"]
STAGES: tuple[StageName, ...] = ("tokenizer", "model")

SCRATCH = "scratch"
"""Value of ``init_from`` for random initial weights."""


def _list_of(item: Any) -> BeforeValidator:
    """Accept a list or its only item, except "none", which is more likely meant to be an empty list."""
    return BeforeValidator(
        lambda value: [value] if isinstance(value, str) and value != "none" else value,
        json_schema_input_type=item | list[item],
    )


Text = Annotated[str, msg("text")]
Texts = Annotated[tuple[str, ...], _list_of(str), msg("a list of strings")]
_STAGE_ORDER = msg("tokenizer, model, or tokenizer followed by model")
Stages = Annotated[tuple[StageName, ...], Field(min_length=1), _list_of(StageName), _STAGE_ORDER]
Switch = Annotated[bool, Field(strict=True), msg("true or false")]
Count = Annotated[int, Field(strict=True, ge=1), msg("a whole number of at least {minimum}", minimum=1)]
CountOrZero = Annotated[int, Field(strict=True, ge=0), msg("a whole number of at least {minimum}", minimum=0)]
ContextLength = Annotated[int, Field(strict=True, ge=8), msg("a whole number of at least {minimum}", minimum=8)]
Number = Annotated[float, Field(strict=True), msg("a number")]
NumberOrZero = Annotated[float, Field(strict=True, ge=0), msg("a number of at least 0")]
PositiveNumber = Annotated[float, Field(strict=True, gt=0), msg("a number above 0")]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1), msg("a fraction from 0 to 1")]
Nothing = Annotated[
    None,
    BeforeValidator(
        lambda value: None if isinstance(value, str) and value.lower() == "none" else value,
        json_schema_input_type=Literal["none"] | None,
    ),
]
"""None, or the text "none", because TOML has no null."""

_MODEL_CONFIG = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def _invalid(name: str, expected: str, value: object) -> FinetuneConfigError:
    return FinetuneConfigError(
        msg("{name} must be {expected}; got {value}.", name=name, expected=expected, value=repr(value))
    )


def _require(condition: object, name: str, expected: str, value: object) -> None:
    if not condition:
        raise _invalid(name, expected, value)


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True, config=_MODEL_CONFIG)
class DataConfig:
    """Which candles are used, how they are split and how windows are taken from them.

    Raises:
        FinetuneConfigError: a value is out of range.
    """

    train: Texts = ()
    """Files or folders of CSV, Parquet or Feather with the columns timestamp, open, high, low, close [volume [amount]]
    [symbol]. A file named <market>_<interval> defines its group. "qlib:FOLDER" reads a Qlib provider."""
    validation: Texts = ()
    """The same for later candles to validate and test on; empty = the last part of ``train``."""
    context: ContextLength = 256
    """Candles that normalize a validation window and that forecasts see; bars."""
    horizon: Count = 64
    """Candles after the context in each window; bars."""
    min_context: ContextLength = 48
    """Fewest candles that normalize a training window; bars. The loss counts the candles after them."""
    validation_fraction: Fraction = 0.15
    """Fraction of the bar times used for validation."""
    test_fraction: Fraction = 0.15
    """Fraction of the bar times, the last ones, reserved for the final comparison."""
    validation_start: Text | None = None
    """First bar time of validation in every group; ISO date, UTC. None = by ``validation_fraction``."""
    test_start: Text | None = None
    """First bar time of the test part in every group; ISO date, UTC. None = by ``test_fraction``."""
    embargo: CountOrZero | Nothing = None
    """Bars left out between the parts; None = context + horizon."""
    holdout_symbols: Texts = ()
    """Symbols never trained on; validation and test then use only these."""
    max_gap_hours: NumberOrZero | Nothing = None
    """No window spans a longer gap; hours. None = by interval and market (``data.mapped_candles``)."""
    session_timezones: Annotated[Mapping[str, str], msg("a table of strings")] = field(default_factory=dict)
    """Market to the time zone in which its intraday bars may be read; "*" = every market."""
    session_timezone_prob: Fraction = 0.4
    """Probability that a window is read in the session time zone instead of UTC."""
    volume_dropout_prob: Fraction = 0.05
    """Probability that volume and amount of a window are set to zero."""
    inversion_prob: Fraction = 0.25
    """Probability that a window is inverted (1 / price)."""
    reflection_prob: Fraction = 0.0
    """Probability that the direction of a window is flipped at random bars, so that direction cannot be learned.
    Reflected windows are not inverted."""
    mirror_targets: Switch = False
    """Model stage: count the mirror image of each candle about the previous close as much as the candle itself, so
    that no direction is learned. The cost: no skewness is learned either."""
    group_sampling_exponent: NumberOrZero = 0.5
    """Groups are sampled by their number of candles to this power: 1 = by size, 0 = all alike."""
    windows_per_epoch: Count | Nothing = None
    """Windows in an epoch, without repetition; None = as many as cover every candle once, at least 1024."""
    pretokenize: Switch = False
    """Encode all windows once before training instead of on the fly. Each window is then normalized by its first
    ``context`` candles, without inversion, reflection or volume dropout. Worthwhile if the tokenizer is as large as
    the model."""
    num_workers: CountOrZero = 0
    """Data-loading processes per training process; 0 = load in the training process (windows are cheap)."""
    cache_dir: Text | None = None
    """Folder for the memory-mapped candles; None = in the run folder."""

    def __post_init__(self) -> None:
        """Check the fields against one another."""
        _require(
            not (self.mirror_targets and self.pretokenize), "mirror_targets", msg("off when pretokenize is on"), "on"
        )
        context = self.min_context
        _require(
            context <= self.context, "min_context", msg("at most context = {context}", context=self.context), context
        )
        # the remaining tenth is the least that leaves a training part
        reserved = self.validation_fraction + self.test_fraction
        _require(
            reserved < 0.9,
            "validation_fraction + test_fraction",
            msg("below 0.9, so that training data remain"),
            reserved,
        )

    @property
    def window_length(self) -> int:
        """Candles in a training window; bars."""
        return self.context + self.horizon

    @property
    def embargo_length(self) -> int:
        """The embargo with its default resolved; bars."""
        return self.window_length if self.embargo is None else self.embargo


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True, config=_MODEL_CONFIG)
class StageConfig:
    """How one stage is trained.

    Raises:
        FinetuneConfigError: a value is out of range.
    """

    init_from: Text = "bundled"
    """Initial weights: "bundled", a published name, a folder, a hub id, or "scratch" with an architecture."""
    architecture: Annotated[Mapping[str, Any], msg("a table")] = field(default_factory=dict)
    """Keys of the published config.json; required with "scratch". Otherwise they must equal those of the checkpoint,
    except dropout and the sampling defaults."""
    trainable: Literal["full", "head", "last", "lora", "decoder"] = "full"
    """Trained parameters: all, the head, the head and the last blocks, LoRA adapters, or the decoder of a tokenizer
    (its tokens stay unchanged)."""
    num_trainable_layers: Count = 1
    """Blocks trained with trainable = "last"; count."""
    lora_rank: Count = 8
    """Rank of the LoRA adapters; count."""
    lora_alpha: PositiveNumber = 16.0
    """LoRA adapters are scaled by lora_alpha / lora_rank."""
    max_steps: Count | Nothing = None
    """Budget in optimizer steps; count. None = by ``max_minutes``."""
    max_minutes: PositiveNumber | Nothing = None
    """Budget in minutes of training time, evaluations excluded. The learning rate follows the fraction spent. Ignored
    if ``max_steps`` is set."""
    batch_size: Count = 16
    """Windows per optimizer step, over all processes; count."""
    micro_batch_size: Count = 16
    """Most windows per forward pass of one process; count. Larger batches accumulate gradients."""
    learning_rate: PositiveNumber = 1e-4
    """Peak learning rate of AdamW."""
    warmup_fraction: Fraction = 0.02
    """Fraction of the budget with a rising learning rate."""
    min_lr_ratio: Fraction = 0.02
    """Final learning rate of the cosine schedule, as a fraction of the peak."""
    weight_decay: NumberOrZero = 0.05
    """Weight decay of matrices."""
    max_grad_norm: PositiveNumber = 2.0
    """Gradients are clipped to this norm."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """"muon": Muon trains the inner matrices and AdamW the rest."""
    muon_learning_rate: PositiveNumber = 0.02
    """Peak learning rate of Muon."""
    ema_decay: Annotated[float, Field(strict=True, ge=0, lt=1), msg("a number of at least 0 and below 1")] = 0.999
    """Decay per step of the averaged weights, which are evaluated and exported; 0 = no averaging."""
    eval_every_steps: Count = 50
    """Steps between evaluations; count."""
    early_stopping_patience: Count | Nothing = 5
    """Evaluations without a lower validation loss before training stops; count. None = never."""

    def __post_init__(self) -> None:
        """Check the fields against one another."""
        steps, minutes = self.max_steps, self.max_minutes
        _require(steps or minutes, "the budget", msg("set through max_steps or max_minutes"), (steps, minutes))
        needs_architecture = self.starts_from_scratch and not self.architecture
        _require(
            not needs_architecture,
            "architecture",
            msg('set when init_from = "{scratch}"', scratch=SCRATCH),
            dict(self.architecture),
        )

    @property
    def starts_from_scratch(self) -> bool:
        """Whether the initial weights are random."""
        return self.init_from.lower() == SCRATCH

    @property
    def lora_scale(self) -> float:
        """Factor of the LoRA adapters."""
        return self.lora_alpha / self.lora_rank


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True, config=_MODEL_CONFIG)
class TokenizerStage(StageConfig):
    """The tokenizer's stage, with the weights of its loss terms."""

    max_minutes: PositiveNumber | Nothing = 3.0
    learning_rate: PositiveNumber = 2e-4
    loss: Literal["scaled_mse", "mse", "supervised"] = "scaled_mse"
    """"scaled_mse": squared errors in units of each window's one-bar change; "mse": plain squared errors, as in the
    publication; "supervised": only the encoder is trained, to produce a code defined by rules
    (``training.code_supervision``), and another run continues from there."""
    close_weight: Number = 1.5
    """Weight of the close's error; open, high and low have 1."""
    volume_weight: Number = 0.1
    """Weight of the errors of volume and amount."""
    coarse_weight: Number = 0.3
    """Weight of the reconstruction from the coarse token alone."""
    quantization_weight: Number = 0.5
    """Weight of the commitment and entropy losses."""
    wick_weight: NumberOrZero = 0.0
    """Weight of the penalty on reconstructed candles whose high or low lies inside the body, or nearly."""
    decorrelation_weight: Number = 0.0
    """Weight of the mean squared correlation between two code bits. The published losses balance each bit but allow
    bits to duplicate one another, which leaves many codes unused."""

    def __post_init__(self) -> None:
        """Check the fields against one another."""
        super().__post_init__()
        trains_all = self.loss != "supervised" or self.trainable == "full"
        _require(trains_all, "trainable", msg('"full" when loss = "supervised"'), self.trainable)


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True, config=_MODEL_CONFIG)
class ModelStage(StageConfig):
    """The model's stage."""

    max_minutes: PositiveNumber | Nothing = 4.0
    teacher_forcing: Switch = True
    """Condition the fine head on the true coarse token; false = on a sampled one, as the published models were
    trained."""


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True, config=_MODEL_CONFIG)
class EvaluationConfig:
    """The fixed windows that every evaluation uses, and those of the final comparison.

    Raises:
        FinetuneConfigError: a value is out of range.
    """

    loss_windows: Count = 96
    """Validation windows of the loss; count."""
    forecast_windows: CountOrZero = 24
    """Validation windows that are forecast; count. 0 = none."""
    num_paths: Annotated[int, Field(strict=True, ge=2), msg("a whole number of at least {minimum}", minimum=2)] = 50
    """Sampled paths per forecast; count."""
    horizon: Count = 24
    """Length of a forecast; bars."""
    test_windows: CountOrZero = 120
    """Test windows of the final comparison; count. 0 = no comparison."""


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True, config=_MODEL_CONFIG)
class RunConfig:
    """One run: stages over the same data, in one folder.

    Raises:
        FinetuneConfigError: a value is out of range.
    """

    output_dir: Text = ""
    """The run folder."""
    stages: Stages = ("model",)
    """Stages in order; a model stage after a tokenizer stage uses the new tokenizer."""
    data: DataConfig = field(default_factory=DataConfig)
    """Table [data]."""
    tokenizer: TokenizerStage = field(default_factory=TokenizerStage)
    """Table [tokenizer]; its ``init_from`` is also the frozen tokenizer of a run of the model alone."""
    model: ModelStage = field(default_factory=ModelStage)
    """Table [model]."""
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """Table [evaluation]."""
    resume: Literal["never", "auto"] = "never"
    """"auto": continue from the last state in the folder, or start if there is none."""
    seed: Annotated[int, Field(strict=True, ge=0, le=2**31), msg("a whole number from 0 to 2**31")] = 0
    """The same seed, data and settings give the same steps. 0..2**31."""
    num_processes: CountOrZero = 0
    """Training processes on this machine; count. 0 = one per GPU, or one per CPU core (at most 8)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Training device."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Precision of matrix products; "auto" = bf16 if the hardware supports it."""
    log_every_steps: Count = 20
    """Steps between lines of metrics.jsonl; count."""
    checkpoint_every_minutes: NumberOrZero = 4.0
    """Minutes between saved training states."""
    tensorboard: Switch = False
    """Also write TensorBoard events (needs the package tensorboard)."""

    def __post_init__(self) -> None:
        """Check the fields against one another."""
        if not self.output_dir:
            raise FinetuneConfigError(
                msg(
                    'a run needs an output folder: set output_dir = "runs/NAME" in the file, or pass --output_dir '
                    "runs/NAME."
                )
            )
        in_order = list(self.stages) == [name for name in STAGES if name in self.stages]
        _require(in_order, "stages", _STAGE_ORDER, self.stages)
        has_tokenizer = "tokenizer" in self.stages or not self.tokenizer.starts_from_scratch
        _require(
            has_tokenizer, "tokenizer.init_from", msg("a trained tokenizer when only the model is trained"), SCRATCH
        )

    def stage(self, name: StageName) -> TokenizerStage | ModelStage:
        """The settings of one stage."""
        return self.tokenizer if name == "tokenizer" else self.model


def describe_field(cls: type, name: str) -> str:
    """The help text of a field, which a subclass inherits unless it has its own."""
    fields = (getattr(base, "__pydantic_fields__", {}).get(name) for base in cls.__mro__)
    return next((field.description for field in fields if field is not None and field.description), "")


def finetune_schema() -> dict[str, Any]:
    """The JSON schema of a file of settings."""
    schema = TypeAdapter(RunConfig).json_schema()
    for cls in (TokenizerStage, ModelStage):
        for name, properties in schema["$defs"][cls.__name__]["properties"].items():
            properties["description"] = describe_field(cls, name)
    return schema
