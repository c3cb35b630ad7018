"""The proof proves something: whatever breaks on a page fails the test that looked at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import browse, serve

BROKEN = 'import streamlit as st\n\nst.title("broken")\nif st.button("break"):\n    raise ValueError("on purpose")\n'


@pytest.mark.parametrize(("act", "told"), [
    ("console.error('an error of the page')", "console: an error of the page"),
    ("setTimeout(() => { throw new Error('thrown'); })", "page error: thrown"),
    ("await fetch('/_stcore/agent/none')", "HTTP 404"),
    ("await fetch('/_stcore/health/_stcore/health')", "HTTP 404"),
    ("await fetch('/_stcore/upload_file/a/b', { method: 'PUT' })", "HTTP 403"),
    ("await fetch('http://127.0.0.1:9/').catch(() => null)", "request failed"),
    ("document.body.append('Traceback (most recent call last): x')", "crash: Traceback"),
])  # fmt: skip
def test_what_breaks_on_a_page_fails_its_test(chromium: Browser, server: str, act: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        look(chromium, server, act)


def test_what_a_test_expects_may_break_and_must(chromium: Browser, server: str) -> None:
    look(chromium, server, "await fetch('/_stcore/agent/none')", expected="404")
    with pytest.raises(AssertionError, match="did not happen"):
        look(chromium, server, "null", expected="404")


def look(chromium: Browser, server: str, act: str, expected: str = "") -> None:
    """A page of the server that does something."""
    with browse(chromium, server) as app:
        if expected:
            app.expect(expected)
        app.page.goto(f"{server}/_stcore/health")
        app.page.evaluate(f"async () => {{ {act}; await new Promise((done) => setTimeout(done, 50)); }}")


def test_a_script_that_crashes_fails_the_test_and_the_server_that_logged_it(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    with pytest.raises(AssertionError, match="Traceback"):
        crash(chromium, tmp_path)


def crash(chromium: Browser, folder: Path) -> None:
    with serve(folder / "log", folder / "broken.py") as url:
        with pytest.raises(AssertionError, match=r"crash: .*on purpose"):
            press(chromium, url)
        assert "on purpose" in (folder / "log").read_text()


def press(chromium: Browser, url: str) -> None:
    with browse(chromium, url) as app:
        app.open("/")
        with app.rerun():
            app.page.get_by_role("button", name="break").click()


def test_a_deep_link_makes_streamlit_look_below_its_own_path_and_nothing_else_fails(
    chromium: Browser, server: str
) -> None:
    """When this fails, Streamlit has mended its two 404s: PROBES can go."""
    refused: list[str] = []
    with browse(chromium, server) as app:
        app.page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
        app.open("/Forecast")
    assert sorted(refused) == [f"{server}/Forecast/_stcore/{name}" for name in ("health", "host-config")]
