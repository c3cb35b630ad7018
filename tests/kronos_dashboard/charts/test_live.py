"""The chart as Streamlit mounts it, without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kronos_dashboard import charts
from kronos_dashboard.ui.widgets import chart as chart_component


def page() -> None:
    import streamlit as st
    from streamlit.runtime import Runtime

    from engine import Forecast
    from kronos_dashboard.charts import ChartStyle, error_figure, forecast_patch, get_palette, window_figure
    from kronos_dashboard.forecasting.baselines import random_walk
    from kronos_dashboard.forecasting.windows import replay_window
    from kronos_dashboard.ui.widgets.chart import live_chart, patch_chart, preload_charts
    from tests.support import makers

    window = replay_window(makers.candles(300), 200, 150, 40)
    look = ChartStyle(palette=get_palette("east_asian", dark=True))
    preload_charts()
    live_chart(window_figure(window, look), key="chart", content_id="this", alt="Candles", on_step=lambda _: None)
    live_chart(error_figure({"Model": window.context.frame["close"].to_numpy()}), key="small")
    walk = random_walk(window, num_paths=5)
    patch_chart(
        forecast_patch(window, Forecast(paths=walk.paths[:, :7], index=walk.index[:7]), look),
        chart="chart",
        content_id="this",
    )
    manager = Runtime.instance().bidi_component_registry
    parts = ("kronos_dashboard.client", "kronos_dashboard.plotly")
    st.session_state["folders"] = [manager.get_component_path(part) for part in parts]


@pytest.fixture(scope="module")
def app() -> AppTest:
    run = AppTest.from_function(page, default_timeout=30).run()
    assert not run.exception, [one.message for one in run.exception]
    return run


def mounted(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(element.proto.json) for element in app.get("bidi_component")]


def test_a_chart_is_sent_with_its_figure_and_the_colors_of_both_themes(app: AppTest) -> None:
    _, chart, small, _ = mounted(app)
    figure = json.loads(chart["figure"])
    assert {trace["meta"] for trace in figure["data"]} >= {"history", "truth", "volume-up"}
    assert chart["theme"] == "dark"
    assert chart["themes"]["dark"]["up"] in chart["figure"]
    assert set(chart["themes"]["light"]) == set(chart["themes"]["dark"])
    assert (chart["steps"], chart["refines"], small["steps"]) == (True, False, False)
    assert (chart["base"], chart["alt"], chart["height"]) == ("this", "Candles", 560)


def test_a_patch_is_small_and_names_its_chart(app: AppTest) -> None:
    patch = mounted(app)[3]
    assert (patch["chart"], patch["base"]) == ("chart", "this")
    [median] = [trace for trace in json.loads(patch["figure"])["data"] if trace["meta"] == "median"]
    assert median["name"] == "Median"
    assert len(json.dumps(patch)) < 15_000


def test_the_server_hands_out_the_client_and_the_plotly_of_the_python_package(app: AppTest) -> None:
    client, library = map(Path, app.session_state["folders"])
    assert {"core.js", "component.js", "component.css"} <= {path.name for path in client.iterdir()}
    assert (library / "plotly.min.js").stat().st_size > 1_000_000


def test_the_script_sent_with_each_figure_is_small_and_refers_to_no_other_host(app: AppTest) -> None:
    for element in app.get("bidi_component"):
        assert len(element.proto.js_content) < 2_500
        assert "http" not in element.proto.js_content
        assert "PART" not in element.proto.js_content.split("\n", 4)[4]
    for path in Path(charts.__file__).with_name("client").iterdir():
        assert "http" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("came", "told"), [(-3, [-3]), (2.0, [2]), ("five", []), (None, [])])
def test_steps_from_the_browser_are_passed_on_if_they_are_a_number(
    monkeypatch: pytest.MonkeyPatch, came: object, told: list[int]
) -> None:
    monkeypatch.setattr(st, "session_state", {"chart": {"stepped": came}})
    heard: list[int] = []
    chart_component._step_callback("chart", heard.append)()
    assert heard == told


@pytest.mark.parametrize(("came", "told"), [([1, 2.5], [(1.0, 2.5)]), (None, []), ([1], []), (["a", 2], [])])
def test_a_view_from_the_browser_is_passed_on_if_it_is_two_numbers(
    monkeypatch: pytest.MonkeyPatch, came: object, told: list[tuple[float, float]]
) -> None:
    monkeypatch.setattr(st, "session_state", {"chart": {"view": came}})
    heard: list[tuple[float, float]] = []
    chart_component._view_callback("chart", lambda first, last: heard.append((first, last)))()
    assert heard == told
