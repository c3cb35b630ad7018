import numpy as np
import pytest
from hypothesis import given, settings

from kronos_dashboard.analytics import SampledPaths, excursions, expected_range
from tests.support import fans

FAN = fans.by_hand(
    [(100, 103, 99, 102), (102, 106, 101, 101)],
    [(100, 101, 97, 98), (98, 99, 94, 95)],
    [(100, 100, 100, 100), (100, 105, 99, 104)],
)


def test_the_range_is_highest_high_less_lowest_low() -> None:
    found = expected_range(FAN)
    assert (found.mean.value, found.median.value) == (pytest.approx(20 / 3), 7)
    assert found.highest[0.5].value == 105
    assert found.lowest[0.5].value == 99
    assert found.highest[0.95].value == pytest.approx(np.quantile([106, 101, 105], 0.95))
    assert found.lowest[0.05].value == pytest.approx(np.quantile([99, 94, 99], 0.05))


def test_falls_and_rises_are_measured_from_the_last_known_close_on() -> None:
    fan = fans.of_closes([[90, 80, 100], [110, 99, 121], [101, 102, 103]])
    long, short = excursions(fan, "long"), excursions(fan, "short")
    falls, rises = [0.2, 0.1, 0.0], [0.25, 121 / 99 - 1, 0.03]
    assert long.drawdown_mean.value == pytest.approx(np.mean(falls))
    assert long.drawdown[0.5].value == pytest.approx(0.1)
    assert long.run_up_mean.value == pytest.approx(np.mean(rises))
    assert short.drawdown == long.run_up
    assert short.run_up_mean == long.drawdown_mean


def test_wicks_are_no_drawdown() -> None:
    fan = fans.by_hand([(100, 120, 60, 101)])
    assert excursions(fan).drawdown_mean.value == 0
    assert excursions(fan).run_up_mean.value == pytest.approx(0.01)


@given(fans.fans())
def test_ranges_and_excursions_keep_their_bounds(fan: SampledPaths) -> None:
    found = expected_range(fan)
    assert found.mean.value >= 0
    assert found.highest[0.05].value <= found.highest[0.5].value <= found.highest[0.95].value
    assert found.lowest[0.05].value <= found.lowest[0.5].value <= found.lowest[0.95].value
    assert found.lowest[0.5].value <= found.highest[0.5].value
    for side in ("long", "short"):
        trip = excursions(fan, side)
        assert trip.drawdown[0.05].value >= 0
        assert trip.run_up[0.05].value >= 0
    fall = np.quantile(1 - fan.closes[:, -1] / fan.last_close, 0.5)
    assert excursions(fan).drawdown[0.5].value >= fall - 1e-12
    assert excursions(fan).drawdown[0.95].value < 1


@given(fans.fans())
@settings(max_examples=30)
def test_prices_scale_and_fractions_do_not(fan: SampledPaths) -> None:
    there = fans.scaled(fan, 16.0)
    assert expected_range(there).median.value == pytest.approx(16 * expected_range(fan).median.value)
    assert expected_range(there).highest[0.75].high == pytest.approx(16 * expected_range(fan).highest[0.75].high)
    assert excursions(there) == excursions(fan)


def test_more_paths_make_a_smaller_error() -> None:
    few, many = (expected_range(fans.drawn(number, 20)) for number in (50, 800))
    assert many.mean.standard_error < few.mean.standard_error / 3
    assert many.median.high - many.median.low < few.median.high - few.median.low
    assert (few.mean.num_paths, many.median.num_paths) == (50, 800)


def test_a_longer_horizon_has_a_wider_range() -> None:
    short, long = (expected_range(fans.drawn(400, horizon)) for horizon in (5, 50))
    assert long.mean.low > short.mean.high
