from __future__ import annotations

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from engine import Forecast
from kronos_dashboard.charts import (
    ENGLISH,
    MAX_VISIBLE_PATHS,
    SCHEMES,
    ChartStyle,
    Cone,
    PriceLevel,
    forecast_figure,
    forecast_patch,
    get_palette,
    theme_colors,
    window_figure,
)
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.windows import latest_window, replay_window
from kronos_dashboard.messages import load_catalog
from tests.support import makers

WINDOW = replay_window(makers.candles(400), 300, 200, 50)
FORECAST = random_walk(WINDOW, num_paths=30, seed=1)
WALK = Cone.from_forecast(random_walk(WINDOW), "Random walk")
assert WINDOW.actual is not None
ACTUALS = WINDOW.actual.frame


def traces(figure: go.Figure) -> dict[str, Any]:
    return {trace.meta: trace for trace in figure.data}


def hover_text(figure: go.Figure, step: int) -> str:
    """The hover box of a step, as Plotly fills it in."""
    for meta, trace in traces(figure).items():
        if meta.startswith("step-") and (place := np.flatnonzero(np.asarray(trace.x) == 199 + step)).size:
            row = int(place[0])
            text = trace.hovertemplate.replace("%{text}", trace.text[row])
            for column in range(0 if trace.customdata is None else trace.customdata.shape[1]):
                text = text.replace(f"%{{customdata[{column}]:,.3f}}", f"{trace.customdata[row][column]:,.3f}")
            return text
    raise AssertionError(f"no hover box for step {step}")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_forecast_is_drawn_with_all_its_parts(scheme: str, dark: bool) -> None:
    style = ChartStyle(palette=get_palette(scheme, dark=dark), visible_paths=20)
    drawn = traces(forecast_figure(WINDOW, FORECAST, style, baseline=WALK))
    bands = {"band-0.95", "band-0.8", "band-0.5", "baseline-0.95"}
    edges = {f"{name}-low" for name in bands}
    rest = {"history", "paths", "path", "median", "truth", "step-0", "volume-up", "volume-down"}
    assert set(drawn) == bands | edges | rest


def test_the_candles_are_the_context_and_the_path_follows_it() -> None:
    drawn = traces(forecast_figure(WINDOW, FORECAST))
    history, path = drawn["history"], drawn["path"]
    assert history["close"] == pytest.approx(WINDOW.context.frame["close"].to_numpy(), rel=1e-7)
    assert (history["x"][0], history["x"][-1], path["x"][0], path["x"][-1]) == (0, 199, 200, 249)
    assert np.array_equal(path["close"], FORECAST.candles()["close"].to_numpy(np.float32)), "a real path, no average"
    assert path["increasing"]["line"]["color"] != history["increasing"]["line"]["color"]


def test_the_fan_starts_at_the_last_close_and_ends_at_the_quantiles() -> None:
    drawn = traces(forecast_figure(WINDOW, FORECAST, baseline=WALK))
    last = WINDOW.context.frame["close"].iloc[-1]
    for name in ("band-0.95", "band-0.95-low", "band-0.5", "median", "truth", "baseline-0.95"):
        assert drawn[name]["y"][0] == pytest.approx(last, rel=1e-7)
        assert (drawn[name]["x"][0], len(drawn[name]["x"])) == (199, 51)
    assert drawn["band-0.95"]["y"][-1] == pytest.approx(FORECAST.quantile(0.975)[-1])
    assert drawn["band-0.95-low"]["y"][-1] == pytest.approx(FORECAST.quantile(0.025)[-1])
    assert drawn["median"]["y"][1:] == pytest.approx(FORECAST.median())
    assert drawn["truth"]["y"][1:] == pytest.approx(ACTUALS["close"].to_numpy())
    assert drawn["baseline-0.95"]["y"][1:] == pytest.approx(WALK.bands[0.95][1])


def test_paths_are_one_trace_that_is_interrupted_between_them() -> None:
    trace = traces(forecast_figure(WINDOW, FORECAST, ChartStyle(visible_paths=7)))["paths"]
    y = np.asarray(trace.y).reshape(7, 52)
    assert np.isnan(y[:, -1]).all()
    assert y[:, 1:-1] == pytest.approx(FORECAST.paths[:7, :, 3])
    assert trace.connectgaps is False
    assert trace.name == "7 paths"


def test_only_revealed_actuals_are_in_the_figure() -> None:
    for figure in (window_figure(WINDOW, revealed=10), forecast_figure(WINDOW, FORECAST, revealed=10)):
        drawn = traces(figure)
        assert drawn["truth"].x[-1] == 209
        assert "Actual" in hover_text(figure, 10)
        assert "Actual" not in hover_text(figure, 11)
    hidden = traces(window_figure(WINDOW, revealed=0))
    assert "truth" not in hidden
    volume = np.concatenate([hidden["volume-up"].x, hidden["volume-down"].x])
    assert volume.max() == 199, "the volume of what is hidden is hidden too"
    assert "truth" in traces(window_figure(WINDOW))
    assert "truth" not in traces(window_figure(latest_window(makers.candles(400), 200, 50)))


def test_actuals_can_be_drawn_as_candles() -> None:
    trace = traces(forecast_figure(WINDOW, FORECAST, ChartStyle(actuals_as_candles=True)))["truth"]
    assert trace.type == "candlestick"
    assert trace.high == pytest.approx(ACTUALS["high"].to_numpy(), rel=1e-7)
    assert trace.x[0] == 200


def test_the_hover_box_of_a_step_has_its_time_and_each_value_once() -> None:
    figure = forecast_figure(WINDOW, FORECAST, baseline=WALK)
    text = hover_text(figure, 1)
    assert text.startswith("<b>Sat 13 Jan 2024  12:00</b>  step 1 of 50")
    assert f"Median</b>  {FORECAST.median()[0]:,.3f}" in text
    low, high = FORECAST.band(0.95)[:, 0]
    assert f"95% of paths  {low:,.3f} – {high:,.3f}" in text
    low, high = WALK.bands[0.95][:, 0]
    assert f"Random walk 95%  {low:,.3f} – {high:,.3f}" in text
    assert f"C {ACTUALS['close'].iloc[0]:,.3f}" in text
    assert f"O {FORECAST.candles()['open'].iloc[0]:,.3f}" in text
    for meta in ("median", "truth", "path", "band-0.95", "baseline-0.95"):
        assert traces(figure)[meta].hoverinfo == "skip"


def test_the_hover_boxes_of_a_partial_forecast_have_the_known_values_of_each_step() -> None:
    partial = Forecast(paths=FORECAST.paths[:, :20], index=FORECAST.index[:20])
    figure = forecast_figure(WINDOW, partial, revealed=0)
    assert traces(figure)["median"].x[-1] == 219
    assert "Median" in hover_text(figure, 20)
    assert "Median" not in hover_text(figure, 21)


def test_a_patch_replaces_the_traces_of_a_forecast_and_nothing_else() -> None:
    partial = Forecast(paths=FORECAST.paths[:, :20], index=FORECAST.index[:20])
    patch = forecast_patch(WINDOW, partial)
    whole = traces(forecast_figure(WINDOW, FORECAST))
    assert {trace.meta for trace in patch.data} <= set(whole)
    assert not {"history", "truth"} & set(traces(patch))
    assert traces(patch)["median"].x[-1] == 219
    assert len(patch.to_json()) < 15_000


def test_a_series_without_volume_has_no_volume_pane() -> None:
    figure = window_figure(replay_window(makers.candles(400, has_volume=False), 300, 200, 50))
    assert not [name for name in traces(figure) if name.startswith("volume")]
    assert figure.layout.yaxis.domain[0] == 0
    assert figure.layout.xaxis.anchor == "y"


def test_surprisal_has_a_pane_of_its_own_and_highlights_outliers() -> None:
    zscores = np.full(200, 0.5)
    zscores[:3] = np.nan
    zscores[150] = 6.0
    figure = window_figure(WINDOW, surprisal=zscores)
    drawn = traces(figure)
    assert list(drawn["surprise-down"].x) == [150]
    assert drawn["surprise-down"].marker.color == ChartStyle().palette.highlight
    assert len(drawn["surprise-up"].x) == 196
    volume, strip, price = (figure.layout[name].domain for name in ("yaxis2", "yaxis3", "yaxis"))
    assert volume[1] < strip[0] < strip[1] < price[0]


def test_levels_are_lines_with_their_name_and_price() -> None:
    levels = [PriceLevel(price=101.25, label="Target"), PriceLevel(price=97.5, highlighted=True)]
    shapes = window_figure(WINDOW, levels=levels).layout.shapes[-2:]
    assert [shape.y0 for shape in shapes] == [101.25, 97.5]
    assert shapes[0].label.text == "Target  101.250"
    assert shapes[1].line.color == ChartStyle().palette.highlight


def test_prices_can_stand_on_a_logarithmic_axis() -> None:
    layout = window_figure(WINDOW, ChartStyle(log_scale=True)).layout
    assert layout.yaxis.type == "log"
    [tag] = [note for note in layout.annotations if note.name == "price"]
    assert 10**tag.y == pytest.approx(WINDOW.context.frame["close"].iloc[-1])


def test_rising_candles_are_hollow_on_request_and_if_both_directions_have_one_color() -> None:
    def bodies(style: ChartStyle) -> tuple[str, str]:
        trace = traces(window_figure(WINDOW, style))["history"]
        return trace.increasing.fillcolor, trace.decreasing.fillcolor

    filled = ChartStyle()
    assert bodies(filled) == (filled.palette.up, filled.palette.down)
    assert bodies(ChartStyle(hollow_candles=True))[0] == "rgba(0,0,0,0)"
    assert bodies(ChartStyle(palette=get_palette("ink")))[0] == "rgba(0,0,0,0)"


@pytest.mark.parametrize("paths", [0, 100, MAX_VISIBLE_PATHS])
def test_the_figure_is_small_enough_to_send_on_every_move(paths: int) -> None:
    window = replay_window(makers.candles(600), 420, 400, 120)
    forecast = random_walk(window, num_paths=MAX_VISIBLE_PATHS)
    text = forecast_figure(
        window, forecast, ChartStyle(visible_paths=paths), baseline=Cone.from_forecast(forecast, "Random walk")
    ).to_json()
    assert len(text) < (100_000 if paths == 0 else 350_000)


def test_a_forecast_of_one_step_and_one_path_is_drawn() -> None:
    window = replay_window(makers.candles(400), 300, 200, 1)
    one = Forecast(paths=random_walk(window, num_paths=1).paths, index=window.future)
    drawn = traces(
        forecast_figure(
            window, one, ChartStyle(visible_paths=5), baseline=Cone.from_forecast(random_walk(window), "Walk")
        )
    )
    assert drawn["median"].y[1] == drawn["path"].close[0]


def test_large_and_tiny_prices_keep_the_digits_that_tell_them_apart() -> None:
    for scale in (1e-7, 1.0, 1e5):
        frame = makers.values(400)
        frame[["open", "high", "low", "close"]] *= scale
        frame.index = makers.candles(400).index
        window = replay_window(makers.on(frame), 300, 200, 50)
        history = traces(window_figure(window))["history"]
        assert history.close == pytest.approx(window.context.frame["close"].to_numpy(), rel=2e-7)


def test_a_chart_has_the_labels_of_its_style() -> None:
    labels = ENGLISH.translated(load_catalog("zh-Hans"))
    figure = forecast_figure(WINDOW, FORECAST, ChartStyle(labels=labels), baseline=WALK)
    assert traces(figure)["median"].name == "中位数"
    assert labels.step.format(step=1, horizon=50) in hover_text(figure, 1)
    assert "2024年1月13日" in hover_text(figure, 1)
    assert figure.layout.meta["labels"]["reset_view"] == labels.reset_view != ENGLISH.reset_view


def test_the_view_identifier_changes_with_the_content_only() -> None:
    def view(end: int, horizon: int = 50) -> str:
        return str(window_figure(replay_window(makers.candles(400), end, 200, horizon)).layout.meta["view"])

    assert view(300) == view(301)
    assert view(300) != view(300, 40)


def test_the_colors_of_one_theme_can_be_replaced_by_those_of_the_other() -> None:
    for scheme in SCHEMES:
        themes = theme_colors(scheme)
        for one, other in (("light", "dark"), ("dark", "light")):
            pairs: dict[str, str] = {}
            for part, color in themes[one].items():
                assert pairs.setdefault(color, themes[other][part]) == themes[other][part], (scheme, part)
        style = ChartStyle(palette=get_palette(scheme), visible_paths=5)
        text = forecast_figure(
            WINDOW, FORECAST, style, baseline=WALK, levels=[PriceLevel(price=100, highlighted=True)]
        ).to_json()
        known = {*themes["light"].values()}
        assert json_colors(json.loads(text)) <= known


def json_colors(value: Any) -> set[str]:
    """Every #rrggbb in a figure."""
    if isinstance(value, dict):
        return set().union(*(json_colors(inner) for name, inner in value.items() if name != "bdata"))
    if isinstance(value, list):
        return set().union(*map(json_colors, value)) if value else set()
    return {value} if isinstance(value, str) and value.startswith("#") else set()


@pytest.mark.parametrize("wrong", [{"coverages": ()}, {"coverages": (1.0,)}, {"visible_paths": 201}, {"height": 10}])
def test_a_style_out_of_range_is_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        ChartStyle(**wrong)
    with pytest.raises(SettingsError, match="classic"):
        get_palette("rainbow")


def test_daily_candles_are_labelled_without_an_hour() -> None:
    figure = window_figure(replay_window(makers.candles(400, "1D"), 300, 200, 50))
    assert traces(figure)["history"].customdata[0][0].count(":") == 0
