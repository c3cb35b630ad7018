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

from engine.callbacks import CancelToken, Partial, Progress
from engine.config import SamplingConfig
from engine.forecast import Forecast
from kronos_dashboard.forecasting.record import RunRecord, forecast_columns, paths_digest
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import CandleFrame, interval_label

if TYPE_CHECKING:
    from engine.generation.generate import WindowPolicy

__all__ = [
    "CancelToken",
    "Partial",
    "Predictor",
    "Progress",
    "RunRecord",
    "SamplingConfig",
    "made_by",
    "model_frame",
    "run",
]

_PACKAGES = ("kronos-dashboard", "torch", "numpy", "pandas")


class Predictor(Protocol):
    """What this module needs of ``engine.KronosPredictor``."""

    label: str
    digest: str
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
        policy: WindowPolicy,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
        partial: Partial | None = None,
    ) -> list[Forecast]:
        """One forecast per frame."""
        ...

    def settled(self, sampling: SamplingConfig) -> SamplingConfig:
        """``sampling`` with what it leaves to the model as the model has it."""
        ...


def model_frame(candles: CandleFrame) -> pd.DataFrame:
    """Candles as the engine takes them: the columns that mean something, on the session clock."""
    frame = candles.frame.loc[:, list(candles.columns)]
    frame.index = candles.local_index
    return frame


def run(
    windows: Sequence[Window],
    sampling: SamplingConfig,
    predictor: Predictor,
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
    *,
    model_name: str,
    policy: WindowPolicy | None = None,
    partial: Partial | None = None,
) -> list[tuple[Forecast, RunRecord]]:
    """Forecast many windows in one call of the engine; one is a batch of one.

    Args:
        windows: contexts may differ in length.
        sampling: how paths are drawn; the record also tells what is left to the model here.
        predictor: the loaded model.
        progress: called with the decode steps done and all decode steps.
        cancel: looked at after every decode step.
        model_name: what the model was loaded by, for the record.
        policy: how context and horizon pass the model's limit; None = as the engine does by itself.
        partial: shown a window's number and its candles so far, float32 [N, t, 6], every few decode steps.

    Raises:
        EngineError: the engine refuses the windows, or ``cancel`` was set (``Cancelled``).
    """
    from engine.predictor import DEFAULT_POLICY  # here, not above: it loads torch, which the predictor has done by now

    chosen = DEFAULT_POLICY if policy is None else policy
    sampling = predictor.settled(sampling)
    began = time.perf_counter()
    forecasts = predictor.forecast_many(
        [model_frame(window.context) for window in windows],
        [window.local_future for window in windows],
        sampling,
        policy=chosen,
        progress=progress,
        cancel=cancel,
        partial=partial,
    )
    shared = {
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - began, 3),
        "sampling": {name: _python(value) for name, value in asdict(sampling).items()},
        "policy": chosen,
        "versions": _versions(),
        "model_name": model_name,
        **made_by(predictor),
    }
    return [(forecast, _record(window, forecast, shared)) for window, forecast in zip(windows, forecasts, strict=True)]


def made_by(predictor: Predictor) -> dict[str, Any]:
    """The fields of a record that say with what it was made, by name."""
    return {
        "model_label": predictor.label,
        "checkpoint_digest": predictor.digest,
        "tokenizer_digest": _tokenizer_digest(predictor.tokenizer),
        "max_context": predictor.max_context,
        "clip": predictor.clip,
        "device": predictor.device.type,
        "dtype": str(predictor.dtype).removeprefix("torch."),
    }


def _record(window: Window, forecast: Forecast, shared: dict[str, Any]) -> RunRecord:
    """The record of one window; ``shared`` is what all windows of the run have in common."""
    candles = window.context
    return RunRecord(
        run_id=uuid.uuid4().hex,
        symbol=candles.symbol,
        interval=interval_label(candles.interval),
        session_tz=candles.session_tz,
        stamped=candles.stamped,
        columns=candles.columns,
        source=candles.source,
        candles_fingerprint=candles.fingerprint,
        cutoff=window.cutoff.isoformat(),
        context_length=window.context_length,
        horizon=window.horizon,
        future=tuple(bar.isoformat() for bar in window.future),
        paths_digest=paths_digest(forecast, forecast_columns(candles.columns)),
        repaired=forecast.repaired,
        notes=tuple(note for note in (window.note, *forecast.notes) if note),
        **shared,
    )


def _tokenizer_digest(tokenizer: Any) -> str:
    """SHA-256 of the file that ``save_pretrained`` would write; some milliseconds."""
    from safetensors.torch import save

    from engine.checkpoints import tensor_names as names

    tensors = names.to_published("tokenizer", tokenizer.config.to_dict(), tokenizer.state_dict())
    return hashlib.sha256(save(tensors, metadata={"format": "pt"})).hexdigest()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # run from a clone
            found[package] = "not installed"
    return found


def _python(value: Any) -> Any:
    """A number of numpy as one of Python, which JSON takes."""
    return value.item() if hasattr(value, "item") else value
