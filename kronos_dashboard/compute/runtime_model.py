"""How long a forecast will take, estimated from earlier runs on this machine.

Model of the run time: ``seconds = a + b * H + c * N * H * (1 + k * (T + H / 2))`` for N paths, H steps and T context
candles: a start, a cost per decode step, and a cost per step and path that grows with the candles a step attends to.
The coefficients start from a calibration and are then fitted to the measured runs, by ridge regression towards the
calibration.
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.files import atomic_write

__all__ = ["RunTiming", "RuntimeEstimate", "RuntimeModel"]

MAX_RUNS = 200
"""Runs that are stored; the oldest is dropped first."""
_MAX_FITTED_RUNS = 30
"""Newest runs of one model that are fitted: older ones are from other loads of the machine."""
_CALIBRATION = np.array([0.03, 1.2e-3, 1.0e-4])
"""Seconds per run, per step, and per step and path: the bundled model on one core of 2026."""
_CONTEXT_COST = 1.2e-3
"""Relative cost that each context candle adds to a step of a path (k)."""
_REGULARIZATION = 0.005
"""Weight of the calibration relative to one run: enough to keep unidentified coefficients near it, and no more."""
_DECAY = 0.95
"""Weight of a run relative to the next newer one."""
_FACTOR_BOUNDS = (0.02, 50.0)
"""Range of a coefficient relative to the calibration; positive, so that more work never takes less time."""
_MIN_SECONDS = 0.01
_OLD_NAMES = {"paths": "num_paths"}
"""Keys of older files -> fields of ``RunTiming``."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunTiming:
    """A measured run.

    Raises:
        ValueError: no run can have these sizes or this duration.
    """

    model: str
    """Identifies the model together with device and dtype (``str(ModelKey)``)."""
    num_paths: int
    horizon: int
    context: int
    seconds: float

    def __post_init__(self) -> None:
        """Check every field."""
        counts = (self.num_paths, self.horizon, self.context)
        if not isinstance(self.model, str) or not all(isinstance(n, int) and n >= 1 for n in counts):
            raise ValueError(f"a run has a model, and at least 1 path, step and candle; got {self}.")
        if not (isinstance(self.seconds, int | float) and 0 < self.seconds < float("inf")):
            raise ValueError(f"a run takes more than no time; got {self.seconds!r}.")


@dataclass(frozen=True)
class RuntimeEstimate:
    """Estimated seconds."""

    seconds: float
    measured: bool
    """Whether runs of this model are known on this machine; otherwise the calibration is a first guess."""


class RuntimeModel:
    """The measured runs of this machine, in one small file. Any number of threads may share it.

    Args:
        path: a JSON file; it need not exist. One that cannot be read counts as empty; one that cannot be written is
            reported in the log, and the runs are stored for the life of the process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._runs = _read(path)

    def add(self, run: RunTiming) -> None:
        """Store a run."""
        with self._lock:
            self._runs = [*self._runs, run][-MAX_RUNS:]
            _write(self._path, self._runs)

    def estimate(
        self, model: str, *, num_paths: int, horizon: int, context: int, relative_cost: float = 1.0
    ) -> RuntimeEstimate:
        """Estimate the duration of a run.

        Args:
            model: as in ``RunTiming``.
            num_paths: N.
            horizon: H.
            context: T.
            relative_cost: run time relative to the bundled model, for a model that has not run here yet.
        """
        runs = [run for run in self._runs if run.model == model][-_MAX_FITTED_RUNS:]
        workload = _workload(num_paths, horizon, context)
        if not runs:
            seconds = float(workload @ _CALIBRATION) * self._speed_factor() * relative_cost
            return RuntimeEstimate(seconds, measured=False)
        seconds = float(workload @ (_CALIBRATION * _fit_factors(runs)))
        return RuntimeEstimate(max(_MIN_SECONDS, seconds), measured=True)

    def _speed_factor(self) -> float:
        """Run time of this machine relative to the calibration: median over the bundled model's runs; 1 without any."""
        ratios = [run.seconds / float(_workload_of(run) @ _CALIBRATION) for run in self._runs if "bundled" in run.model]
        return float(np.median(ratios[-_MAX_FITTED_RUNS:])) if ratios else 1.0


def _fit_factors(runs: list[RunTiming]) -> np.ndarray:
    """Factors [3] on the calibration: bounded weighted least squares of relative errors, with a ridge penalty.

    The penalty pulls all factors towards one common factor, the median ratio of the runs to the calibration.
    """
    from scipy.optimize import lsq_linear  # here, not above: it takes a tenth of a second

    costs = np.stack([_workload_of(run) * _CALIBRATION for run in runs])  # [n, 3], seconds by the calibration
    seconds = np.array([run.seconds for run in runs])
    common = float(np.median(seconds / costs.sum(axis=1)))
    weights = np.sqrt(_DECAY ** np.arange(len(runs))[::-1])
    penalty = np.sqrt(_REGULARIZATION)
    design = np.concatenate((weights[:, None] * costs * common / seconds[:, None], penalty * np.eye(3)))  # [n + 3, 3]
    target = np.concatenate((weights, np.full(3, penalty)))
    return np.asarray(lsq_linear(design, target, bounds=_FACTOR_BOUNDS).x) * common


def _workload_of(run: RunTiming) -> np.ndarray:
    return _workload(run.num_paths, run.horizon, run.context)


def _workload(num_paths: int, horizon: int, context: int) -> np.ndarray:
    """What each coefficient is multiplied by [3]."""
    attention = 1.0 + _CONTEXT_COST * (context + horizon / 2)  # a step attends to half the horizon on average
    return np.array([1.0, horizon, float(num_paths) * horizon * attention])


def _read(path: Path) -> list[RunTiming]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return [RunTiming(**_rename(entry)) for entry in stored["runs"]][-MAX_RUNS:]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        _log.warning("the times of earlier runs in %s cannot be read and begin anew: %s", path, error)
        return []


def _rename(entry: dict[str, Any]) -> dict[str, Any]:
    return {_OLD_NAMES.get(name, name): value for name, value in entry.items()}


def _write(path: Path, runs: list[RunTiming]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps({"runs": [asdict(run) for run in runs]}).encode())
    except OSError as error:
        _log.warning("the times of runs cannot be kept in %s: %s", path, error)
