"""Settings of the dashboard: frozen, checked when made, each overridden by ``KRONOS_DASHBOARD_<NAME>``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from platformdirs import user_cache_path
from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from engine.validation import report_invalid
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.messages import msg
from kronos_dashboard.validation import Text

__all__ = ["DEFAULT_CONTEXT", "DEFAULT_HORIZON", "ENVIRONMENT_PREFIX", "Settings", "settings_schema"]

ENVIRONMENT_PREFIX = "KRONOS_DASHBOARD_"
"""Prefix of a field's name, in capitals, in the name of its environment variable."""

DEFAULT_CONTEXT = 400
"""Default context, candles. With the default horizon it nearly fills what the bundled and most published models see
(512). Here, and not in ``forecasting.defaults``, because the checks of ``markets.doctor`` follow it, too."""
DEFAULT_HORIZON = 120
"""Default horizon, bars."""

Count = Annotated[int, Field(strict=True, ge=1, description=msg("a whole number of at least 1"))]


def _invalid(name: str, expected: str, value: object) -> SettingsError:
    return SettingsError(
        msg("{name} must be {expected}; got {value}.", name=name, expected=expected, value=repr(value))
    )


@report_invalid(_invalid)
@dataclass(frozen=True, kw_only=True)
class Settings:
    """Bounds and defaults of the dashboard, each defined here only.

    Raises:
        SettingsError: a value is out of its range.
    """

    model: Text = "bundled"
    """Checkpoint that the app loads: "bundled", a published name, a hub id or a folder."""
    max_upload_mb: Count = 20
    """Largest file that is read, in MiB. Keep ``server.maxUploadSize`` in .streamlit/config.toml equal to it."""
    max_rows: Count = 1_000_000
    """Candles in one file."""
    min_context: Count = 32
    """Shortest context."""
    max_context: Count = 4_096
    """Longest context (each model has its own limit, usually a lower one)."""
    max_horizon: Count = 512
    """Longest horizon, bars."""
    max_paths: Count = 1_000
    """Paths per forecast (the app offers fewer)."""
    max_concurrent_jobs: Count = 1
    """Forecasts computed at the same time."""
    torch_threads: Count = 1
    """Torch threads per forecast in the app; more than there are idle cores slows everything down."""
    max_queued_jobs: Count = 64
    """Forecasts that may wait before a new one is rejected."""
    abandon_after_s: Count = 90
    """Seconds without a request from its browser tab after which a forecast is canceled."""
    cache_dir: Text = ""
    """Folder of fetched candles; empty: a folder of the dashboard in the user's cache folder."""
    max_cache_mb: Count = 512
    """Fetched candles on disk, in MiB; above it the least recently used series are removed."""
    feed_timeout_s: Count = 15
    """Timeout of one response of a feed, seconds."""
    feed_retry_budget_s: Count = 60
    """Seconds in which a request to a feed is retried before it counts as failed."""
    feed_proxy_url: Text = ""
    """Proxy on this machine that feeds send their requests to, as PROXY/HOST/PATH; empty: directly to the markets."""

    def __post_init__(self) -> None:
        """Check what a type cannot express."""
        if not self.model.strip():
            raise SettingsError(msg("model must name a checkpoint; got an empty string."))
        if self.feed_proxy_url:
            _check_proxy(self.feed_proxy_url)
        if self.min_context > self.max_context:
            raise SettingsError(
                msg(
                    "min_context ({min_context}) must not exceed max_context ({max_context}).",
                    min_context=self.min_context,
                    max_context=self.max_context,
                )
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The defaults, overridden by the variables in ``environment``.

        Raises:
            SettingsError: a value cannot be parsed, or is out of its range.
        """
        values: dict[str, Any] = {}
        for field in fields(cls):
            text = environment.get(ENVIRONMENT_PREFIX + field.name.upper())
            if text is not None:
                values[field.name] = _parse_int(field.name, text) if isinstance(field.default, int) else text
        return cls(**values)

    @property
    def max_upload_bytes(self) -> int:
        """``max_upload_mb`` in bytes."""
        return self.max_upload_mb * 1024 * 1024

    @property
    def cache_path(self) -> Path:
        """The folder of fetched candles (it may not exist yet)."""
        if self.cache_dir.strip():
            return Path(self.cache_dir).expanduser()
        return user_cache_path("kronos-dashboard", appauthor=False, opinion=False)


def settings_schema() -> dict[str, Any]:
    """The JSON schema of the settings."""
    return TypeAdapter(Settings).json_schema()


def _check_proxy(url: str) -> None:
    """Reject a proxy on another machine: it sees every request, and could forge the responses of the markets."""
    if not url.startswith(("http://", "https://")):
        raise SettingsError(msg("feed_proxy_url must start with http:// or https://; got {url}.", url=repr(url)))
    try:
        host = urlsplit(url).hostname or ""
        is_local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise SettingsError(
            msg(
                "feed_proxy_url must be on this machine (127.0.0.1, ::1 or localhost); got {url}.",
                url=repr(url),
            ),
            msg("Correct or unset {prefix}FEED_PROXY_URL.", prefix=ENVIRONMENT_PREFIX),
        )


def _parse_int(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(
            msg(
                "{prefix}{name} must be a whole number; got {text}.",
                prefix=ENVIRONMENT_PREFIX,
                name=name.upper(),
                text=repr(text),
            ),
            msg("Correct or unset the variable."),
        ) from error
