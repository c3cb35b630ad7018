"""A line on stderr that counts bytes and decode steps, when somebody watches."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Self

__all__ = ["ProgressLine"]

_WIDTH = 30


@dataclass
class ProgressLine:
    """Drawn over itself; gone when the work is done.

    Args:
        shown: whether anything is drawn.
    """

    shown: bool

    def __enter__(self) -> Self:
        """Nothing is drawn yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wipe the line."""
        self._put("\r\033[K")

    def step(self, done: int, total: int) -> None:
        """A decode step is done."""
        self._draw("sampling", done / total if total else 0.0, f"step {done} of {total}")

    def download(self, name: str, done: int, total: int | None) -> None:
        """More bytes of a file have arrived."""
        of_all = f" of {total / 1e6:,.0f}" if total else ""
        self._draw("downloading", done / total if total else 0.0, f"{name} {done / 1e6:,.0f}{of_all} MB")

    def _draw(self, what: str, share: float, told: str) -> None:
        self._put(f"\r\033[K{what} [{'#' * round(_WIDTH * share):<{_WIDTH}}] {told}")

    def _put(self, text: str) -> None:
        if self.shown:
            sys.stderr.write(text)
            sys.stderr.flush()
