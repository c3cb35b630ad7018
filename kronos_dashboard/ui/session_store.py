"""A session survives a reload of the page: its state is stored in this process, and found again by the browser's tab.

Every session has an unguessable token, which its tab remembers as long as it is open (``sessionStorage``: no other
tab and no other site sees it, and it is in no address). A reload starts a new session; its tab then sends the token
of the old one and gets that one's state back. Which entries are stored is declared in ``state``.
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

from kronos_dashboard.ui import state
from kronos_dashboard.ui.eviction import evict_oldest

__all__ = ["SessionStore", "attach_tab", "save_session"]

MAX_SESSIONS = 64
MAX_BYTES = 512 * 1024 * 1024
MAX_AGE_S = 4 * 3600.0
"""Seconds since its last change for which a session is stored."""
_BYTES_PER_CANDLE = 128
"""Six float64 values and a timestamp, twice: as imported and after edits, with some overhead."""

_TAB = st.components.v2.component(
    "kronos_dashboard.session_tab",
    js="""export default function ({ data, setStateValue }) {
  const known = sessionStorage.getItem("kronos_session");
  if (!known || known === data.refused) sessionStorage.setItem("kronos_session", data.token);
  else if (known !== data.token) setStateValue("token", known);
}""",
    isolate_styles=False,
)


@dataclass(frozen=True)
class _StoredSession:
    values: Mapping[str, Any]
    num_bytes: int
    saved_at: float


class SessionStore:
    """States of sessions by token, for all sessions of this process; bounded in number, size and age.

    Args:
        clock: seconds; an argument so that tests need not wait.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, _StoredSession] = OrderedDict()

    def save(self, token: str, values: Mapping[str, Any], num_bytes: int) -> None:
        """Store the state of a session in the place of what was stored before."""
        with self._lock:
            self._sessions.pop(token, None)
            self._sessions[token] = _StoredSession(dict(values), num_bytes, self._clock())
            self._evict()

    def load(self, token: str) -> dict[str, Any] | None:
        """Return the state of a session; None if it is not stored (any more)."""
        with self._lock:
            self._evict()
            session = self._sessions.get(token)
            return None if session is None else dict(session.values)

    def _evict(self) -> None:
        """Remove what is too old, then the oldest until number and size are within their limits."""
        now = self._clock()
        for token in [token for token, session in self._sessions.items() if now - session.saved_at > MAX_AGE_S]:
            del self._sessions[token]
        evict_oldest(
            self._sessions,
            max_entries=MAX_SESSIONS,
            max_bytes=MAX_BYTES,
            num_bytes=lambda session: session.num_bytes,
            min_entries=0,
        )


@st.cache_resource(show_spinner=False)
def _session_store() -> SessionStore:
    """Return the stored sessions. Lives as long as the process."""
    return SessionStore()


def attach_tab() -> None:
    """Let the tab know the token of this session, and restore what it had before a reload."""
    if not state.SESSION_TOKEN.get():
        state.SESSION_TOKEN.set(secrets.token_urlsafe(24))
    data = {"token": state.SESSION_TOKEN.get(), "refused": state.REFUSED_TOKEN.get()}
    _TAB(key=state.SESSION_TAB.name, data=data, on_token_change=_restore)


def save_session() -> None:
    """Store the state of this session as it is now."""
    token = state.SESSION_TOKEN.get()
    if not token:
        return
    names = state.persisted_names(st.session_state)
    values = {name: _shallow_copy(st.session_state[name]) for name in names}
    num_bytes = sum(result.size for result in values.get(state.RESULTS.name, {}).values())
    num_bytes += sum(len(series.candles) * _BYTES_PER_CANDLE for series in values.get(state.SERIES.name, {}).values())
    _session_store().save(token, values, num_bytes)


def _restore() -> None:
    """Take over the state of the session that the tab showed before a reload."""
    token = state.SESSION_TAB.get().get("token")
    values = _session_store().load(token) if isinstance(token, str) else None
    if values is None or not isinstance(token, str):
        state.REFUSED_TOKEN.set(token)
        return
    state.SESSION_TOKEN.set(token)
    for name, value in values.items():
        st.session_state[name] = _shallow_copy(value)


def _shallow_copy(value: Any) -> Any:
    """Copy containers, which a session changes; their values are immutable."""
    return value.copy() if isinstance(value, dict) else value
