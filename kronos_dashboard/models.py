"""Loaded models: one per name and device, shared read-only by everybody who forecasts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from kronos_dashboard.loading import load_model

if TYPE_CHECKING:
    from engine import KronosPredictor

__all__ = ["DownloadProgress", "ModelShelf"]

DownloadProgress = Callable[[str, int, int | None], None]
"""Called while a file of a checkpoint arrives: its name, bytes so far, bytes in all (None: not known)."""


class ModelShelf:
    """Loads each model once, also when several threads ask at the same time. Models stay until the shelf goes."""

    def __init__(self, threads: int | None = None) -> None:
        """Args: threads: torch threads per forecast in this process; None leaves torch's own choice."""
        self._threads = threads
        self._lock = threading.Lock()
        self._loading: dict[tuple[str, str | None], threading.Lock] = {}
        self._loaded: dict[tuple[str, str | None], KronosPredictor] = {}

    def get(self, name: str, device: str | None = None, progress: DownloadProgress | None = None) -> KronosPredictor:
        """The predictor of that name, loaded on the first call (which takes seconds, or a download).

        Raises:
            CheckpointError: it cannot be had; the next call tries again.
            SettingsError: this machine has no such device.
        """
        key = (name, device)
        with self._lock:
            own = self._loading.setdefault(key, threading.Lock())
        with own:
            if key not in self._loaded:
                self._loaded[key] = self._load(name, device, progress)
            return self._loaded[key]

    def peek(self, name: str, device: str | None = None) -> KronosPredictor | None:
        """The predictor if it is loaded already; never waits."""
        return self._loaded.get((name, device))

    def _load(self, name: str, device: str | None, progress: DownloadProgress | None) -> KronosPredictor:
        if self._threads is not None:
            import torch  # here, not above: it takes seconds, and pages must answer before it is there

            torch.set_num_threads(self._threads)
        return load_model(name, device=device, progress=progress)
