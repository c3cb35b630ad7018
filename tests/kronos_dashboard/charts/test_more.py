"""The charts beside the main one: long series, comparisons, several forecasts, pages of their own."""

from __future__ import annotations

import re

import numpy as np
import pytest

from kronos_dashboard.charts import (
    ENGLISH,
    ChartStyle,
    Cone,
    Panel,
    coverage_figure,
    decimate,
    error_figure,
    forecast_figure,
    get_palette,
    html_page,
    multiples_figure,
    pit_figure,
    sensitivity_figure,
    series_figure,
)
from kronos_dashboard.charts.decimation import bucket_size
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.windows import replay_window
from tests.support import makers

CANDLES = makers.candles(5_003, "5min")
LONG = makers.candles(100_000, "5min")
WINDOW = replay_window(makers.candles(400), 300, 200, 50)
FORECAST = random_walk(WINDOW, num_paths=30, seed=1)
BUCKET_NOTE = ENGLISH.bucket_size.partition("{")[0]


def traces(figure):
    return {trace.meta: trace for trace in figure.data}


@pytest.mark.parametrize(("start", "stop", "size"), [(0, 5_003, 10), (995, 2_001, 20), (4_990, 5_003, 7), (3, 4, 1)])
def test_a_bucket_is_a_real_candle_of_its_neighbours(start: int, stop: int, size: int) -> None:
    buckets = decimate(CANDLES, start, stop, size)
    assert buckets.first[0] <= start
    assert buckets.last[-1] >= stop - 1
    assert (buckets.first % size == 0).all(), "buckets stay the same when the view moves"
    for at, (first, last) in enumerate(zip(buckets.first, buckets.last, strict=True)):
        rows = CANDLES.frame.iloc[first : last + 1]
        expected = (rows.open.iloc[0], rows.high.max(), rows.low.min(), rows.close.iloc[-1], rows.volume.sum())
        assert tuple(column[at] for column in buckets.values.values()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("candles", "most", "size"), [(100, 800, 1), (800, 800, 1), (801, 800, 2), (100_000, 800, 200)]
)
def test_bucket_sizes_are_round(candles: int, most: int, size: int) -> None:
    assert bucket_size(candles, most) == size


@pytest.mark.parametrize(
    "view", [None, (0.0, 99_999.0), (20_000.0, 30_000.0), (50_000.0, 50_300.0), (99_000.0, 120_000.0)]
)
def test_the_number_of_candles_in_a_figure_is_bounded(view: tuple[float, float] | None) -> None:
    figure = series_figure(LONG, view=view)
    found = traces(figure)
    history = found["history"]
    assert len(history.x) <= 1_700
    assert len(figure.to_json()) < 350_000
    first, last = view or (0.0, 100_000.0)
    size = 1 if last - first < 800 else round(history.x[1] - history.x[0])
    seen = ((history.x >= first) & (history.x <= last)).sum()
    assert seen * size == pytest.approx(min(last, 100_000) - first, rel=0.02)
    shadow = sum(len(found[name].x) for name in ("shadow-left", "shadow-right") if name in found)
    assert shadow <= 700
    assert (size > 1) == any(note.text.startswith(BUCKET_NOTE) for note in figure.layout.annotations)


def test_a_short_series_is_drawn_candle_by_candle() -> None:
    candles = makers.candles(300)
    history = traces(series_figure(candles))["history"]
    assert history.close == pytest.approx(candles.frame["close"].to_numpy(), rel=1e-7)
    assert np.array_equal(history.x, np.arange(300))


def test_errors_are_drawn_step_by_step() -> None:
    figure = error_figure({"Model": np.array([0.1, 0.4]), "Random walk": np.array([0.2, 0.3])})
    model, walk = figure.data
    assert list(model.x) == [1, 2]
    assert walk.y == pytest.approx([0.2, 0.3])
    assert model.line.dash != walk.line.dash, "told apart without colours"


def test_observed_coverage_is_drawn_with_the_nominal_one() -> None:
    figure = coverage_figure((0.5, 0.9), {"Model": (0.4, 0.95), "Random walk": (0.6, 1.0)})
    model, walk, wanted = figure.data
    assert list(model.y) == [0.4, 0.95]
    assert list(walk.text) == ["60%", "100%"]
    assert list(wanted.y) == [0.5, 0.9]
    assert list(wanted.x) == list(model.x) == ["50%", "90%"]


def test_pit_values_are_drawn_with_their_sampling_range() -> None:
    values = np.r_[np.full(30, 0.05), np.full(70, 0.95), np.nan]
    figure = pit_figure(values)
    assert figure.data[0].y[[0, -1]] == pytest.approx([0.3, 0.7])
    chance = figure.layout.shapes[0]
    assert chance.y0 < 0.1 < chance.y1
    assert chance.y1 == pytest.approx(0.1 + 1.96 * 0.03)
    assert sum(pit_figure(np.array([])).data[0].y) == 0


def test_a_grid_writes_its_numbers_into_its_cells() -> None:
    figure = sensitivity_figure(np.array([[1.0, np.nan], [3.0, 4.0]]), (128, 256), (0.6, 1.0), name="CRPS")
    [heat] = figure.data
    assert list(heat.x) == ["0.6", "1.0"]
    assert list(heat.y) == ["128", "256"]
    assert np.isnan(heat.z[0][1])
    assert "%{z" in heat.texttemplate
    assert heat.hoverongaps is False


def test_up_to_four_forecasts_stand_side_by_side_on_one_scale() -> None:
    walk = Cone.from_forecast(random_walk(WINDOW), "Random walk")
    panels = [Panel(title=f"Seed {seed}", window=WINDOW, forecast=FORECAST, baseline=walk) for seed in range(4)]
    figure = multiples_figure(panels)
    found = traces(figure)
    for number, (x, y) in enumerate((("x", "y"), ("x2", "y2"), ("x3", "y3"), ("x4", "y4"))):
        median = found[f"median-{number}"]
        assert (median.xaxis, median.yaxis) == (x, y)
        assert median.showlegend is (number == 0)
        assert len(found[f"history-{number}"].x) == WINDOW.horizon
    layout = figure.layout
    assert (layout.yaxis2.matches, layout.yaxis3.matches, layout.yaxis4.matches) == ("y", "y", "y")
    assert layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert layout.yaxis3.domain[1] < layout.yaxis.domain[0]
    assert [note.text for note in layout.annotations] == [f"<b>Seed {seed}</b>" for seed in range(4)]
    assert "truth-3" not in traces(multiples_figure(panels, revealed=0))
    one_below_the_other = multiples_figure(panels, columns=1).layout
    assert one_below_the_other.xaxis2.domain == (0, 1)
    for wrong in ([], [*panels, panels[0]]):
        with pytest.raises(SettingsError, match="1 to 4"):
            multiples_figure(wrong)


def test_a_page_of_its_own_needs_no_network_and_runs_nothing_it_is_given() -> None:
    figure = forecast_figure(WINDOW, FORECAST, ChartStyle(palette=get_palette("colour_blind", dark=True)))
    figure.layout.meta["title"] = "</script><script>alert(1)</script>"
    page = html_page([figure], title="<b>bold</b>", notes=["a < b & c"])
    assert "<b>bold</b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "a &lt; b &amp; c" in page
    assert "<script>alert" not in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page[:3_000] + page[-30_000:])
    assert page.count("class Chart {") == 1
    assert "export {" not in page[-30_000:]
