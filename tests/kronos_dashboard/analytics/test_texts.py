import re
from string import Formatter

import numpy as np
import pandas as pd
import pytest

from engine import KronosPredictor
from engine.surprisal import Surprise
from kronos_dashboard.analytics import (
    ENGLISH,
    Answer,
    Fan,
    RecentSurprise,
    chance_up,
    excursions,
    overview,
    recent_surprise,
    recent_surprises,
    scenarios,
    stop_before_target,
    tail_risk,
    time_to_hit,
    touch,
    volatility,
)
from kronos_dashboard.forecasting.run import model_frame
from tests.support import fans, makers

CONTEXT = makers.candles(60)


def judged(deviation: float, clipped: bool) -> RecentSurprise:
    numbers = {"coarse": [1.0, deviation], "fine": [0.0, 0.0], "entropy": [1.0, 0.0], "spread": [1.0, 1.0]}
    figures = Surprise(
        index=pd.date_range("2024-05-01 09:30", periods=2, freq="h", tz="UTC"),
        clipped=np.array([False, clipped]),
        **{name: np.array(values) for name, values in numbers.items()},
    )
    return RecentSurprise(figures=figures, odd=figures.deviation >= 3)


def every_kind_of_answer() -> list[Answer]:
    many, one = fans.drawn(300, 12), fans.drawn(1, 3)
    still = fans.of_closes([[100.0, 100.0]] * 4)
    both = fans.by_hand([(100, 120, 80, 100)])
    far = 10 * many.last_close
    asked = [f(fan, level) for fan in (many, one) for level in (101.0, 99.0, far) for f in (touch, time_to_hit)]
    trades = [stop_before_target(fan, *levels) for fan in (many, both) for levels in ((99, 101), (101, 99))]
    risks = [tail_risk(fan, side=side) for fan in (many, one) for side in ("long", "short")]
    trips = [excursions(fan, side) for fan in (many, one) for side in ("long", "short")]
    restless = [volatility(many, CONTEXT), volatility(many, CONTEXT, bars_per_year=8760.0)]
    apart = Fan(paths=np.concatenate((many.paths, 2 * many.paths)), last_close=100.0)
    groups = [scenarios(fan) for fan in (many, still, apart)]
    odd = [judged(9.0, True), judged(1.0, False)]
    return [chance_up(still), *overview(many, CONTEXT), *asked, *trades, *risks, *trips, *restless, *groups, *odd]


def test_every_text_is_used_and_every_number_in_it_is_given() -> None:
    used: dict[str, set[str]] = {}
    for answer in every_kind_of_answer():
        for sentence in answer.sentences:
            used.setdefault(sentence.key, set()).update(sentence.values)
    assert used.keys() == ENGLISH.keys()
    for key, template in ENGLISH.items():
        named = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        assert named <= used[key], key


def test_what_is_said_has_no_stray_numbers() -> None:
    for answer in every_kind_of_answer():
        text = answer.describe()
        assert not re.search(r"nan|inf\b|[{}]", text), text
        assert text[0].isupper() or text[0].isdigit(), text
        assert text.rstrip(")").endswith("."), text


def test_another_language_is_another_catalogue() -> None:
    answer = chance_up(fans.of_closes([[101.0], [99.0]]))
    chinese = dict.fromkeys(ENGLISH, "") | {"up": "第 {step} 步收盘高于 {last_close:,.6g} 的路径占 {chance:.0%}。"}
    assert answer.describe(chinese).strip() == "第 1 步收盘高于 100 的路径占 50%。"
    assert (answer.key, answer.values["chance"]) == ("up", 0.5)


def test_every_answer_about_paths_tells_how_many_there_were() -> None:
    for answer in overview(fans.drawn(300, 12), CONTEXT):
        assert "300 paths" in answer.describe()


def test_the_overview_needs_no_level() -> None:
    keys = [answer.key for answer in overview(fans.drawn(30, 12), CONTEXT)]
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
    one, two = recent_surprises(predictor, frames, last=20)
    assert len(one.odd) == 20
    assert np.array_equal(one.odd, one.figures.deviation >= 3)
    assert one.figures.index.equals(frames[0].index[-20:])
    np.testing.assert_allclose(recent_surprise(predictor, frames[1], last=20).figures.nll, two.figures.nll, rtol=1e-5)
    assert "of the last 20." in one.describe()


@pytest.mark.parametrize(("deviation", "count"), [(9.0, "1 of the last 2"), (1.0, "none of the last 2")])
def test_anomalies_are_counted_and_the_oddest_is_named(deviation: float, count: str) -> None:
    text = judged(deviation, clipped=False).describe()
    assert text.startswith(f"Candles that stand out to the model: {count}.")
    assert "2024-05-01 10:30" in text
    assert "Candles beyond what the model can see: 1" in judged(deviation, clipped=True).describe()
