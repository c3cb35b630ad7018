"""Buttons that show only an icon; their label is in the tooltip and there for screen readers."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

__all__ = ["icon_button"]


def icon_button(
    label: str, icon: str, *, key: str, width: Literal["stretch", "content"] = "content", **options: Any
) -> bool:
    """Draw a button; return whether it was clicked. ``theme.apply_theme`` hides the label.

    Args:
        label: what it does, in the language of the session.
        icon: as ``st.button`` takes it.
        key: unique on its page.
        width: "content" or "stretch".
        **options: passed on to ``st.button``.
    """
    with st.container(key=f"icon_{key}", width=width):
        return st.button(label, key=key, icon=icon, help=label, width=width, **options)
