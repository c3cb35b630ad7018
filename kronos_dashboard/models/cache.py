"""Models: which may be chosen, and the loaded ones, shared read-only by everybody who forecasts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_dashboard.models.loading import load_model

if TYPE_CHECKING:
    from engine import KronosPredictor

__all__ = ["BUNDLED", "DownloadProgress", "ModelChoice", "ModelShelf", "choices", "devices"]

DownloadProgress = Callable[[str, int, int | None], None]
"""Called while a file of a checkpoint arrives: its name, bytes so far, bytes in all (None: not known)."""

BUNDLED = "bundled"
"""The name of the checkpoint that ships with the project."""
MOST_LOADED = 4
"""Models that stay in memory; the one that was asked for longest ago goes first."""
_BUNDLED_PARAMETERS = 1_900_000
_USUAL_CONTEXT = 512


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A model that may be asked for."""

    name: str
    max_context: int = _USUAL_CONTEXT
    """Most candles that it sees at once, as far as that is known before it is loaded."""
    parameters: int | None = None
    download_mb: float = 0.0
    """What must be fetched where it is not on this machine yet, in millions of bytes; 0: nothing, or not known."""

    @property
    def size(self) -> float:
        """How many times as slow as the bundled model it should be, before it has run here."""
        return max(1.0, (self.parameters or _BUNDLED_PARAMETERS) / _BUNDLED_PARAMETERS) ** 0.9


def choices(configured: str) -> list[ModelChoice]:
    """The models that a page offers: the bundled one, the published ones, and the configured one, which comes first.

    A folder or a hub id is offered only where the settings name it: what comes from a browser is looked up in this
    list and never opened as a path. Loads torch where it is not loaded yet.
    """
    from engine.checkpoints import (
        registry,  # here, not above: it loads torch, and pages must answer before that is there
    )

    offered = [ModelChoice(name=BUNDLED, parameters=_BUNDLED_PARAMETERS)]
    for entry in registry.published_models():
        coder = registry.find(entry.tokenizer or "")
        megabytes = entry.download_mb + (coder.download_mb if coder else 0.0)
        offered.append(
            ModelChoice(
                name=entry.name, max_context=entry.max_context, parameters=entry.parameters, download_mb=megabytes
            )
        )
    own = next((choice for choice in offered if choice.name == configured.lower()), ModelChoice(name=configured))
    return [own, *(choice for choice in offered if choice is not own)]


def devices() -> list[str]:
    """The devices that this machine has, the best one first. Loads torch where it is not loaded yet."""
    import torch

    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*found, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


_Key = tuple[str, str | None, str]


class ModelShelf:
    """Loads each model once, also when several threads ask at the same time."""

    def __init__(self, threads: int | None = None, most: int = MOST_LOADED) -> None:
        """Make an empty shelf.

        Args:
            threads: torch threads per forecast in this process; None leaves torch's own choice.
            most: models that stay; one that a forecast still uses lives until it has ended.
        """
        self._threads = threads
        self._most = most
        self._lock = threading.Lock()
        self._loading: dict[_Key, threading.Lock] = {}
        self._loaded: OrderedDict[_Key, KronosPredictor] = OrderedDict()

    def get(
        self,
        name: str,
        device: str | None = None,
        dtype: str = "float32",
        *,
        progress: DownloadProgress | None = None,
    ) -> KronosPredictor:
        """The predictor of that name, loaded on the first call (which takes seconds, or a download).

        Args:
            name: "bundled", a published name, a hub id or a folder.
            device: None = the best there is.
            dtype: see ``loading.DTYPES``.
            progress: told about a download.

        Raises:
            CheckpointError: it cannot be had; the next call tries again.
            SettingsError: this machine has no such device, or there is no such type.
        """
        key = (name, device, dtype)
        with self._lock:
            own = self._loading.setdefault(key, threading.Lock())
        with own:
            found = self.peek(name, device, dtype)
            if found is None:
                found = self._load(key, progress)
                self._keep(key, found)
            return found

    def peek(self, name: str, device: str | None = None, dtype: str = "float32") -> KronosPredictor | None:
        """The predictor if it is loaded already; never waits for a model."""
        key = (name, device, dtype)
        with self._lock:
            if key in self._loaded:
                self._loaded.move_to_end(key)
            return self._loaded.get(key)

    def _keep(self, key: _Key, predictor: KronosPredictor) -> None:
        with self._lock:
            self._loaded[key] = predictor
            while len(self._loaded) > self._most:
                self._loaded.popitem(last=False)

    def _load(self, key: _Key, progress: DownloadProgress | None) -> KronosPredictor:
        name, device, dtype = key
        if self._threads is not None:
            import torch  # here, not above: it takes seconds, and pages must answer before it is there

            torch.set_num_threads(self._threads)
        return load_model(name, device=device, dtype=dtype, progress=progress)
