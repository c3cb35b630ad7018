"""The language of the interface.

``t`` translates the texts of a page itself, ``translate`` messages from below the interface: errors, notes, findings,
names of samples and calendars. English texts are the keys of the catalogs (``kronos_dashboard/locale``).
``resolve_language`` decides on the language of a run.
"""

from __future__ import annotations

from functools import cache

import pandas as pd
import streamlit as st

from kronos_dashboard import charts, messages
from kronos_dashboard.messages import DEFAULT_LANGUAGE, available_languages, load_catalog, msg
from kronos_dashboard.ui import state

__all__ = [
    "COOKIE",
    "chart_labels",
    "format_date",
    "format_datetime",
    "language",
    "language_control",
    "resolve_language",
    "t",
    "translate",
]

COOKIE = "kronos_language"
"""What the browser remembers the choice under."""
_MONTHS = charts.ENGLISH.months

_REMEMBER = st.components.v2.component(
    "kronos_dashboard.language",
    js="""export default function ({ data }) {
  document.documentElement.lang = data.language;
  if (data.keep) document.cookie = `${data.cookie}=${data.language}; Max-Age=31536000; Path=/; SameSite=Lax`;
}""",
    isolate_styles=False,
)


def language() -> str:
    """Return the language of this session, one of ``available_languages``."""
    return _match(state.LANGUAGE.get()) or DEFAULT_LANGUAGE


def t(text: str, /, **values: object) -> str:
    """Translate a text of a page to the language of this session, and fill in its named placeholders.

    Args:
        text: English, a literal; a text that the catalog lacks is shown as it is.
        **values: by the name of their placeholder, already formatted.
    """
    return translate(msg(text, **values))


def translate(text: str) -> str:
    """Translate a message to the language of this session; without a translation it stays English."""
    return messages.translate(text, load_catalog(language()))


def format_date(time: pd.Timestamp) -> str:
    """Return a date as the language writes it."""
    return t("{day:02d} {month} {year}", day=time.day, month=_MONTHS[time.month - 1], year=time.year)


def format_datetime(time: pd.Timestamp) -> str:
    """Return date and time of day, to the minute."""
    return f"{format_date(time)} {time:%H:%M}"


def chart_labels() -> charts.ChartLabels:
    """The labels of charts, for ``charts.ChartStyle``."""
    return _translated_words(language())


@cache
def _translated_words(language: str) -> charts.ChartLabels:
    return charts.ENGLISH.translated(load_catalog(language))


def resolve_language() -> None:
    """Determine the language of this run. Call it before any text is drawn.

    In this order: the query parameter (``?lang=zh``), the choice in this session, the choice that the browser remembers
    from an earlier session, the language of the browser.
    """
    given = st.query_params.get("lang")
    if (linked := _match(given)) is not None and given != state.LANGUAGE_OF_LINK.get():
        state.LANGUAGE_OF_LINK.set(given)
        state.LANGUAGE.set(linked)
    if _match(state.LANGUAGE.get()) is None:
        state.LANGUAGE.set(_default_language())


def language_control() -> None:
    """Draw the control; the browser remembers a choice made with it."""
    state.LANGUAGE_CONTROL.set(language())  # always: on another page the control is a new one without a value
    st.segmented_control(
        "Language / 语言",
        available_languages(),
        format_func=_name_of,
        key=state.LANGUAGE_CONTROL.name,
        on_change=_on_language_change,
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    keep = state.LANGUAGE_BY_HAND.get()
    if keep or language() != DEFAULT_LANGUAGE:  # a page is in English unless it says otherwise
        _REMEMBER(key="language_memory", data={"language": language(), "cookie": COOKIE, "keep": keep})


def _default_language() -> str:
    """Return the language for a session without a choice."""
    remembered = _match(st.context.cookies.get(COOKIE))
    return remembered or _match(st.context.locale) or DEFAULT_LANGUAGE


def _match(tag: str | None) -> str | None:
    """Return the available language nearest to a tag: the same, or one of its family (``zh-CN``: ``zh-Hans``)."""
    if not tag:
        return None
    languages = {language.lower(): language for language in available_languages()}
    requested = tag.replace("_", "-").lower()
    if requested in languages:
        return languages[requested]
    family = requested.partition("-")[0]
    return next((language for key, language in languages.items() if key.partition("-")[0] == family), None)


def _name_of(language: str) -> str:
    """Return the name of a language in that language."""
    return messages.translate(msg("English"), load_catalog(language))  # translators: the name of your language


def _on_language_change() -> None:
    """Store the choice, also for later sessions, and correct a query parameter that differs from it."""
    state.LANGUAGE_BY_HAND.set(True)
    state.LANGUAGE.set(state.LANGUAGE_CONTROL.get())
    if "lang" in st.query_params:
        st.query_params["lang"] = language()
        state.LANGUAGE_OF_LINK.set(language())
