"""Base class of the tokenizer and the model: loading from a checkpoint and saving as one."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import nn

from engine.checkpoints import checkpoint
from engine.config import ModelConfig, TokenizerConfig

__all__ = ["PretrainedModule"]

_CONFIGS: dict[checkpoint.Kind, type[TokenizerConfig] | type[ModelConfig]] = {
    "tokenizer": TokenizerConfig,
    "model": ModelConfig,
}


class PretrainedModule(nn.Module):
    """A module that loads and saves checkpoints in the published format."""

    kind: ClassVar[checkpoint.Kind]
    config: TokenizerConfig | ModelConfig

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """Load "bundled", a published checkpoint's name, a folder or a hub id, in evaluation mode.

        Raises:
            CheckpointError: it cannot be found, downloaded or read.
        """
        return cls.from_checkpoint(checkpoint.read_checkpoint(source, cls.kind))

    @classmethod
    def from_checkpoint(cls, source: checkpoint.Checkpoint) -> Self:
        """Build the module from a checkpoint that was read, in evaluation mode.

        Raises:
            CheckpointMismatchError: its tensors do not fit its configuration.
        """
        with torch.device("meta"):
            module = cls(_CONFIGS[cls.kind].from_mapping(source.config))
        module.load_state_dict(source.state(), assign=True)
        return module.eval().requires_grad_(False)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write ``config.json`` and ``model.safetensors`` in the published format, each atomically."""
        checkpoint.write_checkpoint(Path(folder), self.kind, self.config.to_dict(), self.state_dict())
