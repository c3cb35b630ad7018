"""The forecast page without a browser: where the window lies, and what came after it, hidden until it is revealed."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from kronos_dashboard.ui.forecast import reveal
from tests.support import makers
from tests.support.forecast_page import (
    FORECAST,
    app,
    assert_no_exception,
    cutoff_row,
    main_figure,
    open_forecast_page,
    page_text,
    run_forecast,
    trace_names,
)

__all__ = ["app"]


@pytest.mark.parametrize(("button", "by"), [("step_-10", -10), ("step_-1", -1)])
def test_moving_the_window_redraws_it_without_running_the_model(app: AppTest, button: str, by: int) -> None:
    before, begin = cutoff_row(open_forecast_page(app)), main_figure(app)["data"][0]["customdata"][0]
    app.button(key=button).click()
    assert cutoff_row(assert_no_exception(app.run())) == before + by
    assert main_figure(app)["data"][0]["customdata"][0] != begin
    assert "pending_run" not in app.session_state
    app.button(key="step_last").click()
    assert cutoff_row(assert_no_exception(app.run())) == before
    assert app.button(key="step_1").disabled


def test_the_slider_goes_over_the_whole_series_by_dates(app: AppTest) -> None:
    open_forecast_page(app)
    slider = app.select_slider[0]
    assert (slider.options[0], slider.options[-1]) == ("4 Jan 09:00", "29 Dec 11:00")
    assert len(slider.options) <= 600
    slider.set_value(60)
    assert cutoff_row(assert_no_exception(app.run())) == 60
    assert app.button(key="step_-1").disabled
    app.button(key="step_1").click()
    assert cutoff_row(assert_no_exception(app.run())) == 61


def test_what_came_is_revealed_bar_by_bar_and_hidden_again(app: AppTest) -> None:
    run_forecast(open_forecast_page(app))
    for button, bars in (("reveal_1", 1), ("reveal_10", 10), ("reveal_none", 0), ("reveal_all", 10)):
        app.button(key=button).click()
        assert_no_exception(app.run())
        came = [trace for trace in main_figure(app)["data"] if trace.get("name") == "Actual"]
        assert len(came) == (bars > 0)
        assert app.session_state["revealed_bars"][1] == bars
    assert app.button(key="reveal_all").disabled
    app.button(key="step_-1").click()
    assert "Actual" not in trace_names(assert_no_exception(app.run())), "another window hides what came of it"


def test_what_came_can_be_played_and_paused(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(reveal.time, "monotonic", lambda: now[0])
    open_forecast_page(app).button(key="reveal_play").click()
    assert_no_exception(app.run())
    assert app.session_state["revealed_bars"][1] == 1
    now[0] += 3 * reveal.PLAYBACK_BAR_S + 0.01
    assert_no_exception(app.run())
    assert app.session_state["revealed_bars"][1] == 4
    app.button(key="reveal_play").click()
    assert_no_exception(app.run())
    assert "playback" not in app.session_state
    app.button(key="reveal_play").click()
    assert_no_exception(app.run())
    now[0] += 100
    assert_no_exception(app.run())
    assert app.session_state["revealed_bars"][1] == 10
    assert "playback" not in app.session_state


def test_the_latest_window_has_no_truth_and_names_the_bars_that_come(app: AppTest) -> None:
    open_forecast_page(app).segmented_control(key="window_mode").set_value("Latest")
    run_forecast(assert_no_exception(app.run()))
    assert "Actual" not in trace_names(app)
    assert "Cutoff **29 Dec 2017 21:00**; next bars: 31 Dec 2017 22:00" in page_text(app)
    assert "Future bar times follow the forex week" in page_text(app).replace("\\", "")
    assert not [button for button in app.button if button.key == "reveal_all"]


def test_a_series_with_no_room_for_a_truth_has_its_latest_window_alone(
    app: AppTest,
) -> None:
    app.run().switch_page(FORECAST).run()
    app.number_input(key="context").set_value(60)
    app.number_input(key="horizon").set_value(10)
    app.file_uploader(key="upload").upload("short.csv", makers.csv(65).encode())
    assert_no_exception(app.run())
    assert "Cutoff **" in page_text(app)
    assert app.segmented_control(key="window_mode_latest_only").value == "Latest"
    app.file_uploader(key="upload").upload("longer.csv", makers.csv(70).encode())
    assert cutoff_row(assert_no_exception(app.run())) == 60
    assert not app.select_slider, "there is but one place"


def test_latest_can_begin_before_its_last_candles_and_shows_them_over_the_fan(app: AppTest) -> None:
    open_forecast_page(app).segmented_control(key="window_mode").set_value("Latest")
    assert_no_exception(app.run())
    app.slider(key="latest_lag").set_value(4)
    run_forecast(assert_no_exception(app.run()))
    came = next(trace for trace in main_figure(app)["data"] if trace.get("name") == "Actual")
    assert came["x"] is not None
    assert "Cutoff **29 Dec 2017 17:00**" in page_text(app)
    app.slider(key="latest_lag").set_value(10)
    assert "29 Dec 2017 11:00" in page_text(assert_no_exception(app.run()))
