"""The Kronos engine: tokenizer, model, predictor. Knows no market feeds and no user interface.

Names are imported on first use, so that ``from engine import Forecast`` does not wait seconds for torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# By default MKL may round differently when a buffer is aligned differently or when more threads take part: on AMD
# processors a resumed run then ends at other weights. Its strict reproducible mode removes both causes. It must be set
# before MKL's first call; a value set by the user wins. See docs/design/0008-the-same-numbers-on-any-processor.md.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

if TYPE_CHECKING:
    from engine.config import ModelConfig, SamplingConfig, TokenizerConfig
    from engine.errors import (
        CancelledError,
        CheckpointError,
        CheckpointMismatchError,
        CheckpointNotFoundError,
        ConfigError,
        CorruptCheckpointError,
        EngineError,
        HubAccessDeniedError,
        HubUnreachableError,
        InvalidCandlesError,
    )
    from engine.forecast import COLUMNS, Forecast
    from engine.network.model import Kronos
    from engine.network.tokenizer import KronosTokenizer
    from engine.predictor import KronosPredictor

__all__ = [
    "COLUMNS",
    "CancelledError",
    "CheckpointError",
    "CheckpointMismatchError",
    "CheckpointNotFoundError",
    "ConfigError",
    "CorruptCheckpointError",
    "EngineError",
    "Forecast",
    "HubAccessDeniedError",
    "HubUnreachableError",
    "InvalidCandlesError",
    "Kronos",
    "KronosPredictor",
    "KronosTokenizer",
    "ModelConfig",
    "SamplingConfig",
    "TokenizerConfig",
]

_HOMES = {
    "COLUMNS": "forecast",
    "Forecast": "forecast",
    "Kronos": "network.model",
    "KronosPredictor": "predictor",
    "KronosTokenizer": "network.tokenizer",
    "ModelConfig": "config",
    "SamplingConfig": "config",
    "TokenizerConfig": "config",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(f"engine.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
