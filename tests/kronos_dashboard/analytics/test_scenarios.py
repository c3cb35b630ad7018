from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings

from kronos_dashboard.analytics import SampledPaths, find_scenarios
from kronos_dashboard.analytics.scenarios import medoids, silhouette
from tests.support import fans

GENERATOR = np.random.default_rng(0)


def bundles(*ends: float, each: int = 12, horizon: int = 10) -> SampledPaths:
    """Paths that go straight to their ends, with a little noise."""
    slopes = np.log(np.repeat(ends, each) / 100)[:, None] * np.arange(1, horizon + 1) / horizon
    return fans.of_closes(100 * np.exp(slopes + np.random.default_rng(1).normal(0, 0.001, slopes.shape)))


@pytest.mark.parametrize(("ends", "sizes"), [((120.0, 80.0), [12, 12]), ((130.0, 100.0, 70.0), [12, 12, 12])])
def test_bundles_of_paths_are_found(ends: tuple[float, ...], sizes: list[int]) -> None:
    found = find_scenarios(bundles(*ends))
    assert [round(one.probability.value * sum(sizes)) for one in found.clusters] == sizes
    assert [one.median_close for one in found.clusters] == pytest.approx(ends, rel=0.01)
    assert [one.median_return for one in found.clusters] == pytest.approx([end / 100 - 1 for end in ends], abs=0.01)
    assert list(found.labels) == [i for i, size in enumerate(sizes) for _ in range(size)]
    assert found.is_separated
    assert found.silhouette > 0.9
    assert f"form {len(ends)} scenarios" in found.describe()


def test_each_group_has_one_of_its_own_paths_in_the_middle() -> None:
    fan = bundles(110.0, 90.0, 89.0)
    for i, one in enumerate(find_scenarios(fan).clusters):
        assert find_scenarios(fan).labels[one.medoid_path] == i


def test_one_cloud_is_not_sold_as_groups() -> None:
    told = [find_scenarios(fans.drawn(60, 20, seed)).is_separated for seed in range(40)]
    assert np.mean(told) < 0.2


def test_paths_that_are_all_the_same_are_one_scenario() -> None:
    found = find_scenarios(fans.of_closes([[101.0, 102.0]] * 5))
    assert (len(found.clusters), found.clusters[0].probability.value, found.is_separated) == (1, 1.0, False)
    assert found.describe() == "All paths are identical; they end at 102 (+2.00%)."


@pytest.mark.parametrize("number", [1, 2, 3])
def test_few_paths_are_no_trouble(number: int) -> None:
    found = find_scenarios(fans.drawn(number, 4))
    assert len(found.clusters) == min(2, number)
    assert sum(one.probability.value for one in found.clusters) == pytest.approx(1)


def test_two_kinds_of_paths_are_two_groups_though_three_are_looked_for() -> None:
    found = find_scenarios(fans.of_closes([[101.0], [101.0], [99.0], [99.0], [99.0]]))
    assert [one.probability.value for one in found.clusters] == [0.4, 0.6]


def test_the_same_paths_always_give_the_same_groups() -> None:
    one, other = find_scenarios(fans.drawn(50, 10)), find_scenarios(fans.drawn(50, 10))
    assert one.clusters == other.clusters
    assert np.array_equal(one.labels, other.labels)


def test_paths_beyond_those_that_make_the_groups_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fan = bundles(120.0, 80.0, each=30)
    monkeypatch.setattr("kronos_dashboard.analytics.scenarios._MAX_CLUSTERED_PATHS", 20)
    found = find_scenarios(fan)
    assert [one.probability.value for one in found.clusters] == [0.5, 0.5]
    assert list(found.labels) == [0] * 30 + [1] * 30
    assert [found.labels[one.medoid_path] for one in found.clusters] == [0, 1]


@given(fans.fans())
@settings(max_examples=30, deadline=None)
def test_the_groups_are_all_paths_in_order_of_their_ends(fan: SampledPaths) -> None:
    found = find_scenarios(fan)
    shares = [np.mean(found.labels == i) for i in range(len(found.clusters))]
    assert [one.probability.value for one in found.clusters] == pytest.approx(shares)
    assert sum(shares) == pytest.approx(1)
    assert [one.median_close for one in found.clusters] == sorted(
        (one.median_close for one in found.clusters), reverse=True
    )
    assert -1 <= found.silhouette <= 1
    assert [one.probability for one in find_scenarios(fans.scaled(fan, 2.0)).clusters] == [
        one.probability for one in found.clusters
    ]


def points(n: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(n, 3))
    return np.linalg.norm(made[:, None] - made[None], axis=-1)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_medoids_are_near_the_best_there_are(count: int) -> None:
    """Exchange finds a local optimum: over these clouds the global one mostly, and never far from it."""
    ratios = []
    for seed in range(30):
        distances = points(14, seed)
        cost = distances[:, medoids(distances, count)].min(axis=1).sum()
        best = min(distances[:, list(chosen)].min(axis=1).sum() for chosen in combinations(range(14), count))
        ratios.append(cost / best)
    assert min(ratios) >= 1 - 1e-12
    assert max(ratios) < 1.1
    assert np.mean(np.array(ratios) < 1 + 1e-9) > 0.8


def test_the_silhouette_is_its_plain_twin() -> None:
    distances, labels = points(15, 4), np.array([0] * 6 + [1] * 8 + [2])
    twin = []
    for i in range(15):
        own = [distances[i, j] for j in range(15) if labels[j] == labels[i] and j != i]
        others = [np.mean(distances[i, labels == label]) for label in {0, 1, 2} - {labels[i]}]
        twin.append((min(others) - np.mean(own)) / max(min(others), np.mean(own)) if own else 0.0)
    assert silhouette(distances, labels) == pytest.approx(np.mean(twin))
