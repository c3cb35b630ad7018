"""The grid over context and temperature, as Streamlit runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine import Cancelled
from kronos_dashboard.compute.queue import Job
from kronos_dashboard.ui.forecast.comparison import sensitivity as compare_grid
from tests.kronos_dashboard.ui.forecast.test_comparison import figures, fresh, opened
from tests.support.forecast_page import ended, sound, texts

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

    show_sensitivity(ui_results.window(), SamplingConfig(num_paths=7, seed=4, from_last_close=True, mirrored=True))


def test_a_grid_runs_in_the_queue_and_says_how_much_hangs_on_the_settings() -> None:
    app = opened(grid)
    assert app.button(key="grid_run").label == "Run 9 forecasts"
    app.multiselect[0].set_value([50, 100])
    app.multiselect[1].set_value([0.6, 1.0])
    app.number_input(key="grid_paths").set_value(6)
    sound(app.run())
    app.button(key="grid_run").click()
    ended(app.run(), "grid_job", 60)
    [heat] = figures(app)["grid_chart"]["data"]
    assert heat["y"] == ["50", "100"]
    assert heat["x"] == ["0.6", "1"]
    assert np.isfinite(np.array(next(iter(app.session_state["grids"].values()))["up"])).all()
    assert "The chance to end higher runs from" in texts(app)
    assert "6 paths a cell, top-p 1, seed 4, starting at the model's own level" in texts(app)
    assert "crps" not in next(iter(app.session_state["grids"].values())).columns
    app.segmented_control(key="grid_number").set_value("width")
    assert figures(sound(app.run()))["grid_chart"]["data"][0]["hovertemplate"].count("Width")
    assert app.button(key="grid_run")


def test_a_grid_counts_its_steps_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(job: Job, *_: object) -> None:
        job.step(5, 40)
        if job.cancel_token.wait(30):
            raise Cancelled("stopped.")

    monkeypatch.setattr(compare_grid, "_work", slow)
    app = opened(grid)
    app.button(key="grid_run").click()
    sound(app.run())
    deadline = time.monotonic() + 20
    while "Step 5 of 40" not in (shown := str(app.get("progress")[0].proto)):
        assert time.monotonic() < deadline, shown
        sound(app.run())
    app.button(key="grid_cancel").click()
    sound(app.run())
    assert "grid_job" not in app.session_state
    assert app.button(key="grid_run")


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_grid_that_is_stopped_keeps_its_cells_and_says_so_when_one_comes_back(
    monkeypatch: pytest.MonkeyPatch, by_hand: bool
) -> None:
    real = compare_grid.sensitivity

    def halting(*given: Any, partial: Callable[[pd.DataFrame], None], **more: Any) -> pd.DataFrame:
        cancel = given[6]

        def some(table: pd.DataFrame) -> None:
            partial(table)
            if len(table) == 2:
                assert cancel.wait(30)

        return real(*given, partial=some, **more)

    monkeypatch.setattr(compare_grid, "sensitivity", halting)
    app = opened(grid)
    app.number_input(key="grid_paths").set_value(5)
    sound(app.run()).button(key="grid_run").click()
    sound(app.run())
    deadline = time.monotonic() + 60
    while len(app.session_state["grid_done"]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if by_hand:
        app.button(key="grid_cancel").click()
    else:
        app.session_state["grid_job"].cancel_token.set()  # as the queue does with what nobody asks for
    ended(app.run(), "grid_job", 60)
    assert len(app.error) == (not by_hand)
    assert by_hand or "The grid was stopped before it was done" in app.error[0].value
    assert "2 of 9 cells were done" in texts(app)
    [kept] = app.session_state["grids"].values()
    assert np.isfinite(kept["up"]).all()
    assert len(kept) == 2
    assert "grid_chart" in figures(app)
    assert app.button(key="grid_run")


def test_a_grid_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", "/no/such/folder")
    app = opened(grid)
    app.button(key="grid_run").click()
    ended(app.run(), "grid_job", 60)
    assert "/no/such/folder" in app.error[0].value.replace("\\", "")
    assert not figures(app)


def test_a_grid_without_cells_or_with_too_many_is_not_run() -> None:
    app = opened(grid)
    app.multiselect[0].set_value([])
    assert "Choose at least one" in texts(sound(app.run()))
    assert not app.button


def cells(up: list[float], end: list[float], spread: float) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([[50, 100], [0.6, 1.0]], names=["context", "temperature"])
    chance = np.array(up)
    return pd.DataFrame({"up": chance, "up_low": chance - spread, "up_high": chance + spread, "end": end}, index=index)


def test_a_grid_of_mirrored_paths_tells_how_far_and_not_which_way() -> None:
    app = opened(open_grid)
    app.multiselect[0].set_value([50, 100])
    app.multiselect[1].set_value([1.0])
    app.number_input(key="grid_paths").set_value(6)
    sound(app.run()).button(key="grid_run").click()
    ended(app.run(), "grid_job", 60)
    assert app.segmented_control(key="grid_number").value == "width"
    assert "6 paths a cell, top-p 1, seed 4, starting at the last close, every second mirrored" in texts(app)
    assert "so that no cell leans up or down" in texts(app)
    assert "The chance to end higher runs from" not in texts(app)


@pytest.mark.parametrize(
    ("up", "end", "spread", "words"),
    [
        ([0.6, 0.62, 0.61, 0.6], [0.1, 0.1, 0.2, 0.1], 0.1, "hardly hangs"),
        ([0.5, 0.48, 0.52, 0.5], [0.1, -0.1, 0.2, 0.1], 0.1, "no clear direction"),
        ([0.2, 0.8, 0.5, 0.5], [-0.1, 0.1, 0.2, 0.1], 0.1, "the direction is a matter of these choices"),
        ([0.6, 0.95, 0.7, 0.7], [0.1, 0.4, 0.2, 0.1], 0.1, "its direction does not"),
    ],
)
def test_the_sentence_about_a_grid_fits_its_numbers(
    up: list[float], end: list[float], spread: float, words: str
) -> None:
    assert words in compare_grid._said(cells(up, end, spread))


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        ([0.01, 0.025], "the 80% band at the end is 1.00% to 2.50% wide"),
        ([0.02], "One cell: the 80% band at the end is 2.00% wide"),
    ],
)
def test_the_sentence_about_a_mirrored_grid_is_about_its_widths_alone(widths: list[float], words: str) -> None:
    told = compare_grid._said_open(pd.DataFrame({"width": widths, "up": 0.9, "end": 0.1}))
    assert words in told
    assert not any(number in told for number in ("90%", "10.0%"))
