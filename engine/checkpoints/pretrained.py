"""What the tokenizer and the model share: being loaded from a checkpoint and saved as one."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import nn

from engine.checkpoints import checkpoint
from engine.config import ModelConfig, TokenizerConfig

__all__ = ["Pretrained"]

_CONFIGS: dict[checkpoint.Kind, type[TokenizerConfig] | type[ModelConfig]] = {
    "tokenizer": TokenizerConfig,
    "model": ModelConfig,
}


class Pretrained(nn.Module):
    """A module whose weights are kept in the published format."""

    kind: ClassVar[checkpoint.Kind]
    config: TokenizerConfig | ModelConfig

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """Load "bundled", a published checkpoint's name, a folder or a hub id, in evaluation mode.

        Raises:
            CheckpointError: it cannot be had; the message says what to do.
        """
        return cls.from_checkpoint(checkpoint.read(source, cls.kind))

    @classmethod
    def from_checkpoint(cls, found: checkpoint.Checkpoint) -> Self:
        """A checkpoint that was read, in evaluation mode.

        Raises:
            CheckpointMismatch: its tensors do not fit its configuration.
        """
        with torch.device("meta"):
            module = cls(_CONFIGS[cls.kind].from_mapping(found.config))
        module.load_state_dict(found.state(), assign=True)
        return module.eval().requires_grad_(False)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write ``config.json`` and ``model.safetensors`` in the published format, each atomically."""
        checkpoint.write(Path(folder), self.kind, self.config.to_dict(), self.state_dict())
