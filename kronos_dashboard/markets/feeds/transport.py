"""Transport of the feeds: routing, limits, and retries of transient errors. Tests inject their own."""

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

__all__ = ["ResponseInfo", "RetryPolicy", "Transport", "with_retries"]

T = TypeVar("T")
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Transport:
    """Routing, limits and clock of a feed's requests."""

    proxy_url: str = ""
    """Requests go to ``proxy_url/host/path`` instead of ``host/path``; empty: directly to the host."""
    timeout_s: float = 15.0
    """Of one response."""
    retry_budget_s: float = 60.0
    """Of one request with all its retries."""
    max_attempts: int = 6
    """The waits double from 0.5 s, so that more attempts would not fit into the budget."""
    max_bytes: int = 64 * _MIB
    """Largest response that is read (the market list of a large exchange has some 20 MiB)."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    """Seconds since an arbitrary fixed time."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The transport that the settings describe."""
        return cls(
            proxy_url=settings.feed_proxy_url.rstrip("/"),
            timeout_s=float(settings.feed_timeout_s),
            retry_budget_s=float(settings.feed_retry_budget_s),
        )

    def route(self, url: str) -> str:
        """The address to which a request for ``url`` is sent."""
        if not self.proxy_url:
            return url
        parts = urlsplit(url)
        return f"{self.proxy_url}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")


@dataclass
class ResponseInfo:
    """Status and headers of the last response of a session; written by the session, read by its feed."""

    status: int | None = None
    """None: no response."""
    server_time: pd.Timestamp | None = None
    """The server's clock (UTC)."""
    retry_after_s: float | None = None
    too_large: bool = False
    num_requests: int = field(default=0)
    """Requests so far."""

    def on_request(self) -> None:
        """Reset before a request is sent."""
        self.status, self.retry_after_s, self.too_large = None, None, False
        self.num_requests += 1

    def on_response(self, status: int, date: str | None, age: str | None, retry_after: str | None) -> None:
        """Record the status and the headers of a response."""
        self.status = status
        sent_at = _parse_http_date(date)
        if sent_at is not None:
            self.server_time = sent_at + pd.Timedelta(seconds=_parse_seconds(age) or 0)
        self.retry_after_s = _parse_seconds(retry_after)
        if self.retry_after_s is None and retry_after and sent_at is not None:
            until = _parse_http_date(retry_after)
            self.retry_after_s = None if until is None else max(0.0, (until - sent_at).total_seconds())


@dataclass(frozen=True)
class RetryPolicy:
    """How to retry after an error."""

    max_attempts: int
    """Attempts in total; 1: no retry."""
    wait_s: float | None = None
    """Pause that the server asks for."""


def with_retries(work: Callable[[], T], transport: Transport, classify: Callable[[BaseException], RetryPolicy]) -> T:
    """Call ``work``, again after transient errors, with exponential backoff and jitter, within the retry budget.

    A pause that the server asks for is kept; where it exceeds the budget, the error is raised at once.

    Args:
        work: the request.
        transport: gives the budget, the clock and ``sleep``.
        classify: the retry policy for an error.
    """
    deadline = transport.clock() + transport.retry_budget_s
    backoff = tenacity.wait_exponential(multiplier=0.5, max=20) + tenacity.wait_random(0, 0.5)

    def policy_of(state: tenacity.RetryCallState) -> RetryPolicy:
        error = state.outcome.exception() if state.outcome else None
        return classify(error) if error is not None else RetryPolicy(1)

    def wait(state: tenacity.RetryCallState) -> float:
        return max(backoff(state), policy_of(state).wait_s or 0.0)

    def stop(state: tenacity.RetryCallState) -> bool:
        allowed = min(transport.max_attempts, policy_of(state).max_attempts)
        return state.attempt_number >= allowed or transport.clock() + state.upcoming_sleep > deadline

    retrying = tenacity.Retrying(
        wait=wait, stop=stop, sleep=transport.sleep, retry=tenacity.retry_if_exception_type(Exception), reraise=True
    )
    return retrying(work)


def _parse_http_date(text: str | None) -> pd.Timestamp | None:
    if not text:
        return None
    try:
        time = pd.Timestamp(parsedate_to_datetime(text))
    except (TypeError, ValueError):
        return None
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _parse_seconds(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None
