"""Scorecards: out-of-sample metrics of a checkpoint, in a JSON file in its folder.

``scripts/score_bundled.py --json`` writes such a file for any checkpoint. It holds for the weights that it names and
for no others. ``kronos_dashboard.evaluation.coverage_note`` looks up the metrics nearest to a forecast.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from dataclasses import dataclass as plain_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

import engine
from engine.checkpoints import registry
from engine.files import sha256_of
from engine.validation import report_invalid
from kronos_dashboard.errors import RecordError
from kronos_dashboard.messages import msg

__all__ = [
    "SCORECARD_FILE",
    "GroupScore",
    "Scorecard",
    "ScorecardLookup",
    "find_local_scorecard",
    "find_scorecard",
    "find_weights_sha256",
    "read_scorecard",
    "scorecard_schema",
]

SCORECARD_FILE = "scorecard.json"
_OLD_SCORECARD_FILE = "scores.json"
MIN_WINDOWS = 30
"""Windows of a group below which its metrics are too noisy: the standard error of an 80 % coverage is then 7 points."""
OLD_NAMES: Mapping[str, str] = {
    "digest": "weights_sha256",
    "paths": "num_paths",
    "from_last_close": "anchor_to_last_close",
    "mirrored": "mirror_paths",
    "scores": "groups",
    "repaired": "repaired_fraction",
}
"""Keys of older files -> fields of ``Scorecard`` and ``GroupScore``."""

_log = logging.getLogger(__name__)
_MAX_BYTES = 2_000_000
_MAX_GROUPS = 5_000
"""Bounds on a file that anybody may have put there; the bundled one takes a hundredth of both."""
_HINT = msg("Recreate it with scripts/score_bundled.py --json.")

Count = Annotated[int, Field(strict=True, gt=0, lt=10**9, description=msg("a whole number above 0"))]
Ratio = Annotated[
    float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False, description=msg("a number of at least 0"))
]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1, description=msg("a fraction"))]
Label = Annotated[str | None, Field(strict=True, min_length=1, max_length=40, description=msg("a short text or null"))]
Flag = Annotated[bool, Field(strict=True, description=msg("true or false"))]


def _invalid(name: str, expected: str, value: object) -> RecordError:
    return RecordError(
        msg("{name} must be {expected}; got {value}.", name=name, expected=expected, value=f"{value!r:.40}")
    )


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True)
class GroupScore:
    """Metrics of one group of windows.

    Raises:
        RecordError: a field has the wrong type or is out of its range.
    """

    horizon: Count
    """H, bars."""
    market: Label
    """None: all markets together."""
    interval: Label
    """None: all intervals together."""
    windows: Count
    """Size of the group."""
    crps_ratio: Ratio
    """CRPS relative to a block-bootstrap random walk; below 1 is better."""
    mae_ratio: Ratio
    """Absolute error of the median relative to persistence; below 1 is better."""
    coverage_50: Fraction
    """Fraction of the actual closes inside the central band of 50 % of the paths; so for 80 and 95 %."""
    coverage_80: Fraction
    coverage_95: Fraction
    walk_coverage_80: Fraction
    """``coverage_80`` of the random walk."""
    repaired_fraction: Fraction
    """Fraction of the sampled candles that violated low <= open, close <= high."""

    @property
    def coverages(self) -> dict[float, float]:
        """Nominal coverage -> measured coverage."""
        return {0.5: self.coverage_50, 0.8: self.coverage_80, 0.95: self.coverage_95}


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """All metrics of one checkpoint, and the settings that they were measured with.

    Raises:
        RecordError: a field has the wrong type or is out of its range.
    """

    weights_sha256: Annotated[
        str, Field(strict=True, min_length=64, max_length=64, description=msg("a SHA-256 of 64 characters"))
    ]
    """SHA-256 of the measured weights."""
    context: Count
    num_paths: Count
    temperature: Annotated[
        float, Field(strict=True, ge=0, le=100, allow_inf_nan=False, description=msg("a number of at least 0"))
    ]
    top_p: Fraction
    groups: tuple[GroupScore, ...]
    anchor_to_last_close: Flag = False
    """Whether paths were anchored to the last close; files without the key were measured without it."""
    mirror_paths: Flag = False
    """Whether paths came in antithetic pairs; files without the key were measured without them."""
    min_p: Annotated[float, Field(strict=True, ge=0, lt=1, description=msg("at least 0 and below 1"))] = 0.0
    """0: off, as in files without the key."""

    @property
    def horizons(self) -> tuple[int, ...]:
        """The measured horizons, increasing."""
        return tuple(sorted({group.horizon for group in self.groups}))

    def nearest(self, horizon: int, market: str | None, interval: str) -> GroupScore | None:
        """The metrics nearest to a forecast: of its market and interval, else of its market, else of all markets.

        The nearest horizon is that of the smallest ratio. Groups of fewer than ``MIN_WINDOWS`` windows are skipped;
        None if no group is left.
        """
        if not self.groups:
            return None
        nearest = min(self.horizons, key=lambda measured: abs(math.log(measured / horizon)))
        groups = {(group.market, group.interval): group for group in self.groups if group.horizon == nearest}
        keys = ((market, interval), (market, None), (None, None)) if market else ((None, None),)
        matches = [groups[key] for key in keys if key in groups]
        return next((group for group in matches if group.windows >= MIN_WINDOWS), None)

    def coverage_80_range(self) -> tuple[float, float] | None:
        """Lowest and highest measured coverage of the 80 % band over the markets; None if no market was measured."""
        coverages = [
            group.coverage_80
            for group in self.groups
            if group.market and group.interval is None and group.windows >= MIN_WINDOWS
        ]
        return (min(coverages), max(coverages)) if coverages else None


@plain_dataclass(frozen=True, kw_only=True)
class ScorecardLookup:
    """The scorecard of a checkpoint, or why there is none."""

    state: Literal["measured", "missing", "stale", "unreadable"]
    """``measured``: ``scorecard`` is there. Else there is no file, it is of other weights, or it cannot be read."""
    scorecard: Scorecard | None = None


def find_scorecard(name: str, weights_sha256: str) -> ScorecardLookup:
    """The scorecard of a checkpoint, if it was measured with these weights.

    A file that cannot be read is reported by the state: the forecast itself does not depend on it.

    Args:
        name: what the checkpoint is loaded by: "bundled", a published name, a hub id or a folder; only folders have
            scorecards.
        weights_sha256: SHA-256 of the weights that a forecast is made with.
    """
    folder = _folder_of(name)
    try:
        scorecard = None if folder is None else read_scorecard(folder)
    except RecordError as error:
        _log.warning("%s", error)
        return ScorecardLookup(state="unreadable")
    if scorecard is None:
        return ScorecardLookup(state="missing")
    if scorecard.weights_sha256 != weights_sha256:
        return ScorecardLookup(state="stale")
    return ScorecardLookup(state="measured", scorecard=scorecard)


def find_local_scorecard(name: str) -> ScorecardLookup:
    """The scorecard of a checkpoint, for its weights as far as they are on this machine."""
    return find_scorecard(name, find_weights_sha256(name))


def read_scorecard(folder: Path) -> Scorecard | None:
    """The scorecard in the folder of a checkpoint; None if there is no such file.

    Raises:
        RecordError: the file cannot be read, or is no scorecard.
    """
    path = folder / SCORECARD_FILE
    try:
        if not path.is_file():
            path = folder / _OLD_SCORECARD_FILE
        if not path.is_file():
            return None
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise RecordError(
            msg("{path} cannot be read: {error}.", path=path, error=error.strerror), msg("Check its permissions.")
        ) from error


def find_weights_sha256(name: str) -> str:
    """SHA-256 of the model's weights in the folder of a checkpoint; empty if they are not on this machine."""
    folder = _folder_of(name)
    if folder is None:
        return ""
    path = (folder if (folder / "config.json").is_file() else folder / "model") / "model.safetensors"
    try:
        status = path.stat()
        return _sha256(path, status.st_mtime_ns, status.st_size)
    except OSError:  # the forecast that needs the weights reports the error
        return ""


def scorecard_schema() -> dict[str, Any]:
    """The JSON schema of a scorecard."""
    return TypeAdapter(Scorecard).json_schema()


def _folder_of(name: str) -> Path | None:
    """The folder of a checkpoint; None for what comes from the hub."""
    if name.lower() == registry.BUNDLED:
        return Path(engine.__file__).with_name("bundled")
    if registry.find_checkpoint(name) is not None:
        return None
    try:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError):  # a name too long for a path, or the home folder of an unknown user
        return None


@lru_cache(maxsize=32)
def _read(path: Path, modified_ns: int, size: int) -> Scorecard:  # noqa: ARG001 - part of the key
    """The file in this state. Cached for the life of the process."""
    if size > _MAX_BYTES:
        raise RecordError(
            msg(
                "{path} has {size:,} bytes; the limit is {limit:,}.",
                path=path,
                size=size,
                limit=_MAX_BYTES,
            ),
            _HINT,
        )
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RecordError(msg("{path} is not valid JSON: {error}.", path=path, error=error), _HINT) from error
    entries = values.get("groups", values.get("scores")) if isinstance(values, dict) else None
    if not isinstance(entries, list) or len(entries) > _MAX_GROUPS:
        raise RecordError(
            msg(
                "{path} must be an object with a list of at most {limit:,} scores.",
                path=path,
                limit=_MAX_GROUPS,
            ),
            _HINT,
        )
    try:
        groups = tuple(GroupScore(**_select_fields(GroupScore, entry)) for entry in entries)
        return Scorecard(**{**_select_fields(Scorecard, values), "groups": groups})
    except RecordError as error:
        raise RecordError(msg("{path} cannot be used: {error}", path=path, error=error), _HINT) from error


def _select_fields(kind: type, values: object) -> dict[str, Any]:
    """The fields of a type, by their current names, out of an object that may hold more.

    Raises:
        RecordError: it is no object, or a field without a default is missing.
    """
    if not isinstance(values, dict):
        raise RecordError(msg("a score must be an object; got {type}.", type=type(values).__name__))
    current = {OLD_NAMES.get(name, name): value for name, value in values.items()}
    names = [field.name for field in fields(kind) if field.default is MISSING or field.name in current]
    missing = [name for name in names if name not in current]
    if missing:
        raise RecordError(msg("it has no {missing}.", missing=", ".join(missing)))
    return {name: current[name] for name in names}


@lru_cache(maxsize=32)
def _sha256(path: Path, modified_ns: int, size: int) -> str:  # noqa: ARG001 - part of the key
    """Of the file in this state. Cached for the life of the process."""
    return sha256_of(path)
