"""CSS for every page: contrast where Streamlit's is too low, and Streamlit's own words in the language of the session.

Streamlit has no setting for its words ("Upload", "Press Enter to apply"). Each is hidden where it stands and followed
by its translation. Screen readers still read the English word. A word that moves in a later version is English again,
and nothing else breaks.
"""

from __future__ import annotations

import json

import streamlit as st

from kronos_dashboard.ui import compat
from kronos_dashboard.ui.i18n import language, t
from kronos_dashboard.ui.resources import settings

__all__ = ["apply_theme"]

_CONTRAST = f"""
{compat.CAPTION} {{ opacity: 1; color: color-mix(in srgb, currentColor 75%, transparent); }}
{compat.CODE_TEXT} {{ color: inherit !important; }}
"""
"""Captions are quieter than text, with a contrast of at least 4.5 to 1; commands have a single color."""

_DARK = f"""
{compat.PRIMARY_BUTTON}:is(*, :hover, :focus, :active) {{ color: #171614; }}
"""
"""White text on the light blue of the dark theme is illegible; the dark background color is not."""

_ICON_BUTTON = f"""
[class*="st-key-icon_"] button {compat.BUTTON_LABEL} {{
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}}
"""
"""Hides the label of a ``widgets.icon_button`` from the screen, but not from screen readers."""

_REPLACE = "{place} {{ font-size: 0 !important; }}\n{place}::after {{ content: {text}; font-size: 0.875rem; }}\n"


def apply_theme() -> None:
    """Put the CSS into the page; it takes no space."""
    dark = _DARK if st.context.theme.type == "dark" else ""
    widget_text = "" if language() == "en" else _widget_text_css()
    st.html(f"<style>{_CONTRAST}{_ICON_BUTTON}{dark}{widget_text}</style>")


def _widget_text_css() -> str:
    """Replace Streamlit's words by those of the session's language."""
    texts = {
        compat.DROPZONE_BUTTON: t("Upload"),
        compat.DROPZONE_DRAG_TEXT: t("Drop files here"),
        compat.DROPZONE_LIMITS: t("Up to {size} MB per file", size=settings().max_upload_mb),
        compat.INPUT_HINT: t("Press Enter to apply"),
    }
    rules = (_REPLACE.format(place=place, text=json.dumps(text, ensure_ascii=False)) for place, text in texts.items())
    return "".join(rules)
