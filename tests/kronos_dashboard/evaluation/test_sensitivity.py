import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine import CancelledError, KronosPredictor
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.evaluation.metrics import crps, interval_coverage
from kronos_dashboard.evaluation.sensitivity import MAX_CELLS, MAX_PATHS, run_sensitivity_grid
from kronos_dashboard.forecasting.run import SamplingConfig, run_forecasts
from kronos_dashboard.forecasting.windows import latest_window, replay_window
from tests.support import makers

CANDLES = makers.candles(200)
WINDOW = replay_window(CANDLES, 150, 80, 5)
SAMPLING = SamplingConfig(num_paths=8, seed=3, top_p=0.9)


def test_every_cell_is_the_forecast_of_its_settings(predictor: KronosPredictor) -> None:
    grid = run_sensitivity_grid(WINDOW, [80, 40], [0.5, 1.0], SAMPLING, predictor, model_name="tiny")
    assert list(grid.index) == [(80, 0.5), (80, 1.0), (40, 0.5), (40, 1.0)]
    [(alone, _)] = run_forecasts(
        [replay_window(CANDLES, 150, 40, 5)], replace(SAMPLING, temperature=0.5), predictor, model_name="tiny"
    )
    last, truth = CANDLES.frame["close"].iloc[149], WINDOW.actual.frame["close"].to_numpy()
    closes, cell = alone.paths[..., 3].astype(float), grid.loc[(40, 0.5)]
    ends = np.quantile(closes[:, -1] / last - 1, (0.1, 0.5, 0.9))
    assert cell["prob_up"] == np.mean(closes[:, -1] > last)
    assert [cell["end_low"], cell["end"], cell["end_high"]] == pytest.approx(list(ends), rel=1e-4, abs=1e-6)
    assert cell["width"] == pytest.approx(ends[2] - ends[0], rel=1e-4, abs=1e-6)
    assert cell["prob_up_low"] <= cell["prob_up"] <= cell["prob_up_high"]
    assert cell["crps"] == pytest.approx(crps(closes, truth).mean() / last, rel=1e-4)
    assert cell["mae"] == pytest.approx(np.abs(alone.median() - truth).mean() / last, rel=1e-4)
    assert cell["coverage"] == interval_coverage(*alone.band(0.8), truth)
    atr = replay_window(CANDLES, 150, 80, 5).context.frame.tail(15)
    reach = np.maximum(atr["high"], atr["close"].shift())[1:] - np.minimum(atr["low"], atr["close"].shift())[1:]
    assert cell["gap"] == pytest.approx((np.median(alone.paths[:, 0, 0]) - last) / reach.mean(), rel=1e-3)


@pytest.mark.parametrize("begin", [None, True, False])
def test_every_cell_begins_as_asked_and_says_so(predictor: KronosPredictor, begin: bool | None) -> None:
    asked = replace(SAMPLING, anchor_to_last_close=begin)
    grid = run_sensitivity_grid(WINDOW, [80, 40], [1.0], asked, predictor, model_name="tiny")
    assert grid["anchor_to_last_close"].tolist() == [bool(begin)] * 2
    [(alone, _)] = run_forecasts([replay_window(CANDLES, 150, 40, 5)], asked, predictor, model_name="tiny")
    last = CANDLES.frame["close"].iloc[149]
    assert grid.loc[(40, 1.0), "end"] == pytest.approx(alone.median()[-1] / last - 1, rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("mirrored", [None, True, False])
def test_every_cell_is_mirrored_as_asked_and_says_so(predictor: KronosPredictor, mirrored: bool | None) -> None:
    asked = replace(SAMPLING, mirror_paths=mirrored)
    grid = run_sensitivity_grid(WINDOW, [80, 40], [1.0], asked, predictor, model_name="tiny")
    assert grid["mirror_paths"].tolist() == [bool(mirrored)] * 2
    [(alone, _)] = run_forecasts([replay_window(CANDLES, 150, 40, 5)], asked, predictor, model_name="tiny")
    last = CANDLES.frame["close"].iloc[149]
    assert grid.loc[(40, 1.0), "end"] == pytest.approx(alone.median()[-1] / last - 1, rel=1e-3, abs=1e-7)


def test_the_jump_at_the_first_open_is_not_hidden_by_mirroring(predictor: KronosPredictor) -> None:
    asked = replace(SAMPLING, mirror_paths=True)
    grid = run_sensitivity_grid(WINDOW, [80], [1.0], asked, predictor, model_name="tiny")
    [(alone, _)] = run_forecasts([replay_window(CANDLES, 150, 80, 5)], asked, predictor, model_name="tiny")
    [(drawn, _)] = run_forecasts([replay_window(CANDLES, 150, 80, 5)], SAMPLING, predictor, model_name="tiny")
    last = CANDLES.frame["close"].iloc[149]
    opens = drawn.paths[: len(alone.paths[::2]), 0, 0]
    assert (alone.paths[::2, 0, 0] == opens).all()
    plain = run_sensitivity_grid(WINDOW, [80], [1.0], SAMPLING, predictor, model_name="tiny")
    unit = (np.median(drawn.paths[:, 0, 0]) - last) / plain["gap"].iloc[0]
    assert grid["gap"].iloc[0] == pytest.approx((np.median(opens) - last) / unit, rel=1e-3)


def test_without_a_truth_nothing_is_scored(predictor: KronosPredictor) -> None:
    grid = run_sensitivity_grid(latest_window(CANDLES, 60, 5), [60], [1.0], SAMPLING, predictor, model_name="tiny")
    assert not {"mae", "crps", "coverage"} & set(grid.columns)
    assert grid.notna().all(axis=None)


def test_progress_runs_over_the_whole_grid(predictor: KronosPredictor) -> None:
    steps: list[tuple[int, int]] = []
    run_sensitivity_grid(
        WINDOW, [80, 40], [0.5, 1.0], SAMPLING, predictor, lambda *step: steps.append(step), model_name="tiny"
    )
    assert steps == [(i, 20) for i in range(1, 21)]


def test_a_cancelled_grid_stops_at_the_next_step(predictor: KronosPredictor) -> None:
    token, steps = threading.Event(), []

    def stop_in_the_second_cell(done: int, total: int) -> None:
        steps.append(done)
        if done == 7:
            token.set()

    with pytest.raises(CancelledError):
        run_sensitivity_grid(
            WINDOW, [80, 40], [1.0], SAMPLING, predictor, stop_in_the_second_cell, token, model_name="tiny"
        )
    assert steps[-1] == 7


@pytest.mark.parametrize(
    ("contexts", "temperatures", "paths", "what"),
    [
        ([], [1.0], 8, "1 to 25 cells"),
        ([40], [], 8, "1 to 25 cells"),
        (range(40, 40 + MAX_CELLS + 1), [1.0], 8, "1 to 25 cells"),
        ([40, 40], [1.0], 8, "once"),
        ([40], [1.0, 1.0], 8, "once"),
        ([40, 81], [1.0], 8, r"2\.\.80"),
        ([1], [1.0], 8, r"2\.\.80"),
        ([40], [1.0], MAX_PATHS + 1, "at most 100 paths"),
    ],
)
def test_a_grid_out_of_bounds_is_refused(contexts, temperatures, paths, what, predictor: KronosPredictor) -> None:
    with pytest.raises(SettingsError, match=what):
        run_sensitivity_grid(
            WINDOW, contexts, temperatures, replace(SAMPLING, num_paths=paths), predictor, model_name="tiny"
        )


def test_what_is_done_is_told_after_each_cell(predictor: KronosPredictor) -> None:
    told: list[pd.DataFrame] = []
    grid = run_sensitivity_grid(WINDOW, [40], [0.5, 1.0], SAMPLING, predictor, model_name="tiny", on_rows=told.append)
    assert [list(one.index) for one in told] == [[(40, 0.5)], [(40, 0.5), (40, 1.0)]]
    pd.testing.assert_frame_equal(told[-1], grid)
