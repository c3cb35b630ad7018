"""The frame of every page: title, language, links to the pages, warm-up, and errors as a message with a hint."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from engine.errors import CheckpointNotFound, EngineError, HubAccessDenied, HubUnreachable
from kronos_dashboard.charts import DARK, LIGHT, Palette
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.ui.i18n import choose_language, language_control, said, t
from kronos_dashboard.ui.resources import warm_up
from kronos_dashboard.ui.theme import frame_style

__all__ = ["guard", "page", "palette", "show_error"]

APP = "Kronos Dashboard"
_ICON = Path(__file__).with_name("icon.svg")
_log = logging.getLogger(__name__)


def page(title: str | None = None) -> None:
    """Begin a page: call this first. Without a title it is the home page.

    Args:
        title: English, a literal with a line in the catalogue.
    """
    choose_language()
    st.set_page_config(
        page_title=f"{t(title)} · {APP}" if title else APP,
        page_icon=str(_ICON),
        layout="wide",
        menu_items={"About": None},
    )
    with st.sidebar:
        frame_style()
        _links()
        language_control()
    warm_up()
    if title:
        st.title(t(title), anchor=False)


def _links() -> None:
    """The pages by their names; Streamlit's own list knows the names of the files alone."""
    with st.container(gap="xxsmall"):
        st.page_link("Home.py", label=t("Home"), icon=":material/home:", width="stretch")
        st.page_link("pages/1_Data.py", label=t("Data"), icon=":material/candlestick_chart:", width="stretch")
        st.page_link("pages/2_Forecast.py", label=t("Forecast"), icon=":material/timeline:", width="stretch")


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
        message, hint = said(error.message), said(error.hint)
    elif isinstance(error, EngineError):
        message, hint = said(str(error)), _engine_hint(error)
    else:
        _log.error("unforeseen error", exc_info=error)
        message = t("something went wrong that was not foreseen ({name}).", name=type(error).__name__)
        hint = t("Your candles and settings are kept. The details are in the log of the server; please report them.")
    told = escape(sentence(message))
    st.error(f"{told}\n\n{escape(hint)}" if hint else told, icon=":material/error:")


def sentence(message: str) -> str:
    """The message of an error, which begins with a small letter, as a sentence of its own."""
    return message[:1].upper() + message[1:]


def _engine_hint(error: EngineError) -> str:
    if isinstance(error, HubUnreachable):
        return t("The bundled model works without a network.")
    if isinstance(error, HubAccessDenied):
        return t("The bundled model needs no access.")
    if isinstance(error, CheckpointNotFound):
        return t("Set KRONOS_DASHBOARD_MODEL to bundled, a published name, a hub id or a folder.")
    return ""


def escape(text: str) -> str:
    """``text`` with the characters that Markdown would interpret taken literally."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>$#~|:" else letter for letter in text)


def palette() -> Palette:
    """The colours of charts in the theme the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT
