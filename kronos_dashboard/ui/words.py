"""The language of the interface. English texts are the keys; ``chinese.py`` says them in 简体中文."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from kronos_dashboard.ui.chinese import CHINESE

__all__ = ["Language", "language", "t"]

Language = Literal["en", "zh"]


def language() -> Language:
    """The language of this session."""
    return "zh" if st.session_state.get("language") == "zh" else "en"


def t(text: str, **values: object) -> str:
    """``text`` in the language of this session, its named placeholders filled in.

    Args:
        text: English, a literal; what the catalogue does not have is shown as it is.
        **values: by the name of their placeholder, already formatted.
    """
    said = CHINESE.get(text, text) if language() == "zh" else text
    return said.format(**values) if values else said
