"""How often a checkpoint's bands have held what came: figures that stand in ``scores.json`` beside its folders.

``scripts/score_bundled.py --json`` writes the file, for any checkpoint. It counts for the very weights that it names
and for no others. ``kronos_dashboard.evaluation.coverage_note`` finds the figures nearest to a forecast.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import engine
from engine.checkpoints import registry
from engine.checkpoints.registry import SCORES_FILE
from kronos_dashboard.errors import RecordError

__all__ = ["SCORES_FILE", "Found", "Score", "Scores", "find_scores", "read_scores", "weights_digest"]

LEAST_WINDOWS = 30
"""With fewer windows a figure is no measurement; the next wider group is taken."""
_log = logging.getLogger(__name__)
_MOST_BYTES, _MOST_SCORES = 2_000_000, 5_000
_HINT = "Write it anew with scripts/score_bundled.py --json."


@dataclass(frozen=True, kw_only=True)
class Score:
    """Figures of one group of windows; shares are fractions.

    Raises:
        RecordError: a field has the wrong type or is out of its range.
    """

    horizon: int
    market: str | None
    """None: all of them together."""
    interval: str | None
    """None: all of them together."""
    windows: int
    crps_ratio: float
    """CRPS over that of a block-bootstrap random walk; below 1 is better."""
    mae_ratio: float
    """Error of the median over that of the last close."""
    coverage_50: float
    coverage_80: float
    coverage_95: float
    walk_coverage_80: float
    repaired: float

    def __post_init__(self) -> None:
        """Check every field."""
        for name in ("horizon", "windows"):
            _check(_is_whole(getattr(self, name)), f"{name} must be a whole number above zero", getattr(self, name))
        for name in ("market", "interval"):
            value = getattr(self, name)
            fits = value is None or (isinstance(value, str) and 0 < len(value) <= 40)
            _check(fits, f"{name} must be a short text or null", value)
        for name in ("crps_ratio", "mae_ratio"):
            _check(_is_number(getattr(self, name), 1e6), f"{name} must be a number from zero on", getattr(self, name))
        for name in ("coverage_50", "coverage_80", "coverage_95", "walk_coverage_80", "repaired"):
            _check(_is_number(getattr(self, name), 1.0), f"{name} must be a fraction", getattr(self, name))

    @property
    def held(self) -> dict[float, float]:
        """Share of the paths in a band -> share of what came in it."""
        return {0.5: self.coverage_50, 0.8: self.coverage_80, 0.95: self.coverage_95}


@dataclass(frozen=True, kw_only=True)
class Scores:
    """All that was measured of one checkpoint, and with which settings.

    Raises:
        RecordError: a field has the wrong type or is out of its range.
    """

    digest: str
    """SHA-256 of the weights that were measured."""
    context: int
    paths: int
    temperature: float
    top_p: float
    scores: tuple[Score, ...]
    from_last_close: bool = False
    """Whether paths began at the last close; where the file does not say, they did not."""
    mirrored: bool = False
    """Whether every second path was mirrored at the last close; where the file does not say, none was."""
    min_p: float = 0.0
    """Tokens below this part of the likeliest's probability were not drawn; where the file does not say, all were."""

    def __post_init__(self) -> None:
        """Check every field."""
        hexadecimal = isinstance(self.digest, str) and len(self.digest) == 64
        _check(hexadecimal, "digest must be a SHA-256 in 64 letters", self.digest)
        for name in ("context", "paths"):
            _check(_is_whole(getattr(self, name)), f"{name} must be a whole number above zero", getattr(self, name))
        _check(_is_number(self.temperature, 100.0), "temperature must be a number from zero on", self.temperature)
        _check(_is_number(self.top_p, 1.0), "top_p must be a fraction", self.top_p)
        _check(_is_number(self.min_p, 1.0) and self.min_p != 1, "min_p must be 0 to below 1", self.min_p)
        for name in ("from_last_close", "mirrored"):
            _check(isinstance(getattr(self, name), bool), f"{name} must be true or false", getattr(self, name))

    @property
    def horizons(self) -> tuple[int, ...]:
        """The horizons that were measured, each once, rising."""
        return tuple(sorted({score.horizon for score in self.scores}))

    def nearest(self, horizon: int, market: str | None, interval: str) -> Score | None:
        """The figures nearest to a forecast: of its market and interval, else of its market, else of all markets.

        A group of fewer than ``LEAST_WINDOWS`` windows is passed over; None where there is no group.
        """
        if not self.scores:
            return None
        near = min(self.horizons, key=lambda one: abs(math.log(one / horizon)))
        groups = {(score.market, score.interval): score for score in self.scores if score.horizon == near}
        wanted = ((market, interval), (market, None), (None, None)) if market else ((None, None),)
        found = [groups[key] for key in wanted if key in groups]
        return next((score for score in found if score.windows >= LEAST_WINDOWS), None)

    def reach_80(self) -> tuple[float, float] | None:
        """The lowest and the highest share that the 80 % band held of a market; None where no market was measured."""
        held = [
            score.coverage_80
            for score in self.scores
            if score.market and score.interval is None and score.windows >= LEAST_WINDOWS
        ]
        return (min(held), max(held)) if held else None


@dataclass(frozen=True, kw_only=True)
class Found:
    """What there is of a checkpoint's figures."""

    state: Literal["measured", "never", "other", "broken"]
    """Whether they are there; else why not: no file, one of other weights, one that cannot be read."""
    scores: Scores | None = None


def find_scores(name: str, digest: str) -> Found:
    """The figures of a checkpoint by what it is loaded by, if they are those of its weights.

    A file that cannot be read is told by the state: the forecast beside it is none the worse.

    Args:
        name: "bundled", a published name, a hub id or a folder; only folders have figures.
        digest: SHA-256 of the weights that a forecast is made with.
    """
    folder = _folder_of(name)
    try:
        scores = None if folder is None else read_scores(folder)
    except RecordError as error:
        _log.warning("%s", error)
        return Found(state="broken")
    if scores is None:
        return Found(state="never")
    return Found(state="measured", scores=scores) if scores.digest == digest else Found(state="other")


def read_scores(folder: Path) -> Scores | None:
    """The figures beside a checkpoint; None where there is no such file.

    Raises:
        RecordError: the file cannot be read, or is not what it should be.
    """
    path = folder / SCORES_FILE
    try:
        if not path.is_file():
            return None
        about = path.stat()
        return _read(path, about.st_mtime_ns, about.st_size)
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.", "Check its rights.") from error


def weights_digest(name: str) -> str:
    """SHA-256 of the model's weights in the folder of a checkpoint; empty where there is none on this machine."""
    folder = _folder_of(name)
    if folder is None:
        return ""
    path = (folder if (folder / "config.json").is_file() else folder / "model") / "model.safetensors"
    try:
        about = path.stat()
        return _digest(path, about.st_mtime_ns, about.st_size)
    except OSError:  # the forecast that needs the weights says what is wrong with them
        return ""


def _folder_of(name: str) -> Path | None:
    """The folder of a checkpoint; None for what comes from the hub."""
    if name.lower() == registry.BUNDLED:
        return Path(engine.__file__).with_name("bundled")
    if registry.find(name) is not None:
        return None
    try:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError):  # a name too long for a path, the home of nobody
        return None


@lru_cache(maxsize=32)
def _read(path: Path, changed: int, size: int) -> Scores:  # noqa: ARG001 - the key
    """The file as it was at that time. Cached for the life of the process."""
    if size > _MOST_BYTES:
        raise RecordError(f"{path} has {size:,} bytes; at most {_MOST_BYTES:,} are read.", _HINT)
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON: {error}.", _HINT) from error
    entries = values.get("scores") if isinstance(values, dict) else None
    if not isinstance(entries, list) or len(entries) > _MOST_SCORES:
        raise RecordError(f"{path} must be an object with a list of at most {_MOST_SCORES:,} scores.", _HINT)
    try:
        scores = tuple(Score(**_known(Score, entry)) for entry in entries)
        return Scores(**{**_known(Scores, values), "scores": scores})
    except (TypeError, RecordError) as error:
        raise RecordError(f"{path} cannot be used: {error}", _HINT) from error


def _known(kind: type, values: object) -> Mapping[str, Any]:
    """The fields of a type, out of an object that may hold more.

    Raises:
        RecordError: it is no object, or lacks one that has no default.
    """
    if not isinstance(values, dict):
        raise RecordError(f"a score must be an object; got {type(values).__name__}.")
    names = [field.name for field in fields(kind) if field.default is MISSING or field.name in values]
    missing = [name for name in names if name not in values]
    if missing:
        raise RecordError(f"it lacks {', '.join(missing)}.")
    return {name: values[name] for name in names}


@lru_cache(maxsize=32)
def _digest(path: Path, changed: int, size: int) -> str:  # noqa: ARG001 - the key
    """Of the file as it was at that time. Cached for the life of the process."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(fits: bool, wanted: str, came: object) -> None:
    if not fits:
        raise RecordError(f"{wanted}; got {came!r:.40}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9


def _is_number(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
