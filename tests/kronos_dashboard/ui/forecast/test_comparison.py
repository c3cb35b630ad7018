"""Comparison with what came, side by side, and the grid of settings, as Streamlit runs them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine import Forecast
from kronos_dashboard.evaluation.forecast_scores import (
    BANDS,
    FirstBarCheck,
    ForecastScore,
    check_first_bar,
    num_known_steps,
    score_forecasts,
    verdict,
)
from kronos_dashboard.evaluation.metrics import band_coverages, crps
from kronos_dashboard.forecasting.baselines import drift, persistence
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.ui.forecast.comparison import accuracy
from kronos_dashboard.ui.forecast.runs import ForecastResult
from kronos_dashboard.ui.format import format_percent, format_price, format_ratio
from tests.kronos_dashboard.ui.test_pages import assert_no_exception, page_text
from tests.support import ui_results


def comparison() -> None:
    import streamlit as st

    from kronos_dashboard.ui.forecast.comparison.accuracy import show_accuracy
    from tests.support import ui_results

    options = st.session_state["options"]
    at = ui_results.window(**options.get("window", {}))
    show_accuracy(ui_results.result(at, **options.get("result", {})), options["revealed"])


def sides() -> None:
    import streamlit as st

    from kronos_dashboard.ui.forecast.comparison.side_by_side import show_side_by_side
    from tests.support import ui_results

    made = [
        ui_results.result(ui_results.window(**options.pop("window", {})), **options)
        for options in map(dict, st.session_state["results"])
    ]
    revealed = st.session_state["revealed"]
    if revealed is None:
        show_side_by_side(made)
    else:
        show_side_by_side(made, lambda _: revealed)


@pytest.fixture(autouse=True)
def fresh(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KRONOS_DASHBOARD_MODEL", str(checkpoint))
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def opened(page, **state: object) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    for key, value in state.items():
        app.session_state[key] = value
    return assert_no_exception(app.run())


def compared(revealed: int, **options: object) -> AppTest:
    return opened(comparison, options={"revealed": revealed, **options})


def everything(app: AppTest) -> str:
    """All that a reader or a reader of the page's source finds: texts, tables, figures."""
    tables = [one.value.to_string() for one in app.table]
    figures = [element.proto.json for element in app.get("bidi_component")]
    return "\n".join([page_text(app), *tables, *figures, *(f"{one.label} {one.value}" for one in app.metric)])


def figures(app: AppTest) -> dict[str, dict]:
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return {one["name"]: json.loads(one["figure"]) for one in found if "name" in one}


# ---------------------------------------------------------------------------------------------- what came


def scores(result: ForecastResult, steps: int) -> tuple[ForecastScore, ...]:
    """All scores of a result over its first steps."""
    seed = result.record.sampling.seed
    return score_forecasts(result.window, result.forecast, result.baseline, steps, seed=seed)


def test_nothing_of_the_truth_is_shown_before_it_is_revealed() -> None:
    app = compared(0)
    assert "Actuals are hidden" in app.info[0].value
    said = everything(app)
    for value in ui_results.window().actual.frame.to_numpy()[:, :4].ravel():
        assert f"{value:.3f}"[:-1] not in said
        assert format_price(float(value)) not in said
    assert list(app.table[0].value.columns) == ["Model", "Random walk", "Ratio"]
    assert not figures(app)


def test_a_change_of_the_hidden_truth_changes_nothing_that_is_shown() -> None:
    here = ui_results.result()
    later = here.window.actual.frame.copy()
    later.iloc[4:, :4] *= 3
    changed = replace(here.window, actual=replace(here.window.actual, frame=later))
    for steps in (1, 4):
        for mine, other in zip(scores(here, steps), scores(replace(here, window=changed), steps), strict=True):
            assert mine.errors.tolist() == other.errors.tolist()
            assert (mine.crps, mine.coverages.tolist()) == (other.crps, other.coverages.tolist())
    assert num_known_steps(here.window, 99) == 12
    assert num_known_steps(here.window, -1) == 0


def test_errors_are_those_of_the_revealed_steps_beside_the_rivals() -> None:
    here = ui_results.result()
    truth = here.window.actual.frame["close"].to_numpy()[:5]
    table = compared(5).table[0].value
    assert list(table.index) == ["Model", "Random walk", "Persistence", "Drift"]
    forecasts = (here.forecast, here.baseline, persistence(here.window), drift(here.window, seed=3))
    for row, forecast in zip(table.index, forecasts, strict=True):
        paths = forecast.paths[:, :5, 3]
        errors = np.median(paths, axis=0) - truth
        assert table.loc[row, "MAE"] == format_price(np.abs(errors).mean(), 4, keep_zeros=True)
        assert table.loc[row, "RMSE"] == format_price(np.sqrt((errors**2).mean()), 4, keep_zeros=True)
        assert table.loc[row, "MAPE"] == format_percent(float((np.abs(errors) / truth).mean()))
        assert table.loc[row, "CRPS"] == format_price(crps(paths, truth).mean(), 4, keep_zeros=True)


def test_the_verdict_names_the_ratio_and_no_winner_of_one_window() -> None:
    app, here = compared(12), ui_results.result()
    truth = here.window.actual.frame["close"].to_numpy()
    times = crps(here.forecast.paths[..., 3], truth).mean() / crps(here.baseline.paths[..., 3], truth).mean()
    assert app.metric[0].value == format_ratio(times)
    assert f"(CRPS ratio {format_ratio(times)})" in page_text(app)
    assert "One window proves little" in page_text(app)
    assert "too few to compare" in page_text(compared(3))


@pytest.mark.parametrize(
    ("steps", "times", "word"),
    [
        (9, 0.1, "too few"),
        (10, 0.94, "better"),
        (10, 0.96, "similar"),
        (10, 1.04, "similar"),
        (50, 1.06, "worse"),
        (50, math.nan, "no ratio"),
    ],
)
def test_a_verdict_says_no_more_than_the_numbers_allow(steps: int, times: float, word: str) -> None:
    assert verdict(steps, times) == word


def test_the_figures_show_errors_by_step_and_coverage_by_band() -> None:
    here = ui_results.result()
    drawn = figures(compared(7))
    names = [trace["name"] for trace in drawn["accuracy_errors"]["data"]]
    assert names == ["Model", "Persistence", "Drift"]
    bars = [trace for trace in drawn["accuracy_coverage"]["data"] if trace["type"] == "bar"]
    truth = here.window.actual.frame["close"].to_numpy()[:7]
    assert bars[0]["y"] == pytest.approx(list(band_coverages(here.forecast.paths[:, :7, 3], truth, BANDS)))


def test_an_unknown_future_is_not_scored_but_its_width_is_told() -> None:
    app = compared(5, window={"with_actual": False})
    assert "No actuals yet" in app.info[0].value
    [table] = app.table
    assert list(table.value.index) == ["50%", "80%", "95%"]
    assert not figures(app)


def test_what_has_begun_is_scored_as_far_as_it_goes() -> None:
    whole = ui_results.window()
    begun = replace(whole, actual=None, partial_actual=whole.actual.rows(0, 4))
    assert num_known_steps(begun, 12) == 4
    assert scores(ui_results.result(begun), 4)[0].mae == scores(ui_results.result(whole), 4)[0].mae


def test_the_first_bar_is_told_in_units_of_the_series() -> None:
    here = ui_results.result()
    values, last = here.window.context.frame, float(here.window.context.frame["close"].iloc[-1])
    found = check_first_bar(here.window, here.forecast)
    assert found.gap == pytest.approx(float(np.median(here.forecast.paths[:, 0, 0])) - last)
    assert found.typical_move == pytest.approx(float(values["close"].diff().abs().median()))
    assert found.typical_gap == 0  # the made candles open where the last one closed
    assert math.isnan(found.gap_ratio)
    assert not found.is_discontinuous
    assert "The forecast connects to the last candle" in page_text(compared(0))


def test_a_forecast_that_breaks_off_is_told() -> None:
    here = ui_results.result()
    moved = Forecast(paths=here.forecast.paths * np.float32(1.2), index=here.forecast.index)
    assert check_first_bar(here.window, moved).is_discontinuous


@pytest.mark.parametrize(("begin", "told"), [(False, True), (True, False)])
def test_what_breaks_off_may_begin_at_the_last_close_unless_it_does(
    monkeypatch: pytest.MonkeyPatch, begin: bool, told: bool
) -> None:
    def moved(window: Window, forecast: Forecast) -> FirstBarCheck:
        return check_first_bar(window, Forecast(paths=forecast.paths * np.float32(1.2), index=forecast.index))

    monkeypatch.setattr(accuracy, "check_first_bar", moved)
    app = compared(0, result={"anchor_to_last_close": begin})
    assert "The forecast does not connect" in page_text(app)
    assert ("Paths can start at the last close instead" in page_text(app)) is told


def test_a_break_is_looked_for_in_the_paths_as_they_were_drawn() -> None:
    here = ui_results.result(mirror_paths=True)
    last = here.window.context.frame["close"].iloc[-1]
    paths = here.forecast.paths.copy()
    paths[::2] *= np.float32(1.2)
    paths[1::2] /= np.float32(1.2)
    jumping = replace(here, forecast=replace(here.forecast, paths=paths))
    assert jumping.forecast.unmirrored_paths.tolist() == paths[::2].tolist()
    assert check_first_bar(here.window, jumping.forecast).gap == pytest.approx(0.2 * last, rel=0.2)
    assert len(ui_results.result().forecast.unmirrored_paths) == 40
    assert "Of the sampled paths" in page_text(compared(0, result={"mirror_paths": True}))
    assert "Of the sampled paths" not in page_text(compared(0))


@pytest.mark.parametrize("scale", [1e-7, 1e7])
def test_scores_of_prices_of_any_size_have_no_powers_of_ten(scale: float) -> None:
    app = compared(12, window={"scale": scale})
    cells = app.table[0].value.to_string() + app.table[1].value.to_string() + page_text(app)
    assert not re.search(r"\de[-+]", cells)


# ---------------------------------------------------------------------------------------------- side by side


def test_without_a_forecast_there_is_nothing_to_compare() -> None:
    assert "No forecast yet" in opened(sides, results=[], revealed=None).info[0].value


def test_one_forecast_is_shown_with_all_its_settings() -> None:
    app = opened(sides, results=[{"seed": 5}], revealed=None)
    table = app.table[0].value
    assert list(table.columns) == ["A"]
    assert table.loc["Seed", "A"] == "5"
    assert table.loc["CRPS", "A"] == "hidden"
    assert "Only one forecast so far" in page_text(app)


def test_several_forecasts_show_what_they_differ_in_and_where_they_end() -> None:
    made = [{"seed": 8, "temperature": 0.5}, {"seed": 7}, {"seed": 6}]  # the newest first
    app = opened(sides, results=made, revealed=None)
    table = app.table[0].value
    assert list(table.columns) == ["A", "B", "C"]
    assert table.loc["Seed"].tolist() == ["6", "7", "8"]
    assert table.loc["Temperature"].tolist() == ["1", "1", "0.5"]
    assert not {"Model", "Context", "Paths"} & set(table.index)
    closes = ui_results.result(seed=7).forecast.paths[:, -1, 3]
    low, median, high = np.quantile(closes, (0.1, 0.5, 0.9))
    assert table.loc[["Median at the end", "80% interval, lower", "80% interval, upper"], "B"].tolist() == [
        format_price(median),
        format_price(low),
        format_price(high),
    ]
    drawn = figures(app)
    assert set(drawn) == {"side_A", "side_B", "side_C"}
    assert len({tuple(figure["layout"]["yaxis"]["range"]) for figure in drawn.values()}) == 1
    assert not any("truth" in trace["meta"] for figure in drawn.values() for trace in figure["data"])


def test_forecasts_that_begin_differently_are_labelled_so() -> None:
    app = opened(sides, results=[{"seed": 8, "anchor_to_last_close": True}, {"seed": 7}], revealed=None)
    assert app.table[0].value.loc["Starting price"].tolist() == ["decoded level", "last close"]
    for where in ("starting at the decoded level", "starting at the last close"):
        assert any(where in option for option in app.multiselect(key="compared_runs").options)
        assert where in page_text(app)
    alike = opened(sides, results=[{"seed": 8}, {"seed": 7}], revealed=None)
    assert "Starting price" not in alike.table[0].value.index
    assert "starting at" not in page_text(alike)


def test_forecasts_that_leave_the_direction_open_are_labelled_so() -> None:
    app = opened(sides, results=[{"seed": 8, "mirror_paths": True}, {"seed": 7}], revealed=None)
    assert app.table[0].value.loc["Direction"].tolist() == ["as sampled", "neutral (antithetic pairs)"]
    assert any("level, in antithetic pairs" in option for option in app.multiselect(key="compared_runs").options)
    assert "P(close higher) is 50% by construction: B." in page_text(app)
    alike = opened(sides, results=[{"seed": 8}, {"seed": 7}], revealed=None)
    assert "Direction" not in alike.table[0].value.index
    assert "mirrored" not in page_text(alike)


def test_forecasts_that_leave_out_other_tokens_and_single_paths_are_told() -> None:
    made = [{"num_paths": 1, "mirror_paths": True}, {"seed": 6, "num_paths": 1, "min_p": 0.004}]
    app = opened(sides, results=made, revealed=None)
    assert app.table[0].value.loc["Min-p"].tolist() == ["0.004", "off"]
    assert "Direction" not in app.table[0].value.index, "one path is as it was drawn"
    assert "mirrored" not in page_text(app)
    assert "mirrored" not in page_text(compared(0, result={"num_paths": 1, "mirror_paths": True}))


def test_scores_beside_each_other_come_with_what_is_revealed() -> None:
    app = opened(sides, results=[{"seed": 7}, {"window": {"with_actual": False}, "seed": 6}], revealed=9)
    table = app.table[0].value
    here = ui_results.result(seed=7)
    truth = here.window.actual.frame["close"].to_numpy()[:9]
    assert table.loc["CRPS"].tolist() == [
        "no actuals yet",
        format_price(crps(here.forecast.paths[:, :9, 3], truth).mean(), 4, keep_zeros=True),
    ]
    assert table.loc["Bars scored", "B"] == "9"
    assert any("truth" in trace["meta"] for trace in figures(app)["side_B"]["data"])


def test_four_at_most_and_the_newest_join_by_themselves() -> None:
    app = opened(sides, results=[{"seed": seed} for seed in (5, 4, 3, 2, 1)], revealed=None)
    assert app.table[0].value.loc["Seed"].tolist() == ["2", "3", "4", "5"]
    app.multiselect(key="compared_runs").set_value(app.multiselect(key="compared_runs").value[:1])
    assert_no_exception(app.run())
    assert "Seed" not in app.table[0].value.index or app.table[0].value.loc["Seed"].tolist() == ["2"]
    app.session_state["results"] = [{"seed": seed} for seed in (9, 5, 4, 3, 2)]
    assert assert_no_exception(app.run()).table[0].value.loc["Seed"].tolist() == ["2", "9"]
    app.multiselect(key="compared_runs").set_value([])
    assert "Choose at least one" in page_text(assert_no_exception(app.run()))
    assert not app.table


def test_different_series_have_a_scale_each() -> None:
    app = opened(
        sides, results=[{"seed": 2, "window": {"symbol": "OTHER", "scale": 900.0}}, {"seed": 1}], revealed=None
    )
    assert "Different series" in page_text(app)
    assert app.table[0].value.loc["Series"].tolist() == ["TEST 1h", "OTHER 1h"]
