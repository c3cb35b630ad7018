"""A hub on 127.0.0.1 that speaks as much of the protocol as ``hf_hub_download`` uses, with switches for its failures.

``HEAD`` and ``GET /{owner}/{name}/resolve/{revision}/{file}`` answer with ``X-Repo-Commit``, ``ETag`` and
``Content-Length``; large files also with ``X-Linked-Etag`` (their SHA-256) and ``X-Linked-Size``. ``Range`` gives 206.
"""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PARTS = 8


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    range: str | None
    authorization: str | None


@dataclass
class Hub:
    """What the server serves, how it fails, and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """By path, "owner/name/config.json"."""
    commit: str = COMMIT
    requests: list[Request] = field(default_factory=list)
    cut_after: deque[int] = field(default_factory=deque)
    """Each GET of a weights file takes one: the connection is dropped after so many bytes."""
    reset: bool = False
    """Drop it with a reset instead of an orderly end."""
    status: int | None = None
    """Answer everything so."""
    error_code: str | None = None
    """The ``X-Error-Code`` that goes with ``status``."""
    delay_s: float = 0.0
    """Wait so long before every answer."""
    plain: bool = False
    """Answer without the headers of a hub, like a captive portal."""
    pause_s: float = 0.0
    """Send weights in parts, with such a pause after each of them."""

    def serve_folder(self, repo: str, folder: Path, prefix: str = "") -> None:
        """Serve the checkpoint files of ``folder`` as the top of ``repo``."""
        for path in folder.iterdir():
            if path.name in ("config.json", "model.safetensors"):
                self.files[f"{repo}/{prefix}{path.name}"] = path.read_bytes()

    def asked(self, method: str) -> list[Request]:
        """The requests of this method, oldest first."""
        return [request for request in self.requests if request.method == method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, with_body: bool) -> None:
        headers = self.headers
        self.hub.requests.append(Request(self.command, self.path, headers.get("Range"), headers.get("Authorization")))
        time.sleep(self.hub.delay_s)
        if self.hub.status is not None:
            self._refuse(self.hub.status, self.hub.error_code)
            return
        repo, _, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, filename = rest.partition("/")
        if not any(name.startswith(f"{repo}/") for name in self.hub.files):
            self._refuse(404, "RepoNotFound")
        elif revision not in ("main", self.hub.commit):
            self._refuse(404, "RevisionNotFound")
        elif f"{repo}/{filename}" not in self.hub.files:
            self._refuse(404, "EntryNotFound")
        else:
            self._send(self.hub.files[f"{repo}/{filename}"], filename.endswith(".safetensors"), with_body)

    def _refuse(self, status: int, code: str | None) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if code == "EntryNotFound":
            self.send_header("X-Repo-Commit", self.hub.commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, content: bytes, large: bool, with_body: bool) -> None:
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if not self.hub.plain:
            self.send_header("X-Repo-Commit", self.hub.commit)
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            if large:
                self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
                self.send_header("X-Linked-Size", str(len(content)))
        self.end_headers()
        if not with_body:
            return
        body = content[start:]
        if large and self.hub.cut_after:
            self.wfile.write(body[: self.hub.cut_after.popleft()])
            self.wfile.flush()
            self.close_connection = True
            if self.hub.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            return
        part = -(-len(body) // _PARTS) if large and self.hub.pause_s else max(1, len(body))
        for begin in range(0, len(body), part):
            self.wfile.write(body[begin : begin + part])
            time.sleep(self.hub.pause_s)


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Serve ``hub`` on a free port until the block ends; ``hub.url`` says where."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
