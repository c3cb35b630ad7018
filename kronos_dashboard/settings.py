"""Settings of the dashboard: frozen, checked when made, each overridable by ``KRONOS_DASHBOARD_<NAME>``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from kronos_dashboard.errors import SettingsError

__all__ = ["PREFIX", "Settings"]

PREFIX = "KRONOS_DASHBOARD_"
"""What the name of a field, in capitals, gets in front to become the name of its environment variable."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Bounds and defaults of the dashboard; the one place where each of them stands.

    Raises:
        SettingsError: a value is out of its range.
    """

    model: str = "bundled"
    """Checkpoint the app loads: "bundled", a published name, a hub id or a folder."""
    max_upload_mb: int = 20
    """Largest file that is read, in MiB. Keep ``server.maxUploadSize`` in .streamlit/config.toml the same."""
    max_rows: int = 1_000_000
    """Most candles in one file."""
    min_context: int = 32
    """Fewest candles a model is shown."""
    max_context: int = 4_096
    """Most candles a model is shown (each model has its own, usually smaller, limit)."""
    max_horizon: int = 512
    """Most steps that are forecast."""
    max_paths: int = 1_000
    """Most paths per forecast (the app offers fewer)."""
    workers: int = 1
    """Forecasts computed at the same time."""
    threads_per_worker: int = 1
    """Torch threads of one forecast in the app; more than the idle cores makes everything slower."""
    max_waiting: int = 64
    """Forecasts that may wait before a new one is refused."""
    orphan_after_s: int = 90
    """Seconds without a sign of life from its browser tab after which a forecast is cancelled."""

    def __post_init__(self) -> None:
        """Check every field."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise SettingsError(f"{field.name} must be a whole number of at least 1; got {value!r}.")
        if not self.model.strip():
            raise SettingsError("model must name a checkpoint; got an empty text.")
        if self.min_context > self.max_context:
            raise SettingsError(f"min_context ({self.min_context}) must not exceed max_context ({self.max_context}).")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The defaults, overridden by what ``environment`` holds.

        Raises:
            SettingsError: a value cannot be read, or is out of its range.
        """
        given = {f: environment[PREFIX + f.name.upper()] for f in fields(cls) if PREFIX + f.name.upper() in environment}
        values: dict[str, Any] = {
            field.name: _whole(field.name, text) if field.type == "int" else text for field, text in given.items()
        }
        return cls(**values)

    @property
    def max_upload_bytes(self) -> int:
        """``max_upload_mb`` in bytes."""
        return self.max_upload_mb * 1024 * 1024


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(
            f"{PREFIX}{name.upper()} must be a whole number; got {text!r}.", "Correct or unset the variable."
        ) from error
