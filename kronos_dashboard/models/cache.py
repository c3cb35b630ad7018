"""The loaded models, shared read-only by everybody who forecasts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from kronos_dashboard.models.loading import load_model

if TYPE_CHECKING:
    from engine import KronosPredictor
    from engine.callbacks import DownloadCallback

__all__ = ["ModelCache"]

MAX_LOADED_MODELS = 4
"""Models that stay in memory by default; the least recently used one is dropped first."""

_Key = tuple[str, str | None, str]


class ModelCache:
    """Loads each model once, also when several threads request it at the same time."""

    def __init__(self, threads: int | None = None, max_models: int = MAX_LOADED_MODELS) -> None:
        """Make an empty cache.

        Args:
            threads: torch threads per forecast in this process; None leaves torch's own choice.
            max_models: models that stay loaded; one that a forecast still uses lives until it has ended.
        """
        self._threads = threads
        self._max_models = max_models
        self._lock = threading.Lock()
        self._loading: dict[_Key, threading.Lock] = {}
        self._loaded: OrderedDict[_Key, KronosPredictor] = OrderedDict()

    def get(
        self,
        name: str,
        device: str | None = None,
        dtype: str = "float32",
        *,
        progress: DownloadCallback | None = None,
    ) -> KronosPredictor:
        """The predictor of that name, loaded on the first call (which takes seconds, or a download).

        Args:
            name: "bundled", a published name, a hub id or a folder.
            device: None = the best available.
            dtype: one of ``loading.DTYPES``.
            progress: called during a download.

        Raises:
            CheckpointError: the checkpoint cannot be loaded; the next call tries again.
            SettingsError: this machine has no such device, or there is no such dtype.
        """
        key = (name, device, dtype)
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            predictor = self.get_if_loaded(name, device, dtype)
            if predictor is None:
                predictor = self._load(key, progress)
                self._add(key, predictor)
            return predictor

    def get_if_loaded(self, name: str, device: str | None = None, dtype: str = "float32") -> KronosPredictor | None:
        """The predictor if it is loaded already; never waits for a model."""
        key = (name, device, dtype)
        with self._lock:
            if key in self._loaded:
                self._loaded.move_to_end(key)
            return self._loaded.get(key)

    def _add(self, key: _Key, predictor: KronosPredictor) -> None:
        with self._lock:
            self._loaded[key] = predictor
            while len(self._loaded) > self._max_models:
                self._loaded.popitem(last=False)

    def _load(self, key: _Key, progress: DownloadCallback | None) -> KronosPredictor:
        name, device, dtype = key
        if self._threads is not None:
            import torch  # here, not above: it takes seconds, and pages must respond before it is loaded

            torch.set_num_threads(self._threads)
        return load_model(name, device=device, dtype=dtype, progress=progress)
