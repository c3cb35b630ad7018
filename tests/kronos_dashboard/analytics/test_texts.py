import re
from string import Formatter

import numpy as np
import pandas as pd
import pytest

from engine import KronosPredictor
from engine.surprisal import Surprisal
from kronos_dashboard.analytics import (
    AnalyticsResult,
    RecentSurprisal,
    SampledPaths,
    bracket_outcome,
    direction,
    excursions,
    find_scenarios,
    recent_surprisal,
    recent_surprisal_many,
    summarize,
    tail_risk,
    time_to_hit,
    touch,
    volatility,
)
from kronos_dashboard.analytics.texts import TEMPLATES
from kronos_dashboard.forecasting.run import model_frame
from kronos_dashboard.messages import load_catalog, translate
from tests.support import fans, makers

CONTEXT = makers.candles(60)


def judged(deviation: float, clipped: bool) -> RecentSurprisal:
    numbers = {"coarse": [1.0, deviation], "fine": [0.0, 0.0], "entropy": [1.0, 0.0], "std": [1.0, 1.0]}
    figures = Surprisal(
        index=pd.date_range("2024-05-01 09:30", periods=2, freq="h", tz="UTC"),
        clipped=np.array([False, clipped]),
        **{name: np.array(values) for name, values in numbers.items()},
    )
    return RecentSurprisal(surprisal=figures, is_outlier=figures.zscore >= 3)


def every_kind_of_answer() -> list[AnalyticsResult]:
    many, one = fans.drawn(300, 12), fans.drawn(1, 3)
    still = fans.of_closes([[100.0, 100.0]] * 4)
    both = fans.by_hand([(100, 120, 80, 100)])
    far = 10 * many.last_close
    asked = [f(fan, level) for fan in (many, one) for level in (101.0, 99.0, far) for f in (touch, time_to_hit)]
    trades = [bracket_outcome(fan, *levels) for fan in (many, both) for levels in ((99, 101), (101, 99))]
    risks = [tail_risk(fan, side=side) for fan in (many, one) for side in ("long", "short")]
    trips = [excursions(fan, side) for fan in (many, one) for side in ("long", "short")]
    restless = [volatility(many, CONTEXT), volatility(many, CONTEXT, bars_per_year=8760.0)]
    apart = SampledPaths(paths=np.concatenate((many.paths, 2 * many.paths)), last_close=100.0)
    groups = [find_scenarios(fan) for fan in (many, still, apart)]
    odd = [judged(9.0, True), judged(1.0, False)]
    return [direction(still), *summarize(many, CONTEXT), *asked, *trades, *risks, *trips, *restless, *groups, *odd]


def test_every_text_is_used_and_every_number_in_it_is_given() -> None:
    used: dict[str, set[str]] = {}
    for answer in every_kind_of_answer():
        for sentence in answer.sentences:
            used.setdefault(sentence.key, set()).update(sentence.values)
    assert used.keys() == TEMPLATES.keys()
    for key, template in TEMPLATES.items():
        named = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        assert named <= used[key], key


def test_what_is_said_has_no_stray_numbers() -> None:
    for answer in every_kind_of_answer():
        text = answer.describe()
        assert not re.search(r"nan|inf\b|[{}]", text), text
        assert text[0].isupper() or text[0].isdigit(), text
        assert text.rstrip(")").endswith("."), text


def test_another_language_is_another_catalog() -> None:
    answer = direction(fans.of_closes([[101.0], [99.0]]))
    assert translate(answer.describe(), load_catalog("zh-Hans")).startswith("50.0% 的路径在第 1 根K线收盘高于 100。")
    assert (answer.key, answer.values["probability"]) == ("up", 0.5)


def test_every_answer_about_paths_tells_how_many_there_were() -> None:
    for answer in summarize(fans.drawn(300, 12), CONTEXT):
        assert "300 paths" in answer.describe()


def test_the_overview_needs_no_level() -> None:
    keys = [answer.key for answer in summarize(fans.drawn(30, 12), CONTEXT)]
    assert keys == [
        "up",
        "range",
        "drawdown.long",
        "drawdown.short",
        "tail.long",
        "tail.long",
        "volatility.bar",
        "scenarios",
    ]


def test_recent_candles_are_judged_by_the_model(predictor: KronosPredictor) -> None:
    frames = [model_frame(makers.candles(80, seed=seed)) for seed in (0, 1)]
    one, two = recent_surprisal_many(predictor, frames, last=20)
    assert len(one.is_outlier) == 20
    assert np.array_equal(one.is_outlier, one.surprisal.zscore >= 3)
    assert one.surprisal.index.equals(frames[0].index[-20:])
    np.testing.assert_allclose(
        recent_surprisal(predictor, frames[1], last=20).surprisal.nll, two.surprisal.nll, rtol=1e-5
    )
    assert "of the last 20." in one.describe()


@pytest.mark.parametrize(("deviation", "count"), [(9.0, "1 of the last 2"), (1.0, "none of the last 2")])
def test_anomalies_are_counted_and_the_oddest_is_named(deviation: float, count: str) -> None:
    text = judged(deviation, clipped=False).describe()
    assert text.startswith(f"Unusual candles: {count}.")
    assert "2024-05-01 10:30" in text
    assert "Candles outside the model's input range: 1" in judged(deviation, clipped=True).describe()
