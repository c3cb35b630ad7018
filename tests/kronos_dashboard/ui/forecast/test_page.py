"""The forecast page without a browser: sampling, runs, what is shown and what is kept of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import CancelledError
from kronos_dashboard.compute.queue import TaskContext
from kronos_dashboard.compute.tasks import ForecastTask
from kronos_dashboard.errors import WindowError
from kronos_dashboard.ui.forecast import progress, runs
from kronos_dashboard.ui.forecast.appearance import parse_levels
from kronos_dashboard.ui.forecast.sampling import find_preset
from tests.support import makers
from tests.support.forecast_page import (
    FORECAST,
    HOME,
    app,
    assert_no_exception,
    cutoff_row,
    main_figure,
    open_forecast_page,
    page_text,
    run_forecast,
    trace_names,
    wait_for_forecast,
)

__all__ = ["app"]


def test_the_page_begins_with_a_window_no_forecast_and_nothing_of_what_came(app: AppTest) -> None:
    assert_no_exception(app.run().switch_page(FORECAST).run())
    assert "No forecast for this window yet · about" in page_text(app)
    assert "(estimate)" in page_text(app)
    assert trace_names(app) & {"Actual", "Median"} == set()
    assert (app.number_input(key="context").value, app.number_input(key="horizon").value) == (400, 120)
    assert cutoff_row(app) == 6225 - 120


def test_a_run_shows_the_fan_the_figures_and_the_downloads(app: AppTest) -> None:
    run_forecast(open_forecast_page(app))
    wanted = {"Median", "50% of paths", "80% of paths", "95% of paths", "One path", "Volatility cone 95%"}
    assert wanted <= trace_names(app)
    assert "Actual" not in trace_names(app)
    assert [metric.label for metric in app.metric][:2] == ["Last close", "Median at +10 bars"]
    assert "5 paths, temperature 1, top-p 1, seed 0, starting at the decoded level" in page_text(app)
    assert app.button(key="run").label == "Run again"


@pytest.mark.parametrize(("tab", "words"), [
    ("Accuracy", "Actuals are hidden"), ("Export", ""), ("Compare runs", ""), ("Sensitivity", "the same cutoff"),
])  # fmt: skip
def test_what_else_may_be_asked_stands_behind_tabs(app: AppTest, tab: str, words: str) -> None:
    run_forecast(open_forecast_page(app))
    assert "**Direction**" in page_text(app)
    app.session_state["result_tabs_en_all"] = tab
    assert_no_exception(app.run())
    assert words in page_text(app)
    assert "**Direction**" not in page_text(app)
    assert (len(app.get("download_button")) > 0) == (tab == "Export")


def test_the_next_run_is_foretold_from_the_one_before(app: AppTest) -> None:
    run_forecast(open_forecast_page(app))
    app.button(key="step_-1").click()
    assert "No forecast for this window yet · about" in page_text(assert_no_exception(app.run()))
    assert "(estimate)" not in page_text(app)


def test_a_result_comes_back_with_its_window_and_survives_a_change_of_page(app: AppTest) -> None:
    run_forecast(open_forecast_page(app))
    app.button(key="step_-10").click()
    assert "Median" not in trace_names(assert_no_exception(app.run()))
    app.button(key="step_10").click()
    assert "Median" in trace_names(assert_no_exception(app.run()))
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert "Median" in trace_names(assert_no_exception(app))
    assert (app.number_input(key="context").value, app.number_input(key="paths").value) == (60, 5)


def test_so_many_results_are_kept_newest_first(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MAX_RESULTS", 2)
    open_forecast_page(app)
    for seed in (1, 2, 3):
        app.number_input(key="seed").set_value(seed)
        run_forecast(assert_no_exception(app.run()))
    kept = list(app.session_state["results"].values())
    assert [result.record.sampling.seed for result in kept] == [2, 3]
    monkeypatch.setattr(runs, "MAX_BYTES", 1)
    app.number_input(key="seed").set_value(4)
    run_forecast(assert_no_exception(app.run()))
    [only] = app.session_state["results"].values()
    assert only.key == only.record.run_id
    assert only.size > 1
    assert "seed 4" in page_text(app)


def test_changed_controls_are_told_from_the_forecast_that_is_shown(app: AppTest) -> None:
    run_forecast(open_forecast_page(app))
    app.slider(key="temperature").set_value(0.5)
    assert "settings changed; run again" in page_text(assert_no_exception(app.run()))
    assert "Median" in trace_names(app)


def test_presets_set_the_knobs_and_knobs_turned_by_hand_are_neither(app: AppTest) -> None:
    open_forecast_page(app)
    assert app.segmented_control(key="preset").value == "distribution"
    app.segmented_control(key="preset").set_value("point")
    assert_no_exception(app.run())
    assert (app.slider(key="temperature").value, app.slider(key="top_p").value) == (0.6, 0.9)
    assert "near the most likely one" in page_text(app)
    app.number_input(key="top_k").set_value(20)
    assert_no_exception(app.run())
    assert app.segmented_control(key="preset").value == "custom"
    run_forecast(app)
    [result] = app.session_state["results"].values()
    assert result.record.sampling.top_k == 20
    assert find_preset(0.6, 0.9, 0) == "point"
    assert find_preset(0.6, 0.9, 1) is None


def test_where_paths_begin_is_chosen_and_no_preset_touches_it(app: AppTest) -> None:
    open_forecast_page(app)
    assert app.selectbox(key="anchor_to_last_close").value == "model"
    assert app.selectbox(key="anchor_to_last_close").options == [
        "Model default",
        "Last close",
        "Decoded level",
    ]
    app.selectbox(key="anchor_to_last_close").set_value("on")
    assert app.segmented_control(key="preset").value == "distribution"
    app.segmented_control(key="preset").set_value("point")
    run_forecast(assert_no_exception(app.run()))
    assert app.selectbox(key="anchor_to_last_close").value == "on"
    assert "seed 0, starting at the last close" in page_text(app)
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert assert_no_exception(app).selectbox(key="anchor_to_last_close").value == "on"
    app.selectbox(key="anchor_to_last_close").set_value("off")
    assert "settings changed; run again" in page_text(assert_no_exception(app.run()))
    run_forecast(app)
    assert [one.record.sampling.anchor_to_last_close for one in app.session_state["results"].values()] == [True, False]
    moved, drawn = (one.forecast.paths for one in app.session_state["results"].values())
    assert abs(moved - drawn)[..., 3].min() > 0


def test_direction_is_left_open_where_that_is_chosen_and_the_page_says_so(app: AppTest) -> None:
    open_forecast_page(app)
    mirror = app.selectbox(key="mirror_paths")
    assert (mirror.label, mirror.value) == ("Direction", "model")
    assert mirror.options == ["Model default", "Neutral (antithetic pairs)", "As sampled"]
    run_forecast(app)
    assert "mirrored" not in page_text(app)
    app.selectbox(key="mirror_paths").set_value("on")
    assert app.segmented_control(key="preset").value == "distribution"
    assert "settings changed; run again" in page_text(assert_no_exception(app.run()))
    run_forecast(app)
    assert "level, in antithetic pairs" in page_text(app)
    told = (
        "Direction-neutral: each path is paired with its mirror image. The forecast shows how far the price "
        "may move, not which way."
    )
    assert page_text(app).count(told) == 2, "below the chart and above the questions"
    assert "by construction (5 paths in antithetic pairs)" in page_text(app)
    assert app.metric[3].value == "50%"
    app.selectbox(key="mirror_paths").set_value("off")
    run_forecast(assert_no_exception(app.run()))
    assert told not in page_text(app)
    drawn, turned, again = app.session_state["results"].values()
    assert [one.record.sampling.mirror_paths for one in (drawn, turned, again)] == [False, True, False]
    assert (again.forecast.paths == drawn.forecast.paths).all()
    assert (turned.forecast.paths[::2] == drawn.forecast.paths[:3]).all()


def test_a_model_that_asks_for_it_leaves_the_direction_open_and_the_reader_overrules_it(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = makers.checkpoint(tmp_path / "asking", mirror_paths=True)
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(folder))
    assert "not which way" in page_text(run_forecast(open_forecast_page(app)))
    app.selectbox(key="mirror_paths").set_value("off")
    assert "not which way" not in page_text(run_forecast(assert_no_exception(app.run())))


def test_one_path_has_no_mirrored_one_beside_it_and_nothing_says_so(app: AppTest) -> None:
    open_forecast_page(app).selectbox(key="mirror_paths").set_value("on")
    app.number_input(key="paths").set_value(1)
    told = page_text(run_forecast(assert_no_exception(app.run())))
    assert "1 paths, temperature 1, top-p 1, seed 0, starting at the decoded level ·" in told
    assert "mirrored" not in told


def test_min_p_is_typed_or_left_to_the_model_and_no_preset_touches_it(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(makers.checkpoint(tmp_path / "asking", min_p=0.5)))
    run_forecast(open_forecast_page(app))
    typed = app.number_input(key="min_p")
    assert (typed.label, typed.value, typed.placeholder) == ("Min-p", None, "model default")
    assert "settings changed; run again" not in page_text(app)
    typed.set_value(0.0)
    assert "settings changed; run again" in page_text(assert_no_exception(app.run()))
    app.segmented_control(key="preset").set_value("point")
    app.segmented_control(key="preset").set_value("distribution")
    run_forecast(assert_no_exception(app.run()))
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert assert_no_exception(app).number_input(key="min_p").value == 0.0
    assert app.segmented_control(key="preset").value == "distribution"
    app.number_input(key="min_p").set_value(0.004)
    run_forecast(assert_no_exception(app.run()))
    app.number_input(key="min_p").set_value(None)
    run_forecast(assert_no_exception(app.run()))
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert assert_no_exception(app).number_input(key="min_p").value is None
    left, every, few, again = app.session_state["results"].values()
    assert [one.record.sampling.min_p for one in (left, every, few, again)] == [0.5, 0.0, 0.004, 0.5]
    assert (again.forecast.paths == left.forecast.paths).all()
    assert (every.forecast.paths != left.forecast.paths).any()


def test_another_seed_is_rolled(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from kronos_dashboard.ui.forecast import sampling

    monkeypatch.setattr(sampling.secrets, "randbelow", lambda _: 4711)
    open_forecast_page(app).button(key="new_seed").click()
    assert_no_exception(app.run())
    assert app.number_input(key="seed").value == 4711


def test_the_chosen_model_and_type_of_numbers_are_used(app: AppTest, checkpoint: Path) -> None:
    open_forecast_page(app)
    deadline = time.monotonic() + 30
    while len(app.selectbox(key="model").options) == 1:
        assert time.monotonic() < deadline
        assert_no_exception(app.run())
    assert app.selectbox(key="model").value == str(checkpoint)
    app.selectbox(key="dtype").set_value("bfloat16")
    run_forecast(assert_no_exception(app.run()))
    [result] = app.session_state["results"].values()
    assert result.record.dtype == "bfloat16"


def test_a_model_that_nobody_offers_is_not_opened(app: AppTest, checkpoint: Path) -> None:
    app.session_state["model"] = "/etc"
    open_forecast_page(app)
    assert app.selectbox(key="model").value == str(checkpoint)
    run_forecast(app)
    assert "Median" in trace_names(app)


def test_the_window_runs_by_itself_once_it_rests_when_auto_is_on(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_IDLE_S", 0.0)
    open_forecast_page(app).toggle(key="auto_run").set_value(True)
    wait_for_forecast(assert_no_exception(app.run()))
    assert "Median" in trace_names(app)
    app.button(key="step_-10").click()
    wait_for_forecast(assert_no_exception(app.run()))
    assert "Median" in trace_names(app)
    assert len(app.session_state["results"]) == 2


def test_auto_tells_what_went_wrong_once_and_goes_on_with_the_next_window(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise WindowError("these candles will not do.")

    monkeypatch.setattr(progress, "_IDLE_S", 0.0)
    real = ForecastTask.run
    monkeypatch.setattr(ForecastTask, "run", fail)
    open_forecast_page(app).toggle(key="auto_run").set_value(True)
    wait_for_forecast(assert_no_exception(app.run()))
    assert "These candles will not do." in app.error[0].value
    monkeypatch.setattr(ForecastTask, "run", real)
    app.button(key="step_-1").click()
    wait_for_forecast(assert_no_exception(app.run()))
    assert "Median" in trace_names(app)
    assert not app.error


def test_what_the_chart_shows_is_chosen(app: AppTest) -> None:
    run_forecast(open_forecast_page(app))
    app.segmented_control(key="visible_paths").set_value(20)
    app.segmented_control(key="baseline_layer").set_value("walk")
    app.segmented_control(key="palette").set_value("east_asian")
    app.toggle(key="log_scale").set_value(True)
    app.toggle(key="show_surprisal").set_value(True)
    app.text_input(key="price_levels").set_value("1.19 1.2")
    figure = main_figure(assert_no_exception(app.run()))
    assert {"5 paths", "Random walk 95%", "Surprisal"} <= trace_names(app)
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert figure["layout"]["meta"]["scheme"] == "east_asian"
    assert {1.19, 1.2} <= {shape.get("y0") for shape in figure["layout"]["shapes"]}
    app.text_input(key="price_levels").set_value("1.19 high")
    assert "must be a price above zero" in assert_no_exception(app.run()).error[0].value
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert main_figure(assert_no_exception(app))["layout"]["meta"]["scheme"] == "east_asian"


def test_levels_are_read_as_people_type_them() -> None:
    assert parse_levels(" 1.085; 60,300 1,234,567.8, 1.085 ") == [1.085, 60300.0, 1234567.8]
    assert parse_levels("") == []
    for text in ("1,08", "0", "-3", "nan", "inf", "1 2 3 4 5 6", "1e999"):
        with pytest.raises(ValueError, match="level"):
            parse_levels(text)


def test_a_running_forecast_counts_its_steps_and_can_be_cancelled(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_: ForecastTask, context: TaskContext) -> None:
        context.report_progress(3, 10)
        if context.cancel_token.wait(30):
            raise CancelledError("stopped.")

    monkeypatch.setattr(ForecastTask, "run", slow)
    open_forecast_page(app).button(key="run").click()
    assert_no_exception(app.run())
    until(app, lambda: "step 3 of 10" in str(app.get("progress")[0].proto))
    app.button(key="cancel").click()
    assert_no_exception(app.run())
    assert "pending_run" not in app.session_state
    assert "No forecast for this window yet" in page_text(app)


def test_a_download_is_told_and_what_is_decoded_so_far_is_sent_to_the_chart(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, is_downloaded = ForecastTask.run, threading.Event()

    def staged(task: ForecastTask, context: TaskContext) -> None:
        outcome = real(task, context)
        context._report_download("model.safetensors", 3_000_000, 12_000_000)
        assert is_downloaded.wait(30)
        context.job.download = None
        context.show_preview(outcome.forecast.paths[:, :4])
        if context.cancel_token.wait(30):
            raise CancelledError("stopped.")

    monkeypatch.setattr(ForecastTask, "run", staged)
    open_forecast_page(app).button(key="run").click()
    assert_no_exception(app.run())
    until(app, lambda: "3.0 / 12.0 MB" in str(app.get("progress")[0].proto))
    is_downloaded.set()
    until(app, lambda: bool(patches(app)))
    assert "median" in patches(app)[0]
    app.button(key="cancel").click()
    assert_no_exception(app.run())
    assert "pending_run" not in app.session_state


def test_a_run_that_nobody_looked_at_says_so_when_one_comes_back(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: ForecastTask, context: TaskContext) -> None:
        assert context.cancel_token.wait(30)
        raise CancelledError("stopped.")

    monkeypatch.setattr(ForecastTask, "run", slow)
    open_forecast_page(app).button(key="run").click()
    assert_no_exception(app.run())
    app.session_state["pending_run"].job.cancel_token.set()  # as the queue does with what nobody asks for
    wait_for_forecast(app)
    assert "The forecast was cancelled: the page was inactive for 90 s" in app.error[0].value.replace("\\", "")
    app.button(key="step_-1").click()
    assert not assert_no_exception(app.run()).error


def test_auto_asks_once_and_what_it_asks_for_is_on_the_desk_at_once(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(progress, "_IDLE_S", 0.0)
    monkeypatch.setattr(progress, "save_session", lambda: kept.append(runs.pending_run()))
    open_forecast_page(app).toggle(key="auto_run").set_value(True)
    wait_for_forecast(assert_no_exception(app.run()))
    assert len(kept) == 1
    assert kept[0] is not None


def until(app: AppTest, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        assert_no_exception(app.run())


def patches(app: AppTest) -> list[str]:
    """What is to be laid over the big chart."""
    return [part.proto.json for part in app.get("bidi_component") if '"chart": "chart"' in (part.proto.json or "")]
