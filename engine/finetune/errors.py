"""Errors of a finetuning run.

FinetuneError                    a run cannot start or continue (an EngineError)
+-- FinetuneConfigError          a setting is unknown or out of range (also a ValueError)
+-- DataError                    candles cannot be trained on (also a ValueError)
|   +-- TooFewCandlesError       no training window fits
|   +-- NoValidationError        no validation window is left
|   +-- ConstantPricesError      prices never change
+-- IncompatibleStartError       the initial weights do not match the architecture or the tokenizer
+-- RunExistsError               the folder holds another run
+-- RunLockedError               another process trains in the folder
+-- NonFiniteLossError           training diverged
+-- CheckpointWriteError         a training state could not be written, for example because the disk is full
+-- MissingDependencyError       an optional package is not installed
"""

from __future__ import annotations

from engine.errors import EngineError

__all__ = [
    "CheckpointWriteError",
    "ConstantPricesError",
    "DataError",
    "FinetuneConfigError",
    "FinetuneError",
    "IncompatibleStartError",
    "MissingDependencyError",
    "NoValidationError",
    "NonFiniteLossError",
    "RunExistsError",
    "RunLockedError",
    "TooFewCandlesError",
]


class FinetuneError(EngineError):
    """A run cannot start or continue."""


class FinetuneConfigError(FinetuneError, ValueError):
    """A setting is unknown or out of range."""


class DataError(FinetuneError, ValueError):
    """Candles cannot be read or trained on."""


class TooFewCandlesError(DataError):
    """No training window fits into the candles."""


class NoValidationError(DataError):
    """No validation window is left."""


class ConstantPricesError(DataError):
    """The prices of a symbol never change."""


class IncompatibleStartError(FinetuneError):
    """The initial weights do not match the architecture or the tokenizer."""


class RunExistsError(FinetuneError):
    """The folder holds another run, or a run with other settings."""


class RunLockedError(FinetuneError):
    """Another process trains in the folder."""


class NonFiniteLossError(FinetuneError):
    """Training diverged."""


class CheckpointWriteError(FinetuneError):
    """A training state could not be written; the previous one is intact."""


class MissingDependencyError(FinetuneError):
    """An optional package is not installed."""
