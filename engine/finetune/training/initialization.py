"""What a stage starts from: the network and the frozen tokenizer, from a checkpoint or from scratch, checked to fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.checkpoints import checkpoint
from engine.checkpoints.checkpoint import Checkpoint
from engine.checkpoints.resolve import CONFIG_FILE
from engine.config import ModelConfig, TokenizerConfig
from engine.errors import ConfigError, StartMismatch
from engine.finetune.config import RunConfig, StageConfig, StageName
from engine.finetune.training.losses import ModelObjective, Objective, TokenizerObjective
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["starting_objective"]

SCRATCH = "scratch"


def starting_objective(name: StageName, config: RunConfig, trained_tokenizer: Path | None) -> Objective:
    """A stage's network at its start, in its objective.

    Args:
        name: the stage.
        config: the run's settings.
        trained_tokenizer: folder of the tokenizer that the run itself has trained, for the model's stage.

    Raises:
        StartMismatch: the start does not fit the geometry or the tokenizer.
        CheckpointError: it cannot be had.
    """
    if name == "tokenizer":
        return TokenizerObjective(_tokenizer(config.tokenizer), config.tokenizer)
    if trained_tokenizer is not None:
        tokenizer = KronosTokenizer.from_pretrained(trained_tokenizer)
    else:
        tokenizer = _tokenizer(config.tokenizer)
    model = _model(config.model)
    ours = (model.config.s1_bits, model.config.s2_bits)
    theirs = (tokenizer.config.s1_bits, tokenizer.config.s2_bits)
    if ours != theirs:
        raise StartMismatch(
            f"the model reads tokens of {ours[0]} + {ours[1]} bits and the tokenizer makes tokens of {theirs[0]} + "
            f"{theirs[1]}. Start both from checkpoints that belong together, or give the model's geometry the same "
            "bits."
        )
    return ModelObjective(model, tokenizer.eval().requires_grad_(False), config.model)


def _tokenizer(stage: StageConfig) -> KronosTokenizer:
    if stage.start.lower() == SCRATCH:
        return KronosTokenizer(_geometry(TokenizerConfig, stage, "tokenizer"))
    found = _with_wishes(checkpoint.read(_half(stage.start, "tokenizer"), "tokenizer"), stage)
    return KronosTokenizer.from_checkpoint(found).float().requires_grad_(True)


def _model(stage: StageConfig) -> Kronos:
    if stage.start.lower() == SCRATCH:
        return Kronos(_geometry(ModelConfig, stage, "model"))
    found = _with_wishes(checkpoint.read(_half(stage.start, "model"), "model"), stage)
    return Kronos.from_checkpoint(found).float().requires_grad_(True)


def _half(start: str, kind: StageName) -> str | Path:
    """A run folder or any folder with both halves in subfolders is read at the right one."""
    inner = Path(start).expanduser() / kind
    return inner if (inner / CONFIG_FILE).is_file() else start


def _geometry(cls: type, stage: StageConfig, name: str) -> Any:
    try:
        return cls(**stage.geometry)
    except (ConfigError, TypeError) as cause:
        raise StartMismatch(f"[{name}.geometry] does not describe a {name}: {cause}") from cause


def _with_wishes(found: Checkpoint, stage: StageConfig) -> Checkpoint:
    """``found`` with what the stage wants of that which is no weight: dropout, and how paths are to be drawn.

    Every other key of the stage's geometry must be the checkpoint's own.
    """
    held = found.config
    free = {*ModelConfig.added, *(key for key in held if key.endswith("_p"))}
    wishes = {key: value for key, value in stage.geometry.items() if key in free}
    rest = {key: value for key, value in stage.geometry.items() if key not in free}
    wrong = [f"{key} = {value!r} (it has {held.get(key)!r})" for key, value in rest.items() if held.get(key) != value]
    if wrong:
        raise StartMismatch(
            f'[{found.kind}.geometry] does not fit what training starts from, "{stage.start}": {", ".join(wrong)}. '
            'Leave the table out, or start from "scratch".'
        )
    return replace(found, config={**held, **wishes})
