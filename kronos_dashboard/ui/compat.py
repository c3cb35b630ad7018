"""What the app uses of Streamlit beyond its public interface: a component registry, and names in its HTML.

All of it was checked against ``STREAMLIT_VERSION``; after an upgrade, ``tests/kronos_dashboard/ui/test_compat.py``
names what is gone. Only the registry is essential: without one of the HTML names a rule of CSS has no effect, and
nothing else.
"""

from __future__ import annotations

from pathlib import Path

from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

__all__ = [
    "ASSET_ROUTE",
    "BUTTON_LABEL",
    "CAPTION",
    "CODE_TEXT",
    "DROPZONE_BUTTON",
    "DROPZONE_DRAG_TEXT",
    "DROPZONE_LIMITS",
    "INPUT_HINT",
    "PRIMARY_BUTTON",
    "STREAMLIT_VERSION",
    "serve_folder",
]

STREAMLIT_VERSION = "1.67"
"""Release that this module was checked against; ``requirements.txt`` pins it."""

ASSET_ROUTE = "_stcore/bidi-components"
"""Path of the server below which ``serve_folder`` makes files available."""

CAPTION = '[data-testid="stCaptionContainer"]'
CODE_TEXT = '[data-testid="stCode"] code span'
PRIMARY_BUTTON = '[data-testid="stBaseButton-primary"]'
BUTTON_LABEL = '[data-testid="stMarkdownContainer"]'
INPUT_HINT = '[data-testid="InputInstructions"] > :first-child'
"""“Press Enter to apply”."""
_DROPZONE = '[data-testid="stFileUploaderDropzone"]'
DROPZONE_BUTTON = f"{_DROPZONE} button p"
"""“Upload”."""
DROPZONE_DRAG_TEXT = f"{_DROPZONE} > div:not([data-testid]) > span"
"""Shown while a file is dragged over it."""
DROPZONE_LIMITS = '[data-testid="stFileUploaderDropzoneInstructions"] span'
"""Size and types that are accepted."""


def serve_folder(component: str, folder: Path) -> None:
    """Have the running server hand out the files of a folder, below ``ASSET_ROUTE`` and the name of a component.

    Registered once per server; further calls do nothing.

    Args:
        component: "package.name".
        folder: its files become public.
    """
    manager = get_bidi_component_manager()
    if manager.get_component_path(component) is not None:
        return
    package, _, name = component.partition(".")
    config = ComponentConfig(name=name, asset_dir=folder.name)
    manifest = ComponentManifest(name=package, version="1", components=[config])
    manager.register_from_manifest(manifest, folder.parent)
