"""What a stage starts from: the network and the frozen tokenizer, from a checkpoint or from scratch, checked to fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import checkpoint
from engine.config import ModelConfig, TokenizerConfig
from engine.errors import ConfigError, StartMismatch
from engine.finetune.config import RunConfig, StageConfig, StageName
from engine.finetune.losses import ModelObjective, Objective, TokenizerObjective
from engine.model import Kronos
from engine.sources import CONFIG_FILE
from engine.tokenizer import KronosTokenizer

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
    found = checkpoint.read(_half(stage.start, "tokenizer"), "tokenizer")
    _require_same(found.config, stage, "tokenizer")
    return KronosTokenizer.from_checkpoint(found).float().requires_grad_(True)


def _model(stage: StageConfig) -> Kronos:
    if stage.start.lower() == SCRATCH:
        return Kronos(_geometry(ModelConfig, stage, "model"))
    found = checkpoint.read(_half(stage.start, "model"), "model")
    _require_same(found.config, stage, "model")
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


def _require_same(held: dict[str, Any], stage: StageConfig, name: str) -> None:
    wrong = [f"{k} = {v!r} (it has {held.get(k)!r})" for k, v in stage.geometry.items() if held.get(k) != v]
    if wrong:
        raise StartMismatch(
            f'[{name}.geometry] does not fit what training starts from, "{stage.start}": {", ".join(wrong)}. Leave the '
            'table out, or start from "scratch".'
        )
