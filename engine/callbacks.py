"""How a long computation tells of its steps and is told to stop. Light: naming these types loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

__all__ = ["CancelToken", "Partial", "Progress"]

Progress = Callable[[int, int], None]
"""Called with the decode steps done and all decode steps, after each."""

Partial = Callable[[int, np.ndarray], None]
"""Called every few decode steps with a series' place in the call and its candles so far, float32 [N, t, 6], t < H, in
its own units: each path's first t candles, nearly as they will be (noise of 1e-6 where values are rounded). Where there
are more paths than memory holds at once, N is as many as are being drawn."""


class CancelToken(Protocol):
    """Anything that can say that the caller wants to stop; ``threading.Event`` does."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...
