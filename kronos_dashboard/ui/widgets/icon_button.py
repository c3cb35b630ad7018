"""Buttons that show an icon and are called by words: a label that is there for screen readers, and in the hint."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

__all__ = ["ICON_STYLE", "icon_button"]

ICON_STYLE = """<style>
[class*="st-key-icon_"] button [data-testid="stMarkdownContainer"] {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
</style>"""
"""Keeps the words off the screen. To be put on every page that has such a button."""


def icon_button(
    label: str, icon: str, *, key: str, width: Literal["stretch", "content"] = "content", **more: Any
) -> bool:
    """A button; whether it was pressed.

    Args:
        label: what it does, in the language of the session.
        icon: as ``st.button`` takes it.
        key: names it on its page.
        width: "content" or "stretch".
        **more: as ``st.button`` takes it.
    """
    with st.container(key=f"icon_{key}", width=width):
        return st.button(label, key=key, icon=icon, help=label, width=width, **more)
