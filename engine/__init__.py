"""The Kronos engine: tokenizer, model, predictor. Knows no market feeds and no user interface."""

from engine.config import ModelConfig, SamplingConfig, TokenizerConfig
from engine.errors import (
    Cancelled,
    CandlesError,
    CheckpointCorrupt,
    CheckpointError,
    CheckpointMismatch,
    CheckpointNotFound,
    ConfigError,
    EngineError,
    HubAccessDenied,
    HubUnreachable,
)
from engine.forecast import COLUMNS, Forecast
from engine.model import Kronos
from engine.predictor import KronosPredictor
from engine.tokenizer import KronosTokenizer

__all__ = [
    "COLUMNS",
    "Cancelled",
    "CandlesError",
    "CheckpointCorrupt",
    "CheckpointError",
    "CheckpointMismatch",
    "CheckpointNotFound",
    "ConfigError",
    "EngineError",
    "Forecast",
    "HubAccessDenied",
    "HubUnreachable",
    "Kronos",
    "KronosPredictor",
    "KronosTokenizer",
    "ModelConfig",
    "SamplingConfig",
    "TokenizerConfig",
]
