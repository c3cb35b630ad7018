"""The grid over context and temperature, as Streamlit runs it."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from engine import CancelledError
from kronos_dashboard.compute.queue import TaskContext
from kronos_dashboard.compute.tasks import SensitivityTask
from kronos_dashboard.ui.forecast.comparison import sensitivity
from tests.kronos_dashboard.ui.forecast.test_comparison import figures, fresh, opened
from tests.support.forecast_page import assert_no_exception, page_text, wait_for_key

__all__ = ["fresh"]


def grid() -> None:
    from engine import SamplingConfig
    from kronos_dashboard.ui.forecast.comparison.sensitivity import show_sensitivity
    from tests.support import ui_results

    show_sensitivity(ui_results.window(), SamplingConfig(num_paths=7, temperature=0.9, seed=4))


def open_grid() -> None:
    from engine import SamplingConfig
    from kronos_dashboard.ui.forecast.comparison.sensitivity import show_sensitivity
    from tests.support import ui_results

    show_sensitivity(
        ui_results.window(), SamplingConfig(num_paths=7, seed=4, anchor_to_last_close=True, mirror_paths=True)
    )


def test_a_grid_runs_in_the_queue_and_says_how_much_hangs_on_the_settings() -> None:
    app = opened(grid)
    assert app.button(key="sensitivity_run").label == "Run 9 forecasts"
    app.multiselect[0].set_value([50, 100])
    app.multiselect[1].set_value([0.6, 1.0])
    app.number_input(key="sensitivity_paths").set_value(6)
    assert_no_exception(app.run())
    app.button(key="sensitivity_run").click()
    wait_for_key(app.run(), "sensitivity_job", 60)
    [heat] = figures(app)["sensitivity_chart"]["data"]
    assert heat["y"] == ["50", "100"]
    assert heat["x"] == ["0.6", "1"]
    assert np.isfinite(np.array(next(iter(app.session_state["sensitivity_grids"].values()))["prob_up"])).all()
    assert "P(close higher) ranges from" in page_text(app)
    assert "6 paths per cell, top-p 1, seed 4, starting at the decoded level" in page_text(app)
    assert "crps" not in next(iter(app.session_state["sensitivity_grids"].values())).columns
    app.segmented_control(key="sensitivity_metric").set_value("width")
    assert figures(assert_no_exception(app.run()))["sensitivity_chart"]["data"][0]["hovertemplate"].count("Width")
    assert app.button(key="sensitivity_run")


def test_a_grid_counts_its_steps_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: SensitivityTask, context: TaskContext) -> None:
        context.report_progress(5, 40)
        if context.cancel_token.wait(30):
            raise CancelledError("stopped.")

    monkeypatch.setattr(SensitivityTask, "run", slow)
    app = opened(grid)
    app.button(key="sensitivity_run").click()
    assert_no_exception(app.run())
    deadline = time.monotonic() + 20
    while "Step 5 of 40" not in (shown := str(app.get("progress")[0].proto)):
        assert time.monotonic() < deadline, shown
        assert_no_exception(app.run())
    app.button(key="sensitivity_cancel").click()
    assert_no_exception(app.run())
    assert "sensitivity_job" not in app.session_state
    assert app.button(key="sensitivity_run")


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_grid_that_is_stopped_keeps_its_cells_and_says_so_when_one_comes_back(
    monkeypatch: pytest.MonkeyPatch, by_hand: bool
) -> None:
    real = TaskContext.show_preview

    def halting(context: TaskContext, preview: pd.DataFrame) -> None:
        real(context, preview)
        if len(preview) == 2:
            assert context.cancel_token.wait(30)

    monkeypatch.setattr(TaskContext, "show_preview", halting)
    app = opened(grid)
    app.number_input(key="sensitivity_paths").set_value(5)
    assert_no_exception(app.run()).button(key="sensitivity_run").click()
    assert_no_exception(app.run())
    deadline = time.monotonic() + 60
    job = app.session_state["sensitivity_job"]
    while job.preview is None or len(job.preview) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if by_hand:
        app.button(key="sensitivity_cancel").click()
    else:
        job.cancel_token.set()  # as the queue does with what nobody asks for
    wait_for_key(app.run(), "sensitivity_job", 60)
    assert len(app.error) == (not by_hand)
    assert by_hand or "The sensitivity grid was cancelled" in app.error[0].value
    assert "Stopped after 2 of 9 cells" in page_text(app)
    [kept] = app.session_state["sensitivity_grids"].values()
    assert np.isfinite(kept["prob_up"]).all()
    assert len(kept) == 2
    assert "sensitivity_chart" in figures(app)
    assert app.button(key="sensitivity_run")


def test_a_grid_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", "/no/such/folder")
    app = opened(grid)
    app.button(key="sensitivity_run").click()
    wait_for_key(app.run(), "sensitivity_job", 60)
    assert "/no/such/folder" in app.error[0].value.replace("\\", "")
    assert not figures(app)


def test_a_grid_without_cells_or_with_too_many_is_not_run() -> None:
    app = opened(grid)
    app.multiselect[0].set_value([])
    assert "Choose at least one" in page_text(assert_no_exception(app.run()))
    assert not app.button


def cells(up: list[float], end: list[float], spread: float) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([[50, 100], [0.6, 1.0]], names=["context", "temperature"])
    prob_up = np.array(up)
    return pd.DataFrame(
        {"prob_up": prob_up, "prob_up_low": prob_up - spread, "prob_up_high": prob_up + spread, "end": end}, index=index
    )


def test_a_grid_of_mirrored_paths_tells_how_far_and_not_which_way() -> None:
    app = opened(open_grid)
    app.multiselect[0].set_value([50, 100])
    app.multiselect[1].set_value([1.0])
    app.number_input(key="sensitivity_paths").set_value(6)
    assert_no_exception(app.run()).button(key="sensitivity_run").click()
    wait_for_key(app.run(), "sensitivity_job", 60)
    assert app.segmented_control(key="sensitivity_metric").value == "width"
    assert "6 paths per cell, top-p 1, seed 4, starting at the last close, in antithetic pairs" in page_text(app)
    assert "direction is neutral in all cells" in page_text(app)
    assert "P(close higher) ranges from" not in page_text(app)


@pytest.mark.parametrize(
    ("up", "end", "spread", "words"),
    [
        ([0.6, 0.62, 0.61, 0.6], [0.1, 0.1, 0.2, 0.1], 0.1, "The result is stable"),
        ([0.5, 0.48, 0.52, 0.5], [0.1, -0.1, 0.2, 0.1], 0.1, "No clear direction"),
        ([0.2, 0.8, 0.5, 0.5], [-0.1, 0.1, 0.2, 0.1], 0.1, "Direction depends on the settings"),
        ([0.6, 0.95, 0.7, 0.7], [0.1, 0.4, 0.2, 0.1], 0.1, "Direction is stable, strength is not"),
    ],
)
def test_the_sentence_about_a_grid_fits_its_numbers(
    up: list[float], end: list[float], spread: float, words: str
) -> None:
    assert words in sensitivity._direction_sentence(cells(up, end, spread))


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        ([0.01, 0.025], "the width of the 80% band at the end ranges from 1.00% to 2.50%"),
        ([0.02], "One cell: the 80% band at the end is 2.00% wide"),
    ],
)
def test_the_sentence_about_a_mirrored_grid_is_about_its_widths_alone(widths: list[float], words: str) -> None:
    told = sensitivity._width_sentence(pd.DataFrame({"width": widths, "prob_up": 0.9, "end": 0.1}))
    assert words in told
    assert not any(number in told for number in ("90%", "10.0%"))
