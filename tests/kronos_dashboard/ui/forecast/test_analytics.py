"""The questions below the chart as Streamlit runs them: their answers, their inputs, and what no answer comes to."""

from __future__ import annotations

import json

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kronos_dashboard.analytics import Estimate, SampledPaths, Scenarios, bracket_outcome, direction, touch
from kronos_dashboard.ui import format as number_format
from tests.kronos_dashboard.ui.test_pages import assert_no_exception, page_text
from tests.support import ui_results


def page() -> None:
    import streamlit as st

    from kronos_dashboard.ui.forecast.analytics.page import show_analytics
    from tests.support import ui_results

    options = st.session_state["options"]
    at = ui_results.window(**options.get("window", {}))
    show_analytics(ui_results.result(at, **options.get("result", {})))


@pytest.fixture(autouse=True)
def fresh() -> None:
    st.cache_resource.clear()


def opened(**options: object) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["options"] = options
    return assert_no_exception(app.run())


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def input_of(app: AppTest, label: str):
    [found] = [one for one in app.number_input if one.label == label]
    return found


def fan_of(**options: object) -> SampledPaths:
    result = ui_results.result(ui_results.window(), **options)
    return SampledPaths.from_forecast(result.forecast, result.window.context)


def test_every_question_has_its_card_with_a_value_and_its_interval() -> None:
    app = opened()
    shown = metrics(app)
    fan, last = fan_of(), f"{fan_of().last_close:.2f}"
    assert next(label for label in shown if label.startswith("Close above")).startswith(f"Close above {last[:5]}")
    for label in ("Target first", "Stop first", "Maximum drawdown", "Maximum run-up", "Value at risk 95%",
                  "Expected shortfall 95%", "Paths more volatile than recently", "Upper", "Lower"):  # fmt: skip
        assert label in shown
    assert f"{direction(fan).prob_up.value:.0%}" in shown.values()
    captions = [one.value for one in app.caption]
    assert sum("interval, 40 paths" in text for text in captions) >= 8
    assert "Neither: " in page_text(app)
    assert "Based on 40 sampled paths over 12 bars" in captions[0]
    assert "Not computed for this forecast" in page_text(app)


@pytest.mark.parametrize("mirrored", [True, False])
def test_answers_about_direction_say_when_it_is_left_open(mirrored: bool) -> None:
    told = page_text(opened(result={"mirror_paths": mirrored}))
    for words in ("how far the price may move, not which way",
                  "50% by construction", "The paths are direction-neutral"):  # fmt: skip
        assert (words in told) is mirrored


def test_groups_that_mirroring_may_have_made_are_not_told_as_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scenarios, "is_separated", property(lambda _: True))
    assert "The scenarios are clearly separated." in page_text(opened())
    told = page_text(opened(result={"mirror_paths": True}))
    assert "possibly only because each path has a mirror image" in told
    assert "The scenarios are clearly separated." not in told


def test_the_step_is_chosen_and_the_curve_marks_it() -> None:
    app = opened()
    app.slider[0].set_value(4)
    assert_no_exception(app.run())
    label = next(label for label in metrics(app) if label.startswith("Close above"))
    assert label.endswith("after 4 bars")
    assert metrics(app)[label] == f"{direction(fan_of(), 4).prob_up.value:.0%}"
    figure = json.loads(json.loads(app.get("bidi_component")[0].proto.json)["figure"])
    [mark] = [trace for trace in figure["data"] if trace["meta"] == "marked-step"]
    assert mark["x"] == [4]
    assert mark["y"] == [pytest.approx(direction(fan_of(), 4).prob_up.value)]


def test_a_level_is_asked_by_its_price() -> None:
    app, fan = opened(), fan_of()
    assert input_of(app, "Level").value > fan.last_close
    below = round(fan.last_close * 0.99, 2)
    input_of(app, "Level").set_value(below)
    assert_no_exception(app.run())
    label = next(label for label in metrics(app) if label.startswith("Falls to"))
    assert metrics(app)[label] == f"{touch(fan, below).prob_touch.value:.0%}"
    assert "paths that touch it, half do so within" in page_text(app)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (0.0, "above zero; got 0"),
        (-5.0, "above zero; got -5"),
        (1e300, "too far from the last close"),
        (1e-300, "too far"),
    ],
)
def test_a_level_that_is_none_is_explained(level: float, words: str) -> None:
    app = opened()
    input_of(app, "Level").set_value(level)
    assert_no_exception(app.run())
    assert words in app.warning[0].value.replace("\\", "")
    assert not any(label.startswith(("Rises", "Falls")) for label in metrics(app))
    assert "Target first" in metrics(app)


def test_the_last_close_itself_is_no_level() -> None:
    app = opened()
    input_of(app, "Level").set_value(fan_of().last_close)
    assert_no_exception(app.run())
    assert "where every path starts" in app.warning[0].value


def test_a_level_that_no_path_touches_says_so() -> None:
    app = opened()
    input_of(app, "Level").set_value(1000.0)
    assert_no_exception(app.run())
    assert "No path touches it" in page_text(app)
    assert next(value for label, value in metrics(app).items() if label.startswith("Rises")) == "0%"


def test_a_trade_is_long_or_short_and_says_when_its_prices_are_on_the_wrong_side() -> None:
    app, fan = opened(), fan_of()
    stop, target = input_of(app, "Stop").value, input_of(app, "Target").value
    assert stop < fan.last_close < target
    assert metrics(app)["Target first"] == f"{bracket_outcome(fan, stop, target).prob_target_first.value:.0%}"
    input_of(app, "Stop").set_value(fan.last_close * 1.5)
    assert_no_exception(app.run())
    assert "the stop must be below" in app.warning[0].value
    app.segmented_control(key="bracket_side").set_value("short")
    assert_no_exception(app.run())
    assert input_of(app, "Target").value < fan.last_close < input_of(app, "Stop").value
    assert not app.warning
    assert "Stop first" in metrics(app)


def test_what_was_typed_stays_with_the_series_and_what_was_not_follows_the_last_close() -> None:
    app = opened()
    app.session_state["options"] = {"window": {"cutoff": 150}}
    before = input_of(app, "Level").value
    assert input_of(assert_no_exception(app.run()), "Level").value == pytest.approx(before, rel=0.5)
    input_of(app, "Level").set_value(77.0)
    assert_no_exception(app.run())
    app.session_state["options"] = {"window": {"cutoff": 160}, "result": {"seed": 9}}
    assert input_of(assert_no_exception(app.run()), "Level").value == 77.0
    app.session_state["options"] = {"window": {"symbol": "OTHER"}, "result": {"seed": 10}}
    assert input_of(assert_no_exception(app.run()), "Level").value != 77.0


def test_few_paths_are_told_from_many() -> None:
    app = opened(result={"num_paths": 1}, window={"horizon": 1})
    assert "too few for an interval" in page_text(app)
    assert "All paths are identical" in page_text(app)
    assert not app.slider
    assert "Use more paths for a reliable estimate" in page_text(app)


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e7])
def test_prices_of_any_size_are_shown_without_powers_of_ten(scale: float) -> None:
    app = opened(window={"scale": scale})
    shown = page_text(app) + str(metrics(app))
    assert "e-0" not in shown
    assert "e+" not in shown
    level, last = input_of(app, "Level").value, fan_of().last_close * scale
    assert level == pytest.approx(last, rel=0.1)
    assert level > last
    assert not app.warning


def test_surprising_candles_are_listed_with_their_dates() -> None:
    app = opened(result={"with_surprisal": True})
    table = app.table[0].value
    context = ui_results.window().context
    assert table["Candle"].iloc[0] == f"{context.index[-13]:%Y-%m-%d %H:%M}"
    assert table["Deviation (σ)"].iloc[0] == "+5.5"
    closes = context.frame["close"].to_numpy()
    assert table["Change"].iloc[0] == number_format.format_signed_percent(closes[-13] / closes[-14] - 1)
    assert metrics(app)["Unusual among the last 20 candles"] == "1"
    assert "1 candles exceed the model's input range" in page_text(app)


def test_risk_has_two_sides() -> None:
    app = opened()
    before = metrics(app)["Maximum drawdown"]
    app.segmented_control(key="risk_side").set_value("short")
    assert_no_exception(app.run())
    assert metrics(app)["Maximum run-up"] == before


def test_paths_below_zero_answer_nothing_and_break_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ui_results.random_walk(ui_results.window(), num_paths=4).paths.copy()
    paths[0, -1, 2] = -1.0
    from engine import Forecast

    broken = Forecast(paths=paths, index=ui_results.window().future)
    monkeypatch.setattr(ui_results, "random_walk", lambda *_, **__: broken)
    app = opened(result={"num_paths": 4})
    assert "reach zero or below" in app.warning[0].value
    assert not app.metric


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00001234, "0.00001234"),
        (0, "0"),
        (64231.257, "64,231.3"),
        (1.1, "1.1"),
        (1.234567e9, "1,234,567,000"),
        (-0.5, "-0.5"),
        (99999.99, "100,000"),
        (float("nan"), "–"),
        (5e-324, "0"),
    ],
)
def test_prices_have_the_digits_that_count(value: float, text: str) -> None:
    assert number_format.format_price(value) in (text, f"{value:,.0f}")


def test_shares_and_returns_are_percent() -> None:
    assert [number_format.format_probability(x) for x in (0, 0.004, 0.5, 0.995, 1)] == [
        "0%",
        "0.4%",
        "50%",
        "99.5%",
        "100%",
    ]
    assert [number_format.format_signed_percent(x) for x in (0.1234, -0.0123, 0.00004, 0)] == [
        "+12.3%",
        "-1.23%",
        "+0.00400%",
        "+0.00%",
    ]
    assert number_format.format_percent(np.nan) == "–"
    none = Estimate(value=1.0, low=-np.inf, high=np.inf, standard_error=np.nan, num_paths=1, method="student")
    assert number_format.format_interval(none, number_format.format_probability) == "1 paths: too few for an interval"
