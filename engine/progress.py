"""How a long computation tells of its steps and is told to stop. Light: naming these types loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["CancelToken", "Progress"]

Progress = Callable[[int, int], None]
"""Called with the decode steps done and all decode steps, after each."""


class CancelToken(Protocol):
    """Anything that can say that the caller wants to stop; ``threading.Event`` does."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...
