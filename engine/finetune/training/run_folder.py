"""The run folder: its lock, description, training states and log. Files are written atomically.

    run.json                      settings, data, versions, status
    metrics.jsonl                 one line per log interval and evaluation, appended
    state/<stage>-<step>.safetensors        training states; the last two are kept
    state/best-<stage>-<step>.safetensors   averaged weights of the best evaluations; the last two are kept
    cache/<digest>/*.npy          memory-mapped candles
    tokenizer/, model/            the result, in the published format

States are safetensors with JSON in the header. ``Accelerator.save_state`` would pickle the random states, and this
project reads no pickles, because opening one can run code. There are no random states to save either: the step number
determines every random number of a run (``engine.finetune.data.windows``, ``engine.finetune.training.loop``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.files import atomic_write
from engine.finetune.config import STAGES, RunConfig, StageName
from engine.finetune.errors import CheckpointWriteError, FinetuneConfigError, FinetuneError, RunLockedError
from engine.finetune.legacy_keys import upgrade_description, upgrade_metrics, upgrade_progress
from engine.finetune.options import from_dict
from engine.messages import msg

__all__ = ["FORMAT_VERSION", "RunFolder", "SavedState", "read_metrics"]

FORMAT_VERSION = 2
"""Of ``run.json``, ``metrics.jsonl`` and the states. 1 had other key names (``engine.finetune.legacy_keys``) and does
not state its version."""
MAX_STATES = 2
"""States kept per stage: if the newest was truncated by a crash, the one before it is complete."""
_HEADER_KEY = "info"


@dataclass(frozen=True)
class SavedState:
    """A training state read from disk."""

    step: int
    progress: dict[str, Any]
    """Everything that is not a tensor."""
    tensors: dict[str, Tensor]


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run, and how its files are read and written."""

    path: Path

    @property
    def description_file(self) -> Path:
        """``run.json``."""
        return self.path / "run.json"

    @property
    def metrics_file(self) -> Path:
        """``metrics.jsonl``."""
        return self.path / "metrics.jsonl"

    @property
    def state_dir(self) -> Path:
        """``state/``."""
        return self.path / "state"

    def best_weights_file(self, stage: StageName, step: int) -> Path:
        """The weights of a stage's best evaluation, after ``step`` steps."""
        return self.state_dir / f"best-{stage}-{step:09d}.safetensors"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder against other training processes.

        Raises:
            RunLockedError: another process holds the lock.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as cause:
            raise RunLockedError(
                msg(
                    "another process is training in {path}. Wait for it, stop it, or choose another folder "
                    "(--output_dir).",
                    path=self.path,
                )
            ) from cause
        try:
            yield
        finally:
            lock.release()

    def update_description(self, values: Mapping[str, Any]) -> None:
        """Set keys of ``run.json``.

        Raises:
            CheckpointWriteError: the file cannot be written.
        """
        description = {**self.read_description(), "version": FORMAT_VERSION, **values}
        self._write(self.description_file, json.dumps(description, indent=2).encode())

    def read_description(self) -> dict[str, Any]:
        """``run.json``; empty if there is none.

        Raises:
            FinetuneError: the file is damaged.
        """
        if not self.description_file.is_file():
            return {}
        try:
            values = dict(json.loads(self.description_file.read_text(encoding="utf-8")))
        except ValueError as cause:
            raise FinetuneError(
                msg(
                    "{description_file} is damaged ({cause}). Choose another folder (--output_dir).",
                    description_file=self.description_file,
                    cause=cause,
                )
            ) from cause
        return upgrade_description(values)

    def read_config(self) -> RunConfig:
        """The settings of the run.

        Raises:
            FinetuneConfigError: the folder holds no run.
        """
        description = self.read_description()
        if "settings" not in description:
            raise FinetuneConfigError(
                msg(
                    "{path} is not a run folder: it has no run.json with settings. Specify the folder of a run.",
                    path=self.path,
                )
            )
        return from_dict(description["settings"])

    def log(self, line: Mapping[str, Any]) -> None:
        """Append one line to the metrics.

        Raises:
            CheckpointWriteError: the file cannot be written.
        """
        rounded = {k: float(f"{v:.7g}") if isinstance(v, float) else v for k, v in line.items()}
        try:
            with self.metrics_file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rounded) + "\n")
        except OSError as cause:
            raise self._write_error(self.metrics_file, cause) from cause

    def save(self, stage: StageName, step: int, tensors: Mapping[str, Tensor], progress: Mapping[str, Any]) -> None:
        """Write a training state and delete older ones.

        Raises:
            CheckpointWriteError: the file cannot be written; older states are intact.
        """
        metadata = {_HEADER_KEY: json.dumps({"step": step, **progress})}
        data = safetensors.torch.save(_on_cpu(tensors), metadata=metadata)
        self._write(self.state_dir / f"{stage}-{step:09d}.safetensors", data)
        for prefix in (stage, f"best-{stage}"):
            for old in self._state_files(prefix)[:-MAX_STATES]:
                old.unlink(missing_ok=True)

    def save_best(self, stage: StageName, step: int, state: Mapping[str, Tensor]) -> None:
        """Write the best weights so far. Save a state right after, so that both refer to the same evaluation.

        Raises:
            CheckpointWriteError: the file cannot be written.
        """
        self._write(self.best_weights_file(stage, step), safetensors.torch.save(_on_cpu(state)))

    def load_latest(self, stage: StageName) -> SavedState | None:
        """The newest readable state; None if there is none."""
        for path in reversed(self._state_files(stage)):
            try:
                with safe_open(path, framework="pt") as file:
                    progress = upgrade_progress(json.loads(file.metadata()[_HEADER_KEY]))
                    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
            except (SafetensorError, ValueError, KeyError, OSError):
                continue  # truncated by a crash; the state before it is complete
            return SavedState(progress.pop("step"), progress, tensors)
        return None

    def _state_files(self, prefix: str) -> list[Path]:
        """Files of one kind, by step."""
        return sorted(self.state_dir.glob(f"{prefix}-*.safetensors"))

    def _write(self, path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, data)
        except OSError as cause:
            raise self._write_error(path, cause) from cause

    def _write_error(self, path: Path, cause: OSError) -> CheckpointWriteError:
        states = [path for stage in STAGES for path in self._state_files(stage)]
        last = msg("the last good state is {name}", name=states[-1].name) if states else msg("nothing was saved yet")
        return CheckpointWriteError(
            msg(
                "{path} could not be written: {error}; {last}. Free some disk space and continue with --resume auto.",
                path=path,
                error=cause.strerror or cause,
                last=last,
            )
        )


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


def read_metrics(path: str | Path) -> list[dict[str, Any]]:
    """The lines of a run's ``metrics.jsonl``, without those that a resumed run has repeated.

    A last line that is still being written is left out.

    Args:
        path: the file, or the run folder.
    """
    path = Path(path)
    file = path / "metrics.jsonl" if path.is_dir() else path
    lines: list[dict[str, Any]] = []
    for text in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            line = upgrade_metrics(json.loads(text))
        except ValueError:
            continue
        if line.get("kind") == "resumed":
            lines = [old for old in lines if old["stage"] != line["stage"] or old["step"] <= line["step"]]
        lines.append(line)
    return lines
