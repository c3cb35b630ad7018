"""Loading a model by name onto a device; device and dtype are checked before any file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_dashboard.errors import SettingsError
from kronos_dashboard.messages import msg

if TYPE_CHECKING:
    from engine import KronosPredictor
    from engine.callbacks import DownloadCallback

__all__ = ["DTYPES", "load_model"]

DTYPES = ("float32", "bfloat16")
"""Data types of the model's matrix products."""


def load_model(
    name: str,
    *,
    device: str | None = None,
    dtype: str = "float32",
    max_context: int | None = None,
    progress: DownloadCallback | None = None,
) -> KronosPredictor:
    """Load a model and its tokenizer; takes seconds, or a download.

    Args:
        name: "bundled", a published name, a hub id or a folder.
        device: "cpu", "cuda", "mps", ...; None = the best available.
        dtype: one of ``DTYPES``.
        max_context: candles the model sees at once; None = its own limit.
        progress: called during a download with the file's name, the bytes so far, and the total where known.

    Raises:
        CheckpointError: the checkpoint cannot be loaded.
        SettingsError: this machine has no such device, or there is no such dtype.
    """
    import torch  # here, not above: it takes seconds, and pages must respond before it is loaded

    from engine import KronosPredictor

    if dtype not in DTYPES:
        raise SettingsError(
            msg(
                "the precision (dtype) must be one of {types}; got {dtype}.", types=", ".join(DTYPES), dtype=repr(dtype)
            ),
            msg("Omit it to use float32."),
        )
    _check_device(device)
    return KronosPredictor.from_pretrained(
        name, device=device, dtype=getattr(torch, dtype), max_context=max_context, progress=progress
    )


def _check_device(device: str | None) -> None:
    import torch

    available = ["cpu"]
    if torch.cuda.is_available():
        available += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        available.append("mps")
    if device is not None and device not in available:
        raise SettingsError(
            msg(
                "device {device} is not available on this machine; available: {devices}.",
                device=repr(device),
                devices=", ".join(available),
            ),
            msg("Omit the device to use the best available one."),
        )
