"""The errors of the engine. Each message says what was expected, what was received, and what to do.

EngineError
+-- ConfigError             a setting is out of its range (also a ValueError)
+-- InvalidCandlesError     candles or bar times cannot be used (also a ValueError)
+-- CheckpointError         a checkpoint cannot be found, downloaded, read or stored
|   +-- CheckpointNotFoundError   no such name, folder, file or hub repository
|   +-- CorruptCheckpointError    a file is truncated, of another format, or has the wrong hash
|   +-- CheckpointMismatchError   tensors are missing, unknown or of the wrong shape
|   +-- HubUnreachableError       no network, or the hub does not answer
|   +-- HubAccessDeniedError      private or gated repository, or a bad token
+-- CancelledError          the caller cancelled the run

``engine.finetune.errors`` extends the tree with the errors of finetuning.
"""

from __future__ import annotations

__all__ = [
    "CancelledError",
    "CheckpointError",
    "CheckpointMismatchError",
    "CheckpointNotFoundError",
    "ConfigError",
    "CorruptCheckpointError",
    "EngineError",
    "HubAccessDeniedError",
    "HubUnreachableError",
    "InvalidCandlesError",
]


class EngineError(Exception):
    """Base class of the engine's errors."""


class ConfigError(EngineError, ValueError):
    """A setting is out of its range."""


class InvalidCandlesError(EngineError, ValueError):
    """Candles or bar times cannot be used."""


class CheckpointError(EngineError):
    """A checkpoint cannot be found, downloaded, read or stored."""


class CheckpointNotFoundError(CheckpointError):
    """There is no such name, folder, file or hub repository."""


class CorruptCheckpointError(CheckpointError):
    """A file is truncated, of another format, or has the wrong hash."""


class CheckpointMismatchError(CheckpointError):
    """Tensors are missing, unknown or of the wrong shape for the configuration."""


class HubUnreachableError(CheckpointError):
    """There is no network, or the hub does not answer."""


class HubAccessDeniedError(CheckpointError):
    """The hub refuses access: private or gated repository, or a bad token."""


class CancelledError(EngineError):
    """The caller cancelled the run; nothing is returned."""
