import numpy as np
import pytest

from kronos_dashboard.baselines import random_walk
from kronos_dashboard.windows import cut
from tests.dashboard import makers

WINDOW = cut(makers.candles(400), 300, 200, 50)


def test_the_same_seed_gives_the_same_walk_and_another_seed_another() -> None:
    first = random_walk(WINDOW, num_paths=50, seed=1)
    assert np.array_equal(first.paths, random_walk(WINDOW, num_paths=50, seed=1).paths)
    assert not np.array_equal(first.paths, random_walk(WINDOW, num_paths=50, seed=2).paths)
    assert first.paths.shape == (50, 50, 6)
    assert first.paths.dtype == np.float32


def test_every_candle_is_possible() -> None:
    opens, highs, lows, closes, volume, amount = np.moveaxis(random_walk(WINDOW).paths, -1, 0)
    assert (highs >= np.maximum(opens, closes)).all()
    assert (lows <= np.minimum(opens, closes)).all()
    assert (lows > 0).all()
    assert (volume >= 0).all()
    assert (amount >= 0).all()


def test_the_walk_spreads_as_the_returns_of_the_context_do_and_has_no_drift() -> None:
    last = WINDOW.context.frame["close"].iloc[-1]
    log_returns = np.diff(np.log(WINDOW.context.frame["close"]))
    ends = np.log(random_walk(WINDOW, num_paths=20_000).paths[:, -1, 3] / last)
    assert ends.std() == pytest.approx(log_returns.std() * np.sqrt(50), rel=0.03)
    assert abs(ends.mean()) < 4 * ends.std() / np.sqrt(20_000)


def test_the_walk_sees_the_context_alone() -> None:
    changed = makers.candles(400).frame.copy()
    changed.iloc[300:] *= 5
    other = cut(makers.on(changed), 300, 200, 50)
    assert np.array_equal(random_walk(WINDOW, num_paths=20).paths, random_walk(other, num_paths=20).paths)


def test_flat_candles_walk_nowhere() -> None:
    frame = makers.candles(100).frame.copy()
    frame[["open", "high", "low", "close"]] = 5.0
    assert (random_walk(cut(makers.on(frame), 80, 60, 10), num_paths=20).paths[..., :4] == 5.0).all()
