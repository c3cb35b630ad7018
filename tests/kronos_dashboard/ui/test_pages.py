"""The pages as Streamlit runs them, without a browser: empty, filled, and after something went wrong."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from engine import EngineError
from kronos_dashboard.compute.tasks import ForecastTask
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.samples import SAMPLES
from kronos_dashboard.ui.layout import escape_markdown
from tests.support import makers
from tests.support.forecast_page import (
    FORECAST,
    app,
    assert_no_exception,
    main_figure,
    open_forecast_page,
    page_text,
    trace_names,
    wait_for_forecast,
)

__all__ = ["app"]


def test_home_says_what_this_is_and_what_it_is_not(app: AppTest) -> None:
    assert_no_exception(app.run())
    assert app.title[0].value == "Kronos Dashboard"
    assert "a good fit there proves nothing" in page_text(app)
    assert [metric.label for metric in app.metric] == [sample.title for sample in SAMPLES]
    deadline = time.monotonic() + 30
    while "Model ready" not in page_text(app):
        assert time.monotonic() < deadline, page_text(app)
        time.sleep(0.05)
        assert_no_exception(app.run())


def test_home_says_when_the_model_cannot_be_loaded(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", "/no/such/folder")
    deadline = time.monotonic() + 30
    while "is not loaded" not in page_text(assert_no_exception(app.run())):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_uploaded_file_is_shown_and_forecast(app: AppTest) -> None:
    open_forecast_page(app)
    app.file_uploader(key="upload").upload("mine.csv", makers.csv(200).encode())
    assert_no_exception(app.run())
    assert "**mine** · 1h · 200 candles" in page_text(app)
    app.button(key="run").click()
    wait_for_forecast(app.run())
    assert "Median" in trace_names(app)


@pytest.mark.parametrize(("data", "words"), [
    (b"a,b\n1,2\n", "has no column"),
    (makers.csv(50, close="nan").encode(), "non-finite prices"),
    (b"", "cannot be read as CSV"),
])  # fmt: skip
def test_a_bad_file_is_explained_and_the_series_before_it_stays(app: AppTest, data: bytes, words: str) -> None:
    open_forecast_page(app)
    app.file_uploader(key="upload").upload("bad.csv", data)
    assert_no_exception(app.run())
    assert words in app.error[0].value
    assert "**EURUSD**" in page_text(app)
    assert main_figure(app)["data"]


def test_a_repaired_file_carries_its_warning(app: AppTest) -> None:
    open_forecast_page(app)
    header, *rows = makers.csv(200).rstrip().split("\n")
    app.file_uploader(key="upload").upload("mine.csv", "\n".join([header, *reversed(rows)]).encode())
    assert_no_exception(app.run())
    assert "newest first" in app.warning[0].value


def test_a_file_shorter_than_the_context_is_explained(app: AppTest) -> None:
    assert_no_exception(app.run().switch_page(FORECAST).run())
    app.file_uploader(key="upload").upload("short.csv", makers.csv(30).encode())
    assert_no_exception(app.run())
    assert "“short” has 30 candles; the context is set to 400" in app.error[0].value.replace("\\", "")
    assert "Shorten the context" in app.error[0].value


def test_a_model_that_cannot_be_had_is_explained_on_the_page(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", "/no/such/folder")
    open_forecast_page(app).button(key="run").click()
    wait_for_forecast(app.run())
    assert "/no/such/folder" in app.error[0].value.replace("\\", "")
    assert "Traceback" not in page_text(app)
    assert main_figure(app)["data"]


def test_an_unexpected_error_shows_its_class_and_no_details(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(ForecastTask, "run", fail)
    open_forecast_page(app).button(key="run").click()
    wait_for_forecast(app.run())
    assert "ZeroDivisionError" in app.error[0].value
    assert "secret inside" not in page_text(app)
    assert "secret inside" in caplog.text


def test_every_error_of_the_project_is_caught_by_the_error_boundary() -> None:
    def page() -> None:
        from engine import InvalidCandlesError
        from kronos_dashboard.errors import WindowError
        from kronos_dashboard.ui.layout import error_boundary

        with error_boundary():
            import streamlit as st

            raise (
                WindowError("too *short*.", "Load more.") if st.session_state["which"] else InvalidCandlesError("flat.")
            )

    for which, words in ((True, "Too \\*short\\*.\n\nLoad more."), (False, "Flat.")):
        app = AppTest.from_function(page)
        app.session_state["which"] = which
        app.run()
        assert not app.exception
        assert app.error[0].value == words
    assert not issubclass(DashboardError, EngineError)


def test_text_from_files_cannot_become_markup() -> None:
    assert escape_markdown("<b>*x*</b> $1 :red[y]") == "\\<b\\>\\*x\\*\\</b\\> \\$1 \\:red\\[y\\]"
