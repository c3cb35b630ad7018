from __future__ import annotations

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from engine import Forecast
from kronos_dashboard.charts import (
    CHINESE,
    MOST_PATHS,
    SCHEMES,
    Cone,
    Level,
    Look,
    fan_patch,
    forecast_figure,
    palette_of,
    themes_of,
    window_figure,
)
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.windows import cut, latest
from tests.support import makers

WINDOW = cut(makers.candles(400), 300, 200, 50)
FORECAST = random_walk(WINDOW, num_paths=30, seed=1)
WALK = Cone.of(random_walk(WINDOW), "Random walk")
assert WINDOW.truth is not None
TRUTH = WINDOW.truth.frame


def traces(figure: go.Figure) -> dict[str, Any]:
    return {trace.meta: trace for trace in figure.data}


def told(figure: go.Figure, step: int) -> str:
    """What hovering over a step says, as Plotly fills it in."""
    for meta, trace in traces(figure).items():
        if meta.startswith("step-") and (place := np.flatnonzero(np.asarray(trace.x) == 199 + step)).size:
            row = int(place[0])
            text = trace.hovertemplate.replace("%{text}", trace.text[row])
            for column in range(0 if trace.customdata is None else trace.customdata.shape[1]):
                text = text.replace(f"%{{customdata[{column}]:,.3f}}", f"{trace.customdata[row][column]:,.3f}")
            return text
    raise AssertionError(f"nothing is told of step {step}")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_forecast_is_drawn_with_all_its_parts(scheme: str, dark: bool) -> None:
    look = Look(palette=palette_of(scheme, dark=dark), paths=20)
    found = traces(forecast_figure(WINDOW, FORECAST, look, baseline=WALK))
    bands = {"band-0.95", "band-0.8", "band-0.5", "baseline-0.95"}
    edges = {f"{name}-low" for name in bands}
    rest = {"history", "paths", "path", "median", "truth", "step-0", "volume-up", "volume-down"}
    assert set(found) == bands | edges | rest


def test_the_candles_are_the_context_and_the_path_follows_it() -> None:
    found = traces(forecast_figure(WINDOW, FORECAST))
    history, path = found["history"], found["path"]
    assert history["close"] == pytest.approx(WINDOW.context.frame["close"].to_numpy(), rel=1e-7)
    assert (history["x"][0], history["x"][-1], path["x"][0], path["x"][-1]) == (0, 199, 200, 249)
    assert np.array_equal(path["close"], FORECAST.candles()["close"].to_numpy(np.float32)), "a real path, no average"
    assert path["increasing"]["line"]["color"] != history["increasing"]["line"]["color"]


def test_the_fan_starts_at_the_last_close_and_ends_at_the_quantiles() -> None:
    found = traces(forecast_figure(WINDOW, FORECAST, baseline=WALK))
    last = WINDOW.context.frame["close"].iloc[-1]
    for name in ("band-0.95", "band-0.95-low", "band-0.5", "median", "truth", "baseline-0.95"):
        assert found[name]["y"][0] == pytest.approx(last, rel=1e-7)
        assert (found[name]["x"][0], len(found[name]["x"])) == (199, 51)
    assert found["band-0.95"]["y"][-1] == pytest.approx(FORECAST.quantile(0.975)[-1])
    assert found["band-0.95-low"]["y"][-1] == pytest.approx(FORECAST.quantile(0.025)[-1])
    assert found["median"]["y"][1:] == pytest.approx(FORECAST.median())
    assert found["truth"]["y"][1:] == pytest.approx(TRUTH["close"].to_numpy())
    assert found["baseline-0.95"]["y"][1:] == pytest.approx(WALK.bands[0.95][1])


def test_paths_are_one_trace_with_the_pen_lifted_between_them() -> None:
    trace = traces(forecast_figure(WINDOW, FORECAST, Look(paths=7)))["paths"]
    y = np.asarray(trace.y).reshape(7, 52)
    assert np.isnan(y[:, -1]).all()
    assert y[:, 1:-1] == pytest.approx(FORECAST.paths[:7, :, 3])
    assert trace.connectgaps is False
    assert trace.name == "7 paths"


def test_what_came_is_shown_as_far_as_it_is_revealed_and_nothing_of_it_otherwise() -> None:
    for figure in (window_figure(WINDOW, revealed=10), forecast_figure(WINDOW, FORECAST, revealed=10)):
        found = traces(figure)
        assert found["truth"].x[-1] == 209
        assert "What came" in told(figure, 10)
        assert "What came" not in told(figure, 11)
    hidden = traces(window_figure(WINDOW, revealed=0))
    assert "truth" not in hidden
    volume = np.concatenate([hidden["volume-up"].x, hidden["volume-down"].x])
    assert volume.max() == 199, "the volume of what is hidden is hidden too"
    assert "truth" in traces(window_figure(WINDOW))
    assert "truth" not in traces(window_figure(latest(makers.candles(400), 200, 50)))


def test_what_came_can_be_drawn_as_candles() -> None:
    trace = traces(forecast_figure(WINDOW, FORECAST, Look(truth_as_candles=True)))["truth"]
    assert trace.type == "candlestick"
    assert trace.high == pytest.approx(TRUTH["high"].to_numpy(), rel=1e-7)
    assert trace.x[0] == 200


def test_hovering_over_a_step_tells_its_time_and_all_values_once() -> None:
    figure = forecast_figure(WINDOW, FORECAST, baseline=WALK)
    text = told(figure, 1)
    assert text.startswith("<b>Sat 13 Jan 2024  12:00</b>  step 1 of 50")
    assert f"Median</b>  {FORECAST.median()[0]:,.3f}" in text
    low, high = FORECAST.band(0.95)[:, 0]
    assert f"95% of paths  {low:,.3f} – {high:,.3f}" in text
    low, high = WALK.bands[0.95][:, 0]
    assert f"Random walk 95%  {low:,.3f} – {high:,.3f}" in text
    assert f"C {TRUTH['close'].iloc[0]:,.3f}" in text
    assert f"O {FORECAST.candles()['open'].iloc[0]:,.3f}" in text
    for meta in ("median", "truth", "path", "band-0.95", "baseline-0.95"):
        assert traces(figure)[meta].hoverinfo == "skip"


def test_a_fan_that_grows_tells_what_is_known_of_each_step() -> None:
    partial = Forecast(paths=FORECAST.paths[:, :20], index=FORECAST.index[:20])
    figure = forecast_figure(WINDOW, partial, revealed=0)
    assert traces(figure)["median"].x[-1] == 219
    assert "Median" in told(figure, 20)
    assert "Median" not in told(figure, 21)


def test_a_patch_replaces_the_traces_of_a_forecast_and_nothing_else() -> None:
    partial = Forecast(paths=FORECAST.paths[:, :20], index=FORECAST.index[:20])
    patch = fan_patch(WINDOW, partial)
    whole = traces(forecast_figure(WINDOW, FORECAST))
    assert {trace.meta for trace in patch.data} <= set(whole)
    assert not {"history", "truth"} & set(traces(patch))
    assert traces(patch)["median"].x[-1] == 219
    assert len(patch.to_json()) < 15_000


def test_a_series_without_volume_has_no_volume_pane() -> None:
    figure = window_figure(cut(makers.candles(400, has_volume=False), 300, 200, 50))
    assert not [name for name in traces(figure) if name.startswith("volume")]
    assert figure.layout.yaxis.domain[0] == 0
    assert figure.layout.xaxis.anchor == "y"


def test_surprise_stands_in_a_strip_of_its_own_and_marks_what_stands_out() -> None:
    surprise = np.full(200, 0.5)
    surprise[:3] = np.nan
    surprise[150] = 6.0
    figure = window_figure(WINDOW, surprise=surprise)
    found = traces(figure)
    assert list(found["surprise-down"].x) == [150]
    assert found["surprise-down"].marker.color == Look().palette.alert
    assert len(found["surprise-up"].x) == 196
    volume, strip, price = (figure.layout[name].domain for name in ("yaxis2", "yaxis3", "yaxis"))
    assert volume[1] < strip[0] < strip[1] < price[0]


def test_levels_are_lines_with_their_name_and_price() -> None:
    levels = [Level(price=101.25, label="Target"), Level(price=97.5, alert=True)]
    shapes = window_figure(WINDOW, levels=levels).layout.shapes[-2:]
    assert [shape.y0 for shape in shapes] == [101.25, 97.5]
    assert shapes[0].label.text == "Target  101.250"
    assert shapes[1].line.color == Look().palette.alert


def test_prices_can_stand_on_a_logarithmic_axis() -> None:
    layout = window_figure(WINDOW, Look(log=True)).layout
    assert layout.yaxis.type == "log"
    [tag] = [note for note in layout.annotations if note.name == "price"]
    assert 10**tag.y == pytest.approx(WINDOW.context.frame["close"].iloc[-1])


def test_rising_candles_are_hollow_on_demand_and_where_both_have_one_colour() -> None:
    def bodies(look: Look) -> tuple[str, str]:
        trace = traces(window_figure(WINDOW, look))["history"]
        return trace.increasing.fillcolor, trace.decreasing.fillcolor

    filled = Look()
    assert bodies(filled) == (filled.palette.up, filled.palette.down)
    assert bodies(Look(hollow=True))[0] == "rgba(0,0,0,0)"
    assert bodies(Look(palette=palette_of("ink")))[0] == "rgba(0,0,0,0)"


@pytest.mark.parametrize("paths", [0, 100, MOST_PATHS])
def test_the_figure_is_small_enough_to_send_on_every_move(paths: int) -> None:
    window = cut(makers.candles(600), 420, 400, 120)
    forecast = random_walk(window, num_paths=MOST_PATHS)
    text = forecast_figure(window, forecast, Look(paths=paths), baseline=Cone.of(forecast, "Random walk")).to_json()
    assert len(text) < (100_000 if paths == 0 else 350_000)


def test_a_forecast_of_one_step_and_one_path_is_drawn() -> None:
    window = cut(makers.candles(400), 300, 200, 1)
    one = Forecast(paths=random_walk(window, num_paths=1).paths, index=window.future)
    found = traces(forecast_figure(window, one, Look(paths=5), baseline=Cone.of(random_walk(window), "Walk")))
    assert found["median"].y[1] == found["path"].close[0]


def test_large_and_tiny_prices_keep_the_digits_that_tell_them_apart() -> None:
    for scale in (1e-7, 1.0, 1e5):
        frame = makers.values(400)
        frame[["open", "high", "low", "close"]] *= scale
        frame.index = makers.candles(400).index
        window = cut(makers.on(frame), 300, 200, 50)
        history = traces(window_figure(window))["history"]
        assert history.close == pytest.approx(window.context.frame["close"].to_numpy(), rel=2e-7)


def test_a_chart_speaks_the_language_it_is_given() -> None:
    figure = forecast_figure(WINDOW, FORECAST, Look(words=CHINESE), baseline=WALK)
    assert traces(figure)["median"].name == "中位数"
    assert "第 1 步，共 50 步" in told(figure, 1)
    assert "2024年1月13日" in told(figure, 1)
    assert figure.layout.meta["words"]["reset"] == CHINESE.reset


def test_a_reader_keeps_the_view_as_long_as_the_same_thing_is_shown() -> None:
    def view(end: int, horizon: int = 50) -> str:
        return str(window_figure(cut(makers.candles(400), end, 200, horizon)).layout.meta["view"])

    assert view(300) == view(301)
    assert view(300) != view(300, 40)


def test_colours_of_one_theme_can_be_swapped_for_those_of_the_other() -> None:
    for scheme in SCHEMES:
        themes = themes_of(scheme)
        for one, other in (("light", "dark"), ("dark", "light")):
            pairs: dict[str, str] = {}
            for part, colour in themes[one].items():
                assert pairs.setdefault(colour, themes[other][part]) == themes[other][part], (scheme, part)
        look = Look(palette=palette_of(scheme), paths=5)
        text = forecast_figure(WINDOW, FORECAST, look, baseline=WALK, levels=[Level(price=100, alert=True)]).to_json()
        known = {*themes["light"].values()}
        assert json_colours(json.loads(text)) <= known


def json_colours(value: Any) -> set[str]:
    """Every #rrggbb in a figure."""
    if isinstance(value, dict):
        return set().union(*(json_colours(inner) for name, inner in value.items() if name != "bdata"))
    if isinstance(value, list):
        return set().union(*map(json_colours, value)) if value else set()
    return {value} if isinstance(value, str) and value.startswith("#") else set()


@pytest.mark.parametrize("wrong", [{"coverages": ()}, {"coverages": (1.0,)}, {"paths": 201}, {"height": 10}])
def test_a_look_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        Look(**wrong)
    with pytest.raises(SettingsError, match="classic"):
        palette_of("rainbow")


def test_daily_candles_are_labelled_without_an_hour() -> None:
    figure = window_figure(cut(makers.candles(400, "1D"), 300, 200, 50))
    assert traces(figure)["history"].customdata[0][0].count(":") == 0
