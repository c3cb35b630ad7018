"""The record of a run: everything needed to reproduce the paths from the same candles.

A record is JSON with all fields of ``RunRecord``, the version of that list and a checksum over it. It holds settings,
hashes and times, never candles; ``kronos_dashboard.export`` writes those next to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from engine.config import ModelConfig, SamplingConfig
from engine.errors import ConfigError
from engine.forecast import COLUMNS, Forecast
from engine.validation import report_invalid
from kronos_dashboard.errors import RecordError
from kronos_dashboard.messages import msg
from kronos_dashboard.validation import Number, Text, WholeNumber

__all__ = ["OLD_MIRRORING_NOTE", "RECORD_VERSION", "RunRecord", "forecast_columns", "paths_sha256", "record_schema"]

RECORD_VERSION = 4
"""Version of the list of fields and of their meaning.

1 had no number, and lacked what is needed to reproduce the paths: it is refused. 2 has the fields of 3 under the names
in ``OLD_NAMES``, and may lack the sampling settings that checkpoints came to choose later. In 2 and 3 ``mirror_paths``
meant that every other path was the mirror image of a path of its own (``OLD_MIRRORING_NOTE``); in 4 it means antithetic
pairs.
"""
OLD_MIRRORING_NOTE = msg(
    "Sampled by an earlier release, which mirrored every other path instead of pairing each path with its own mirror "
    "image. This release cannot compute these paths again."
)
"""Added to records up to version 3 with mirrored paths. They are read as paths without pairs, which they are."""
OLD_NAMES: Mapping[str, str] = {
    "stamped": "timestamp_at",
    "policy": "context_overflow",
    "checkpoint_digest": "weights_sha256",
    "tokenizer_digest": "tokenizer_sha256",
    "paths_digest": "paths_sha256",
    "repaired": "repaired_fraction",
    "from_last_close": "anchor_to_last_close",
    "mirrored": "mirror_paths",
}
"""Field of version 2, of the record or of its sampling -> its present name."""
OLD_OVERFLOWS: Mapping[str, str] = {"exact": "recompute", "roll": "evict"}
"""Value of ``policy`` in version 2 -> value of ``context_overflow``."""

_EXTENSION_DEFAULTS = ModelConfig.extension_defaults()
"""Sampling settings that the first records of version 2 lack; their paths were sampled with these."""
_NOT_FIELDS = ("record_version", "checksum")
_HINT = msg("Choose a file that was saved as a run record.")


def _invalid(name: str, expected: str, value: object) -> RecordError:
    return RecordError(
        msg(
            "{field} of a run record must be {expected}; got {value}.",
            field=name,
            expected=expected,
            value=f"{value!r:.60}",
        ),
        _HINT,
    )


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """Everything needed to reproduce a forecast from the same candles.

    The number of threads and the other windows of the run are left out: they change no path.

    Raises:
        RecordError: a field has the wrong type, or two fields contradict each other.
    """

    run_id: Text
    created_at: Text
    """ISO 8601, UTC."""
    symbol: Text
    interval: Text
    """Label, such as ``1h``."""
    session_tz: Text
    """Name of the time zone on which the model read hours and weekdays."""
    timestamp_at: Annotated[Literal["open", "close"], Field(description=msg("open or close"))]
    """Whether bar timestamps are those of the ``open`` or the ``close``."""
    columns: Annotated[tuple[Text, ...], Field(description=msg("a list of strings"))]
    """The columns that the model saw: the prices, then volume and amount where they are known."""
    source: Text
    """Origin of the candles, for people."""
    candles_fingerprint: Text
    """SHA-256 of the context candles."""
    cutoff: Text
    """Timestamp of the last context candle, ISO 8601, UTC."""
    context_length: WholeNumber
    horizon: WholeNumber
    future: Annotated[tuple[Text, ...], Field(description=msg("a list of strings"))]
    """The H forecast timestamps, ISO 8601, UTC."""
    sampling: SamplingConfig
    """As resolved: no setting is left to the model."""
    context_overflow: Text
    """What happened past the model's limit: see ``engine.generation.request.ContextOverflow``."""
    max_context: WholeNumber
    """Candles that the model sees at once."""
    clip: Number
    """Normalized values were clipped to +-clip."""
    model_name: Text
    """What the model was loaded by: a name, a hub id or a folder."""
    model_label: Text
    weights_sha256: Text
    """SHA-256 of the model's weights file."""
    tokenizer_sha256: Text
    """SHA-256 of the tokenizer's weights in the published format."""
    device: Text
    """Type of the device: ``cpu``, ``cuda`` or ``mps``."""
    dtype: Text
    """Data type of the model's matrix products."""
    paths_sha256: Text
    """SHA-256 of the sampled paths, which a reproduction must match."""
    versions: Annotated[dict[Text, Text], Field(description=msg("a mapping of names to strings"))]
    """Package -> version."""
    seconds: Number
    """Wall time of the forecast."""
    repaired_fraction: Number = 0.0
    """Fraction of the sampled candles that violated low <= open, close <= high and were corrected."""
    notes: Annotated[tuple[Text, ...], Field(description=msg("a list of strings"))] = ()

    def __post_init__(self) -> None:
        """Check that the sampling is resolved, and that times and lengths agree."""
        _check_times(self)
        for name in _EXTENSION_DEFAULTS:
            if getattr(self.sampling, name) is None:
                raise RecordError(
                    msg("{name} of a run record must be set; got null.", name=name),
                    _HINT,
                )

    def to_json(self) -> str:
        """All fields, indented, with version and checksum."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """What ``to_json`` writes, as plain values."""
        return {"record_version": RECORD_VERSION, **_to_plain(self), "checksum": self.checksum}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote, in this version or an older one.

        Raises:
            RecordError: the text is no run record, or it was changed after it was written.
        """
        try:
            values = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise RecordError(msg("the run record is not valid JSON: {error}.", error=error), _HINT) from error
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Read what ``to_dict`` returned, in this version or an older one.

        Raises:
            RecordError: as ``from_json``.
        """
        if not isinstance(values, dict):
            raise RecordError(msg("a run record must be an object; got {type}.", type=type(values).__name__), _HINT)
        version = _check_version(values)
        given = {name: value for name, value in values.items() if name not in _NOT_FIELDS}
        if version == 2:
            given = _rename(given)
        names = [field.name for field in fields(cls)]
        _check_names({*given, *({"checksum"} & values.keys())}, {*names, "checksum"})
        record = cls(**{**given, "sampling": _read_sampling(given["sampling"])})
        if version < RECORD_VERSION and record.sampling.has_mirror_images:
            sampling = replace(record.sampling, mirror_paths=False)
            record = replace(record, sampling=sampling, notes=(*record.notes, OLD_MIRRORING_NOTE))
        checksum = _checksum({name: value for name, value in values.items() if name not in _NOT_FIELDS})
        if checksum != values["checksum"]:
            raise RecordError(
                msg(
                    "the run record was changed after it was saved: its checksum is {checksum}, but it states "
                    "{stored}.",
                    checksum=checksum[:16],
                    stored=str(values["checksum"])[:16],
                ),
                msg("Use the file as it was saved. For a forecast with other settings, pass them as options instead."),
            )
        return record

    @property
    def checksum(self) -> str:
        """SHA-256 over all fields."""
        return _checksum(_to_plain(self))

    @property
    def cutoff_time(self) -> pd.Timestamp:
        """The cutoff, UTC."""
        return pd.Timestamp(self.cutoff).tz_convert("UTC")

    @property
    def future_index(self) -> pd.DatetimeIndex:
        """The H forecast timestamps, UTC."""
        return pd.DatetimeIndex([pd.Timestamp(text) for text in self.future]).tz_convert("UTC")

    @property
    def forecast_columns(self) -> tuple[str, ...]:
        """The columns of the paths that carry information."""
        return forecast_columns(self.columns)


def forecast_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of paths that carry information, for the ``columns`` that the model saw.

    With a volume the model also samples an amount.
    """
    return COLUMNS if "volume" in columns else columns


def paths_sha256(forecast: Forecast, columns: tuple[str, ...]) -> str:
    """SHA-256 of the paths' ``columns``, as little-endian float32 [N, H, C] after their shape and names."""
    chosen = forecast.paths[:, :, [COLUMNS.index(name) for name in columns]]
    label = f"{chosen.shape}|{','.join(columns)}"
    return hashlib.sha256(label.encode() + np.ascontiguousarray(chosen, dtype="<f4").tobytes()).hexdigest()


def record_schema() -> dict[str, Any]:
    """The JSON schema of a run record's fields, without ``record_version`` and ``checksum``."""
    return TypeAdapter(RunRecord).json_schema()


def _to_plain(record: RunRecord) -> dict[str, Any]:
    """All fields as JSON holds them: the order and the lists of a file."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(record).items()}


def _checksum(values: dict[str, Any]) -> str:
    """SHA-256 over fields under the names and values of their file, so that it also verifies older versions."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _check_version(values: dict[str, Any]) -> int:
    """The version of a record, if this program reads it."""
    version = values.get("record_version")
    if isinstance(version, int) and not isinstance(version, bool) and version in (2, 3, RECORD_VERSION):
        return version
    if version is None and {"run_id", "sampling"} <= values.keys():
        version = "1"
    elif version is None:
        raise RecordError(msg("a run record must have the field record_version; it is missing."), _HINT)
    raise RecordError(
        msg(
            "the run record has version {version}; supported: {supported}.",
            version=f"{version!s:.20}",
            supported=RECORD_VERSION,
        ),
        msg("Open it with the release that saved it, or run the forecast again."),
    )


def _rename(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of version 2 under their present names."""
    renamed = {OLD_NAMES.get(name, name): value for name, value in values.items()}
    overflow, sampling = renamed.get("context_overflow"), renamed.get("sampling")
    if isinstance(overflow, str):
        renamed["context_overflow"] = OLD_OVERFLOWS.get(overflow, overflow)
    if isinstance(sampling, dict):
        settings = {OLD_NAMES.get(name, name): value for name, value in sampling.items()}
        renamed["sampling"] = {**_EXTENSION_DEFAULTS, **settings}
    return renamed


def _check_names(given: set[str], known: set[str]) -> None:
    missing, unknown = sorted(known - given), sorted(given - known)
    if missing or unknown:
        raise RecordError(
            msg(
                "the fields of the run record do not match version {version}; missing: {missing}; unknown: {unknown}.",
                version=RECORD_VERSION,
                missing=", ".join(missing) or msg("none"),
                unknown=", ".join(unknown)[:200] or msg("none"),
            ),
            _HINT,
        )


def _read_sampling(values: object) -> SamplingConfig:
    """The sampling of a file; each setting must be there."""
    if not isinstance(values, dict):
        raise _invalid("sampling", msg("a mapping of names to values"), values)
    try:
        sampling = SamplingConfig(**values)
    except (ConfigError, TypeError) as error:
        raise RecordError(msg("the sampling of the run record cannot be used: {error}", error=error), _HINT) from error
    names = [field.name for field in fields(sampling)]
    if {*names} != values.keys():
        raise RecordError(
            msg("the sampling settings of a run record must have the fields {names}.", names=", ".join(names)), _HINT
        )
    return sampling


def _check_times(record: RunRecord) -> None:
    """Check the time zone, and that cutoff and future are increasing times with a zone, as many as the horizon."""
    try:
        pd.Timestamp(0, tz="UTC").tz_convert(record.session_tz)
    except (KeyError, ValueError, OSError) as error:  # an unknown name, or one that is no name of a file
        raise RecordError(
            msg(
                "the run record has an unknown time zone, {zone}.",
                zone=f"{record.session_tz!r:.60}",
            ),
            _HINT,
        ) from error
    try:
        times = [pd.Timestamp(text) for text in (record.cutoff, *record.future)]
        increasing = all(earlier < later for earlier, later in pairwise(times))
    except (ValueError, TypeError) as error:
        raise RecordError(
            msg("cutoff and future of a run record must be times with a time zone: {error}.", error=error), _HINT
        ) from error
    if any(time.tz is None for time in times) or not increasing:
        raise RecordError(
            msg("cutoff and future of a run record must be times with a time zone, in increasing order."), _HINT
        )
    if not 1 <= record.horizon == len(record.future) or record.context_length < 1:
        raise RecordError(
            msg(
                "the run record has a context of {context}, a horizon of {horizon} and {times} bar times; they "
                "do not match.",
                context=record.context_length,
                horizon=record.horizon,
                times=len(record.future),
            ),
            _HINT,
        )
