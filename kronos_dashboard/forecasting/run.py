"""From windows to forecasts, each with the record of how it was made."""

from __future__ import annotations

import hashlib
import platform
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from engine.callbacks import CancelToken, PreviewCallback, ProgressCallback
from engine.config import SamplingConfig
from engine.forecast import Forecast
from kronos_dashboard.forecasting.record import RunRecord, forecast_columns, paths_sha256
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.intervals import interval_label

if TYPE_CHECKING:
    from engine.generation.request import ContextOverflow

__all__ = [
    "CancelToken",
    "Predictor",
    "PreviewCallback",
    "ProgressCallback",
    "RunRecord",
    "SamplingConfig",
    "model_fields",
    "model_frame",
    "run_forecasts",
]

_PACKAGES = ("kronos-dashboard", "torch", "numpy", "pandas")


class Predictor(Protocol):
    """What this module needs of ``engine.KronosPredictor``."""

    name: str
    weights_sha256: str
    max_context: int
    clip: float
    tokenizer: Any
    device: Any
    dtype: Any

    def forecast_many(
        self,
        frames: Sequence[pd.DataFrame],
        futures: Sequence[pd.DatetimeIndex],
        sampling: SamplingConfig,
        *,
        context_overflow: ContextOverflow,
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
        on_preview: PreviewCallback | None = None,
    ) -> list[Forecast]:
        """One forecast per frame."""
        ...

    def resolve_sampling(self, sampling: SamplingConfig) -> SamplingConfig:
        """``sampling`` with the model's own settings where it has none."""
        ...


def model_frame(candles: CandleFrame) -> pd.DataFrame:
    """Candles as the engine takes them: the columns that carry information, indexed in the session timezone."""
    frame = candles.frame.loc[:, list(candles.columns)]
    frame.index = candles.local_index
    return frame


def run_forecasts(
    windows: Sequence[Window],
    sampling: SamplingConfig,
    predictor: Predictor,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
    *,
    model_name: str,
    context_overflow: ContextOverflow | None = None,
    on_preview: PreviewCallback | None = None,
) -> list[tuple[Forecast, RunRecord]]:
    """Forecast many windows in one call of the engine; one is a batch of one.

    Args:
        windows: contexts may differ in length.
        sampling: settings that it leaves to the model are resolved before they are recorded.
        predictor: the loaded model.
        progress: called with the decode steps done and the total.
        cancel: checked after every decode step.
        model_name: what the model was loaded by, for the record.
        context_overflow: what happens when context and horizon exceed the model's limit; None = the engine's default.
        on_preview: called every few decode steps with a window's position and its candles so far, float32 [N, t, 6].

    Raises:
        EngineError: the engine rejects the windows, or ``cancel`` was set (``CancelledError``).
    """
    from engine.predictor import DEFAULT_CONTEXT_OVERFLOW  # imported here because it loads torch

    chosen = DEFAULT_CONTEXT_OVERFLOW if context_overflow is None else context_overflow
    resolved = predictor.resolve_sampling(sampling)
    resolved = SamplingConfig(**{name: _to_builtin(value) for name, value in asdict(resolved).items()})
    started_at = time.perf_counter()
    forecasts = predictor.forecast_many(
        [model_frame(window.context) for window in windows],
        [window.local_future for window in windows],
        resolved,
        context_overflow=chosen,
        progress=progress,
        cancel=cancel,
        on_preview=on_preview,
    )
    shared = {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - started_at, 3),
        "sampling": resolved,
        "context_overflow": chosen,
        "versions": _versions(),
        "model_name": model_name,
        **model_fields(predictor),
    }
    return [(forecast, _record(window, forecast, shared)) for window, forecast in zip(windows, forecasts, strict=True)]


def model_fields(predictor: Predictor) -> dict[str, Any]:
    """The fields of a record that identify the model and its numerics, by name."""
    return {
        "model_label": predictor.name,
        "weights_sha256": predictor.weights_sha256,
        "tokenizer_sha256": _tokenizer_sha256(predictor.tokenizer),
        "max_context": predictor.max_context,
        "clip": predictor.clip,
        "device": predictor.device.type,
        "dtype": str(predictor.dtype).removeprefix("torch."),
    }


def _record(window: Window, forecast: Forecast, shared: dict[str, Any]) -> RunRecord:
    """The record of one window; ``shared`` holds the fields that all windows of the run have in common."""
    candles = window.context
    return RunRecord(
        run_id=uuid.uuid4().hex,
        symbol=candles.symbol,
        interval=interval_label(candles.interval),
        session_tz=candles.session_tz,
        timestamp_at=candles.timestamp_at,
        columns=candles.columns,
        source=candles.source,
        candles_fingerprint=candles.fingerprint,
        cutoff=window.cutoff.isoformat(),
        context_length=window.context_length,
        horizon=window.horizon,
        future=tuple(bar.isoformat() for bar in window.future),
        paths_sha256=paths_sha256(forecast, forecast_columns(candles.columns)),
        repaired_fraction=forecast.repaired_fraction,
        notes=tuple(note for note in (window.note, *forecast.notes) if note),
        **shared,
    )


def _tokenizer_sha256(tokenizer: Any) -> str:
    """SHA-256 of the file that ``save_pretrained`` would write; takes milliseconds."""
    from safetensors.torch import save

    from engine.checkpoints import tensor_names as names

    tensors = names.to_published("tokenizer", tokenizer.config.to_dict(), tokenizer.state_dict())
    return hashlib.sha256(save(tensors, metadata={"format": "pt"})).hexdigest()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # run from a clone
            versions[package] = "not installed"
    return versions


def _to_builtin(value: Any) -> Any:
    """A NumPy scalar as a Python number, which JSON takes."""
    return value.item() if hasattr(value, "item") else value
