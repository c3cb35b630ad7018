import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kronos_dashboard.analytics.estimates import (
    CONFIDENCE,
    exact,
    mean,
    normal_estimate,
    proportion,
    quantile,
    wilson,
)

GENERATOR = np.random.default_rng(0)
TRIALS = 2_000


def test_wilson_is_the_textbook_interval() -> None:
    """Where (p - fraction)^2 = z^2 p (1 - p) / N."""
    low, high = wilson(7 / 30, 30)
    for edge in (float(low), float(high)):
        assert (edge - 7 / 30) ** 2 == pytest.approx(1.959964**2 * edge * (1 - edge) / 30, rel=1e-5)


@pytest.mark.parametrize(("count", "number"), [(0, 5), (7, 30), (30, 30), (613, 1000)])
def test_wilson_agrees_with_scipy(count: int, number: int) -> None:
    expected = stats.binomtest(count, number).proportion_ci(CONFIDENCE, method="wilson")
    low, high = wilson(count / number, number)
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("number", [1, 5, 30, 10_000])
def test_all_or_none_still_has_an_interval(number: int) -> None:
    none, every = proportion(np.zeros(number, bool)), proportion(np.ones(number, bool))
    assert (none.value, none.low, every.value, every.high) == (0, 0, 1, 1)
    assert none.high == pytest.approx(1 - every.low)
    assert none.high > 0
    assert none.standard_error > 0


@given(st.integers(1, 300), st.floats(0, 1))
def test_a_share_lies_in_its_interval_and_the_interval_in_0_to_1(number: int, fraction: float) -> None:
    hits = np.arange(number) < round(fraction * number)
    found = proportion(hits)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.complement.low == pytest.approx(proportion(~hits).low, abs=1e-12)
    assert found.num_paths == number


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80), st.floats(0.01, 0.99))
def test_a_quantile_lies_between_its_edges(values: list[float], level: float) -> None:
    found = quantile(np.array(values), level)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(np.quantile(values, level), abs=1e-6)
    assert found.is_bounded == math.isfinite(found.standard_error)


@pytest.mark.parametrize(("number", "level"), [(5, 0.5), (30, 0.05), (30, 0.95), (300, 0.99)])
def test_a_quantile_far_out_of_few_paths_has_no_bound(number: int, level: float) -> None:
    found = quantile(GENERATOR.normal(size=number), level)
    assert not found.is_bounded
    assert math.isnan(found.standard_error)


@pytest.mark.parametrize(("number", "level", "ranks"), [(10, 0.5, (2, 9)), (100, 0.5, (40, 61)), (6, 0.5, (1, 6))])
def test_the_ranks_around_a_median_are_those_of_the_tables(number: int, level: float, ranks: tuple[int, int]) -> None:
    found = quantile(np.arange(1.0, number + 1), level)
    assert (found.low, found.high) == ranks


def test_a_counted_quantile_is_one_of_the_values() -> None:
    assert quantile(np.array([1, 2, 3, 9]), 0.5, discrete=True).value == 2


def test_the_mean_of_one_path_has_no_error_to_tell() -> None:
    found = mean(np.array([3.0]))
    assert (found.value, found.low, found.high) == (3, -math.inf, math.inf)
    assert not found.is_bounded


@pytest.mark.parametrize(("number", "wanted"), [(4, 3.1824), (11, 2.2281), (31, 2.0423), (1001, 1.9623)])
def test_the_interval_of_a_mean_is_students(number: int, wanted: float) -> None:
    values = GENERATOR.normal(size=number)
    found = mean(values)
    assert found.standard_error == pytest.approx(values.std(ddof=1) / math.sqrt(number))
    assert (found.high - found.value) / found.standard_error == pytest.approx(wanted, rel=1e-4)


def test_a_known_error_gives_the_normal_interval() -> None:
    found = normal_estimate(1.0, 2.0, 50)
    assert (found.low, found.high) == pytest.approx((1 - 3.919928, 1 + 3.919928))


# ------------------------------------------------------------------- what is promised is kept, counted over many draws


def kept(intervals: list[tuple[float, float]], truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))


@pytest.mark.parametrize(("number", "chance"), [(30, 0.5), (30, 0.1), (200, 0.03), (200, 0.8)])
def test_the_interval_of_a_share_holds_the_truth_as_often_as_it_says(number: int, chance: float) -> None:
    found = [proportion(row) for row in GENERATOR.random((TRIALS, number)) < chance]
    assert kept([(one.low, one.high) for one in found], chance) == pytest.approx(CONFIDENCE, abs=0.03)


@pytest.mark.parametrize("number", [5, 30, 200])
def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says(number: int) -> None:
    found = [mean(row) for row in GENERATOR.normal(2, 3, (TRIALS, number))]
    assert kept([(one.low, one.high) for one in found], 2.0) == pytest.approx(CONFIDENCE, abs=0.02)
    assert np.std([one.value for one in found]) == pytest.approx(
        np.mean([one.standard_error for one in found]), rel=0.1
    )


@pytest.mark.parametrize(("number", "level"), [(30, 0.5), (100, 0.9), (200, 0.95), (1000, 0.99)])
def test_the_interval_of_a_quantile_holds_the_truth_at_least_as_often_as_it_says(number: int, level: float) -> None:
    """Ranks are whole numbers, so that the interval may be wider than it must."""
    found = [quantile(row, level) for row in GENERATOR.exponential(size=(TRIALS, number))]
    truth = -math.log1p(-level)
    assert CONFIDENCE - 0.015 <= kept([(one.low, one.high) for one in found], truth) <= 0.995
    bounded = [one.standard_error for one in found if one.is_bounded]
    assert np.std([one.value for one in found]) == pytest.approx(np.mean(bounded), rel=0.35)


def paired_draws(number: int) -> np.ndarray:
    """Values [TRIALS, number] in antithetic pairs, each pair with a volatility of its own; the last of an odd number
    is on its own."""
    spread = GENERATOR.choice([0.5, 1.0, 3.0], size=(TRIALS, (number + 1) // 2))
    moves = spread * GENERATOR.normal(size=spread.shape)
    return np.stack((moves, -moves), axis=-1).reshape(TRIALS, -1)[:, :number]


PAIRED = 30, 31, 200
"""Numbers of paths."""
REFERENCE = np.random.default_rng(1).choice([0.5, 1.0, 3.0], size=2_000_000) * np.random.default_rng(2).normal(
    size=2_000_000
)
"""What the pairs are drawn from."""


@pytest.mark.parametrize("number", PAIRED)
@pytest.mark.parametrize("level", [0.3, 2.0])
def test_the_interval_of_a_fraction_of_pairs_covers_the_truth(number: int, level: float) -> None:
    """Of a move in one direction, in which the paths of a pair exclude each other, and of one in either, in which they
    agree."""
    draws = paired_draws(number)
    for hits, truth in (
        (draws > level, (level < REFERENCE).mean()),
        (abs(draws) > level, (abs(REFERENCE) > level).mean()),
    ):
        found = [proportion(row, is_paired=True) for row in hits]
        assert kept([(one.low, one.high) for one in found], truth) >= CONFIDENCE - 0.02


def test_paths_that_agree_in_pairs_count_as_many_as_there_are_pairs() -> None:
    hits = np.repeat([True, False, False, True, False], 2)
    paired, independent = proportion(hits, is_paired=True), proportion(hits[::2])
    assert (paired.low, paired.high) == pytest.approx((independent.low, independent.high))
    assert proportion(hits).high < paired.high


@pytest.mark.parametrize("number", PAIRED)
def test_the_interval_of_a_mean_of_pairs_covers_the_truth(number: int) -> None:
    """As often as that of as many independent paths as there are pairs: few of a skewed distribution cover less."""
    draws, truth = abs(paired_draws(number)), abs(REFERENCE).mean()
    pairs, independent = (
        [mean(row, is_paired=paired) for row in rows] for rows, paired in ((draws, True), (draws[:, ::2], False))
    )
    covered = kept([(one.low, one.high) for one in pairs], truth)
    assert covered == pytest.approx(kept([(one.low, one.high) for one in independent], truth), abs=0.01)
    assert covered > 0.85
    balanced = mean(np.array([1.0, -1.0, 2.0, -2.0]), is_paired=True)
    assert (balanced.value, balanced.standard_error) == (0.0, 0.0)
    assert not mean(np.array([1.0, -1.0]), is_paired=True).is_bounded


@pytest.mark.parametrize("number", PAIRED)
@pytest.mark.parametrize("level", [0.5, 0.8])
def test_the_interval_of_a_quantile_of_pairs_covers_the_truth(number: int, level: float) -> None:
    truth = np.quantile(abs(REFERENCE), level)
    found = [quantile(abs(row), level, is_paired=True) for row in paired_draws(number)]
    assert kept([(one.low, one.high) for one in found], truth) >= CONFIDENCE - 0.02


def test_an_exact_statistic_has_no_error() -> None:
    assert (exact(0.5, 30).low, exact(0.5, 30).high, exact(0.5, 30).standard_error) == (0.5, 0.5, 0.0)
