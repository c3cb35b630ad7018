"""The record of a run: everything needed to make the same paths again from the same candles.

A record is JSON with all fields of ``RunRecord``, the version of that list and a checksum over it. It holds settings,
digests and times, never candles; ``kronos_dashboard.export`` writes those beside it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from engine.config import ModelConfig, SamplingConfig
from engine.errors import ConfigError
from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.errors import RecordError

__all__ = ["RECORD_VERSION", "RunRecord", "forecast_columns", "is_mirrored", "paths_as_drawn", "paths_digest"]

RECORD_VERSION = 2
"""Which list of fields. 1, which had no number, lacked what is needed to make the paths again."""

_AS_PUBLISHED = ModelConfig.usual()
"""Fields of the sampling that a model may ask for and older records do not have: they were drawn as ever."""
_HINT = "Choose a file that was saved as run record."


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """Everything needed to make the same forecast again from the same candles.

    The number of threads is no part of it: it changes no path. Neither are other windows of the same run.

    Raises:
        RecordError: a field has the wrong type, or two of them contradict each other.
    """

    run_id: str
    created_at: str
    """ISO 8601, UTC."""
    symbol: str
    interval: str
    """Label, such as ``1h``."""
    session_tz: str
    stamped: Literal["open", "close"]
    """Whether bar times are the bars' ``open`` or ``close``."""
    columns: tuple[str, ...]
    """What the model was shown: the prices, then volume and amount where they are known."""
    source: str
    """Where the candles came from, for people."""
    candles_fingerprint: str
    """SHA-256 of the context candles."""
    cutoff: str
    """Bar time of the last context candle, ISO 8601, UTC."""
    context_length: int
    horizon: int
    future: tuple[str, ...]
    """The H bar times that were forecast, ISO 8601, UTC."""
    sampling: dict[str, Any]
    """The fields of ``SamplingConfig``, the seed among them, as they stand in the file: see ``sampling_config``."""
    policy: str
    """How context and horizon passed the model's limit: ``exact`` or ``roll`` (``engine.generation.generate``)."""
    max_context: int
    """Most candles that the model sees at once."""
    clip: float
    """Normalised values were cut to +-clip."""
    model_name: str
    """What the model was loaded by: a name, a hub id or a folder."""
    model_label: str
    checkpoint_digest: str
    """SHA-256 of the model's weights file."""
    tokenizer_digest: str
    """SHA-256 of the tokenizer's weights in the published format."""
    device: str
    """Its kind: ``cpu``, ``cuda`` or ``mps``."""
    dtype: str
    """Type of the model's matrix products."""
    paths_digest: str
    """SHA-256 of the sampled paths, to tell whether a second run has come out the same."""
    versions: dict[str, str]
    """Package -> version."""
    seconds: float
    """Wall time of the forecast."""
    repaired: float = 0.0
    """Fraction of the sampled candles that came out impossible and were made possible."""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check types, the sampling, and that times and lengths agree."""
        for field in fields(self):
            wanted, holds = _TYPES[str(field.type)]
            value = getattr(self, field.name)
            if not holds(value):
                raise RecordError(f"{field.name} of a run record must be {wanted}; got {value!r:.60}.", _HINT)
        _times(self)
        try:
            config = self.sampling_config
        except (ConfigError, TypeError) as error:
            raise RecordError(f"the sampling of the run record cannot be used: {error}", _HINT) from error
        if asdict(config).keys() != {*_AS_PUBLISHED, *self.sampling}:
            raise RecordError(f"the sampling of a run record has the fields {', '.join(asdict(config))}.", _HINT)
        for name in _AS_PUBLISHED:
            if getattr(config, name) is None:
                raise RecordError(f"{name} of a run record must say what was done, not null.", _HINT)

    def to_json(self) -> str:
        """All fields, readable, with their version and checksum."""
        return json.dumps(self.document(), indent=2, ensure_ascii=False)

    def document(self) -> dict[str, Any]:
        """What ``to_json`` writes, as plain values."""
        return {"record_version": RECORD_VERSION, **_plain(self), "checksum": self.checksum}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            RecordError: it is not such a text, or it was changed after it was written.
        """
        try:
            values = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise RecordError(f"the run record is not JSON: {error}.", _HINT) from error
        return cls.from_document(values)

    @classmethod
    def from_document(cls, values: object) -> Self:
        """Read what ``document`` gave.

        Raises:
            RecordError: as ``from_json``.
        """
        if not isinstance(values, dict):
            raise RecordError(f"a run record is an object with fields; got {type(values).__name__}.", _HINT)
        _check_version(values)
        names = [field.name for field in fields(cls)]
        missing = sorted({*names, "checksum"} - values.keys())
        unknown = sorted(values.keys() - {*names, "checksum", "record_version"})
        if missing or unknown:
            told = f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(unknown)[:200] or 'none'}"
            raise RecordError(f"the fields of the run record are not those of version {RECORD_VERSION}; {told}.", _HINT)
        given: dict[str, Any] = {name: tuple(v) if isinstance(v := values[name], list) else v for name in names}
        record = cls(**given)
        if record.checksum != values["checksum"]:
            raise RecordError(
                f"the run record was changed after it was written: its checksum is {record.checksum[:16]}, and "
                f"{str(values['checksum'])[:16]} stands in it.",
                "Take the file as it was saved. For a forecast with other settings, name them as options instead.",
            )
        return record

    @property
    def checksum(self) -> str:
        """SHA-256 over all fields."""
        text = json.dumps(_plain(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def sampling_config(self) -> SamplingConfig:
        """The sampling as the engine takes it; nothing is left to the model, also of a record that does not say it."""
        return SamplingConfig(**{**_AS_PUBLISHED, **self.sampling})

    @property
    def cutoff_time(self) -> pd.Timestamp:
        """The cutoff, UTC."""
        return pd.Timestamp(self.cutoff).tz_convert("UTC")

    @property
    def future_index(self) -> pd.DatetimeIndex:
        """The H bar times, UTC."""
        return pd.DatetimeIndex([pd.Timestamp(text) for text in self.future]).tz_convert("UTC")

    @property
    def forecast_columns(self) -> tuple[str, ...]:
        """The columns of the paths that mean something."""
        return forecast_columns(self.columns)


def is_mirrored(sampling: SamplingConfig) -> bool:
    """Whether any path is mirrored: every second one is, so that of one path none is, whatever was asked for."""
    return bool(sampling.mirrored) and sampling.num_paths > 1


def paths_as_drawn(sampling: SamplingConfig) -> slice:
    """Which paths were not mirrored, of all: only they show where the model goes on."""
    return slice(None, None, 2 if is_mirrored(sampling) else 1)


def forecast_columns(shown: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of paths that mean something when the model was ``shown`` these: a volume gives an amount as well."""
    return COLUMNS if "volume" in shown else shown


def paths_digest(forecast: Forecast, columns: tuple[str, ...]) -> str:
    """SHA-256 of the paths' ``columns``, as little-endian float32 [N, H, C]."""
    chosen = forecast.paths[:, :, [COLUMNS.index(name) for name in columns]]
    label = f"{chosen.shape}|{','.join(columns)}"
    return hashlib.sha256(label.encode() + np.ascontiguousarray(chosen, dtype="<f4").tobytes()).hexdigest()


def _plain(record: RunRecord) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(record).items()}


def _check_version(values: dict[str, Any]) -> None:
    came = values.get("record_version")
    if came == RECORD_VERSION and not isinstance(came, bool):
        return
    if came is None and {"run_id", "sampling"} <= values.keys():
        came = "1"
    elif came is None:
        raise RecordError("a run record has a field record_version; there is none.", _HINT)
    raise RecordError(
        f"the run record is of version {came!s:.20}; this program reads version {RECORD_VERSION}.",
        "Read it with the release that wrote it, or make the forecast again.",
    )


def _times(record: RunRecord) -> None:
    """Check the clock, and that cutoff and future are times with a zone, in order, and as many as the horizon."""
    try:
        pd.Timestamp(0, tz="UTC").tz_convert(record.session_tz)
    except (KeyError, ValueError, OSError) as error:  # an unknown name, or one that is no name of a file
        raise RecordError(
            f"the run record has the clock {record.session_tz!r:.60}, which is not known.", _HINT
        ) from error
    try:
        times = [pd.Timestamp(text) for text in (record.cutoff, *record.future)]
        rising = all(one < two for one, two in pairwise(times))
    except (ValueError, TypeError) as error:
        raise RecordError(f"cutoff and future of a run record must be times with a zone: {error}.", _HINT) from error
    if any(time.tz is None for time in times) or not rising:
        raise RecordError("cutoff and future of a run record must be times with a zone, each after the last.", _HINT)
    if not 1 <= record.horizon == len(record.future) or record.context_length < 1:
        raise RecordError(
            f"the run record has a context of {record.context_length}, a horizon of {record.horizon} and "
            f"{len(record.future)} bar times; they do not belong together.",
            _HINT,
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(text, str) for text in value)


def _is_named_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in (*value, *value.values()))


_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "str": ("a text", lambda value: isinstance(value, str)),
    "int": ("a whole number", _is_whole),
    "float": ("a number", _is_number),
    "Literal['open', 'close']": ("open or close", lambda value: value in ("open", "close")),
    "tuple[str, ...]": ("a list of texts", _is_texts),
    "dict[str, str]": ("texts by name", _is_named_texts),
    "dict[str, Any]": ("values by name", lambda value: isinstance(value, dict)),
}
