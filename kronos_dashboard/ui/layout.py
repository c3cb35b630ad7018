"""What every page has: title, language, links to the pages, warm-up, and errors shown as a message with a hint."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from engine.errors import CheckpointNotFoundError, EngineError, HubAccessDeniedError, HubUnreachableError
from kronos_dashboard.charts import DARK, LIGHT, Palette
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.messages import message_of
from kronos_dashboard.ui.i18n import language_control, resolve_language, t, translate
from kronos_dashboard.ui.resources import warm_up
from kronos_dashboard.ui.theme import apply_theme

__all__ = ["begin_page", "error_boundary", "show_error", "theme_palette"]

_APP_NAME = "Kronos Dashboard"
_ICON = Path(__file__).with_name("icon.svg")
_log = logging.getLogger(__name__)


def begin_page(title: str | None = None) -> None:
    """Set up a page; call this before anything else.

    Args:
        title: English, a literal that the catalog has; None for the home page.
    """
    resolve_language()
    st.set_page_config(
        page_title=f"{t(title)} · {_APP_NAME}" if title else _APP_NAME,
        page_icon=str(_ICON),
        layout="wide",
        menu_items={"About": None},
    )
    with st.sidebar:
        apply_theme()
        _page_links()
        language_control()
    warm_up()
    if title:
        st.title(t(title), anchor=False)


def _page_links() -> None:
    """Draw links to all pages; Streamlit's own list would show file names."""
    with st.container(gap="xxsmall"):
        st.page_link("Home.py", label=t("Home"), icon=":material/home:", width="stretch")
        st.page_link("pages/1_Data.py", label=t("Data"), icon=":material/candlestick_chart:", width="stretch")
        st.page_link("pages/2_Forecast.py", label=t("Forecast"), icon=":material/timeline:", width="stretch")


@contextmanager
def error_boundary() -> Iterator[None]:
    """Show an error of this project as a box with message and hint, and end the run of the page there."""
    try:
        yield
    except (DashboardError, EngineError) as error:
        show_error(error)
        st.stop()


def show_error(error: BaseException) -> None:
    """Draw a box with message and hint; an unexpected error is logged and shows only the name of its class."""
    if isinstance(error, DashboardError):
        message, hint = translate(error.message), translate(error.hint)
    elif isinstance(error, EngineError):
        message, hint = translate(message_of(error)), _engine_hint(error)
    else:
        _log.error("unforeseen error", exc_info=error)
        message = t("unexpected error ({name}).", name=type(error).__name__)
        hint = t("Your candles and settings are kept. See the server log for details, and please report the error.")
    text = escape_markdown(capitalize_first(message))
    st.error(f"{text}\n\n{escape_markdown(hint)}" if hint else text, icon=":material/error:")


def capitalize_first(message: str) -> str:
    """Return an error message, which starts with a small letter, as a sentence."""
    return message[:1].upper() + message[1:]


def _engine_hint(error: EngineError) -> str:
    if isinstance(error, HubUnreachableError):
        return t("The bundled model works offline.")
    if isinstance(error, HubAccessDeniedError):
        return t("The bundled model needs no access permission.")
    if isinstance(error, CheckpointNotFoundError):
        return t("Set KRONOS_DASHBOARD_MODEL to bundled, the name of a published model, a Hub ID or a folder.")
    return ""


def escape_markdown(text: str) -> str:
    """Return ``text`` with every character escaped that has a meaning in Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>$#~|:" else letter for letter in text)


def theme_palette() -> Palette:
    """Return the chart colors for the theme that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT
