"""The run folder: its lock, its description, its states and its log. Every file appears whole or not at all.

    run.json                      settings, data, versions, status
    metrics.jsonl                 one line per log interval and evaluation, appended
    state/<stage>-<step>.safetensors   to go on from; the last two stay
    state/best-<stage>-<step>.safetensors   averaged weights of the best evaluations; those that a state speaks of stay
    cache/<digest>/*.npy          the candles
    tokenizer/, model/            the result, in the published format

States are safetensors, numbers beside them JSON in its header. ``Accelerator.save_state`` would pickle the random
states, and this project reads no pickle (such files can run code when they are opened); there are none to save either,
since the step number determines every random number of a run (``engine.finetune.data.windows``,
``engine.finetune.training.loop``).
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.errors import FinetuneError, RunInUse, StateNotWritten
from engine.finetune.config import STAGES, StageName

__all__ = ["RunFolder", "Saved", "read_metrics"]

KEPT = 2
_INFO = "info"


@dataclass(frozen=True)
class Saved:
    """A state that was read."""

    step: int
    info: dict[str, Any]
    """What is not a tensor."""
    tensors: dict[str, Tensor]


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run, and how its files are written."""

    path: Path

    @property
    def description(self) -> Path:
        """``run.json``."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """``metrics.jsonl``."""
        return self.path / "metrics.jsonl"

    @property
    def states(self) -> Path:
        """``state/``."""
        return self.path / "state"

    def best(self, stage: StageName, step: int) -> Path:
        """The weights that were evaluated as the best of a stage, after ``step`` steps."""
        return self.states / f"best-{stage}-{step:09d}.safetensors"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder; nobody else trains into it meanwhile.

        Raises:
            RunInUse: somebody does.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as cause:
            raise RunInUse(
                f"another process trains into {self.path}. Wait for it, stop it, or choose another folder (--out)."
            ) from cause
        try:
            yield
        finally:
            lock.release()

    def describe(self, values: Mapping[str, Any]) -> None:
        """Add to or change ``run.json``."""
        text = json.dumps({**self.read_description(), **values}, indent=2)
        self._write(self.description, text.encode())

    def read_description(self) -> dict[str, Any]:
        """``run.json``; empty where there is none yet."""
        if not self.description.is_file():
            return {}
        try:
            return dict(json.loads(self.description.read_text(encoding="utf-8")))
        except ValueError as cause:
            raise FinetuneError(f"{self.description} is damaged ({cause}). Choose another folder (--out).") from cause

    def log(self, line: Mapping[str, Any]) -> None:
        """Append one line to the metrics."""
        rounded = {k: float(f"{v:.7g}") if isinstance(v, float) else v for k, v in line.items()}
        try:
            with self.metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rounded) + "\n")
        except OSError as cause:
            raise self._not_written(self.metrics, cause) from cause

    def save(self, stage: StageName, step: int, tensors: Mapping[str, Tensor], info: Mapping[str, Any]) -> None:
        """Write a state and drop older ones, but for the last before it."""
        kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        data = safetensors.torch.save(kept, metadata={_INFO: json.dumps({"step": step, **info})})
        self._write(self.states / f"{stage}-{step:09d}.safetensors", data)
        for old in (*self._saved(stage)[:-KEPT], *self._saved(f"best-{stage}")[:-KEPT]):
            old.unlink(missing_ok=True)

    def save_best(self, stage: StageName, step: int, state: Mapping[str, Tensor]) -> None:
        """Write the best weights so far; a state is to be saved right after, so that both speak of the same."""
        kept = {name: value.detach().cpu().contiguous() for name, value in state.items()}
        self._write(self.best(stage, step), safetensors.torch.save(kept))

    def latest(self, stage: StageName) -> Saved | None:
        """The newest state that can be read; None where there is none."""
        for path in reversed(self._saved(stage)):
            try:
                with safe_open(path, framework="pt") as file:
                    info = json.loads(file.metadata()[_INFO])
                    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
            except (SafetensorError, ValueError, KeyError, OSError):
                continue  # cut short by a dying machine; the one before it is whole
            return Saved(info.pop("step"), info, tensors)
        return None

    def _saved(self, prefix: str) -> list[Path]:
        """Files of one kind by step."""
        return sorted(self.states.glob(f"{prefix}-*.safetensors"))

    def _write(self, path: Path, data: bytes) -> None:
        """Beside ``path``, flushed to the disk, then moved into place.

        Raises:
            StateNotWritten: the disk is full, say; what was there before is intact.
        """
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with beside.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(beside, path)  # noqa: PTH105  (named, as what the format of this folder rests on)
            finally:
                beside.unlink(missing_ok=True)
        except OSError as cause:
            raise self._not_written(path, cause) from cause

    def _not_written(self, path: Path, cause: OSError) -> StateNotWritten:
        states = [path for stage in STAGES for path in self._saved(stage)]
        last = f"the last good state is {states[-1].name}" if states else "nothing was saved before"
        return StateNotWritten(
            f"{path} could not be written: {cause.strerror or cause}; {last}. Free some space and go on with "
            "--resume auto."
        )


def read_metrics(path: str | Path) -> list[dict[str, Any]]:
    """The lines of a run's ``metrics.jsonl`` (or of its folder), without what a resumed run did again.

    A last line that is still being written is left out.
    """
    path = Path(path)
    file = path / "metrics.jsonl" if path.is_dir() else path
    lines: list[dict[str, Any]] = []
    for text in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if line.get("kind") == "resumed":
            lines = [old for old in lines if old["stage"] != line["stage"] or old["step"] <= line["step"]]
        lines.append(line)
    return lines
