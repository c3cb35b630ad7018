"""How long a forecast will take, learned from earlier ones on this machine.

Seconds = a start, a share per step, and a share per step and path, which grows with the candles that a step looks back
on. The shares begin as a calibration says, all too fast or too slow by one factor perhaps; then they follow what was
measured.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

__all__ = ["Estimate", "Timing", "Timings"]

MOST = 200
"""Runs that are remembered; the oldest goes first."""
_OF_ONE = 30
"""Newest runs of one model that count."""
_CALIBRATION = np.array([0.03, 1.2e-3, 1.0e-4])
"""Seconds per run, step, and step and path, with the bundled model on one core of 2026."""
_LOOKING_BACK = 1.2e-3
"""How much dearer a step of a path is for each candle before it."""
_STIFFNESS = 0.005
"""Weight of the calibration against one run."""
_FORGET = 0.95
"""What a run counts less than the one after it."""
_ROUNDS, _BOUNDS = 50, (0.02, 50.0)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One run: with what, how much, how long."""

    model: str
    """Anything that names the model together with device and type of numbers."""
    paths: int
    horizon: int
    context: int
    seconds: float

    def __post_init__(self) -> None:
        """Check that this can have been a run."""
        counts = (self.paths, self.horizon, self.context)
        if not isinstance(self.model, str) or not all(isinstance(n, int) and n >= 1 for n in counts):
            raise ValueError(f"a run has a model, and at least 1 path, step and candle; got {self}.")
        if not (isinstance(self.seconds, int | float) and 0 < self.seconds < float("inf")):
            raise ValueError(f"a run takes more than no time; got {self.seconds!r}.")


@dataclass(frozen=True)
class Estimate:
    """Seconds, and whether this machine has been asked or a calibration alone."""

    seconds: float
    learned: bool


class Timings:
    """The runs of this machine, in one small file. Any number of threads may share it.

    Args:
        path: a JSON file; it need not exist. One that cannot be read counts as empty; one that cannot be written is
            told in the log, and the runs are remembered as long as the process lives.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._runs = _read(path)

    def add(self, run: Timing) -> None:
        """Remember a run."""
        with self._lock:
            self._runs = [*self._runs, run][-MOST:]
            _write(self._path, self._runs)

    def estimate(self, model: str, *, paths: int, horizon: int, context: int, size: float = 1.0) -> Estimate:
        """How long such a run will take.

        Args:
            model: as in ``Timing``.
            paths: N.
            horizon: H.
            context: T.
            size: how many times as slow as the bundled model it should be where it has not run yet.
        """
        runs = [run for run in self._runs if run.model == model][-_OF_ONE:]
        work = _work(paths, horizon, context)
        if not runs:
            return Estimate(float(work @ _CALIBRATION) * self._pace() * size, learned=False)
        return Estimate(max(0.01, float(work @ (_CALIBRATION * _learned(runs)))), learned=True)

    def _pace(self) -> float:
        """How much slower this machine is than the calibration, as far as any run says."""
        ratios = [run.seconds / float(_work_of(run) @ _CALIBRATION) for run in self._runs if "bundled" in run.model]
        return float(np.median(ratios[-_OF_ONE:])) if ratios else 1.0


def _learned(runs: list[Timing]) -> np.ndarray:
    """Factors [3] on the calibration: least squares of relative errors, above zero, held near one common factor."""
    costs = np.stack([_work_of(run) * _CALIBRATION for run in runs])  # [n, 3]
    seconds = np.array([run.seconds for run in runs])
    common = float(np.median(seconds / costs.sum(axis=1)))
    relative = costs * common / seconds[:, None]
    weights = _FORGET ** np.arange(len(runs))[::-1]
    pull = relative.T @ (weights[:, None] * relative) + _STIFFNESS * np.eye(3)
    goal = relative.T @ weights + _STIFFNESS * np.ones(3)
    factors = np.ones(3)
    for _ in range(_ROUNDS):  # one after the other, so that none leaves its bounds at the cost of another
        for i in range(3):
            rest = goal[i] - pull[i] @ factors + pull[i, i] * factors[i]
            factors[i] = np.clip(rest / pull[i, i], *_BOUNDS)
    return factors * common


def _work_of(run: Timing) -> np.ndarray:
    return _work(run.paths, run.horizon, run.context)


def _work(paths: int, horizon: int, context: int) -> np.ndarray:
    """What a run consists of [3]."""
    dearer = 1.0 + _LOOKING_BACK * (context + horizon / 2)
    return np.array([1.0, horizon, float(paths) * horizon * dearer])


def _read(path: Path) -> list[Timing]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return [Timing(**entry) for entry in found["runs"]][-MOST:]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        _log.warning("the times of earlier runs in %s cannot be read and begin anew: %s", path, error)
        return []


def _write(path: Path, runs: list[Timing]) -> None:
    """Write beside, then put in its place, so that a reader never sees half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"runs": [asdict(run) for run in runs]}, file)
            Path(name).replace(path)
        except OSError:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        _log.warning("the times of runs cannot be kept in %s: %s", path, error)
