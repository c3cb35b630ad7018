"""The models that can be selected, and the devices of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from engine.checkpoints import registry
from engine.checkpoints.registry import BUNDLED

__all__ = ["BUNDLED", "ModelChoice", "ModelKey", "devices", "model_options"]

_BUNDLED_PARAMETERS = 1_900_000


@dataclass(frozen=True, kw_only=True)
class ModelKey:
    """Identifies a loaded model: what it is loaded by, its device, and the data type of its matrix products."""

    name: str
    """``bundled``, a published name, a hub id or a folder."""
    device: str | None = None
    """None: the best available."""
    dtype: str = "float32"

    def __str__(self) -> str:
        """One text for all three, under which run times are stored."""
        return f"{self.name}|{self.device or 'best'}|{self.dtype}"


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A model that can be selected."""

    name: str
    max_context: int = registry.DEFAULT_MAX_CONTEXT
    """Candles that it sees at once, as far as that is known before it is loaded."""
    parameters: int | None = None
    download_mb: float = 0.0
    """Size of its download if it is not on this machine yet, in millions of bytes; 0: none, or unknown."""

    @property
    def relative_cost(self) -> float:
        """Estimated run time relative to the bundled model, for a model that has not run on this machine yet.

        Grows slightly slower than the number of parameters, since a part of each decode step does not depend on it.
        """
        return max(1.0, (self.parameters or _BUNDLED_PARAMETERS) / _BUNDLED_PARAMETERS) ** 0.9


def model_options(configured: str) -> list[ModelChoice]:
    """The models that a page offers: the configured one first, then the bundled and the published ones.

    A folder or a hub id is offered only if the settings name it: a name from a browser is looked up in this list and
    never opened as a path.
    """
    options = [ModelChoice(name=BUNDLED, parameters=_BUNDLED_PARAMETERS)]
    for entry in registry.published_models():
        tokenizer = registry.find_checkpoint(entry.tokenizer or "")
        megabytes = entry.download_mb + (tokenizer.download_mb if tokenizer else 0.0)
        options.append(
            ModelChoice(
                name=entry.name, max_context=entry.max_context, parameters=entry.parameters, download_mb=megabytes
            )
        )
    first = next((choice for choice in options if choice.name == configured.lower()), ModelChoice(name=configured))
    return [first, *(choice for choice in options if choice is not first)]


def devices() -> list[str]:
    """The torch devices of this machine, the best one first. Imports torch if that has not happened yet."""
    import torch  # here, not above: it takes seconds

    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*cuda, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]
