"""Paths for the tests: some by hand, some drawn, all possible candles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from engine.features import interleave_mirror_images
from kronos_dashboard.analytics import SampledPaths

START = 100.0


def by_hand(*paths: Sequence[Sequence[float]], start: float = START) -> SampledPaths:
    """A fan of paths that are rows of (open, high, low, close)."""
    prices = np.array(paths, dtype=np.float32)
    return SampledPaths(
        paths=np.concatenate((prices, np.ones((*prices.shape[:2], 2), np.float32)), axis=2), last_close=start
    )


def of_closes(closes: Sequence[Sequence[float]] | np.ndarray, start: float = START) -> SampledPaths:
    """A fan whose candles reach no further than open and close; opens are the closes before."""
    ends = np.asarray(closes, dtype=np.float32)
    opens = np.concatenate((np.full((len(ends), 1), start, np.float32), ends[:, :-1]), axis=1)
    edges = [opens, np.maximum(opens, ends), np.minimum(opens, ends), ends]
    return SampledPaths(paths=np.stack([*edges, np.ones_like(ends), np.ones_like(ends)], axis=-1), last_close=start)


def drawn(num_paths: int, horizon: int, seed: int = 0, *, sigma: float = 0.01, drift: float = 0.0) -> SampledPaths:
    """Paths of normal log-returns, with wicks."""
    generator = np.random.default_rng(seed)
    closes = START * np.exp(np.cumsum(generator.normal(drift, sigma, (num_paths, horizon)), axis=1))
    opens = np.concatenate((np.full((num_paths, 1), START), closes[:, :-1]), axis=1)
    opens = opens * np.exp(generator.normal(0, sigma / 5, closes.shape))
    highs = np.maximum(opens, closes) * np.exp(generator.exponential(sigma / 2, closes.shape))
    lows = np.minimum(opens, closes) * np.exp(-generator.exponential(sigma / 2, closes.shape))
    ones = np.ones_like(closes)
    paths = np.stack([opens, highs, lows, closes, ones, ones], axis=-1).astype(np.float32)
    return SampledPaths(paths=paths, last_close=START)


def scaled(fan: SampledPaths, factor: float) -> SampledPaths:
    """The same paths in another unit; exact when ``factor`` is a power of two."""
    return SampledPaths(paths=fan.paths * np.float32(factor), last_close=fan.last_close * factor)


def paired(fan: SampledPaths) -> SampledPaths:
    """The paths, each followed by its mirror image."""
    paths = interleave_mirror_images(fan.paths, fan.last_close)
    return SampledPaths(paths=paths, last_close=fan.last_close, is_paired=True)


def repeated(fan: SampledPaths, times: int) -> SampledPaths:
    """The same paths, each that many times."""
    return SampledPaths(paths=np.tile(fan.paths, (times, 1, 1)), last_close=fan.last_close)


@st.composite
def fans(draw: DrawFn) -> SampledPaths:
    """Fans of any size up to 40 paths x 12 steps."""
    return drawn(
        draw(st.integers(1, 40)),
        draw(st.integers(1, 12)),
        draw(st.integers(0, 10_000)),
        sigma=draw(st.sampled_from([0.0, 1e-4, 0.01, 0.1])),
        drift=draw(st.sampled_from([-0.01, 0.0, 0.01])),
    )


LEVELS = st.floats(0.7, 1.4).filter(lambda x: abs(x - 1) > 1e-3).map(lambda x: START * x)
"""Prices to ask about, none of them the last close."""
