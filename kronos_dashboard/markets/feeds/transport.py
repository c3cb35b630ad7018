"""How feeds reach their servers: limits, the way there, and patience with errors that pass. Tests give their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Self, TypeVar
from urllib.parse import urlsplit

import pandas as pd
import tenacity

from kronos_dashboard.settings import Settings

__all__ = ["Patience", "Seen", "Transport", "patiently"]

T = TypeVar("T")
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Transport:
    """The way to the servers and its limits."""

    gateway: str = ""
    """Requests go to ``gateway/host/path`` instead of ``host/path``; empty: straight there."""
    timeout_s: float = 15.0
    """For one answer."""
    patience_s: float = 60.0
    """For one request with all its repetitions."""
    attempts: int = 6
    max_bytes: int = 64 * _MIB
    """Largest answer that is read (the list of all markets of a large exchange has some 20 MiB)."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    """Seconds from some fixed point."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the settings say."""
        return cls(
            gateway=settings.feed_gateway.rstrip("/"),
            timeout_s=float(settings.feed_timeout_s),
            patience_s=float(settings.feed_patience_s),
        )

    def route(self, url: str) -> str:
        """Where a request for ``url`` is sent."""
        if not self.gateway:
            return url
        parts = urlsplit(url)
        return f"{self.gateway}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")


@dataclass
class Seen:
    """What the last answer on a session said about itself; written by the session, read by its feed."""

    status: int | None = None
    """None: there was no answer."""
    time: pd.Timestamp | None = None
    """The server's clock (UTC)."""
    retry_after_s: float | None = None
    too_large: bool = False
    asked: int = field(default=0)
    """Requests so far."""

    def begin(self) -> None:
        """A request goes out."""
        self.status, self.retry_after_s, self.too_large = None, None, False
        self.asked += 1

    def answer(self, status: int, date: str | None, age: str | None, retry_after: str | None) -> None:
        """Note down the headers of an answer."""
        self.status = status
        told = _http_time(date)
        if told is not None:
            self.time = told + pd.Timedelta(seconds=_seconds(age) or 0)
        self.retry_after_s = _seconds(retry_after)
        if self.retry_after_s is None and retry_after and told is not None:
            until = _http_time(retry_after)
            self.retry_after_s = None if until is None else max(0.0, (until - told).total_seconds())


@dataclass(frozen=True)
class Patience:
    """What to do about an error: how many attempts in all, and how long the server wants to be left alone."""

    attempts: int
    """1: no second one."""
    wait_s: float | None = None


def patiently(work: Callable[[], T], transport: Transport, judge: Callable[[BaseException], Patience]) -> T:
    """Do ``work``, again after errors that pass, with waits that double and vary, within the transport's patience.

    The server's own wish for a pause is heeded; when it goes beyond the patience, the error is raised at once.
    """
    deadline = transport.clock() + transport.patience_s
    backoff = tenacity.wait_exponential(multiplier=0.5, max=20) + tenacity.wait_random(0, 0.5)

    def verdict(state: tenacity.RetryCallState) -> Patience:
        error = state.outcome.exception() if state.outcome else None
        return judge(error) if error is not None else Patience(1)

    def wait(state: tenacity.RetryCallState) -> float:
        return max(backoff(state), verdict(state).wait_s or 0.0)

    def stop(state: tenacity.RetryCallState) -> bool:
        allowed = min(transport.attempts, verdict(state).attempts)
        return state.attempt_number >= allowed or transport.clock() + state.upcoming_sleep > deadline

    retrying = tenacity.Retrying(
        wait=wait, stop=stop, sleep=transport.sleep, retry=tenacity.retry_if_exception_type(Exception), reraise=True
    )
    return retrying(work)


def _http_time(text: str | None) -> pd.Timestamp | None:
    if not text:
        return None
    try:
        time = pd.Timestamp(parsedate_to_datetime(text))
    except (TypeError, ValueError):
        return None
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _seconds(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None
