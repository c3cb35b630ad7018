"""A model by its name, on a device, with numbers of a type: checked before anything is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kronos_dashboard.errors import SettingsError

if TYPE_CHECKING:
    from engine import KronosPredictor

__all__ = ["DTYPES", "load_model"]

DTYPES = ("float32", "bfloat16")
"""Types of the model's matrix products."""


def load_model(
    name: str,
    *,
    device: str | None = None,
    dtype: str = "float32",
    max_context: int | None = None,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> KronosPredictor:
    """Load a model and its tokenizer; takes seconds, or a download.

    Args:
        name: "bundled", a published name, a hub id or a folder.
        device: "cpu", "cuda", "mps", ...; None = the best there is.
        dtype: one of ``DTYPES``.
        max_context: most candles the model sees at once; None = its own limit.
        progress: called while a file arrives with its name, the bytes so far, and the bytes in all where known.

    Raises:
        CheckpointError: it cannot be had.
        SettingsError: this machine has no such device, or there is no such type.
    """
    import torch  # here, not above: it takes seconds, and pages must answer before it is there

    from engine import KronosPredictor

    if dtype not in DTYPES:
        raise SettingsError(f"the type must be one of {', '.join(DTYPES)}; got {dtype!r}.", "Leave it out for float32.")
    _check_device(device)
    return KronosPredictor.from_pretrained(
        name, device=device, dtype=getattr(torch, dtype), max_context=max_context, progress=progress
    )


def _check_device(device: str | None) -> None:
    import torch

    here = ["cpu"]
    if torch.cuda.is_available():
        here += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        here.append("mps")
    if device is not None and device not in here:
        raise SettingsError(
            f"the device {device!r} is not on this machine; it has: {', '.join(here)}.",
            "Leave the device out to take the best there is.",
        )
