import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from engine import Forecast
from kronos_dashboard.baselines import random_walk
from kronos_dashboard.charts import DARK, LIGHT, Palette, date_ticks, forecast_figure, window_figure
from kronos_dashboard.windows import cut, latest
from tests.dashboard import makers

WINDOW = cut(makers.candles(400), 300, 200, 50)
FORECAST = random_walk(WINDOW, num_paths=30, seed=1)
WALK = random_walk(WINDOW)


def traces(figure: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.name}


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_forecast_is_drawn_with_all_its_parts(palette: Palette) -> None:
    found = traces(forecast_figure(WINDOW, FORECAST, WALK, palette))
    names = {"Candles", "Random walk 90%", "90% of paths", "50% of paths", "One path", "Median", "What came", "Volume"}
    assert set(found) == names


def test_the_candles_are_the_context_and_the_path_follows_it() -> None:
    found = traces(forecast_figure(WINDOW, FORECAST, WALK, LIGHT))
    history, path = found["Candles"], found["One path"]
    assert np.array_equal(history["close"], WINDOW.context.frame["close"].to_numpy(np.float32))
    assert (history["x"][0], history["x"][-1], path["x"][0], path["x"][-1]) == (0, 199, 200, 249)
    assert np.array_equal(path["close"], FORECAST.candles()["close"].to_numpy(np.float32))
    assert path["increasing"]["line"]["color"] != history["increasing"]["line"]["color"]


def test_the_fan_starts_at_the_last_close_and_ends_at_the_quantiles() -> None:
    found = traces(forecast_figure(WINDOW, FORECAST, WALK, LIGHT))
    last = WINDOW.context.frame["close"].iloc[-1]
    for name in ("90% of paths", "50% of paths", "Median", "What came", "Random walk 90%"):
        assert found[name]["y"][0] == last
        assert (found[name]["x"][0], len(found[name]["x"])) == (199, 51)
    assert found["90% of paths"]["y"][-1] == pytest.approx(FORECAST.quantile(0.95)[-1])
    assert found["Median"]["y"][1:] == pytest.approx(FORECAST.median())
    assert WINDOW.truth is not None
    assert found["What came"]["y"][1:] == pytest.approx(WINDOW.truth.frame["close"].to_numpy())


def test_the_truth_is_drawn_where_it_is_known_and_wanted() -> None:
    assert "What came" in traces(window_figure(WINDOW, LIGHT))
    assert "What came" not in traces(window_figure(WINDOW, LIGHT, show_truth=False))
    assert "What came" not in traces(window_figure(latest(makers.candles(400), 200, 50), LIGHT))


def test_a_series_without_volume_has_no_volume_pane() -> None:
    figure = window_figure(cut(makers.candles(400, has_volume=False), 300, 200, 50), LIGHT)
    assert "Volume" not in traces(figure)
    assert figure.layout.yaxis.domain[0] == 0
    assert figure.layout.xaxis.anchor == "y"


def test_the_figure_is_small_enough_to_send_on_every_move() -> None:
    window = cut(makers.candles(600), 420, 400, 120)
    figure = forecast_figure(window, random_walk(window, num_paths=100), random_walk(window), LIGHT)
    assert len(json.dumps(json.loads(figure.to_json()))) < 150_000


@pytest.mark.parametrize(("freq", "first"), [("5min", "01 Jan<br>00:00"), ("1h", "02 Jan"), ("1D", "Feb 2024")])
def test_dates_stand_on_the_axis_at_a_readable_distance(freq: str, first: str) -> None:
    positions, labels = date_ticks(pd.date_range("2024-01-01", periods=520, freq=freq))
    assert 3 <= len(positions) <= 16
    assert len(set(labels)) == len(labels)
    assert first in labels or first == labels[0] or freq == "1h"


def test_a_forecast_of_one_step_and_one_path_is_drawn() -> None:
    window = cut(makers.candles(400), 300, 200, 1)
    one = Forecast(paths=random_walk(window, num_paths=1).paths, index=window.future)
    assert "Median" in traces(forecast_figure(window, one, random_walk(window), DARK))


def test_hovering_over_a_step_tells_its_time_and_all_values_once() -> None:
    found = traces(forecast_figure(WINDOW, FORECAST, WALK, LIGHT))
    median = found["Median"]
    assert WINDOW.truth is not None
    first = median.customdata[1]
    assert first[0] == WINDOW.local_future[0].strftime("%a %d %b %Y  %H:%M")
    assert float(first[4]) == pytest.approx(WINDOW.truth.frame["close"].iloc[0], rel=1e-5)
    assert median.hoverinfo[0] == "skip", "the last candle of the context speaks for itself"
    assert found["What came"].hovertemplate is None
    assert found["One path"].hoverinfo == "skip"
    assert (
        "What came"
        not in traces(forecast_figure(WINDOW, FORECAST, WALK, LIGHT, show_truth=False))["Median"].hovertemplate
    )


def test_daily_candles_are_labelled_without_an_hour() -> None:
    figure = window_figure(cut(makers.candles(400, "1D"), 300, 200, 50), LIGHT)
    assert traces(figure)["Candles"].customdata[0][0].count(":") == 0
