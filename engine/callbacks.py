"""Callbacks and cancellation of long computations. Importing this module does not load torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["CancelToken", "DownloadCallback", "PreviewCallback", "ProgressCallback", "RunHooks"]

ProgressCallback = Callable[[int, int], None]
"""Called after each decode step with the steps done and the total."""

PreviewCallback = Callable[[int, np.ndarray], None]
"""Called every few decode steps with a series' position in the call and its candles so far, float32 [N, t, 6], t < H,
in its own units. They are the first t candles of each path, up to rounding errors of 1e-6. If memory does not hold all
paths at once, N is the number of paths being sampled."""

DownloadCallback = Callable[[str, int, int | None], None]
"""Called while a file is downloaded with its name, the bytes so far and the total, None if that is not known."""


class CancelToken(Protocol):
    """Tells whether to stop; ``threading.Event`` is one."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


@dataclass(frozen=True, kw_only=True)
class RunHooks:
    """What a forecasting run reports to, and what can stop it."""

    progress: ProgressCallback | None = None
    cancel: CancelToken | None = None
    on_preview: PreviewCallback | None = None
