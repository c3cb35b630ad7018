import math

import numpy as np
import pytest
from scipy import stats

from engine.finetune.evaluation.significance import average_by_date, diebold_mariano


@pytest.mark.parametrize(
    ("statistic", "dates", "p_value"), [(2.2281, 11, 0.05), (-3.1693, 11, 0.01), (0.0, 11, 1.0), (2.0452, 30, 0.05)]
)
def test_the_p_value_is_that_of_students_tables(statistic, dates, p_value):
    noise = np.random.default_rng(0).normal(size=dates)
    noise = (noise - noise.mean()) / noise.std()  # mean 0, variance 1: the statistic is then the mean times a factor
    result = diebold_mariano(noise + statistic / math.sqrt(dates - 1), overlap=0)
    assert result.statistic == pytest.approx(statistic, abs=1e-9)
    assert result.p_value == pytest.approx(p_value, abs=1e-4)


def test_without_overlap_the_test_is_students_with_the_small_sample_factor():
    d = np.random.default_rng(3).normal(0.3, 1, 25)
    test = diebold_mariano(d, overlap=0)
    expected = d.mean() / math.sqrt(d.var() / 25) * math.sqrt((25 + 1 - 2 + 0) / 25)
    assert test.statistic == pytest.approx(expected)
    assert test.p_value == pytest.approx(2 * stats.t.sf(abs(expected), 24))


def test_overlapping_forecasts_count_for_less():
    d = np.repeat(np.random.default_rng(4).normal(0.3, 1, 30), 4)
    assert diebold_mariano(d[:29], overlap=5).p_value == 1  # spans of six dates in 29: too few to tell
    assert diebold_mariano(d, overlap=0).p_value < diebold_mariano(d, overlap=5).p_value


@pytest.mark.parametrize("overlap", [0, 3])
def test_without_a_difference_one_is_reported_about_one_time_in_twenty(overlap):
    rng, verdicts = np.random.default_rng(5), []
    for _ in range(1000):
        noise = rng.normal(size=80 + overlap)
        d = np.convolve(noise, np.ones(overlap + 1), mode="valid")
        verdicts.append(diebold_mariano(d, overlap).verdict != "no difference")
    assert 0.01 < np.mean(verdicts) < 0.09


def test_the_verdict_follows_from_the_numbers():
    rng = np.random.default_rng(6)
    assert diebold_mariano(rng.normal(-1, 1, 60), 0).verdict == "better"
    assert diebold_mariano(rng.normal(1, 1, 60), 0).verdict == "worse"
    few = diebold_mariano(np.full(7, -1.0) + rng.normal(0, 0.01, 7), 0)
    assert (few.verdict, few.p_value) == ("no difference", 1.0)
    assert diebold_mariano(np.zeros(50), 0).verdict == "no difference"
    assert diebold_mariano(np.zeros(0), 0).num_dates == 0


def test_windows_of_one_day_are_averaged():
    day = 86_400
    times = np.array([0, 100, 2 * day, 2 * day + 5, 3 * day])
    means, overlap = average_by_date(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), times, times + 3 * day)
    assert means.tolist() == [2.0, 6.0, 9.0]
    assert overlap == 2
    assert average_by_date(np.ones(3), times[[0, 2, 4]], times[[0, 2, 4]] + 60)[1] == 0
