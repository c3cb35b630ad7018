"""A requests session on a ``Transport``: routed, bounded, without redirects. Slow to import: import it lazily."""

from __future__ import annotations

from typing import Any

import requests

from kronos_dashboard.markets.feeds.transport import ResponseInfo, Transport

__all__ = ["HttpSession"]

_CHUNK_BYTES = 256 * 1024
_MAX_TIMEOUTS = 4
"""Time-outs after which a slow response is abandoned: the time-out itself covers only the pause between bytes."""


class HttpSession(requests.Session):
    """Sends requests through its transport, and records each response in ``last_response``."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self.transport = transport
        self.last_response = ResponseInfo()
        self.trust_env = not transport.proxy_url

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send one request and read the whole response.

        Raises:
            requests.RequestException: the response is too large.
            requests.Timeout: the response does not end.
        """
        self.last_response.on_request()
        request.url = self.transport.route(request.url or "")
        options |= {"allow_redirects": False, "stream": True, "timeout": self.transport.timeout_s}
        response = super().send(request, **options)
        headers = response.headers
        self.last_response.on_response(
            response.status_code, headers.get("Date"), headers.get("Age"), headers.get("Retry-After")
        )
        with response:
            self._read(response)
        return response

    def _read(self, response: requests.Response) -> None:
        start, chunks, size = self.transport.clock(), [], 0
        for chunk in response.iter_content(_CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > self.transport.max_bytes:
                self.last_response.too_large = True
                raise requests.RequestException(f"the answer is larger than {self.transport.max_bytes:,} bytes")
            if self.transport.clock() - start > _MAX_TIMEOUTS * self.transport.timeout_s:
                raise requests.Timeout("the answer does not end")
        response._content = b"".join(chunks)  # .text and .content read this once the stream is consumed
