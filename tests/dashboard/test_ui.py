"""The pages as Streamlit runs them, without a browser: empty, filled, and after something went wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine import EngineError
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.jobs import Job
from kronos_dashboard.samples import SAMPLES
from kronos_dashboard.ui import runs
from kronos_dashboard.ui.page import escape
from tests.dashboard import makers

HOME = str(Path(__file__).parents[2] / "Home.py")
FORECAST = "pages/2_Forecast.py"


@pytest.fixture
def app(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app on its home page, with the tiny model."""
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(checkpoint))
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


def sound(app: AppTest) -> AppTest:
    assert not app.exception, [exception.message for exception in app.exception]
    return app


def finished(app: AppTest) -> AppTest:
    """The page once its job has ended (the browser polls; here the test does)."""
    deadline = time.monotonic() + 30
    while "job" in app.session_state:
        assert time.monotonic() < deadline, "the forecast did not end"
        time.sleep(0.05)
        app.run()
    return sound(app)


def texts(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.title]
    return "\n".join(str(part.value) for part in parts)


def trace_names(app: AppTest) -> str:
    return str(json.loads(app.get("bidi_component")[0].proto.json)["figure"])


def test_home_says_what_this_is_and_what_it_is_not(app: AppTest) -> None:
    sound(app.run())
    assert app.title[0].value == "Kronos Dashboard"
    assert "not the published Kronos" in texts(app)
    assert [metric.label for metric in app.metric] == [sample.title for sample in SAMPLES]
    deadline = time.monotonic() + 30
    while "Model loaded" not in texts(app):
        assert time.monotonic() < deadline, texts(app)
        time.sleep(0.05)
        sound(app.run())


def test_home_says_when_the_model_cannot_be_loaded(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", "/no/such/folder")
    deadline = time.monotonic() + 30
    while "is not loaded" not in texts(sound(app.run())):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_forecast_page_begins_with_a_window_and_no_forecast(app: AppTest) -> None:
    sound(app.run().switch_page(FORECAST).run())
    assert "no forecast yet" in texts(app)
    assert "What came" in trace_names(app)
    assert "Median" not in trace_names(app)
    assert (app.number_input(key="context").value, app.number_input(key="horizon").value) == (400, 120)


def test_a_run_shows_the_fan_the_figures_and_the_downloads(app: AppTest) -> None:
    opened(app).button(key="run").click()
    finished(app.run())
    for name in ("Median", "95% of paths", "One path", "Random walk 95%", "What came"):
        assert name in trace_names(app)
    assert [metric.label for metric in app.metric][:2] == ["Last close", "Median after 10 steps"]
    assert "CRPS" in str(app.table[0].value.index[0])
    assert list(app.table[0].value.columns) == ["Model", "Random walk"]
    assert len(app.get("download_button")) == 2
    assert "5 paths, temperature 1" in texts(app)


def test_moving_the_window_redraws_it_without_running_the_model(app: AppTest) -> None:
    opened(app)
    before = trace_names(app)
    app.slider[0].set_value(1_000)
    sound(app.run())
    assert trace_names(app) != before
    assert "row 1,000" in texts(app)
    assert "job" not in app.session_state
    assert "no forecast yet" in texts(app)


def test_a_result_comes_back_with_its_window_and_survives_a_change_of_page(app: AppTest) -> None:
    opened(app).button(key="run").click()
    finished(app.run())
    row = app.slider[0].value
    app.slider[0].set_value(1_000)
    assert "Median" not in trace_names(sound(app.run()))
    app.slider[0].set_value(row)
    assert "Median" in trace_names(sound(app.run()))
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert "Median" in trace_names(sound(app))
    assert app.number_input(key="context").value == 60


def test_changed_controls_are_told_from_the_forecast_that_is_shown(app: AppTest) -> None:
    opened(app).button(key="run").click()
    finished(app.run())
    app.slider(key="temperature").set_value(0.5)
    assert "run again to apply them" in texts(sound(app.run()))
    assert "Median" in trace_names(app)


def test_the_latest_window_has_no_truth(app: AppTest) -> None:
    opened(app)
    app.segmented_control(key="mode").set_value("Latest")
    sound(app.run())
    app.button(key="run").click()
    finished(app.run())
    assert "What came" not in trace_names(app)
    assert "Future bar times follow the currency week" in texts(app)
    assert "CRPS" not in str(app.table[0].value.index)


def test_an_uploaded_file_is_shown_and_forecast(app: AppTest) -> None:
    opened(app)
    app.file_uploader(key="upload").upload("mine.csv", makers.csv(200).encode())
    sound(app.run())
    assert "**mine** · 1h · 200 candles" in texts(app)
    app.button(key="run").click()
    finished(app.run())
    assert "Median" in trace_names(app)


@pytest.mark.parametrize(("data", "words"), [
    (b"a,b\n1,2\n", "lacks the column"),
    (makers.csv(50, close="nan").encode(), "not a finite number"),
    (b"", "cannot be read as CSV"),
])  # fmt: skip
def test_a_bad_file_is_explained_and_the_series_before_it_stays(app: AppTest, data: bytes, words: str) -> None:
    opened(app)
    app.file_uploader(key="upload").upload("bad.csv", data)
    sound(app.run())
    assert words in app.error[0].value
    assert "**EURUSD**" in texts(app)
    assert len(app.get("bidi_component")) == 1


def test_a_repaired_file_carries_its_warning(app: AppTest) -> None:
    opened(app)
    header, *rows = makers.csv(200).rstrip().split("\n")
    app.file_uploader(key="upload").upload("mine.csv", "\n".join([header, *reversed(rows)]).encode())
    sound(app.run())
    assert "newest first" in app.warning[0].value


def test_a_file_shorter_than_the_context_is_explained(app: AppTest) -> None:
    sound(app.run().switch_page(FORECAST).run())
    app.file_uploader(key="upload").upload("short.csv", makers.csv(30).encode())
    sound(app.run())
    assert "“short” has 30 candles; the context is set to 400" in app.error[0].value.replace("\\", "")
    assert "Shorten the context" in app.error[0].value


def test_a_model_that_cannot_be_had_is_explained_on_the_page(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", "/no/such/folder")
    opened(app).button(key="run").click()
    finished(app.run())
    assert "/no/such/folder" in app.error[0].value.replace("\\", "")
    assert "Traceback" not in texts(app)
    assert len(app.get("bidi_component")) == 1


def test_an_unforeseen_error_shows_its_name_and_no_inside(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(runs, "_work", fail)
    opened(app).button(key="run").click()
    finished(app.run())
    assert "ZeroDivisionError" in app.error[0].value
    assert "secret inside" not in texts(app)
    assert "secret inside" in caplog.text


def test_a_running_forecast_counts_its_steps_and_can_be_cancelled(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine import Cancelled

    def slow(job: Job, *_: object) -> None:
        job.step(3, 10)
        if job.cancel_token.wait(30):
            raise Cancelled("stopped.")

    monkeypatch.setattr(runs, "_work", slow)
    opened(app).button(key="run").click()
    sound(app.run())
    deadline = time.monotonic() + 10
    while "step 3 of 10" not in (shown := str(app.get("progress")[0].proto)):
        assert time.monotonic() < deadline, shown
        sound(app.run())
    app.button(key="cancel").click()
    sound(app.run())
    assert "job" not in app.session_state
    assert "no forecast yet" in texts(app)


def test_every_error_of_ours_is_caught_by_the_guard() -> None:
    def page() -> None:
        from engine import CandlesError
        from kronos_dashboard import ui
        from kronos_dashboard.errors import WindowError

        with ui.guard():
            import streamlit as st

            raise WindowError("too *short*.", "Load more.") if st.session_state["which"] else CandlesError("flat.")

    for which, words in ((True, "Too \\*short\\*.\n\nLoad more."), (False, "Flat.")):
        app = AppTest.from_function(page)
        app.session_state["which"] = which
        app.run()
        assert not app.exception
        assert app.error[0].value == words
    assert not issubclass(DashboardError, EngineError)


def test_text_from_files_cannot_become_markup() -> None:
    assert escape("<b>*x*</b> $1 :red[y]") == "\\<b\\>\\*x\\*\\</b\\> \\$1 \\:red\\[y\\]"
