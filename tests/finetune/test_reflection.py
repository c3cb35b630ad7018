from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.finetune.reflection import directions, reflected
from engine.finetune.split import train_rows
from engine.finetune.windows import Batches, Sharing
from tests.engine import tiny
from tests.finetune import makers


@pytest.fixture
def windows():
    rng = np.random.default_rng(0)
    close = 100 * np.exp(rng.normal(0, 0.01, (3, 60)).cumsum(axis=1))
    opens = np.concatenate((close[:, :1], close[:, :-1] * np.exp(rng.normal(0, 0.001, (3, 59)))), axis=1)
    high, low = np.maximum(opens, close) * 1.004, np.minimum(opens, close) * 0.997
    volume = rng.lognormal(3, 1, close.shape)
    return np.stack((opens, high, low, close, volume, volume * close), axis=-1)


@pytest.fixture
def signs(windows):
    return np.stack([directions(seed, windows.shape[1]) for seed in (1, 5, 9)])


def test_candles_stay_candles(windows, signs):
    opens, high, low, close, *_ = np.moveaxis(reflected(windows, signs), -1, 0)
    assert (signs < 0).any()
    assert (low <= np.minimum(opens, close) * (1 + 1e-12)).all()
    assert (high >= np.maximum(opens, close) * (1 - 1e-12)).all()


def test_every_close_moves_as_far_as_before_and_where_told_the_other_way(windows, signs):
    before, after = (np.diff(np.log(each[..., 3]), axis=1) for each in (windows, reflected(windows, signs)))
    np.testing.assert_allclose(after, before * signs[:, 1:], atol=1e-12)


def test_range_and_volume_stay_and_amount_follows_the_price(windows, signs):
    turned = reflected(windows, signs)
    np.testing.assert_allclose(turned[..., 1] / turned[..., 2], windows[..., 1] / windows[..., 2])
    np.testing.assert_array_equal(turned[..., 4], windows[..., 4])
    share = turned[..., 5] / turned[..., :4].mean(-1)
    np.testing.assert_allclose(share, windows[..., 5] / windows[..., :4].mean(-1))


def test_reflecting_twice_gives_the_window_back(windows, signs):
    np.testing.assert_allclose(reflected(reflected(windows, signs), signs), windows)
    np.testing.assert_allclose(reflected(windows, np.ones_like(signs)), windows)


def test_nothing_after_a_bar_changes_what_it_becomes(windows, signs):
    other = windows.copy()
    other[:, 40:] *= 1.5
    np.testing.assert_array_equal(reflected(other, signs)[:, :40], reflected(windows, signs)[:, :40])


def test_directions_come_from_the_seed_and_are_even_in_the_long_run():
    np.testing.assert_array_equal(directions(3, 520), directions(3, 520))
    drawn = np.stack([directions(seed, 520) for seed in range(400)])
    assert set(np.unique(drawn)) == {-1, 1}
    assert abs(drawn.mean()) < 0.1
    turns = (np.diff(drawn, axis=1) != 0).mean(axis=1)
    assert turns.max() > 0.1
    assert turns.min() < 0.01


def test_a_run_reflects_the_share_that_it_is_told_to(tmp_path):
    held, parts, config = makers.stored(
        tmp_path, tiny.candles(700, 0), **{"data.reflection": "0.5", "data.inversion": "0"}
    )
    rows = train_rows(held, parts, config.data.window)
    batches = Batches(held, rows, config.data, 0, Sharing.of(64, 64, 1, 0))
    draws = batches.draws(range(64))
    turning = draws.turning >= 0
    assert 16 < turning.sum() < 48
    plain = batches.tensors(replace(draws, turning=np.full(64, -1)))
    moved = (batches.tensors(draws).candles != plain.candles).flatten(1).any(1).numpy()
    assert not moved[~turning].any()
    assert moved[turning].mean() > 0.4  # short windows often have no turn
    torch.testing.assert_close(batches.tensors(draws).candles, batches.tensors(draws).candles, rtol=0, atol=0)
