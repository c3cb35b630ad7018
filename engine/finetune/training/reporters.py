"""What follows a run while it trains: a bar on the terminal, TensorBoard. Both read what ``metrics.jsonl`` holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.errors import MissingExtra

__all__ = ["Bar", "Lines", "TensorBoard"]

_SHOWN = {"validation": "validation loss", "crps_skill": "CRPS skill", "coverage_80": "in 80 % band"}


class Bar:
    """A progress bar with the time that is left, for a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""

    def stepped(self, done: float, total: float, figures: dict[str, float]) -> None:
        """Move on."""
        if self._bar is None:
            whole = total == int(total) and done == int(done)
            shape = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
            self._bar = tqdm(total=total, unit="step" if whole else "s", bar_format=shape, file=sys.stderr)
        self._bar.n = min(done, total)
        self._bar.set_postfix({name: f"{value:.4f}" for name, value in figures.items()}, refresh=False)
        self._bar.update(0)

    def logged(self, line: dict[str, Any]) -> None:
        """Show evaluations beside the bar; begin anew with a new stage."""
        if line["stage"] != self._stage:
            self.close()
            self._stage = line["stage"]
        if self._bar is not None:
            self._bar.set_description(self._stage, refresh=False)
        if line["kind"] == "evaluation":
            tqdm.write(_told(line), file=sys.stderr)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Lines:
    """One line per evaluation, where there is no terminal."""

    def stepped(self, done: float, total: float, figures: dict[str, float]) -> None:
        """Nothing is said of single steps."""

    def logged(self, line: dict[str, Any]) -> None:
        """Say how an evaluation came out."""
        if line["kind"] == "evaluation":
            sys.stderr.write(_told(line) + "\n")


def _told(line: dict[str, Any]) -> str:
    figures = ", ".join(f"{name} {line[key]:.4f}" for key, name in _SHOWN.items() if key in line)
    return f"{line['stage']} step {line['step']}: {figures}"


class TensorBoard:
    """TensorBoard events in ``RUN/tensorboard``.

    Raises:
        MissingExtra: the package is not installed.
    """

    def __init__(self, run: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as cause:
            raise MissingExtra(
                "tensorboard = true needs the package tensorboard. Install it with: pip install tensorboard"
            ) from cause
        self._writer = SummaryWriter(str(run / "tensorboard"))

    def stepped(self, done: float, total: float, figures: dict[str, float]) -> None:
        """Nothing is written of single steps."""

    def logged(self, line: dict[str, Any]) -> None:
        """Every number of a line, under <stage>/<kind>/<name>."""
        for name, value in line.items():
            if isinstance(value, int | float) and name != "step":
                self._writer.add_scalar(f"{line['stage']}/{line['kind']}/{name}", value, line["step"])
        self._writer.flush()
