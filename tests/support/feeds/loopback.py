"""A server on this machine that stands in for markets: it speaks their formats, and fails on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pandas as pd

from kronos_dashboard.markets.feeds.transport import Transport

Answer = dict[str, Any] | list[Any] | None
Market = Callable[[str, dict[str, str]], Answer]
"""(host and path, query) -> JSON; None: 404."""


@dataclass
class Fault:
    """What goes wrong with the next ``times`` requests whose path holds ``match``."""

    kind: str = "status"
    """``status``, ``slow`` (no answer in time), ``cut`` (the connection ends), ``truncated``, ``html``, ``large``."""
    match: str = ""
    times: int = 1
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.seconds += seconds


class Loopback:
    """The server; ``with Loopback(market) as server``."""

    def __init__(self, market: Market, now: pd.Timestamp | None = None) -> None:
        self.market, self.now = market, now
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.broken: list[Exception] = []
        """What went wrong in the market itself, which is a mistake in a test."""
        self.time = FakeTime()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def transport(self, **changes: Any) -> Transport:
        """The way here, without real waits."""
        given: dict[str, Any] = {"timeout_s": 5.0, "sleep": self.time.sleep, "clock": self.time.clock, **changes}
        return Transport(proxy_url=self.url, **given)

    def count(self, part: str) -> int:
        """Requests so far whose path holds ``part``."""
        return sum(part in path for path, _ in self.asked)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        for error in self.broken:
            raise error

    def close(self) -> None:
        """Nobody answers here any more."""
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    def _fault(self, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and fault.match in path:
                    fault.times -= 1
                    return fault
        return None

    def _answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes, int]:
        """Status, headers, body, and how much of the body is sent."""
        fault = self._fault(path)
        if fault is not None and fault.kind == "slow":
            self._stop.wait(1.0)
        if fault is not None and fault.kind == "status":
            body = fault.body.encode()
            return fault.status, fault.headers, body, len(body)
        if fault is not None and fault.kind == "html":
            body = b"<!DOCTYPE html><html><head><title>Sign in to the hotel network</title></head></html>"
            return 200, {"Content-Type": "text/html"}, body, len(body)
        answer = self.market(path, query)
        status = 200
        if isinstance(answer, dict) and "_status" in answer:
            status = answer.pop("_status")
        body = json.dumps(answer).encode()
        if answer is None:
            return 404, {}, b"{}", 2
        if fault is not None and fault.kind == "truncated":
            body = body[: len(body) // 2]
        if fault is not None and fault.kind == "large":
            body += b" " * 1_000_000
        sent = len(body) // 2 if fault is not None and fault.kind == "cut" else len(body)
        return status, {"Content-Type": "application/json"}, body, sent

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                path, query = parts.path.lstrip("/"), dict(parse_qsl(parts.query))
                with server._lock:
                    server.asked.append((path, query))
                try:
                    status, headers, body, sent = server._answer(path, query)
                except Exception as error:  # noqa: BLE001 - told to the test by __exit__
                    server.broken.append(error)
                    return
                try:
                    self.send_response_only(status)
                    now = server.now or pd.Timestamp.now("UTC")
                    self.send_header("Date", format_datetime(now.floor("s").to_pydatetime(), usegmt=True))
                    self.send_header("Content-Length", str(len(body)))
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body[:sent])
                except OSError:
                    pass  # the client has gone, as after a time-out
                self.close_connection = sent < len(body) or self.close_connection

            def log_message(self, *_: object) -> None:
                return

        return Handler
