import numpy as np
import pytest
from hypothesis import given

from kronos_dashboard.analytics import SampledPaths, bracket_outcome, touch
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.forecasting.baselines import volatility_cone
from kronos_dashboard.forecasting.windows import replay_window
from tests.support import fans, makers

FAN = fans.by_hand(
    [(100, 103, 99, 102), (102, 106, 101, 101)],  # target in bar 2
    [(100, 101, 97, 98), (98, 99, 94, 95)],  # stop in bar 2
    [(100, 106, 94, 100), (100, 107, 99, 104)],  # both in bar 1
    [(99, 101, 98, 101), (101, 104, 99, 103)],  # neither, closed at 103
    [(93, 94, 92, 94), (94, 110, 93, 109)],  # opens below the stop, target later
)


def test_what_comes_first_is_counted_path_by_path() -> None:
    found = bracket_outcome(FAN, stop=95, target=105)
    assert found.side == "long"
    assert (found.prob_target_first.value, found.prob_stop_first.value, found.prob_neither.value) == (0.2, 0.6, 0.2)
    assert found.ambiguous_paths == 1
    profits = [0.05, -0.05, -0.05, 0.03, -0.07]  # a stop that is jumped over is filled at the open
    assert found.profit.value == pytest.approx(np.mean(profits))
    assert found.profit.standard_error == pytest.approx(np.std(profits, ddof=1) / np.sqrt(5))
    assert found.expected_profit == pytest.approx(100 * np.mean(profits))
    assert found.break_even == pytest.approx(0.5)
    assert "one bar touches both: 1." in found.describe()


def test_a_short_trade_is_the_mirror_image() -> None:
    found = bracket_outcome(FAN, stop=105, target=95)
    assert found.side == "short"
    assert (found.prob_target_first.value, found.prob_stop_first.value, found.prob_neither.value) == (0.4, 0.4, 0.2)
    profits = [-0.05, 0.05, -0.05, -0.03, 0.05]  # a target that is jumped over is filled at the target
    assert found.profit.value == pytest.approx(np.mean(profits))


def test_a_short_stop_that_is_jumped_over_is_filled_at_the_open() -> None:
    found = bracket_outcome(fans.by_hand([(108, 109, 107, 108)]), stop=105, target=95)
    assert found.profit.value == pytest.approx(-0.08)


def test_the_cost_is_taken_off_and_raises_what_breaks_even() -> None:
    free, dear = (bracket_outcome(FAN, 95, 110, cost=cost) for cost in (0.0, 0.01))
    assert dear.profit.value == pytest.approx(free.profit.value - 0.01)
    assert free.break_even == pytest.approx(5 / 15)
    assert dear.break_even == pytest.approx(6 / 15)


def test_a_bar_after_the_decision_changes_nothing() -> None:
    short, long = fans.by_hand([(100, 106, 99, 105)]), fans.by_hand([(100, 106, 99, 105), (105, 105, 50, 60)])
    assert bracket_outcome(short, 95, 105).profit.value == bracket_outcome(long, 95, 105).profit.value


@given(fans.fans(), fans.LEVELS, fans.LEVELS)
def test_every_path_ends_in_one_way(fan: SampledPaths, stop: float, target: float) -> None:
    if (stop > fan.last_close) == (target > fan.last_close):
        with pytest.raises(SettingsError, match="opposite sides"):
            bracket_outcome(fan, stop, target)
        return
    found = bracket_outcome(fan, stop, target)
    assert found.prob_target_first.value + found.prob_stop_first.value + found.prob_neither.value == pytest.approx(1)
    assert found.prob_target_first.value <= touch(fan, target).prob_touch.value
    assert touch(fan, stop).prob_touch.value >= found.prob_stop_first.value
    assert found.ambiguous_paths <= round(found.prob_stop_first.value * fan.num_paths)
    assert found.profit.value <= abs(found.target / fan.last_close - 1) + 1e-9
    there = bracket_outcome(fans.scaled(fan, 8.0), found.stop * 8, found.target * 8)
    assert there.profit.value == pytest.approx(found.profit.value)
    assert there.expected_profit == pytest.approx(8 * found.expected_profit)


def test_a_fair_game_pays_nothing_but_what_the_count_takes() -> None:
    """On a driftless walk of fine steps P(target first) = risk / (risk + reward), in logs."""
    window = replay_window(makers.candles(900), 300, 200, 500)
    fan = SampledPaths.from_forecast(volatility_cone(window, num_paths=4_000), window.context)
    last = fan.last_close
    found = bracket_outcome(fan, last * np.exp(-0.06), last * np.exp(0.12))
    assert found.prob_target_first.value == pytest.approx(1 / 3, abs=0.03)
    assert found.prob_neither.value < 0.02


@pytest.mark.parametrize("cost", [-0.1, 1.0, float("nan")])
def test_a_cost_out_of_its_range_is_refused(cost: float) -> None:
    with pytest.raises(SettingsError, match="cost"):
        bracket_outcome(FAN, 95, 105, cost=cost)
