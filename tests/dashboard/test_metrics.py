import numpy as np
import pytest

from kronos_dashboard.metrics import coverage, crps, interval_width, score

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("paths", [2, 3, 30])
def test_crps_is_its_plain_twin(paths: int) -> None:
    sample, truth = GENERATOR.normal(size=(paths, 7)), GENERATOR.normal(size=7)
    twin = [
        np.mean([abs(x - y) for x in column])
        - sum(abs(a - b) for a in column for b in column) / (2 * paths * (paths - 1))
        for column, y in zip(sample.T, truth, strict=True)
    ]
    assert crps(sample, truth) == pytest.approx(twin)


def test_crps_of_one_path_is_its_absolute_error() -> None:
    assert crps(np.array([[1.0, 5.0]]), np.array([3.0, 4.0])) == pytest.approx([2.0, 1.0])


def test_crps_of_a_large_normal_sample_is_the_known_value() -> None:
    sample = GENERATOR.normal(size=(200_000, 1))
    assert crps(sample, np.zeros(1))[0] == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi), rel=0.01)


def test_coverage_counts_the_edges_and_width_is_a_mean() -> None:
    lower, upper = np.zeros(4), np.array([1.0, 1.0, 2.0, 2.0])
    assert coverage(lower, upper, np.array([0.0, 1.0, 2.1, -0.1])) == 0.5
    assert interval_width(lower, upper) == 1.5


def test_a_score_scales_with_the_prices() -> None:
    sample, truth = GENERATOR.normal(100, 1, size=(50, 9)), GENERATOR.normal(100, 1, size=9)
    one, ten = score(sample, truth, 0.9), score(sample * 10, truth * 10, 0.9)
    assert (ten.crps, ten.width, ten.median_error) == pytest.approx(
        (one.crps * 10, one.width * 10, one.median_error * 10)
    )
    assert (ten.coverage, ten.level) == (one.coverage, 0.9)
