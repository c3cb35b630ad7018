"""Two or three scenarios: clusters of similar paths, each with a sampled path as its medoid.

Points are the log-returns of the paths from the last close, standardized per step over the paths, so that every step
has equal weight. Clusters are k-medoids (PAM, Kaufman and Rousseeuw 1990: greedy start, then exchange of medoids while
that helps). Their number, two or three, is that with the higher silhouette (Rousseeuw 1987). Any cloud can be cut in
two, so the silhouette is compared with those of a null model: normal clouds with the covariance of the paths, without
clusters.

Shapes: N paths, n of them clustered, d steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kronos_dashboard.analytics.estimates import Estimate, proportion
from kronos_dashboard.analytics.result import AnalyticsResult, Sentence, error_sentence
from kronos_dashboard.analytics.sampled_paths import SampledPaths

__all__ = ["Scenario", "Scenarios", "find_scenarios", "medoids", "silhouette"]

_NUM_NULL_SAMPLES = 19
"""Null clouds: paths without clusters beat all of them by chance in one case of twenty."""
_MAX_CLUSTERED_PATHS = 250
"""Evenly chosen paths that are clustered (the cost is cubic); the others are assigned to the nearest medoid."""
_MIN_SPREAD = 1e-9
"""Standard deviation of log-returns below which a step counts as constant over the paths: rounding is that large."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One cluster of paths."""

    probability: Estimate
    """Fraction of the paths. Its error is that of counting, for fixed clusters."""
    medoid_path: int
    """Index, from 0, of the sampled path in the middle."""
    median_close: float
    """Median close of the cluster at the last step, price units."""
    median_return: float
    """``median_close`` as a return from the last close."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenarios(AnalyticsResult):
    """The clusters, in decreasing order of their median close."""

    clusters: tuple[Scenario, ...]
    """One if all paths are equal, else two or three."""
    labels: np.ndarray
    """int [N]: the cluster of each path."""
    silhouette: float
    """Mean silhouette, -1 to 1; 0 for one cluster."""
    null_silhouettes: np.ndarray
    """Silhouettes of the null clouds; empty for one cluster."""

    @property
    def is_separated(self) -> bool:
        """Whether the silhouette is higher than that of every null cloud."""
        return bool((self.silhouette > self.null_silhouettes).all()) and len(self.clusters) > 1

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The number of clusters, each cluster with its error, and whether they are separated."""
        if len(self.clusters) == 1:
            [only] = self.clusters
            return (Sentence(key="scenarios.same", values={"end": only.median_close, "change": only.median_return}),)
        clusters: list[Sentence] = []
        for one in self.clusters:
            values = {"share": one.probability.value, "end": one.median_close, "change": one.median_return}
            clusters += [Sentence(key="scenarios.one", values=values), error_sentence(one.probability, "probability")]
        separation = Sentence(
            key="scenarios.clear" if self.is_separated else "scenarios.cloud",
            values={"silhouette": self.silhouette, "cloud": float(self.null_silhouettes.mean())},
        )
        count = Sentence(key="scenarios", values={"count": len(self.clusters)})
        return (count, *clusters, separation)


def find_scenarios(sampled: SampledPaths) -> Scenarios:
    """Cluster the paths; deterministic for the same paths in the same order."""
    points = _standardize(sampled)  # [N, d]
    num_clustered = min(sampled.num_paths, _MAX_CLUSTERED_PATHS)
    rows = np.unique(np.linspace(0, sampled.num_paths - 1, num_clustered).round().astype(np.int64))  # [n]
    clustered = points[rows]
    if not _distances(clustered, clustered).any():
        return _build(sampled, np.array([0]), np.zeros(sampled.num_paths, dtype=np.int64), 0.0, np.empty(0))
    chosen, score = _best_clustering(clustered)
    generator = np.random.default_rng(0)
    mixing = generator.standard_normal((_NUM_NULL_SAMPLES, len(clustered), len(clustered)))
    # random mixtures of the points are normal, with the covariance of the points
    null_scores = [_best_clustering(matrix @ clustered / np.sqrt(len(clustered)))[1] for matrix in mixing]
    labels = _distances(points, clustered[chosen]).argmin(axis=1)  # [N]
    return _build(sampled, rows[chosen], labels, score, np.array(null_scores))


def _best_clustering(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The medoids of two or three clusters of points [n, d], which must not all be equal, and their silhouette."""
    distances = _distances(points, points)  # [n, n]
    candidates = []
    for count in range(2, min(3, len(points)) + 1):
        chosen = medoids(distances, count)
        if (distances[np.ix_(chosen, chosen)] + np.eye(count)).all():  # no two medoids are the same point
            candidates.append((chosen, silhouette(distances, distances[:, chosen].argmin(axis=1))))
    return max(candidates, key=lambda candidate: candidate[1])


def medoids(distances: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` points, int [count], with the smallest total distance of all points to the nearest (PAM).

    Args:
        distances: [n, n].
        count: at most n.
    """
    chosen = [int(distances.sum(axis=0).argmin())]
    while len(chosen) < count:
        nearest = distances[:, chosen].min(axis=1)
        gain = np.maximum(nearest[:, None] - distances, 0).sum(axis=0)
        gain[chosen] = -1.0
        chosen.append(int(gain.argmax()))
    cost = distances[:, chosen].min(axis=1).sum()
    while True:
        best, exchange = cost, None
        for position in range(count):
            others = [chosen[i] for i in range(count) if i != position]
            to_others = distances[:, others].min(axis=1, initial=np.inf)
            costs = np.minimum(to_others[:, None], distances).sum(axis=0)  # [n]: with each point in this position
            point = int(costs.argmin())
            if costs[point] < best * (1 - 1e-12):
                best, exchange = costs[point], (position, point)
        if exchange is None:
            return np.array(chosen)
        chosen[exchange[0]], cost = exchange[1], best


def silhouette(distances: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette of at least two clusters ``labels``, int [n], given distances [n, n].

    Of a point: ``(b - a) / max(a, b)`` with its mean distances a to its own cluster and b to the nearest other one; 0
    if it is alone in its cluster.
    """
    clusters, index = np.unique(labels, return_inverse=True)
    members = labels[:, None] == clusters  # bool [n, k]
    sizes = members.sum(axis=0)  # [k]
    totals = np.stack([distances[:, inside].sum(axis=1) for inside in members.T], axis=1)  # [n, k]
    rows = np.arange(len(labels))
    to_own = totals[rows, index] / np.maximum(sizes[index] - 1, 1)
    means = totals / sizes
    means[rows, index] = np.inf
    to_other = means.min(axis=1)
    larger = np.maximum(to_own, to_other)
    values = np.divide(to_other - to_own, larger, out=np.zeros_like(to_own), where=larger > 0)
    return float(np.where(sizes[index] > 1, values, 0.0).mean())


def _standardize(sampled: SampledPaths) -> np.ndarray:
    returns = np.log(sampled.closes / sampled.last_close)
    spread = returns.std(axis=0)
    varies = spread > _MIN_SPREAD
    return (returns - returns.mean(axis=0))[:, varies] / spread[varies]


def _distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Root mean square differences [n, m] of points [n, d] and others [m, d]; exactly 0 for equal points."""
    if points.shape[1] == 0:
        return np.zeros((len(points), len(others)))
    squares = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * points @ others.T
    distances = np.sqrt(np.maximum(squares, 0) / points.shape[1])
    return np.where(distances < 1e-6, 0.0, distances)  # below it is rounding of the difference of squares


def _build(
    sampled: SampledPaths, chosen: np.ndarray, labels: np.ndarray, score: float, null_scores: np.ndarray
) -> Scenarios:
    """The clusters around the paths ``chosen``, sorted by their median close."""
    ends = [float(np.median(sampled.closes[labels == i, -1])) for i in range(len(chosen))]
    order = sorted(range(len(chosen)), key=lambda i: -ends[i])
    clusters = tuple(
        Scenario(
            probability=proportion(labels == i, is_paired=sampled.is_paired),
            medoid_path=int(chosen[i]),
            median_close=ends[i],
            median_return=ends[i] / sampled.last_close - 1,
        )
        for i in order
    )
    return Scenarios(
        clusters=clusters, labels=np.argsort(order)[labels], silhouette=score, null_silhouettes=null_scores
    )
