import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronos_dashboard.analytics import CONFIDENCE, SampledPaths, tail_risk
from kronos_dashboard.errors import SettingsError
from tests.support import fans

HUNDRED = fans.of_closes([[100 - i] for i in range(100)])  # losses of 0 to 99 %


def test_losses_at_and_beyond_the_quantile_are_averaged() -> None:
    found = tail_risk(HUNDRED, 0.95)
    assert found.var.value == pytest.approx(0.9405)  # between the 95th and the 96th loss
    assert found.expected_shortfall.value == pytest.approx(np.mean([0.95, 0.96, 0.97, 0.98, 0.99]))
    assert found.num_tail_paths == 5
    assert found.is_unreliable
    assert "Paths in the tail: 5." in found.describe()


def test_ten_beyond_are_enough() -> None:
    found = tail_risk(HUNDRED, 0.9)
    assert (found.num_tail_paths, found.is_unreliable) == (10, False)
    assert "too few" not in found.describe()


def test_a_short_position_loses_where_a_long_one_gains() -> None:
    found = tail_risk(HUNDRED, 0.95, side="short")
    assert found.var.value == pytest.approx(-0.0495)  # a gain, even in the worst case of twenty
    assert found.expected_shortfall.value == pytest.approx(-0.02)


def test_the_step_counts() -> None:
    fan = fans.of_closes([[50.0, 100.0], [60.0, 100.0]])
    assert tail_risk(fan, 0.95, 1).var.value > 0.4
    assert tail_risk(fan, 0.95).var.value == 0
    with pytest.raises(SettingsError, match=r"1\.\.2"):
        tail_risk(fan, 0.95, 3)


@given(fans.fans(), st.sampled_from([0.9, 0.95, 0.99]), st.sampled_from(["long", "short"]))
def test_the_shortfall_is_no_less_than_the_value_at_risk(fan: SampledPaths, level: float, side: str) -> None:
    found = tail_risk(fan, level, side=side)
    assert found.expected_shortfall.value >= found.var.value - 1e-12
    assert 1 <= found.num_tail_paths <= fan.num_paths
    assert found.var.low <= found.var.value <= found.var.high
    assert tail_risk(fan, 0.99, side=side).var.value >= found.var.value - 1e-12 or level == 0.99
    assert tail_risk(fans.scaled(fan, 4.0), level, side=side) == found
    assert found.describe()


def test_one_path_has_no_error_to_tell() -> None:
    found = tail_risk(fans.of_closes([[90.0]]), 0.95)
    assert found.var.value == pytest.approx(0.1)
    assert math.isinf(found.expected_shortfall.standard_error)
    assert not found.expected_shortfall.is_bounded
    assert found.describe().count("Too few paths to estimate the sampling error") == 2


def test_the_interval_of_the_shortfall_holds_the_truth_about_as_often_as_it_says() -> None:
    """Normal returns; a sample's shortfall is a little low, and its error too."""
    generator, level, number = np.random.default_rng(0), 0.95, 1_000
    normal = NormalDist()
    truth = 0.01 * normal.pdf(normal.inv_cdf(level)) / (1 - level)
    found = []
    for _ in range(400):
        fan = fans.of_closes(100 * (1 + generator.normal(0, 0.01, (number, 1))))
        found.append(tail_risk(fan, level).expected_shortfall)
    assert np.mean([one.low <= truth <= one.high for one in found]) == pytest.approx(CONFIDENCE, abs=0.04)
    assert np.mean([one.value for one in found]) == pytest.approx(truth, rel=0.02)
    assert np.std([one.value for one in found]) == pytest.approx(
        np.mean([one.standard_error for one in found]), rel=0.15
    )


@pytest.mark.parametrize("level", [0.5, 1.0, 95, -1, float("nan")])
def test_a_level_out_of_its_range_is_refused(level: float) -> None:
    with pytest.raises(SettingsError, match=r"0\.95"):
        tail_risk(HUNDRED, level)
