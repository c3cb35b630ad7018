"""Every error the engine raises on purpose. Each message says what was wanted, what came, and what to do.

EngineError
+-- ConfigError             a setting is out of its range (also a ValueError)
+-- CandlesError            candles or bar times cannot be forecast as given (also a ValueError)
+-- CheckpointError         a checkpoint cannot be had
|   +-- CheckpointNotFound  no such name, folder, file or hub repository
|   +-- CheckpointCorrupt   a file is truncated, is not what it claims, or has the wrong hash
|   +-- CheckpointMismatch  tensors are missing, unknown or of the wrong shape
|   +-- HubUnreachable      no network, or the hub does not answer
|   +-- HubAccessDenied     the hub refuses: private or gated, or a bad token
+-- Cancelled               the caller asked to stop
"""

from __future__ import annotations

__all__ = [
    "Cancelled",
    "CandlesError",
    "CheckpointCorrupt",
    "CheckpointError",
    "CheckpointMismatch",
    "CheckpointNotFound",
    "ConfigError",
    "EngineError",
    "HubAccessDenied",
    "HubUnreachable",
]


class EngineError(Exception):
    """Base of all errors that the engine raises on purpose."""


class ConfigError(EngineError, ValueError):
    """A setting is out of its range."""


class CandlesError(EngineError, ValueError):
    """Candles or bar times cannot be forecast as given."""


class CheckpointError(EngineError):
    """A checkpoint cannot be had."""


class CheckpointNotFound(CheckpointError):
    """There is no such name, folder, file or hub repository."""


class CheckpointCorrupt(CheckpointError):
    """A file is truncated, is not what it claims to be, or has the wrong hash."""


class CheckpointMismatch(CheckpointError):
    """Tensors are missing, unknown or of the wrong shape for the configuration."""


class HubUnreachable(CheckpointError):
    """There is no network, or the hub does not answer."""


class HubAccessDenied(CheckpointError):
    """The hub refuses access: a private or gated repository, or a bad token."""


class Cancelled(EngineError):
    """The caller asked to stop; nothing was returned."""
