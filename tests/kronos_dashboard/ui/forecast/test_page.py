"""The forecast page without a browser: sampling, runs, what is shown and what is kept of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine import Cancelled
from kronos_dashboard.compute.queue import Job
from kronos_dashboard.errors import WindowError
from kronos_dashboard.ui.forecast import progress as watch
from kronos_dashboard.ui.forecast import runs
from kronos_dashboard.ui.forecast.appearance import read_levels
from kronos_dashboard.ui.forecast.sampling import preset_of
from tests.support import makers
from tests.support.forecast_page import (
    FORECAST,
    HOME,
    app,
    finished,
    forecast,
    opened,
    row,
    shown_figure,
    sound,
    texts,
    trace_names,
)

__all__ = ["app"]


def test_the_page_begins_with_a_window_no_forecast_and_nothing_of_what_came(app: AppTest) -> None:
    sound(app.run().switch_page(FORECAST).run())
    assert "No forecast of this window yet · about" in texts(app)
    assert "(a first guess)" in texts(app)
    assert trace_names(app) & {"What came", "Median"} == set()
    assert (app.number_input(key="context").value, app.number_input(key="horizon").value) == (400, 120)
    assert row(app) == 6225 - 120


def test_a_run_shows_the_fan_the_figures_and_the_downloads(app: AppTest) -> None:
    forecast(opened(app))
    wanted = {"Median", "50% of paths", "80% of paths", "95% of paths", "One path", "Volatility cone 95%"}
    assert wanted <= trace_names(app)
    assert "What came" not in trace_names(app)
    assert [metric.label for metric in app.metric][:2] == ["Last close", "Median after 10 steps"]
    assert "5 paths, temperature 1, top-p 1, seed 0, starting at the model's own level" in texts(app)
    assert app.button(key="run").label == "Run again"


@pytest.mark.parametrize(("tab", "words"), [
    ("Comparison", "What came is hidden"), ("Files", ""), ("Side by side", ""), ("Sensitivity", "The same cutoff"),
])  # fmt: skip
def test_what_else_may_be_asked_stands_behind_tabs(app: AppTest, tab: str, words: str) -> None:
    forecast(opened(app))
    assert "Up or down?" in texts(app)
    app.session_state["parts_en_all"] = tab
    sound(app.run())
    assert words in texts(app)
    assert "Up or down?" not in texts(app)
    assert (len(app.get("download_button")) > 0) == (tab == "Files")


def test_the_next_run_is_foretold_from_the_one_before(app: AppTest) -> None:
    forecast(opened(app))
    app.button(key="step_-1").click()
    assert "No forecast of this window yet · about" in texts(sound(app.run()))
    assert "first guess" not in texts(app)


def test_a_result_comes_back_with_its_window_and_survives_a_change_of_page(app: AppTest) -> None:
    forecast(opened(app))
    app.button(key="step_-10").click()
    assert "Median" not in trace_names(sound(app.run()))
    app.button(key="step_10").click()
    assert "Median" in trace_names(sound(app.run()))
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert "Median" in trace_names(sound(app))
    assert (app.number_input(key="context").value, app.number_input(key="paths").value) == (60, 5)


def test_so_many_results_are_kept_newest_first(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST_KEPT", 2)
    opened(app)
    for seed in (1, 2, 3):
        app.number_input(key="seed").set_value(seed)
        forecast(sound(app.run()))
    kept = list(app.session_state["results"].values())
    assert [result.record.sampling_config.seed for result in kept] == [2, 3]
    monkeypatch.setattr(runs, "MOST_BYTES", 1)
    app.number_input(key="seed").set_value(4)
    forecast(sound(app.run()))
    [only] = app.session_state["results"].values()
    assert only.key == only.record.run_id
    assert only.size > 1
    assert "seed 4" in texts(app)


def test_changed_controls_are_told_from_the_forecast_that_is_shown(app: AppTest) -> None:
    forecast(opened(app))
    app.slider(key="temperature").set_value(0.5)
    assert "changed since: run again" in texts(sound(app.run()))
    assert "Median" in trace_names(app)


def test_presets_set_the_knobs_and_knobs_turned_by_hand_are_neither(app: AppTest) -> None:
    opened(app)
    assert app.segmented_control(key="preset").value == "distribution"
    app.segmented_control(key="preset").set_value("point")
    sound(app.run())
    assert (app.slider(key="temperature").value, app.slider(key="top_p").value) == (0.6, 0.9)
    assert "near the likeliest one" in texts(app)
    app.number_input(key="top_k").set_value(20)
    sound(app.run())
    assert app.segmented_control(key="preset").value == "custom"
    forecast(app)
    [result] = app.session_state["results"].values()
    assert result.record.sampling_config.top_k == 20
    assert preset_of(0.6, 0.9, 0) == "point"
    assert preset_of(0.6, 0.9, 1) is None


def test_where_paths_begin_is_chosen_and_no_preset_touches_it(app: AppTest) -> None:
    opened(app)
    assert app.selectbox(key="begin").value == "model"
    assert app.selectbox(key="begin").options == ["As the model asks", "At the last close", "At the model's own level"]
    app.selectbox(key="begin").set_value("close")
    assert app.segmented_control(key="preset").value == "distribution"
    app.segmented_control(key="preset").set_value("point")
    forecast(sound(app.run()))
    assert app.selectbox(key="begin").value == "close"
    assert "seed 0, starting at the last close" in texts(app)
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert sound(app).selectbox(key="begin").value == "close"
    app.selectbox(key="begin").set_value("tokens")
    assert "changed since: run again" in texts(sound(app.run()))
    forecast(app)
    assert [one.record.sampling["from_last_close"] for one in app.session_state["results"].values()] == [True, False]
    moved, drawn = (one.forecast.paths for one in app.session_state["results"].values())
    assert abs(moved - drawn)[..., 3].min() > 0


def test_direction_is_left_open_where_that_is_chosen_and_the_page_says_so(app: AppTest) -> None:
    opened(app)
    leaning = app.selectbox(key="leaning")
    assert (leaning.label, leaning.value) == ("Direction", "model")
    assert leaning.options == ["As the model asks", "Left open (mirrored)", "As the model draws it"]
    forecast(app)
    assert "mirrored" not in texts(app)
    app.selectbox(key="leaning").set_value("none")
    assert app.segmented_control(key="preset").value == "distribution"
    assert "changed since: run again" in texts(sound(app.run()))
    forecast(app)
    assert "level, every second mirrored" in texts(app)
    told = (
        "Every second path is mirrored at the last close: this forecast says how far the price may move, not which way."
    )
    assert texts(app).count(told) == 2, "below the chart and above the questions"
    assert "of 5 paths, half mirrored" in texts(app)
    app.selectbox(key="leaning").set_value("drawn")
    forecast(sound(app.run()))
    assert told not in texts(app)
    drawn, turned, again = app.session_state["results"].values()
    assert [one.record.sampling["mirrored"] for one in (drawn, turned, again)] == [False, True, False]
    assert (again.forecast.paths == drawn.forecast.paths).all()
    assert (turned.forecast.paths[::2] == drawn.forecast.paths[::2]).all()
    assert (turned.forecast.paths[1::2] != drawn.forecast.paths[1::2]).any()


def test_a_model_that_asks_for_it_leaves_the_direction_open_and_the_reader_overrules_it(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = makers.checkpoint(tmp_path / "asking", mirrored=True)
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(folder))
    assert "not which way" in texts(forecast(opened(app)))
    app.selectbox(key="leaning").set_value("drawn")
    assert "not which way" not in texts(forecast(sound(app.run())))


def test_one_path_has_no_mirrored_one_beside_it_and_nothing_says_so(app: AppTest) -> None:
    opened(app).selectbox(key="leaning").set_value("none")
    app.number_input(key="paths").set_value(1)
    told = texts(forecast(sound(app.run())))
    assert "1 paths, temperature 1, top-p 1, seed 0, starting at the model's own level ·" in told
    assert "mirrored" not in told


def test_min_p_is_typed_or_left_to_the_model_and_no_preset_touches_it(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(makers.checkpoint(tmp_path / "asking", min_p=0.5)))
    forecast(opened(app))
    typed = app.number_input(key="min_p")
    assert (typed.label, typed.value, typed.placeholder) == ("Min-p", None, "as the model asks")
    assert "changed since: run again" not in texts(app)
    typed.set_value(0.0)
    assert "changed since: run again" in texts(sound(app.run()))
    app.segmented_control(key="preset").set_value("point")
    app.segmented_control(key="preset").set_value("distribution")
    forecast(sound(app.run()))
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert sound(app).number_input(key="min_p").value == 0.0
    assert app.segmented_control(key="preset").value == "distribution"
    app.number_input(key="min_p").set_value(0.004)
    forecast(sound(app.run()))
    app.number_input(key="min_p").set_value(None)
    forecast(sound(app.run()))
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert sound(app).number_input(key="min_p").value is None
    left, every, few, again = app.session_state["results"].values()
    assert [one.record.sampling["min_p"] for one in (left, every, few, again)] == [0.5, 0.0, 0.004, 0.5]
    assert (again.forecast.paths == left.forecast.paths).all()
    assert (every.forecast.paths != left.forecast.paths).any()


def test_another_seed_is_rolled(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from kronos_dashboard.ui.forecast import sampling as presets

    monkeypatch.setattr(presets.secrets, "randbelow", lambda _: 4711)
    opened(app).button(key="reroll").click()
    sound(app.run())
    assert app.number_input(key="seed").value == 4711


def test_the_chosen_model_and_type_of_numbers_are_used(app: AppTest, checkpoint: Path) -> None:
    opened(app)
    deadline = time.monotonic() + 30
    while len(app.selectbox(key="model").options) == 1:
        assert time.monotonic() < deadline
        sound(app.run())
    assert app.selectbox(key="model").value == str(checkpoint)
    app.selectbox(key="dtype").set_value("bfloat16")
    forecast(sound(app.run()))
    [result] = app.session_state["results"].values()
    assert result.record.dtype == "bfloat16"


def test_a_model_that_nobody_offers_is_not_opened(app: AppTest, checkpoint: Path) -> None:
    app.session_state["model"] = "/etc"
    opened(app)
    assert app.selectbox(key="model").value == str(checkpoint)
    forecast(app)
    assert "Median" in trace_names(app)


def test_the_window_runs_by_itself_once_it_rests_when_auto_is_on(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_REST_S", 0.0)
    opened(app).toggle(key="auto").set_value(True)
    finished(sound(app.run()))
    assert "Median" in trace_names(app)
    app.button(key="step_-10").click()
    finished(sound(app.run()))
    assert "Median" in trace_names(app)
    assert len(app.session_state["results"]) == 2


def test_auto_tells_what_went_wrong_once_and_goes_on_with_the_next_window(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise WindowError("these candles will not do.")

    monkeypatch.setattr(watch, "_REST_S", 0.0)
    real = runs._work
    monkeypatch.setattr(runs, "_work", fail)
    opened(app).toggle(key="auto").set_value(True)
    finished(sound(app.run()))
    assert "These candles will not do." in app.error[0].value
    monkeypatch.setattr(runs, "_work", real)
    app.button(key="step_-1").click()
    finished(sound(app.run()))
    assert "Median" in trace_names(app)
    assert not app.error


def test_what_the_chart_shows_is_chosen(app: AppTest) -> None:
    forecast(opened(app))
    app.segmented_control(key="drawn_paths").set_value(20)
    app.segmented_control(key="behind").set_value("walk")
    app.segmented_control(key="colours").set_value("east_asian")
    app.toggle(key="show_log").set_value(True)
    app.toggle(key="show_surprise").set_value(True)
    app.text_input(key="levels").set_value("1.19 1.2")
    figure = shown_figure(sound(app.run()))
    assert {"5 paths", "Random walk 95%", "Surprise"} <= trace_names(app)
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert figure["layout"]["meta"]["scheme"] == "east_asian"
    assert {1.19, 1.2} <= {shape.get("y0") for shape in figure["layout"]["shapes"]}
    app.text_input(key="levels").set_value("1.19 high")
    assert "must be a price above zero" in sound(app.run()).error[0].value
    app.switch_page(HOME).run()
    app.switch_page(FORECAST).run()
    assert shown_figure(sound(app))["layout"]["meta"]["scheme"] == "east_asian"


def test_levels_are_read_as_people_type_them() -> None:
    assert read_levels(" 1.085; 60,300 1,234,567.8, 1.085 ") == [1.085, 60300.0, 1234567.8]
    assert read_levels("") == []
    for text in ("1,08", "0", "-3", "nan", "inf", "1 2 3 4 5 6", "1e999"):
        with pytest.raises(ValueError, match="level"):
            read_levels(text)


def test_a_running_forecast_counts_its_steps_and_can_be_cancelled(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(job: Job, *_: object) -> None:
        job.step(3, 10)
        if job.cancel_token.wait(30):
            raise Cancelled("stopped.")

    monkeypatch.setattr(runs, "_work", slow)
    opened(app).button(key="run").click()
    sound(app.run())
    until(app, lambda: "step 3 of 10" in str(app.get("progress")[0].proto))
    app.button(key="cancel").click()
    sound(app.run())
    assert "job" not in app.session_state
    assert "No forecast of this window yet" in texts(app)


def test_a_download_is_told_and_what_is_decoded_so_far_is_sent_to_the_chart(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, arrived = runs._work, threading.Event()

    def staged(job: Job, *rest: Any) -> None:
        result = real(job, *rest)
        job.arriving = ("model.safetensors", 3_000_000, 12_000_000)
        assert arrived.wait(30)
        job.arriving, job.partial = None, result.forecast.paths[:, :4]
        if job.cancel_token.wait(30):
            raise Cancelled("stopped.")

    monkeypatch.setattr(runs, "_work", staged)
    opened(app).button(key="run").click()
    sound(app.run())
    until(app, lambda: "3.0 / 12.0 MB" in str(app.get("progress")[0].proto))
    arrived.set()
    until(app, lambda: bool(patches(app)))
    assert "median" in patches(app)[0]
    app.button(key="cancel").click()
    sound(app.run())
    assert "job" not in app.session_state


def test_a_run_that_nobody_looked_at_says_so_when_one_comes_back(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(job: Job, *_: object) -> None:
        assert job.cancel_token.wait(30)
        raise Cancelled("stopped.")

    monkeypatch.setattr(runs, "_work", slow)
    opened(app).button(key="run").click()
    sound(app.run())
    app.session_state["job"].job.cancel_token.set()  # as the queue does with what nobody asks for
    finished(app)
    assert "The forecast was stopped before it was done: nobody looked at it for 90 s" in app.error[0].value.replace(
        "\\", ""
    )
    app.button(key="step_-1").click()
    assert not sound(app.run()).error


def test_auto_asks_once_and_what_it_asks_for_is_on_the_desk_at_once(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(watch, "_REST_S", 0.0)
    monkeypatch.setattr(watch, "keep_desk", lambda: kept.append(runs.asked()))
    opened(app).toggle(key="auto").set_value(True)
    finished(sound(app.run()))
    assert len(kept) == 1
    assert kept[0] is not None


def until(app: AppTest, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        sound(app.run())


def patches(app: AppTest) -> list[str]:
    """What is to be laid over the big chart."""
    return [part.proto.json for part in app.get("bidi_component") if '"chart": "chart"' in (part.proto.json or "")]
