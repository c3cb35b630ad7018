"""Scores of sampled forecasts against their definitions, and the random walk."""

import numpy as np
import pytest

from engine.metrics import band_coverage, block_bootstrap, crps
from kronos_dashboard.evaluation import metrics


def test_crps_is_the_dashboards_and_its_definition():
    rng = np.random.default_rng(0)
    paths, actual = rng.normal(size=(30, 7)), rng.normal(size=7)
    np.testing.assert_allclose(crps(paths, actual), metrics.crps(paths, actual))
    np.testing.assert_allclose(crps(paths[:1], actual), np.abs(paths[0] - actual))
    pairs = np.abs(paths[:, None] - paths[None]).sum(axis=(0, 1)) / (2 * 30 * 29)
    np.testing.assert_allclose(crps(paths, actual), np.abs(paths - actual).mean(axis=0) - pairs)


def test_a_band_covers_what_lies_between_its_quantiles():
    paths = np.linspace(0, 1, 101)[:, None].repeat(3, axis=1)
    assert band_coverage(paths, np.array([0.05, 0.5, 0.89]), 0.8) == pytest.approx(2 / 3)


def test_the_walk_is_centered_has_the_spread_of_the_returns_and_keeps_their_clusters():
    rng = np.random.default_rng(1)
    sigma = np.where(np.arange(2000) // 200 % 2, 0.03, 0.003)
    closes = 100 * np.exp(np.cumsum(rng.normal(0.01, 1, 2000) * sigma))
    paths = block_bootstrap(closes, 12, 4000, np.random.default_rng(2))
    assert abs(paths[:, -1].mean()) < 0.005
    steps = np.diff(paths, axis=1)
    assert steps.std() == pytest.approx(np.diff(np.log(closes)).std(), rel=0.1)
    size = np.abs(steps) - np.abs(steps).mean()
    assert (size[:, 1:] * size[:, :-1]).mean() / size.var() > 0.3  # a calm bar follows a calm one
    np.testing.assert_array_equal(paths, block_bootstrap(closes, 12, 4000, np.random.default_rng(2)))


@pytest.mark.parametrize("num_paths", [2, 3, 7, 8])
def test_crps_of_pairs_leaves_the_difference_within_a_pair_out(num_paths):
    paths = np.random.default_rng(3).normal(size=(num_paths, 2))
    pairs = [(i, j) for i in range(num_paths) for j in range(num_paths) if i // 2 != j // 2]
    spread = np.mean([np.abs(paths[i] - paths[j]) for i, j in pairs], axis=0) / 2 if pairs else 0.0
    actual = np.array([0.3, -1.0])
    np.testing.assert_allclose(crps(paths, actual, is_paired=True), np.abs(paths - actual).mean(axis=0) - spread)


def test_the_crps_of_few_pairs_is_on_average_that_of_many():
    rng = np.random.default_rng(4)
    actual = np.array([0.7])

    def mean_crps(num_pairs: int, trials: int, is_paired: bool) -> float:
        moves = rng.normal(size=(trials, num_pairs, 1))
        paths = np.stack((moves, -moves), axis=2).reshape(trials, 2 * num_pairs, 1)
        return float(np.mean([crps(each, actual, is_paired=is_paired) for each in paths]))

    many = mean_crps(20_000, 1, is_paired=True)
    assert mean_crps(4, 4_000, is_paired=True) == pytest.approx(many, abs=0.01)
    assert mean_crps(4, 4_000, is_paired=False) < many - 0.02
