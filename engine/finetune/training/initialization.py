"""Initial networks of a stage, from a checkpoint or from scratch, with compatibility checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.checkpoints import checkpoint
from engine.checkpoints.checkpoint import Checkpoint
from engine.checkpoints.resolve import CONFIG_FILE
from engine.config import ModelConfig, TokenizerConfig
from engine.errors import ConfigError
from engine.finetune.config import RunConfig, StageConfig, StageName
from engine.finetune.errors import IncompatibleStartError
from engine.finetune.training.losses import ModelObjective, Objective, TokenizerObjective
from engine.messages import join_messages, msg
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer

__all__ = ["build_objective"]


def build_objective(name: StageName, config: RunConfig, trained_tokenizer: Path | None) -> Objective:
    """The initial network of a stage, in its objective.

    Args:
        name: the stage.
        config: the run's settings.
        trained_tokenizer: folder of the tokenizer that this run has trained, for the model's stage.

    Raises:
        IncompatibleStartError: the initial weights do not match the architecture or the tokenizer.
        CheckpointError: a checkpoint cannot be loaded.
    """
    if name == "tokenizer":
        return TokenizerObjective(_build_tokenizer(config.tokenizer), config.tokenizer)
    if trained_tokenizer is not None:
        tokenizer = KronosTokenizer.from_pretrained(trained_tokenizer)
    else:
        tokenizer = _build_tokenizer(config.tokenizer)
    model = _build_model(config.model)
    model_bits = (model.config.s1_bits, model.config.s2_bits)
    tokenizer_bits = (tokenizer.config.s1_bits, tokenizer.config.s2_bits)
    if model_bits != tokenizer_bits:
        raise IncompatibleStartError(
            msg(
                "the model expects tokens of {model_bits} + {model_fine} bits, but the tokenizer produces "
                "{tokenizer_bits} + {tokenizer_fine}. Start both from matching checkpoints, or set the same "
                "bits in the model's architecture.",
                model_bits=model_bits[0],
                model_fine=model_bits[1],
                tokenizer_bits=tokenizer_bits[0],
                tokenizer_fine=tokenizer_bits[1],
            )
        )
    return ModelObjective(model, tokenizer.eval().requires_grad_(False), config.model)


def _build_tokenizer(stage: StageConfig) -> KronosTokenizer:
    if stage.starts_from_scratch:
        return KronosTokenizer(_build_config(TokenizerConfig, stage, "tokenizer"))
    source = checkpoint.read_checkpoint(_resolve_source(stage.init_from, "tokenizer"), "tokenizer")
    return KronosTokenizer.from_checkpoint(_apply_overrides(source, stage)).float().requires_grad_(True)


def _build_model(stage: StageConfig) -> Kronos:
    if stage.starts_from_scratch:
        return Kronos(_build_config(ModelConfig, stage, "model"))
    source = checkpoint.read_checkpoint(_resolve_source(stage.init_from, "model"), "model")
    return Kronos.from_checkpoint(_apply_overrides(source, stage)).float().requires_grad_(True)


def _resolve_source(source: str, kind: StageName) -> str | Path:
    """The subfolder of a run folder, or of any folder that holds both a tokenizer and a model."""
    subfolder = Path(source).expanduser() / kind
    return subfolder if (subfolder / CONFIG_FILE).is_file() else source


def _build_config(cls: type, stage: StageConfig, name: str) -> Any:
    try:
        return cls(**stage.architecture)
    except (ConfigError, TypeError) as cause:
        raise IncompatibleStartError(
            msg("[{name}.architecture] is not a valid {name} architecture: {cause}", name=name, cause=cause)
        ) from cause


def _apply_overrides(source: Checkpoint, stage: StageConfig) -> Checkpoint:
    """``source`` with the stage's values for keys that are independent of the weights: dropout and sampling defaults.

    Raises:
        IncompatibleStartError: another key of the stage's architecture differs from the checkpoint's.
    """
    free = {*ModelConfig.extension_keys, *(key for key in source.config if key.endswith("_p"))}
    overrides = {key: value for key, value in stage.architecture.items() if key in free}
    fixed = {key: value for key, value in stage.architecture.items() if key not in free}
    wrong = [
        msg(
            "{key} = {value} (the checkpoint has {actual})",
            key=key,
            value=repr(value),
            actual=repr(source.config.get(key)),
        )
        for key, value in fixed.items()
        if source.config.get(key) != value
    ]
    if wrong:
        raise IncompatibleStartError(
            msg(
                '[{kind}.architecture] does not match the checkpoint "{init_from}" that training starts from: '
                '{mismatches}. Remove the table, or start from "scratch".',
                kind=source.kind,
                init_from=stage.init_from,
                mismatches=join_messages(wrong),
            )
        )
    return replace(source, config={**source.config, **overrides})
