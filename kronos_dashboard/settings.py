"""Settings of the dashboard: frozen, checked when made, each overridable by ``KRONOS_DASHBOARD_<NAME>``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

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
    cache_dir: str = ""
    """Folder of fetched candles; empty: a folder of the dashboard's own in the user's cache folder."""
    max_cache_mb: int = 512
    """Most fetched candles on disk, in MiB; beyond that the series that were not used for longest are removed."""
    feed_timeout_s: int = 15
    """Seconds that a feed may take for one answer."""
    feed_patience_s: int = 60
    """Seconds in which one request to a feed is tried again before it counts as failed."""
    feed_gateway: str = ""
    """Where on this machine feeds send their requests, as GATEWAY/HOST/PATH; empty: to the markets."""

    def __post_init__(self) -> None:
        """Check every field."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise SettingsError(f"{field.name} must be a whole number of at least 1; got {value!r}.")
        if not self.model.strip():
            raise SettingsError("model must name a checkpoint; got an empty text.")
        if self.feed_gateway:
            _check_gateway(self.feed_gateway)
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

    @property
    def cache_path(self) -> Path:
        """The folder of fetched candles (it may not exist yet)."""
        return Path(self.cache_dir).expanduser() if self.cache_dir.strip() else _user_cache() / "kronos-dashboard"


def _check_gateway(gateway: str) -> None:
    """Refuse a gateway that is not on this machine: it sees every request, and answers in the markets' place."""
    if not gateway.startswith(("http://", "https://")):
        raise SettingsError(f"feed_gateway must start with http:// or https://; got {gateway!r}.")
    try:
        host = urlsplit(gateway).hostname or ""
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise SettingsError(
            f"feed_gateway must be on this machine (127.0.0.1, ::1 or localhost); got {gateway!r}.",
            f"Correct or unset {PREFIX}FEED_GATEWAY.",
        )


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(
            f"{PREFIX}{name.upper()} must be a whole number; got {text!r}.", "Correct or unset the variable."
        ) from error


def _user_cache() -> Path:
    """Where programs of this user keep what they can get again."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
