"""Progress bars on stderr for downloads and decode steps."""

from __future__ import annotations

import sys
from typing import Self

from tqdm import tqdm

__all__ = ["ProgressBars"]


class ProgressBars:
    """One bar at a time, gone once the work is done; nothing is shown if stderr is not a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._label = ""

    def __enter__(self) -> Self:
        """Nothing is shown yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._close()

    def on_step(self, done: int, total: int) -> None:
        """Show the decode steps that are done."""
        self._update("sampling", "step", done, total)

    def on_download(self, name: str, done: int, total: int | None) -> None:
        """Show the bytes of a file that have arrived."""
        self._update(f"downloading {name}", "B", done, total)

    def _update(self, label: str, unit: str, done: int, total: int | None) -> None:
        if self._bar is None or self._label != label:
            self._close()
            self._label = label
            # disable=None: off unless the file is a terminal
            self._bar = tqdm(
                total=total, desc=label, unit=unit, unit_scale=unit == "B", file=sys.stderr, disable=None, leave=False
            )
        self._bar.update(done - self._bar.n)
        if done == total:
            self._bar.refresh()  # updates are rate-limited, so the last one might not be drawn

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
