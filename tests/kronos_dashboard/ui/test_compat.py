"""The names of Streamlit's HTML that the app's CSS relies on, in the release that is pinned."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import streamlit

from kronos_dashboard.ui import compat
from tests.support.paths import ROOT

UI = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "kronos_dashboard" / "ui").rglob("*.py"))]
TEST_IDS = sorted({name for text in UI for name in re.findall(r'data-testid="(\w+)"', text)})
CLASSES = sorted({name for text in UI for name in re.findall(r"(?<![\w/])\.(st[A-Z]\w+)", text)})


@cache
def frontend() -> str:
    """All of the JavaScript that Streamlit serves."""
    files = Path(streamlit.__file__).with_name("static").rglob("*.js")
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


def test_the_release_that_was_checked_is_the_one_that_is_pinned_and_installed() -> None:
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert f"streamlit~={compat.STREAMLIT_VERSION}." in requirements
    assert streamlit.__version__.startswith(f"{compat.STREAMLIT_VERSION}.")


@pytest.mark.parametrize("name", [*TEST_IDS, *CLASSES])
def test_a_name_that_css_relies_on_is_in_the_frontend(name: str) -> None:
    # A test id may be put together of a fixed part and a kind of widget: stBaseButton-primary is not matched by \\w.
    assert name in frontend()


def test_there_are_names_to_check() -> None:
    assert {"stCaptionContainer", "stFileUploaderDropzone", "InputInstructions"} <= set(TEST_IDS)
    assert CLASSES


def test_a_folder_is_served_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: dict[str, Path] = {}

    class Manager:
        def get_component_path(self, name: str) -> str | None:
            return str(registered[name]) if name in registered else None

        def register_from_manifest(self, manifest: object, folder: Path) -> None:
            assert not registered, "a second registration would rebuild what browsers have loaded"
            [component] = manifest.components  # type: ignore[attr-defined]
            registered[f"{manifest.name}.{component.name}"] = folder / component.asset_dir  # type: ignore[attr-defined]

    monkeypatch.setattr(compat, "get_bidi_component_manager", Manager)
    for _ in range(2):
        compat.serve_folder("kronos_dashboard.client", tmp_path / "assets")
    assert registered == {"kronos_dashboard.client": tmp_path / "assets"}
