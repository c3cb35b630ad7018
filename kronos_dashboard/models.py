"""Loaded models: one per name and device, shared read-only by everybody who forecasts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import KronosPredictor

__all__ = ["ModelShelf"]


class ModelShelf:
    """Loads each model once, also when several threads ask at the same time. Models stay until the shelf goes."""

    def __init__(self, threads: int | None = None) -> None:
        """Args: threads: torch threads per forecast in this process; None leaves torch's own choice."""
        self._threads = threads
        self._lock = threading.Lock()
        self._loading: dict[tuple[str, str | None], threading.Lock] = {}
        self._loaded: dict[tuple[str, str | None], KronosPredictor] = {}

    def get(self, name: str, device: str | None = None) -> KronosPredictor:
        """The predictor of that name, loaded on the first call (which takes seconds).

        Raises:
            CheckpointError: it cannot be had; the next call tries again.
        """
        key = (name, device)
        with self._lock:
            own = self._loading.setdefault(key, threading.Lock())
        with own:
            if key not in self._loaded:
                self._loaded[key] = self._load(name, device)
            return self._loaded[key]

    def peek(self, name: str, device: str | None = None) -> KronosPredictor | None:
        """The predictor if it is loaded already; never waits."""
        return self._loaded.get((name, device))

    def _load(self, name: str, device: str | None) -> KronosPredictor:
        import torch  # here, not above: it takes seconds, and pages must answer before it is there

        from engine import KronosPredictor

        if self._threads is not None:
            torch.set_num_threads(self._threads)
        return KronosPredictor.from_pretrained(name, device=device)
