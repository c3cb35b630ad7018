"""Two or three scenarios: groups of paths that go alike, each with a real path in its middle.

Paths are compared by their log-returns from the last close, standardised step by step over the paths, so that every
step counts alike. Groups are k-medoids (exchange of medoids until nothing improves, from a greedy start). Two or three
groups: what has the better silhouette. Any cloud can be cut in two, so the silhouette is held against those of clouds
that have the paths' own spread in every direction, and no groups (normal ones, from a fixed seed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kronos_dashboard.analytics.answers import Answer, Sentence, error_sentence
from kronos_dashboard.analytics.estimates import Estimate, share
from kronos_dashboard.analytics.sampled_paths import Fan

__all__ = ["Scenario", "Scenarios", "medoids", "scenarios", "silhouette"]

_CLOUDS = 19
"""Clouds without groups that are cut for comparison: by chance one time in twenty the paths beat them all."""
_MOST = 250
"""Paths that groups are made of, evenly taken; the others are counted to the nearest."""
_STILL = 1e-9
"""Log-returns that differ less than this over the paths do not differ."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One group of paths."""

    share: Estimate
    """Fraction of the paths. Its error is that of counting, the groups taken as they are."""
    path: int
    """Number, from 0, of the path in the middle: a real one."""
    end: float
    """Median close of the group at the last step, price units."""
    change: float
    """``end`` as a return from the last close."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenarios(Answer):
    """The groups, from the highest to the lowest end."""

    groups: tuple[Scenario, ...]
    """One where all paths are the same, else two or three."""
    labels: np.ndarray
    """int [N]: the group of each path."""
    silhouette: float
    """-1 to 1: how much nearer paths lie to their own group than to the next; 0 with one group."""
    clouds: np.ndarray
    """Silhouettes of clouds without groups; empty with one group."""

    @property
    def clear(self) -> bool:
        """Whether the groups lie further apart than those of every cloud without groups."""
        return bool((self.silhouette > self.clouds).all()) and len(self.groups) > 1

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """How many groups, each of them with its error, and whether they lie apart."""
        if len(self.groups) == 1:
            [only] = self.groups
            return (Sentence(key="scenarios.same", values={"end": only.end, "change": only.change}),)
        each = (
            (
                Sentence(key="scenarios.one", values={"share": one.share.value, "end": one.end, "change": one.change}),
                error_sentence(one.share, "chance"),
            )
            for one in self.groups
        )
        apart = Sentence(
            key="scenarios.clear" if self.clear else "scenarios.cloud",
            values={"silhouette": self.silhouette, "cloud": float(self.clouds.mean())},
        )
        count = Sentence(key="scenarios", values={"count": len(self.groups)})
        return (count, *(sentence for pair in each for sentence in pair), apart)


def scenarios(fan: Fan) -> Scenarios:
    """Group the paths; the same paths in the same order always give the same groups."""
    points = _standardised(fan)
    taken = np.unique(np.linspace(0, fan.num_paths - 1, min(fan.num_paths, _MOST)).round().astype(np.int64))
    some = points[taken]
    if not _distances(some, some).any():
        return _told(fan, np.array([0]), np.zeros(fan.num_paths, dtype=np.int64), 0.0, np.empty(0))
    chosen, apart = _cut(some)
    generator = np.random.default_rng(0)
    size = (_CLOUDS, len(some), len(some))
    clouds = [_cut(mixed @ some / np.sqrt(len(some)))[1] for mixed in generator.standard_normal(size)]
    labels = _distances(points, some[chosen]).argmin(axis=1)
    return _told(fan, taken[chosen], labels, apart, np.array(clouds))


def _cut(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The medoids of two or three groups of points [n, d] that are not all the same, and their silhouette."""
    distances = _distances(points, points)
    tried = []
    for count in range(2, min(3, len(points)) + 1):
        chosen = medoids(distances, count)
        if (distances[np.ix_(chosen, chosen)] + np.eye(count)).all():  # no two of them are the same point
            tried.append((chosen, silhouette(distances, distances[:, chosen].argmin(axis=1))))
    return max(tried, key=lambda one: one[1])


def medoids(distances: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` points, int [count], of least total distance to all, by exchange (PAM).

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
        for place in range(count):
            others = [chosen[i] for i in range(count) if i != place]
            kept = distances[:, others].min(axis=1, initial=np.inf)
            costs = np.minimum(kept[:, None], distances).sum(axis=0)  # [n]: with each point in this place
            point = int(costs.argmin())
            if costs[point] < best * (1 - 1e-12):
                best, exchange = costs[point], (place, point)
        if exchange is None:
            return np.array(chosen)
        chosen[exchange[0]], cost = exchange[1], best


def silhouette(distances: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette of groups ``labels`` int [n], 0 .. at least 1, given distances [n, n]; 0 for points alone."""
    groups = np.unique(labels)
    sizes = np.array([(labels == group).sum() for group in groups])
    means = np.stack([distances[:, labels == group].sum(axis=1) for group in groups], axis=1)  # sums so far
    place = np.searchsorted(groups, labels)
    rows = np.arange(len(labels))
    own = means[rows, place] / np.maximum(sizes[place] - 1, 1)
    means = means / sizes
    means[rows, place] = np.inf
    other = means.min(axis=1)
    widest = np.maximum(own, other)
    apart = np.divide(other - own, widest, out=np.zeros_like(own), where=widest > 0)
    return float(np.where(sizes[place] > 1, apart, 0.0).mean())


def _standardised(fan: Fan) -> np.ndarray:
    returns = np.log(fan.closes / fan.last_close)
    spread = returns.std(axis=0)
    moving = spread > _STILL
    return (returns - returns.mean(axis=0))[:, moving] / spread[moving]


def _distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Root mean square differences [n, m] of points [n, d] and others [m, d]; exactly 0 for equal points."""
    if points.shape[1] == 0:
        return np.zeros((len(points), len(others)))
    squares = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * points @ others.T
    found = np.sqrt(np.maximum(squares, 0) / points.shape[1])
    return np.where(found < 1e-6, 0.0, found)


def _told(fan: Fan, chosen: np.ndarray, labels: np.ndarray, apart: float, clouds: np.ndarray) -> Scenarios:
    """The groups in order of their ends."""
    ends = [float(np.median(fan.closes[labels == i, -1])) for i in range(len(chosen))]
    order = sorted(range(len(chosen)), key=lambda i: -ends[i])
    groups = tuple(
        Scenario(share=share(labels == i), path=int(chosen[i]), end=ends[i], change=ends[i] / fan.last_close - 1)
        for i in order
    )
    return Scenarios(groups=groups, labels=np.argsort(order)[labels], silhouette=apart, clouds=clouds)
