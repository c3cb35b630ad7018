"""Figures of a benchmark as lines, each with what is wanted of it; and bytes that a page takes from its server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Page

STATIC = ("/static/", "/_stcore/bidi-components/")
"""What a browser loads once and keeps: the scripts and fonts of the app, the chart's client and plotly.js."""


@dataclass
class Report:
    """Lines as they are measured, and whether all that is wanted was met."""

    missed: list[str] = field(default_factory=list)

    def head(self) -> None:
        """What else the machine is busy with."""
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")

    def line(self, what: str, value: float, unit: str, most: float | None = None) -> None:
        decimals = 2 if unit == "s" else 0
        wanted = "" if most is None else f"   (wanted: at most {most:,.{decimals}f} {unit})"
        print(f"{what:<66}{value:>12,.{decimals}f} {unit}{wanted}", flush=True)
        if most is not None and value > most:
            self.missed.append(what)

    def tell(self) -> bool:
        """Say at the end what was missed; whether anything was."""
        for what in self.missed:
            print(f"missed: {what}")
        return bool(self.missed)


class Wire:
    """Bytes that a page received: over its websocket, as answers to requests, and as files that a browser keeps."""

    def __init__(self, page: Page) -> None:
        self.socket = self.answers = self.files = 0
        self._urls: dict[str, str] = {}
        network = page.context.new_cdp_session(page)
        network.on("Network.responseReceived", self._begin)
        network.on("Network.loadingFinished", self._end)
        network.send("Network.enable")
        page.on("websocket", lambda socket: socket.on("framereceived", self._frame))

    def taken(self) -> tuple[int, int, int]:
        """Bytes of the three kinds since this was last asked."""
        found = (self.socket, self.answers, self.files)
        self.socket = self.answers = self.files = 0
        return found

    def _frame(self, data: bytes | str) -> None:
        self.socket += len(data)

    def _begin(self, event: dict) -> None:
        self._urls[event["requestId"]] = urlsplit(event["response"]["url"]).path

    def _end(self, event: dict) -> None:
        path, size = self._urls.pop(event["requestId"], ""), int(event["encodedDataLength"])
        if any(part in path for part in STATIC):
            self.files += size
        else:
            self.answers += size
