import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.analytics import SampledPaths, direction, first_touch, prob_up_by_step, time_to_hit, touch
from kronos_dashboard.errors import InvalidForecastError, SettingsError
from tests.support import fans

FAN = fans.by_hand(
    [(100, 103, 99, 102), (102, 106, 101, 101)],
    [(100, 101, 97, 98), (98, 99, 94, 95)],
    [(100, 100, 100, 100), (100, 105, 99, 104)],
    [(99, 101, 98, 101), (101, 104, 90, 103)],
)


def test_the_chance_up_counts_closes_above_the_last_one() -> None:
    first, last = direction(FAN, 1), direction(FAN)
    assert (first.prob_up.value, first.prob_unchanged, first.step) == (0.5, 0.25, 1)
    assert (last.prob_up.value, last.prob_unchanged, last.step) == (0.75, 0.0, 2)
    assert last.prob_up.num_paths == 4
    assert "exactly" not in last.describe()
    assert first.describe().endswith("25.0% close exactly there.")


def test_the_curve_is_the_chance_of_every_step() -> None:
    fan = fans.drawn(30, 7)
    for step in range(1, 8):
        one = direction(fan, step).prob_up
        np.testing.assert_allclose(prob_up_by_step(fan)[:, step - 1], (one.value, one.low, one.high))


def test_the_chance_up_of_antithetic_pairs_is_one_half_and_has_no_error() -> None:
    pairs = fans.paired(fans.drawn(7, 5))
    prob_up = direction(pairs).prob_up
    assert (prob_up.value, prob_up.low, prob_up.high, prob_up.num_paths) == (0.5, 0.5, 0.5, 14)
    np.testing.assert_array_equal(prob_up_by_step(pairs), 0.5)
    assert (pairs.closes[:, -1] > pairs.last_close).mean() == 0.5


def test_pairs_that_close_unchanged_are_neither_up_nor_down() -> None:
    pairs = fans.paired(fans.of_closes([[100.0], [104.0]]))
    assert (direction(pairs).prob_up.value, direction(pairs).prob_unchanged) == (0.25, 0.5)
    np.testing.assert_array_equal(prob_up_by_step(pairs), 0.25)


def test_a_last_close_that_float32_cannot_hold_still_equals_itself() -> None:
    fan = fans.of_closes([[0.1], [0.1], [0.2]], start=0.1)
    assert (direction(fan).prob_unchanged, direction(fan).prob_up.value) == pytest.approx((2 / 3, 1 / 3))


@pytest.mark.parametrize(
    ("level", "side", "steps", "beyond"),
    [
        (105, "above", [2, 0, 2, 0], 0.0),
        (103, "above", [1, 0, 2, 2], 0.5),
        (97, "below", [0, 1, 0, 2], 0.25),
        (90, "below", [0, 0, 0, 2], 0.0),
        (89.9, "below", [0, 0, 0, 0], 0.0),
        (100.5, "above", [1, 1, 2, 1], 0.75),
    ],
)
def test_a_touch_counts_highs_and_lows(level: float, side: str, steps: list[int], beyond: float) -> None:
    assert list(first_touch(FAN, level)) == steps
    found, when = touch(FAN, level), time_to_hit(FAN, level)
    assert (found.side, found.prob_touch.value, found.prob_close_beyond.value) == (
        side,
        np.mean(np.array(steps) > 0),
        beyond,
    )
    assert when.prob_not_hit.value == 1 - found.prob_touch.value
    assert list(when.prob_first_hit) == [steps.count(1) / 4, steps.count(2) / 4]
    assert list(when.prob_hit_by_step[0]) == [steps.count(1) / 4, found.prob_touch.value]


def test_a_gap_over_a_level_is_a_touch() -> None:
    assert touch(fans.by_hand([(110, 111, 109, 110)]), 105).prob_touch.value == 1


def test_the_time_to_hit_is_told_of_those_that_hit() -> None:
    found = time_to_hit(FAN, 100.5)
    assert found.median is not None
    assert (found.median.value, found.median.num_paths) == (1, 4)
    never = time_to_hit(FAN, 200)
    assert never.median is None
    assert never.prob_not_hit.value == 1
    assert never.describe().startswith("No path touches 200 within 2 bars. (Sampling error: 0.0% to")


@given(fans.fans(), fans.LEVELS)
def test_chances_are_chances_and_a_close_beyond_is_a_touch(fan: SampledPaths, level: float) -> None:
    found, when = touch(fan, level), time_to_hit(fan, level)
    assert 0 <= found.prob_close_beyond.value <= found.prob_touch.value <= 1
    assert found.prob_touch.low <= found.prob_touch.value <= found.prob_touch.high
    assert when.prob_first_hit.sum() + when.prob_not_hit.value == pytest.approx(1)
    assert (np.diff(when.prob_hit_by_step) >= 0).all()
    assert when.prob_hit_by_step[0, -1] == pytest.approx(found.prob_touch.value)
    up = direction(fan)
    assert up.prob_up.value + up.prob_unchanged <= 1
    assert found.describe() and when.describe() and up.describe()  # noqa: PT018


@given(fans.fans(), fans.LEVELS, fans.LEVELS)
def test_a_further_level_is_touched_no_more_often_and_no_sooner(fan: SampledPaths, one: float, other: float) -> None:
    near, far = sorted((one, other), key=lambda level: abs(level - fan.last_close))
    if (near > fan.last_close) == (far > fan.last_close):
        first, second = first_touch(fan, near), first_touch(fan, far)
        assert touch(fan, far).prob_touch.value <= touch(fan, near).prob_touch.value
        assert (first[second > 0] <= second[second > 0]).all()


@given(fans.fans(), fans.LEVELS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_units_do_not_matter(fan: SampledPaths, level: float, factor: float) -> None:
    there = fans.scaled(fan, factor)
    assert touch(there, fan.round_price(level) * factor).prob_touch == touch(fan, level).prob_touch
    assert direction(there).prob_up == direction(fan).prob_up


@given(fans.fans(), fans.LEVELS)
@settings(max_examples=30)
def test_more_paths_make_a_smaller_error(fan: SampledPaths, level: float) -> None:
    more = fans.repeated(fan, 4)
    for ask in (
        lambda f: direction(f).prob_up,
        lambda f: touch(f, level).prob_touch,
        lambda f: time_to_hit(f, level).prob_not_hit,
    ):
        one, other = ask(fan), ask(more)
        assert other.value == pytest.approx(one.value)
        assert other.high - other.low < one.high - one.low
        assert other.standard_error < one.standard_error


@pytest.mark.parametrize("step", [0, 3, -1, 1.0, True, "1"])
def test_a_step_beyond_the_horizon_is_refused(step: object) -> None:
    with pytest.raises(SettingsError, match=r"1\.\.2"):
        direction(FAN, step)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [0.0, -3.0, float("nan"), float("inf")])
def test_what_is_no_price_is_refused(level: float) -> None:
    for ask in (touch, time_to_hit):
        with pytest.raises(SettingsError, match="above zero"):
            ask(FAN, level)


def test_the_last_close_itself_is_no_level() -> None:
    with pytest.raises(SettingsError, match="equals the last close"):
        touch(FAN, 100.0)


@pytest.mark.parametrize(
    "paths",
    [np.ones((2, 3)), np.ones((2, 3, 5)), np.ones((0, 3, 6)), np.full((2, 3, 6), np.nan), np.zeros((2, 3, 6))],
)
def test_values_that_are_no_paths_are_rejected(paths: np.ndarray) -> None:
    with pytest.raises(InvalidForecastError):
        SampledPaths(paths=paths, last_close=1.0)
