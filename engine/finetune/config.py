"""Settings of a run: frozen, keyword-only, checked when made. ``RunConfig`` is a run; its parts are tables in TOML.

Units stand in each field's text. "Windows per step" counts all processes together, so that a run takes the same steps
however many processes share the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors import SettingsError

__all__ = [
    "STAGES",
    "DataConfig",
    "ModelStage",
    "ProbeConfig",
    "RunConfig",
    "StageConfig",
    "StageName",
    "TokenizerStage",
]

StageName = Literal["tokenizer", "model"]
STAGES: tuple[StageName, ...] = ("tokenizer", "model")


def _require(holds: object, name: str, wanted: str, came: object) -> None:
    if not holds:
        raise SettingsError(f"{name} must be {wanted}; got {came!r}.")


def _shares(config: object, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        _require(0.0 <= value <= 1.0, name, "a fraction, 0 to 1", value)


def _at_least(config: object, least: float, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        _require(value is None or value >= least, name, f"at least {least:g}", value)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which candles, how they are cut into windows and split.

    Raises:
        SettingsError: a value is out of its range.
    """

    path: tuple[str, ...] = ()
    """Files or folders of CSV, Parquet or Feather with the columns timestamp, open, high, low, close [volume [amount]]
    [symbol]; a file called <market>_<interval> names its group. "qlib:FOLDER" reads a Qlib provider."""
    validation_path: tuple[str, ...] = ()
    """The same for later candles to validate and test on; none = the last part of ``path``."""
    context: int = 256
    """Candles that a validation window is normalised by, and that forecasts see; bars."""
    horizon: int = 64
    """Candles after the context in each window; bars."""
    shortest_cut: int = 48
    """Fewest candles that a training window is normalised by; bars. What comes after them is what the loss counts."""
    validation_share: float = 0.15
    """Part of the bar times to validate on; fraction."""
    test_share: float = 0.15
    """Part of the bar times, the last, that nothing of the run may see; fraction."""
    validation_from: str | None = None
    """Validate from this bar time on, in every group; ISO date, UTC. None = by ``validation_share``."""
    test_from: str | None = None
    """Keep bar times from this on untouched; ISO date, UTC. None = by ``test_share``."""
    embargo: int | None = None
    """Bars left out between the parts; None = context + horizon."""
    held_out_symbols: tuple[str, ...] = ()
    """Symbols that are never trained on; validation and test then use these alone."""
    longest_break_hours: float | None = None
    """No window crosses a longer gap; hours. None = by interval and market (``data.mapped_candles``)."""
    session_clocks: Mapping[str, str] = field(default_factory=dict)
    """Market to time zone on whose clock its intraday bars may be read; "*" = every market."""
    session_clock_share: float = 0.4
    """Windows that are read on the session clock instead of UTC; fraction."""
    volume_dropout: float = 0.05
    """Windows whose volume and amount are taken away; fraction."""
    inversion: float = 0.25
    """Windows that are quoted the other way round (1 / price); fraction."""
    reflection: float = 0.0
    """Windows whose direction turns round at random bars, so that nothing is learned about direction; fraction. They
    are not also inverted."""
    mirrored_targets: bool = False
    """The model's stage: each candle had it gone the other way from the close before it counts as much as the one that
    came, so that no direction is learned at all. The price: no skewness is learned either."""
    group_power: float = 0.5
    """A group is drawn by its candles to this power: 1 = by size, 0 = all alike; no unit."""
    epoch_windows: int | None = None
    """Windows in an epoch, each another one; None = as many as hold every candle once, at least 1024."""
    pretokenise: bool = False
    """Encode every window once before training instead of on the fly. Fixes the normalisation: each window is
    normalised by its first ``context`` candles, and there is no inversion, reflection or volume dropout. Worth it
    where the tokenizer is as large as the model."""
    workers: int = 0
    """Processes that draw windows, beside each training process; 0 = it draws its own (windows are cheap to draw)."""
    cache: str | None = None
    """Folder for the mapped arrays; None = in the run folder."""

    def __post_init__(self) -> None:
        """Check every field."""
        _at_least(self, 8, "context", "shortest_cut")
        _at_least(self, 1, "horizon", "epoch_windows")
        _at_least(self, 0, "embargo", "longest_break_hours", "group_power", "workers")
        shares = ("validation_share", "test_share", "session_clock_share", "volume_dropout", "inversion", "reflection")
        _shares(self, *shares)
        _require(not (self.mirrored_targets and self.pretokenise), "mirrored_targets", "off with pretokenise", "on")
        _require(
            self.shortest_cut <= self.context, "shortest_cut", f"at most context = {self.context}", self.shortest_cut
        )
        parts = self.validation_share + self.test_share
        _require(parts < 0.9, "validation_share + test_share", "below 0.9, to leave something to train on", parts)

    @property
    def window(self) -> int:
        """Candles in a training window; bars."""
        return self.context + self.horizon

    @property
    def gap(self) -> int:
        """The embargo, filled in; bars."""
        return self.window if self.embargo is None else self.embargo


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """How one stage is trained.

    Raises:
        SettingsError: a value is out of its range.
    """

    start: str = "bundled"
    """What training begins with: "bundled", a published name, a folder, a hub id, or "scratch" with a geometry."""
    geometry: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the published config.json; needed from scratch. Any other start must have the same, dropout excepted."""
    parts: Literal["full", "head", "last", "lora", "decoder"] = "full"
    """What is trained: everything, the head, the head and the last blocks, low-rank additions, or of a tokenizer all
    that comes after its tokens (which stay what they are)."""
    last_layers: int = 1
    """Blocks trained with parts = "last"; count."""
    lora_rank: int = 8
    """Rank of the additions; count."""
    lora_scale: float = 2.0
    """Their weight (often called alpha / rank); no unit."""
    steps: int | None = None
    """Most optimizer steps; count. None = by ``minutes``."""
    minutes: float | None = None
    """Computing time, without evaluations; minutes. The learning rate follows what is spent of it. Not read when
    ``steps`` is given."""
    batch: int = 16
    """Windows per optimizer step, over all processes; count."""
    micro_batch: int = 16
    """Most windows that one process reads at once; count. More are read in turns and their gradients added."""
    rate: float = 1e-4
    """Peak learning rate of AdamW; per step."""
    warmup: float = 0.02
    """Part of the budget in which the rate rises; fraction."""
    final_rate: float = 0.02
    """What the cosine falls to, of the peak; fraction."""
    decay: float = 0.05
    """Weight decay of matrices; per unit of rate."""
    clip: float = 2.0
    """Gradients are shortened to this norm; no unit."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """"muon": inner matrices are trained by Muon, the rest by AdamW."""
    muon_rate: float = 0.02
    """Peak learning rate of Muon; per step."""
    ema: float = 0.999
    """Decay of the averaged weights that are evaluated and kept; per step. 0 = no averaging."""
    evaluate_every: int = 50
    """Steps from one evaluation to the next; count."""
    patience: int | None = 5
    """Evaluations without a better validation loss before training stops; count. None = never."""

    def __post_init__(self) -> None:
        """Check every field."""
        _at_least(self, 1, "last_layers", "lora_rank", "steps", "batch", "micro_batch", "evaluate_every", "patience")
        _shares(self, "warmup", "final_rate")
        for name in ("rate", "muon_rate", "clip", "lora_scale"):
            _require(getattr(self, name) > 0, name, "above 0", getattr(self, name))
        _at_least(self, 0, "decay")
        _require(0 <= self.ema < 1, "ema", "0 to below 1", self.ema)
        _require(self.minutes is None or self.minutes > 0, "minutes", "above 0", self.minutes)
        _require(self.steps or self.minutes, "the budget", "given in steps or in minutes", (self.steps, self.minutes))
        scratch = self.start.lower() == "scratch"
        _require(bool(self.geometry) or not scratch, "geometry", 'given with start = "scratch"', dict(self.geometry))


@dataclass(frozen=True, kw_only=True)
class TokenizerStage(StageConfig):
    """The tokenizer's stage: how its errors are weighed."""

    minutes: float | None = 3.0
    """As above."""
    rate: float = 2e-4
    """As above."""
    loss: Literal["weighed", "published", "guided"] = "weighed"
    """"weighed": errors in units of each window's one-bar change; "published": plain squared errors; "guided": none,
    the encoder alone learns a code made by hand (``training.code_supervision``), and another run goes on from there."""
    close_weight: float = 1.5
    """Weight of the close's error, open, high and low having 1; no unit."""
    volume_weight: float = 0.1
    """Weight of volume's and amount's errors; no unit."""
    coarse_weight: float = 0.3
    """Weight of what the coarse token alone gives back; no unit."""
    quantization_weight: float = 0.5
    """Weight of commitment and entropy; no unit."""
    decorrelation_weight: float = 0.0
    """Weight of the mean squared correlation of two bits of a code; no unit. The published losses hold each bit in
    balance but let bits repeat one another, and then few codes occur."""

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        _require(self.loss != "guided" or self.parts == "full", "parts", '"full" with loss = "guided"', self.parts)


@dataclass(frozen=True, kw_only=True)
class ModelStage(StageConfig):
    """The model's stage."""

    minutes: float | None = 4.0
    """As above."""
    teacher_forcing: bool = True
    """Give the fine head the true coarse token; no = one drawn from the model, as the published ones were trained."""


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """The fixed windows that every evaluation reads and forecasts.

    Raises:
        SettingsError: a value is out of its range.
    """

    validation_windows: int = 96
    """Windows whose loss is measured; count."""
    windows: int = 24
    """Windows that are forecast; count. 0 = none."""
    paths: int = 50
    """Sampled futures of each; count."""
    horizon: int = 24
    """Steps forecast; bars."""
    compare_windows: int = 120
    """Untouched windows that the closing comparison forecasts; count. 0 = no comparison."""

    def __post_init__(self) -> None:
        """Check every field."""
        _at_least(self, 1, "validation_windows", "horizon")
        _at_least(self, 0, "windows", "compare_windows")
        _at_least(self, 2, "paths")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One run: stages over the same data, into one folder.

    Raises:
        SettingsError: a value is out of its range.
    """

    out: str
    """The run folder."""
    stages: tuple[StageName, ...] = ("model",)
    """Which stages, in this order; a model stage after a tokenizer stage uses the new tokenizer."""
    data: DataConfig = field(default_factory=DataConfig)
    """Table [data]."""
    tokenizer: TokenizerStage = field(default_factory=TokenizerStage)
    """Table [tokenizer]; its ``start`` is also the frozen tokenizer of a model stage alone."""
    model: ModelStage = field(default_factory=ModelStage)
    """Table [model]."""
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    """Table [probe]."""
    resume: Literal["never", "auto"] = "never"
    """"auto": go on from the last state in the folder, or begin where there is none."""
    seed: int = 0
    """Same seed, data and settings: same steps. 0..2**31."""
    processes: int = 0
    """Training processes on this machine; count. 0 = one per GPU, or two on a processor with two or more cores."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of the matrix products; "auto" = bf16 where the hardware has it."""
    log_every: int = 20
    """Steps from one line of metrics.jsonl to the next; count."""
    save_minutes: float = 4.0
    """From one saved state to the next; minutes."""
    tensorboard: bool = False
    """Write TensorBoard events too (needs the package tensorboard)."""

    def __post_init__(self) -> None:
        """Check every field."""
        _require(bool(self.out), "out", "a folder", self.out)
        _require(bool(self.stages), "stages", 'at least one of "tokenizer", "model"', self.stages)
        _require(
            list(self.stages) == [s for s in STAGES if s in self.stages],
            "stages",
            "tokenizer, model, or tokenizer before model",
            self.stages,
        )
        tokenless = "tokenizer" not in self.stages and self.tokenizer.start.lower() == "scratch"
        _require(not tokenless, "tokenizer.start", "a trained tokenizer where only the model is trained", "scratch")
        _require(0 <= self.seed <= 2**31, "seed", "0..2**31", self.seed)
        _at_least(self, 0, "processes", "save_minutes")
        _at_least(self, 1, "log_every")

    def stage(self, name: StageName) -> TokenizerStage | ModelStage:
        """The settings of one stage."""
        return self.tokenizer if name == "tokenizer" else self.model
