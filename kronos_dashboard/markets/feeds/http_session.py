"""A requests session that keeps to a ``Transport``: routed, bounded, without redirects. Slow to import: import late."""

from __future__ import annotations

from typing import Any

import requests

from kronos_dashboard.markets.feeds.transport import Seen, Transport

__all__ = ["WebSession"]

_PIECE = 256 * 1024
_SLOW = 4
"""An answer that drips in for this many time-outs is given up."""


class WebSession(requests.Session):
    """Sends requests where its transport says, and remembers in ``seen`` what came back."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self.transport = transport
        self.seen = Seen()
        self.trust_env = not transport.gateway

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """One request; the answer is read whole, or not at all when it is too large or too slow."""
        self.seen.begin()
        request.url = self.transport.route(request.url or "")
        options |= {"allow_redirects": False, "stream": True, "timeout": self.transport.timeout_s}
        response = super().send(request, **options)
        headers = response.headers
        self.seen.answer(response.status_code, headers.get("Date"), headers.get("Age"), headers.get("Retry-After"))
        with response:
            self._read(response)
        return response

    def _read(self, response: requests.Response) -> None:
        """Raises RequestException for an answer that is too large, Timeout for one that does not end."""
        start, pieces, size = self.transport.clock(), [], 0
        for piece in response.iter_content(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > self.transport.max_bytes:
                self.seen.too_large = True
                raise requests.RequestException(f"the answer is larger than {self.transport.max_bytes:,} bytes")
            if self.transport.clock() - start > _SLOW * self.transport.timeout_s:
                raise requests.Timeout("the answer does not end")
        response._content = b"".join(pieces)  # what .text and .content read, once the stream is used up
