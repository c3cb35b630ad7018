"""The language of the interface. English texts are the keys; ``chinese.py`` says them in 简体中文.

``t`` is for what a page says itself; ``said`` for sentences that come from below with their numbers already in them:
errors, notes, findings, names of samples and calendars. ``choose_language`` decides which language a run speaks.
"""

from __future__ import annotations

from typing import Literal, get_args

import pandas as pd
import streamlit as st

from kronos_dashboard import charts
from kronos_dashboard.ui.chinese import CHINESE, SAID
from kronos_dashboard.ui.matching import Phrases

__all__ = [
    "COOKIE",
    "Language",
    "chart_words",
    "choose_language",
    "day",
    "language",
    "language_control",
    "moment",
    "said",
    "t",
]

Language = Literal["en", "zh"]

COOKIE = "kronos_language"
"""What the browser remembers the choice under."""
_NAMES = {"en": "English", "zh": "简体中文"}
_CHOSEN, _CONTROL = "language", "language_choice"
"""The language of the session, and the key of the control: what a control holds may go when the page changes."""
_LINKED = "language_of_link"
_BY_HAND = "language_by_hand"
_PHRASES = Phrases(SAID)

_REMEMBER = st.components.v2.component(
    "kronos_dashboard.language",
    js="""export default function ({ data }) {
  document.documentElement.lang = data.language === "zh" ? "zh-Hans" : "en";
  if (data.keep) document.cookie = `${data.cookie}=${data.language}; Max-Age=31536000; Path=/; SameSite=Lax`;
}""",
    isolate_styles=False,
)


def language() -> Language:
    """The language of this session."""
    return "zh" if st.session_state.get(_CHOSEN) == "zh" else "en"


def t(text: str, **values: object) -> str:
    """``text`` in the language of this session, its named placeholders filled in.

    Args:
        text: English, a literal; what the catalogue does not have is shown as it is.
        **values: by the name of their placeholder, already formatted.
    """
    told = CHINESE.get(text, text) if language() == "zh" else text
    return told.format(**values) if values else told


def said(text: str) -> str:
    """A sentence from below the interface in the language of this session; what has no translation stays English."""
    return _PHRASES.translate(text) if language() == "zh" else text


def day(time: pd.Timestamp) -> str:
    """A date as the language writes it."""
    return f"{time.year}年{time.month}月{time.day}日" if language() == "zh" else f"{time:%d %b %Y}"


def moment(time: pd.Timestamp) -> str:
    """A date and the time of day, to the minute."""
    return f"{day(time)} {time:%H:%M}"


def chart_words() -> charts.Words:
    """The words of charts, for ``charts.Look``."""
    return charts.CHINESE if language() == "zh" else charts.ENGLISH


def choose_language() -> None:
    """Decide on the language of this run. Call it before anything is said.

    What the address says (``?lang=zh``) comes first, then what was chosen in this session, then what the browser
    remembers from an earlier one, then the language of the browser.
    """
    given = st.query_params.get("lang")
    if given in get_args(Language) and given != st.session_state.get(_LINKED):
        st.session_state[_LINKED] = st.session_state[_CHOSEN] = given
    if st.session_state.get(_CHOSEN) not in get_args(Language):
        st.session_state[_CHOSEN] = _expected()


def language_control() -> None:
    """The choice, where it is called; the browser remembers what was chosen by hand."""
    st.session_state[_CONTROL] = language()  # always: on another page the control is a new one and shows nothing else
    st.segmented_control(
        "Language / 语言",
        list(_NAMES),
        format_func=_NAMES.__getitem__,
        key=_CONTROL,
        on_change=_note_choice,
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
    keep = st.session_state.get(_BY_HAND, False)
    if keep or language() != "en":  # a page that says nothing else is English by itself
        _REMEMBER(key="language_memory", data={"language": language(), "cookie": COOKIE, "keep": keep})


def _expected() -> Language:
    """What a reader who has chosen nothing yet in this session would want."""
    remembered = st.context.cookies.get(COOKIE)
    if remembered in get_args(Language):
        return "zh" if remembered == "zh" else "en"
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"


def _note_choice() -> None:
    """The choice by hand outlives the session, and an address that says otherwise is corrected."""
    st.session_state[_BY_HAND] = True
    st.session_state[_CHOSEN] = st.session_state[_CONTROL]
    if "lang" in st.query_params:
        st.query_params["lang"] = st.session_state[_LINKED] = language()
