"""Training callbacks that report progress: a terminal progress bar, lines of text, TensorBoard events.

All report what ``metrics.jsonl`` holds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.finetune.errors import MissingDependencyError
from engine.messages import msg

__all__ = ["LineReporter", "ProgressBar", "TensorBoardReporter"]

_SHOWN_METRICS = {
    "validation_loss": "validation loss",
    "crps_skill": "CRPS skill",
    "coverage_80": "80 % coverage",
}


class ProgressBar:
    """A progress bar with the remaining time, for a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""

    def on_step(self, done: float, total: float, metrics: dict[str, float]) -> None:
        """Advance the bar."""
        if self._bar is None:
            counts_steps = total == int(total) and done == int(done)
            bar_format = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
            self._bar = tqdm(total=total, unit="step" if counts_steps else "s", bar_format=bar_format, file=sys.stderr)
        self._bar.n = min(done, total)
        self._bar.set_postfix({name: f"{value:.4f}" for name, value in metrics.items()}, refresh=False)
        self._bar.update(0)

    def on_log(self, line: dict[str, Any]) -> None:
        """Print evaluations above the bar; start a new bar with a new stage."""
        if line["stage"] != self._stage:
            self.close()
            self._stage = line["stage"]
        if self._bar is not None:
            self._bar.set_description(self._stage, refresh=False)
        if line["kind"] == "evaluation":
            tqdm.write(_format_evaluation(line), file=sys.stderr)

    def close(self) -> None:
        """Leave the bar on the screen as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class LineReporter:
    """One line of text per evaluation, for output that is not a terminal."""

    def on_step(self, done: float, total: float, metrics: dict[str, float]) -> None:
        """Steps are not reported."""

    def on_log(self, line: dict[str, Any]) -> None:
        """Print evaluations."""
        if line["kind"] == "evaluation":
            sys.stderr.write(_format_evaluation(line) + "\n")


def _format_evaluation(line: dict[str, Any]) -> str:
    metrics = ", ".join(f"{label} {line[name]:.4f}" for name, label in _SHOWN_METRICS.items() if name in line)
    return f"{line['stage']} step {line['step']}: {metrics}"


class TensorBoardReporter:
    """TensorBoard events in ``RUN/tensorboard``.

    Raises:
        MissingDependencyError: the package is not installed.
    """

    def __init__(self, run: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as cause:
            raise MissingDependencyError(
                msg("tensorboard = true requires the package tensorboard. Install it with: pip install tensorboard")
            ) from cause
        self._writer = SummaryWriter(str(run / "tensorboard"))

    def on_step(self, done: float, total: float, metrics: dict[str, float]) -> None:
        """Steps are not reported."""

    def on_log(self, line: dict[str, Any]) -> None:
        """Write every number of a line as <stage>/<kind>/<name>."""
        for name, value in line.items():
            if isinstance(value, int | float) and name != "step":
                self._writer.add_scalar(f"{line['stage']}/{line['kind']}/{name}", value, line["step"])
        self._writer.flush()
