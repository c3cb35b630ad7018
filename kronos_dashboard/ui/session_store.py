"""What a reader has on the desk outlives a reload of the page: kept in this process, found again by the browser's tab.

Every session gets an unguessable token, which its tab remembers as long as it is open (``sessionStorage``: no other tab
and no other site sees it, and it is in no address). A reload begins a new session; its tab then shows the token of the
old one and gets back what that had.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

__all__ = ["Desks", "keep_desk", "remember_desk"]

MOST_DESKS = 64
MOST_BYTES = 512 * 1024 * 1024
KEPT_S = 4 * 3600.0
"""Seconds after its last change that a desk is kept."""

_TOKEN, _TAB = "desk_token", "desk_tab"
_KEPT_KEYS = (
    *("series", "source", "results", "job", "session_id", "revealed"),
    *("context", "horizon", "mode", "overlap", "auto", "auto_tried"),
    *("paths", "seed", "temperature", "top_p", "top_k", "min_p", "begin", "leaning", "model", "device", "dtype"),
    *(
        "colours",
        "drawn_paths",
        "behind",
        "show_log",
        "show_path",
        "show_surprise",
        "hollow",
        "truth_candles",
        "levels",
    ),
)
_KEPT_PREFIX = "row_"

_TAB_PART = st.components.v2.component(
    "kronos_dashboard.desk",
    js="""export default function ({ data, setStateValue }) {
  const known = sessionStorage.getItem("kronos_desk");
  if (!known || known === data.refused) sessionStorage.setItem("kronos_desk", data.token);
  else if (known !== data.token) setStateValue("token", known);
}""",
    isolate_styles=False,
)


@dataclass(frozen=True)
class _Desk:
    values: Mapping[str, Any]
    size: int
    changed: float


class Desks:
    """Desks by token, for all sessions of this process; so many, so many bytes, so long.

    Args:
        clock: seconds; an argument so that tests need not wait.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._desks: OrderedDict[str, _Desk] = OrderedDict()

    def put(self, token: str, values: Mapping[str, Any], size: int) -> None:
        """Keep what is on a desk; what was on it before is forgotten."""
        with self._lock:
            self._desks.pop(token, None)
            self._desks[token] = _Desk(dict(values), size, self._clock())
            self._sweep()

    def get(self, token: str) -> dict[str, Any] | None:
        """What is on a desk; None where there is none (any more)."""
        with self._lock:
            self._sweep()
            desk = self._desks.get(token)
            return None if desk is None else dict(desk.values)

    def _sweep(self) -> None:
        """Forget the oldest: of age, of number, of size."""
        size = sum(desk.size for desk in self._desks.values())
        for token, desk in list(self._desks.items()):
            old = self._clock() - desk.changed > KEPT_S
            if old or len(self._desks) > MOST_DESKS or size > MOST_BYTES:
                size -= desk.size
                del self._desks[token]


@st.cache_resource(show_spinner=False)
def _desks() -> Desks:
    """The desks of all sessions. Lives as long as the process."""
    return Desks()


def remember_desk() -> None:
    """Let the tab know the token of this session, and take up what it had before a reload."""
    token = st.session_state.setdefault(_TOKEN, secrets.token_urlsafe(24))
    refused = st.session_state.get("desk_refused", "")
    _TAB_PART(key=_TAB, data={"token": token, "refused": refused}, on_token_change=_take_up)


def keep_desk() -> None:
    """Keep what is on the desk now."""
    state = st.session_state
    token = state.get(_TOKEN)
    if token is None:
        return
    keys = [key for key in state if isinstance(key, str) and (key in _KEPT_KEYS or key.startswith(_KEPT_PREFIX))]
    values = {key: _copied(state[key]) for key in keys}
    results = values.get("results", {}).values()
    candles = values.get("series", {}).values()
    size = sum(result.size for result in results) + sum(len(series.candles) * 128 for series in candles)
    _desks().put(token, values, size)


def _take_up() -> None:
    """The tab knows another token: that of the session before the reload."""
    state = st.session_state
    token = state[_TAB].get("token")
    values = _desks().get(token) if isinstance(token, str) else None
    if values is None or not isinstance(token, str):
        state["desk_refused"] = token
        return
    state[_TOKEN] = token
    for key, value in values.items():
        state[key] = _copied(value)


def _copied(value: Any) -> Any:
    """Containers are a session's own, what is in them never changes."""
    return value.copy() if isinstance(value, dict) else value
