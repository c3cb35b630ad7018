import math

import numpy as np
import pytest

from engine.finetune.evaluation.significance import block_bootstrap, crps, diebold_mariano, inside, per_date, student_p
from kronos_dashboard.evaluation import metrics


def test_crps_is_the_dashboards():
    rng = np.random.default_rng(0)
    paths, truth = rng.normal(size=(30, 7)), rng.normal(size=7)
    np.testing.assert_allclose(crps(paths, truth), metrics.crps(paths, truth))
    np.testing.assert_allclose(crps(paths[:1], truth), np.abs(paths[0] - truth))
    pairs = np.abs(paths[:, None] - paths[None]).sum(axis=(0, 1)) / (2 * 30 * 29)
    np.testing.assert_allclose(crps(paths, truth), np.abs(paths - truth).mean(axis=0) - pairs)


def test_a_band_holds_what_lies_between_its_quantiles():
    paths = np.linspace(0, 1, 101)[:, None].repeat(3, axis=1)
    assert inside(paths, np.array([0.05, 0.5, 0.89]), 0.8) == pytest.approx(2 / 3)


def test_the_walk_is_centred_has_the_returns_spread_and_keeps_its_clusters():
    rng = np.random.default_rng(1)
    sigma = np.where(np.arange(2000) // 200 % 2, 0.03, 0.003)
    closes = 100 * np.exp(np.cumsum(rng.normal(0.01, 1, 2000) * sigma))
    drawn = block_bootstrap(closes, 12, 4000, np.random.default_rng(2))
    assert abs(drawn[:, -1].mean()) < 0.005
    steps = np.diff(drawn, axis=1)
    assert steps.std() == pytest.approx(np.diff(np.log(closes)).std(), rel=0.1)
    size = np.abs(steps) - np.abs(steps).mean()
    assert (size[:, 1:] * size[:, :-1]).mean() / size.var() > 0.3  # a calm bar follows a calm one
    np.testing.assert_array_equal(drawn, block_bootstrap(closes, 12, 4000, np.random.default_rng(2)))


def test_students_tail_is_that_of_the_tables():
    assert student_p(0.0, 5) == pytest.approx(1.0)
    assert student_p(2.2281, 10) == pytest.approx(0.05, abs=1e-5)
    assert student_p(-3.1693, 10) == pytest.approx(0.01, abs=1e-5)
    assert student_p(1.95996, 1_000_000) == pytest.approx(0.05, abs=1e-4)
    assert student_p(12.7062, 1) == pytest.approx(0.05, abs=1e-5)


def test_without_overlap_the_test_is_students_with_the_small_sample_factor():
    d = np.random.default_rng(3).normal(0.3, 1, 25)
    test = diebold_mariano(d, overlap=0)
    wanted = d.mean() / math.sqrt(d.var() / 25) * math.sqrt((25 + 1 - 2 + 0) / 25)
    assert test.statistic == pytest.approx(wanted)
    assert test.p == pytest.approx(student_p(wanted, 24))


def test_overlapping_forecasts_count_for_less():
    d = np.repeat(np.random.default_rng(4).normal(0.3, 1, 30), 4)
    assert diebold_mariano(d[:29], overlap=5).p == 1  # spans of six dates in 29: too few to tell
    assert diebold_mariano(d, overlap=0).p < diebold_mariano(d, overlap=5).p


@pytest.mark.parametrize("overlap", [0, 3])
def test_where_there_is_no_difference_one_is_said_one_time_in_twenty_at_most_about(overlap):
    rng, said = np.random.default_rng(5), []
    for _ in range(1000):
        noise = rng.normal(size=80 + overlap)
        d = np.convolve(noise, np.ones(overlap + 1), mode="valid")
        said.append(diebold_mariano(d, overlap).verdict != "no difference")
    assert 0.01 < np.mean(said) < 0.09


def test_the_verdict_says_no_more_than_the_numbers():
    rng = np.random.default_rng(6)
    assert diebold_mariano(rng.normal(-1, 1, 60), 0).verdict == "better"
    assert diebold_mariano(rng.normal(1, 1, 60), 0).verdict == "worse"
    few = diebold_mariano(np.full(7, -1.0) + rng.normal(0, 0.01, 7), 0)
    assert (few.verdict, few.p) == ("no difference", 1.0)
    assert diebold_mariano(np.zeros(50), 0).verdict == "no difference"
    assert diebold_mariano(np.zeros(0), 0).dates == 0


def test_windows_of_one_day_are_one_witness():
    day = 86_400
    times = np.array([0, 100, 2 * day, 2 * day + 5, 3 * day])
    means, overlap = per_date(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), times, times + 3 * day)
    assert means.tolist() == [2.0, 6.0, 9.0]
    assert overlap == 2
    assert per_date(np.ones(3), times[[0, 2, 4]], times[[0, 2, 4]] + 60)[1] == 0
