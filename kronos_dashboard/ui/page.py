"""The frame of every page: title, icon, warm-up, and errors as a message with a hint."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from engine.errors import CheckpointNotFound, EngineError, HubAccessDenied, HubUnreachable
from kronos_dashboard.charts import DARK, LIGHT, Palette
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.ui.shared import warm_up

__all__ = ["guard", "page", "palette", "show_error"]

APP = "Kronos Dashboard"
_ICON = Path(__file__).with_name("icon.svg")
_log = logging.getLogger(__name__)

_ENGINE_HINTS: dict[type[EngineError], str] = {
    HubUnreachable: "The bundled model works without a network.",
    HubAccessDenied: "The bundled model needs no access.",
    CheckpointNotFound: "Set KRONOS_DASHBOARD_MODEL to bundled, a published name, a hub id or a folder.",
}


def page(title: str | None = None) -> None:
    """Begin a page: call this first. Without a title it is the home page."""
    st.set_page_config(
        page_title=f"{title} · {APP}" if title else APP, page_icon=str(_ICON), layout="wide", menu_items={"About": None}
    )
    warm_up()
    if title:
        st.title(title, anchor=False)


@contextmanager
def guard() -> Iterator[None]:
    """Turn our own errors into a box with message and hint, and end the page there."""
    try:
        yield
    except (DashboardError, EngineError) as error:
        show_error(error)
        st.stop()


def show_error(error: BaseException) -> None:
    """A box with message and hint; an error that nobody foresaw goes to the log and shows no inside."""
    if isinstance(error, DashboardError):
        message, hint = error.message, error.hint
    elif isinstance(error, EngineError):
        message, hint = str(error), _ENGINE_HINTS.get(type(error), "")
    else:
        _log.error("unforeseen error", exc_info=error)
        message = f"something went wrong that was not foreseen ({type(error).__name__})."
        hint = "Your candles and settings are kept. The details are in the log of the server; please report them."
    sentence = message[:1].upper() + message[1:]
    st.error(f"{escape(sentence)}\n\n{escape(hint)}" if hint else escape(sentence), icon=":material/error:")


def escape(text: str) -> str:
    """``text`` with the characters that Markdown would interpret taken literally."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>$#~|:" else letter for letter in text)


def palette() -> Palette:
    """The colours of charts in the theme the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT
