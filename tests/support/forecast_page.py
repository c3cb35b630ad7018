"""The Forecast page as Streamlit runs it, without a browser: helpers of its tests."""

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
    "assert_no_exception",
    "cutoff_row",
    "main_figure",
    "open_forecast_page",
    "page_text",
    "run_forecast",
    "trace_names",
    "wait_for_forecast",
    "wait_for_key",
]


@pytest.fixture
def app(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app on its home page, with the tiny model."""
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(checkpoint))
    monkeypatch.setenv("KRONOS_DASHBOARD_CACHE_DIR", str(tmp_path / "cache"))
    st.cache_resource.clear()
    yield AppTest.from_file(HOME, default_timeout=30)
    st.cache_resource.clear()


def open_forecast_page(app: AppTest) -> AppTest:
    """Open the Forecast page with a small window, so that tests are quick."""
    app.run().switch_page(FORECAST).run()
    app.number_input(key="context").set_value(60)
    app.number_input(key="horizon").set_value(10)
    app.number_input(key="paths").set_value(5)
    return assert_no_exception(app.run())


def run_forecast(app: AppTest) -> AppTest:
    """Run the model once."""
    app.button(key="run").click()
    return wait_for_forecast(app.run())


def assert_no_exception(app: AppTest) -> AppTest:
    assert not app.exception, [exception.message for exception in app.exception]
    return app


def wait_for_forecast(app: AppTest) -> AppTest:
    """Wait until the forecast has ended."""
    return wait_for_key(app, "pending_run")


def wait_for_key(app: AppTest, key: str, seconds: float = 30) -> AppTest:
    """Run the page until the session has no ``key`` any more (a browser polls; here the test does)."""
    deadline = time.monotonic() + seconds
    while key in app.session_state:
        assert time.monotonic() < deadline, f"{key} did not end"
        time.sleep(0.05)
        app.run()
    return assert_no_exception(app)


def page_text(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.title]
    return "\n".join(str(part.value) for part in parts)


def main_figure(app: AppTest) -> dict[str, Any]:
    """Return the figure of the large chart."""
    for part in app.get("bidi_component"):
        data = json.loads(part.proto.json) if part.proto.json else None
        if isinstance(data, dict) and data.get("name") == "chart":
            return dict(json.loads(data["figure"]))
    raise AssertionError("there is no chart")


def trace_names(app: AppTest) -> set[str]:
    return {trace.get("name", "") for trace in main_figure(app)["data"]}


def cutoff_row(app: AppTest) -> int:
    """Return the row of the last context candle, as the page states it."""
    return int(page_text(app).split("(row ")[1].split(")")[0].replace(",", ""))
