"""What every page wears: contrast where Streamlit leaves too little, and its own words in the language of the session.

Streamlit has no setting for its words ("Upload", "Press Enter to apply"). Each is made invisible where it stands, and
what is said instead comes behind it; a word that moves in a later version is English again, and nothing breaks.
"""

from __future__ import annotations

import json

import streamlit as st

from kronos_dashboard.ui.i18n import language, t
from kronos_dashboard.ui.resources import settings

__all__ = ["frame_style"]

_QUIET = """
[data-testid="stCaptionContainer"] { opacity: 1; color: color-mix(in srgb, currentColor 75%, transparent); }
[data-testid="stCode"] code span { color: inherit !important; }
"""
"""Captions are quieter than text and still told apart from the ground by 4.5 to 1; commands have one colour."""

_DARK = """
[data-testid="stBaseButton-primary"]:is(*, :hover, :focus, :active) { color: #171614; }
"""
"""White on the light blue of the dark theme cannot be read; its own ground can."""

_INSTEAD = "{place} {{ font-size: 0 !important; }}\n{place}::after {{ content: {word}; font-size: 0.875rem; }}\n"
_DROPZONE = '[data-testid="stFileUploaderDropzone"]'


def frame_style() -> None:
    """Put the style into the page; it takes no room."""
    dark = _DARK if st.context.theme.type == "dark" else ""
    words = "" if language() == "en" else _words()
    st.html(f"<style>{_QUIET}{dark}{words}</style>")


def _words() -> str:
    """Streamlit's words on a page, said in the language of the session."""
    instead = {
        f"{_DROPZONE} button p": t("Upload"),
        f"{_DROPZONE} > div:not([data-testid]) > span": t("Drop it here"),
        '[data-testid="stFileUploaderDropzoneInstructions"] span': t(
            "Up to {size} MB per file", size=settings().max_upload_mb
        ),
        '[data-testid="InputInstructions"] > :first-child': t("Press Enter to apply"),
    }
    rules = (_INSTEAD.format(place=place, word=json.dumps(word, ensure_ascii=False)) for place, word in instead.items())
    return "".join(rules)
