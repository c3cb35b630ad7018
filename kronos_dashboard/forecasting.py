"""From windows to forecasts, each with the record of how it was made."""

from __future__ import annotations

import json
import platform
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol, Self

import pandas as pd

from engine.config import SamplingConfig
from engine.forecast import Forecast
from engine.progress import CancelToken, Progress
from kronos_dashboard.candles import CandleFrame, interval_label
from kronos_dashboard.errors import RecordError
from kronos_dashboard.windows import Window

__all__ = ["CancelToken", "Predictor", "Progress", "RunRecord", "SamplingConfig", "model_frame", "run"]

_RECORD_HINT = "Choose a file that was saved as run record."
_PACKAGES = ("kronos-dashboard", "torch", "numpy", "pandas")


class Predictor(Protocol):
    """What this module needs of ``engine.KronosPredictor``."""

    label: str
    digest: str

    def forecast_many(
        self,
        frames: Sequence[pd.DataFrame],
        futures: Sequence[pd.DatetimeIndex],
        sampling: SamplingConfig,
        *,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> list[Forecast]:
        """One forecast per frame."""
        ...


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """Everything needed to make the same forecast again from the same candles."""

    run_id: str
    created_at: str
    """ISO 8601, UTC."""
    symbol: str
    interval: str
    """Label, such as ``1h``."""
    session_tz: str
    source: str
    """Where the candles came from, for people."""
    candles_fingerprint: str
    """SHA-256 of the context candles."""
    cutoff: str
    """Bar time of the last context candle, ISO 8601, UTC."""
    context_length: int
    horizon: int
    sampling: dict[str, Any]
    """The fields of ``SamplingConfig``."""
    model_name: str
    model_label: str
    checkpoint_digest: str
    """SHA-256 of the weights."""
    versions: dict[str, str]
    """Package -> version."""
    seconds: float
    """Wall time of the forecast."""
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """All fields, readable."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            RecordError: it is not such a text.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise RecordError(f"the run record is not JSON: {error}.", _RECORD_HINT) from error
        names = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or values.keys() != names:
            came = sorted(values) if isinstance(values, dict) else type(values).__name__
            raise RecordError(f"a run record has the fields {sorted(names)}; got {came}.", _RECORD_HINT)
        return cls(**{**values, "notes": tuple(values["notes"])})

    @property
    def sampling_config(self) -> SamplingConfig:
        """The sampling as the engine takes it."""
        return SamplingConfig(**self.sampling)


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
) -> list[tuple[Forecast, RunRecord]]:
    """Forecast many windows in one call of the engine; one is a batch of one.

    Args:
        windows: contexts may differ in length.
        sampling: how paths are drawn.
        predictor: the loaded model.
        progress: called with the decode steps done and all decode steps.
        cancel: looked at after every decode step.
        model_name: what the model was loaded by, for the record.

    Raises:
        EngineError: the engine refuses the windows, or ``cancel`` was set (``Cancelled``).
    """
    began = time.perf_counter()
    forecasts = predictor.forecast_many(
        [model_frame(window.context) for window in windows],
        [window.local_future for window in windows],
        sampling,
        progress=progress,
        cancel=cancel,
    )
    seconds = time.perf_counter() - began
    return [
        (forecast, _record(window, forecast, sampling, predictor, seconds, model_name))
        for window, forecast in zip(windows, forecasts, strict=True)
    ]


def _record(
    window: Window, forecast: Forecast, sampling: SamplingConfig, predictor: Predictor, seconds: float, name: str
) -> RunRecord:
    candles = window.context
    return RunRecord(
        run_id=uuid.uuid4().hex,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        symbol=candles.symbol,
        interval=interval_label(candles.interval),
        session_tz=candles.session_tz,
        source=candles.source,
        candles_fingerprint=candles.fingerprint,
        cutoff=window.cutoff.isoformat(),
        context_length=window.context_length,
        horizon=window.horizon,
        sampling=asdict(sampling),
        model_name=name,
        model_label=predictor.label,
        checkpoint_digest=predictor.digest,
        versions=_versions(),
        seconds=round(seconds, 3),
        notes=tuple(note for note in (window.note, *forecast.notes) if note),
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # run from a clone that was not installed
            continue
    return found
