"""The forecast page as Streamlit runs it, without a browser: what tests of it have in common."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.support.paths import ROOT

HOME = str(ROOT / "Home.py")
FORECAST = "pages/2_Forecast.py"

__all__ = [
    "FORECAST",
    "HOME",
    "app",
    "ended",
    "finished",
    "forecast",
    "opened",
    "row",
    "shown_figure",
    "sound",
    "texts",
    "trace_names",
]


@pytest.fixture
def app(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app on its home page, with the tiny model."""
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(checkpoint))
    monkeypatch.setenv("KRONOS_DASHBOARD_CACHE_DIR", str(tmp_path / "cache"))
    st.cache_resource.clear()
    yield AppTest.from_file(HOME, default_timeout=30)
    st.cache_resource.clear()


def opened(app: AppTest) -> AppTest:
    """The forecast page, with a small window so that tests are quick."""
    app.run().switch_page(FORECAST).run()
    app.number_input(key="context").set_value(60)
    app.number_input(key="horizon").set_value(10)
    app.number_input(key="paths").set_value(5)
    return sound(app.run())


def forecast(app: AppTest) -> AppTest:
    """The same page after one run."""
    app.button(key="run").click()
    return finished(app.run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception, [exception.message for exception in app.exception]
    return app


def finished(app: AppTest) -> AppTest:
    """The page once its forecast has ended."""
    return ended(app, "job")


def ended(app: AppTest, key: str, seconds: float = 30) -> AppTest:
    """The page once what the session holds under ``key`` has ended (the browser polls; here the test does)."""
    deadline = time.monotonic() + seconds
    while key in app.session_state:
        assert time.monotonic() < deadline, f"{key} did not end"
        time.sleep(0.05)
        app.run()
    return sound(app)


def texts(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.title]
    return "\n".join(str(part.value) for part in parts)


def shown_figure(app: AppTest) -> dict[str, Any]:
    """The figure of the big chart."""
    for part in app.get("bidi_component"):
        data = json.loads(part.proto.json) if part.proto.json else None
        if isinstance(data, dict) and data.get("name") == "chart":
            return dict(json.loads(data["figure"]))
    raise AssertionError("there is no chart")


def trace_names(app: AppTest) -> set[str]:
    return {trace.get("name", "") for trace in shown_figure(app)["data"]}


def row(app: AppTest) -> int:
    """The row of the last candle of the context, as the page says it."""
    return int(texts(app).split("(row ")[1].split(")")[0].replace(",", ""))
