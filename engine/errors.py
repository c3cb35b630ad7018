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
+-- FinetuneError           a finetuning run cannot start or go on (engine.finetune)
    +-- SettingsError       an unknown key, or a value out of its range (also a ValueError)
    +-- DataError           candles cannot be trained on (also a ValueError)
    |   +-- TooFewCandles   not one window fits
    |   +-- NoValidation    nothing is left to validate on
    |   +-- ConstantPrices  prices never move
    +-- StartMismatch       the start does not fit the geometry or the tokenizer
    +-- RunExists           the folder holds a run, or one of other settings
    +-- RunInUse            another process trains into the folder
    +-- LossNotFinite       training diverged
    +-- StateNotWritten     a checkpoint could not be written (a full disk, say)
    +-- MissingExtra        an optional package is not installed

The tree below FinetuneError is imported from here by name; ``engine`` itself does not offer it.
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


class FinetuneError(EngineError):
    """A finetuning run cannot start or go on."""


class SettingsError(FinetuneError, ValueError):
    """A setting of a run is unknown or out of its range."""


class DataError(FinetuneError, ValueError):
    """Candles cannot be read or trained on."""


class TooFewCandles(DataError):
    """Not one window fits into the candles."""


class NoValidation(DataError):
    """No window is left to validate on."""


class ConstantPrices(DataError):
    """The prices of a symbol never move."""


class StartMismatch(FinetuneError):
    """What a run starts from does not fit its geometry or its tokenizer."""


class RunExists(FinetuneError):
    """The folder holds a run already, or one of other settings."""


class RunInUse(FinetuneError):
    """Another process trains into the folder."""


class LossNotFinite(FinetuneError):
    """Training diverged."""


class StateNotWritten(FinetuneError):
    """A checkpoint could not be written; the last good one is intact."""


class MissingExtra(FinetuneError):
    """An optional package is not installed."""
