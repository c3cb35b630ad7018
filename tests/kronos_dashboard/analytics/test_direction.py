import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kronos_dashboard.analytics import Fan, chance_up, first_touch, time_to_hit, touch, up_curve
from kronos_dashboard.errors import SettingsError
from tests.support import fans

FAN = fans.by_hand(
    [(100, 103, 99, 102), (102, 106, 101, 101)],
    [(100, 101, 97, 98), (98, 99, 94, 95)],
    [(100, 100, 100, 100), (100, 105, 99, 104)],
    [(99, 101, 98, 101), (101, 104, 90, 103)],
)


def test_the_chance_up_counts_closes_above_the_last_one() -> None:
    first, last = chance_up(FAN, 1), chance_up(FAN)
    assert (first.up.value, first.flat, first.step) == (0.5, 0.25, 1)
    assert (last.up.value, last.flat, last.step) == (0.75, 0.0, 2)
    assert last.up.num_paths == 4
    assert "exactly" not in last.describe()
    assert first.describe().endswith("25.0% close exactly there.")


def test_the_curve_is_the_chance_of_every_step() -> None:
    fan = fans.drawn(30, 7)
    for step in range(1, 8):
        one = chance_up(fan, step).up
        np.testing.assert_allclose(up_curve(fan)[:, step - 1], (one.value, one.low, one.high))


def test_a_last_close_that_float32_cannot_hold_still_equals_itself() -> None:
    fan = fans.of_closes([[0.1], [0.1], [0.2]], start=0.1)
    assert (chance_up(fan).flat, chance_up(fan).up.value) == pytest.approx((2 / 3, 1 / 3))


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
    assert (found.side, found.touched.value, found.closed_beyond.value) == (side, np.mean(np.array(steps) > 0), beyond)
    assert when.never.value == 1 - found.touched.value
    assert list(when.chances) == [steps.count(1) / 4, steps.count(2) / 4]
    assert list(when.reached[0]) == [steps.count(1) / 4, found.touched.value]


def test_a_gap_over_a_level_is_a_touch() -> None:
    assert touch(fans.by_hand([(110, 111, 109, 110)]), 105).touched.value == 1


def test_the_time_to_hit_is_told_of_those_that_hit() -> None:
    found = time_to_hit(FAN, 100.5)
    assert found.median is not None
    assert (found.median.value, found.median.num_paths) == (1, 4)
    never = time_to_hit(FAN, 200)
    assert never.median is None
    assert never.never.value == 1
    assert never.describe().startswith("No path touches 200 within 2 bars. (Sampling error: 0.0% to")


@given(fans.fans(), fans.LEVELS)
def test_chances_are_chances_and_a_close_beyond_is_a_touch(fan: Fan, level: float) -> None:
    found, when = touch(fan, level), time_to_hit(fan, level)
    assert 0 <= found.closed_beyond.value <= found.touched.value <= 1
    assert found.touched.low <= found.touched.value <= found.touched.high
    assert when.chances.sum() + when.never.value == pytest.approx(1)
    assert (np.diff(when.reached) >= 0).all()
    assert when.reached[0, -1] == pytest.approx(found.touched.value)
    up = chance_up(fan)
    assert up.up.value + up.flat <= 1
    assert found.describe() and when.describe() and up.describe()  # noqa: PT018


@given(fans.fans(), fans.LEVELS, fans.LEVELS)
def test_a_further_level_is_touched_no_more_often_and_no_sooner(fan: Fan, one: float, other: float) -> None:
    near, far = sorted((one, other), key=lambda level: abs(level - fan.last_close))
    if (near > fan.last_close) == (far > fan.last_close):
        first, second = first_touch(fan, near), first_touch(fan, far)
        assert touch(fan, far).touched.value <= touch(fan, near).touched.value
        assert (first[second > 0] <= second[second > 0]).all()


@given(fans.fans(), fans.LEVELS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_units_do_not_matter(fan: Fan, level: float, factor: float) -> None:
    there = fans.scaled(fan, factor)
    assert touch(there, fan.rounded(level) * factor).touched == touch(fan, level).touched
    assert chance_up(there).up == chance_up(fan).up


@given(fans.fans(), fans.LEVELS)
@settings(max_examples=30)
def test_more_paths_make_a_smaller_error(fan: Fan, level: float) -> None:
    more = fans.repeated(fan, 4)
    for ask in (lambda f: chance_up(f).up, lambda f: touch(f, level).touched, lambda f: time_to_hit(f, level).never):
        one, other = ask(fan), ask(more)
        assert other.value == pytest.approx(one.value)
        assert other.high - other.low < one.high - one.low
        assert other.standard_error < one.standard_error


@pytest.mark.parametrize("step", [0, 3, -1, 1.0, True, "1"])
def test_a_step_beyond_the_horizon_is_refused(step: object) -> None:
    with pytest.raises(SettingsError, match=r"1\.\.2"):
        chance_up(FAN, step)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [0.0, -3.0, float("nan"), float("inf")])
def test_what_is_no_price_is_refused(level: float) -> None:
    for ask in (touch, time_to_hit):
        with pytest.raises(SettingsError, match="above zero"):
            ask(FAN, level)


def test_the_last_close_itself_is_no_level() -> None:
    with pytest.raises(SettingsError, match="the last close itself"):
        touch(FAN, 100.0)


@pytest.mark.parametrize(
    "paths",
    [np.ones((2, 3)), np.ones((2, 3, 5)), np.ones((0, 3, 6)), np.full((2, 3, 6), np.nan), np.zeros((2, 3, 6))],
)
def test_what_are_no_paths_is_refused(paths: np.ndarray) -> None:
    with pytest.raises(SettingsError):
        Fan(paths=paths, last_close=1.0)
