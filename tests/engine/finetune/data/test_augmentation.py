from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.finetune.config import ModelStage
from engine.finetune.data.augmentation import mirror_windows, random_reflection, random_signs
from engine.finetune.data.split import training_runs
from engine.finetune.data.windows import BatchSharding, TrainingBatches, fixed_batch
from engine.finetune.training.losses import ModelObjective
from tests.support import finetune_makers as makers
from tests.support import tiny


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
    return np.stack([random_signs(seed, windows.shape[1]) for seed in (1, 5, 9)])


def test_candles_stay_candles(windows, signs):
    opens, high, low, close, *_ = np.moveaxis(random_reflection(windows, signs), -1, 0)
    assert (signs < 0).any()
    assert (low <= np.minimum(opens, close) * (1 + 1e-12)).all()
    assert (high >= np.maximum(opens, close) * (1 - 1e-12)).all()


def test_every_close_moves_as_far_as_before_and_reflected_ones_the_other_way(windows, signs):
    before, after = (np.diff(np.log(each[..., 3]), axis=1) for each in (windows, random_reflection(windows, signs)))
    np.testing.assert_allclose(after, before * signs[:, 1:], atol=1e-12)


def test_range_and_volume_stay_and_amount_follows_the_price(windows, signs):
    turned = random_reflection(windows, signs)
    np.testing.assert_allclose(turned[..., 1] / turned[..., 2], windows[..., 1] / windows[..., 2])
    np.testing.assert_array_equal(turned[..., 4], windows[..., 4])
    share = turned[..., 5] / turned[..., :4].mean(-1)
    np.testing.assert_allclose(share, windows[..., 5] / windows[..., :4].mean(-1))


def test_reflecting_twice_gives_the_window_back(windows, signs):
    np.testing.assert_allclose(random_reflection(random_reflection(windows, signs), signs), windows)
    np.testing.assert_allclose(random_reflection(windows, np.ones_like(signs)), windows)


def test_a_reflected_bar_does_not_depend_on_later_ones(windows, signs):
    other = windows.copy()
    other[:, 40:] *= 1.5
    np.testing.assert_array_equal(random_reflection(other, signs)[:, :40], random_reflection(windows, signs)[:, :40])


def test_signs_follow_from_the_seed_and_are_balanced_in_the_long_run():
    np.testing.assert_array_equal(random_signs(3, 520), random_signs(3, 520))
    drawn = np.stack([random_signs(seed, 520) for seed in range(400)])
    assert set(np.unique(drawn)) == {-1, 1}
    assert abs(drawn.mean()) < 0.1
    turns = (np.diff(drawn, axis=1) != 0).mean(axis=1)
    assert turns.max() > 0.1
    assert turns.min() < 0.01


def test_a_run_reflects_the_configured_fraction_of_windows(tmp_path):
    held, parts, config = makers.mapped(
        tmp_path, tiny.candles(700, 0), **{"data.reflection_prob": "0.5", "data.inversion_prob": "0"}
    )
    rows = training_runs(held, parts, config.data.window_length)
    batches = TrainingBatches(held, rows, config.data, 0, BatchSharding.plan(64, 64, 1, 0))
    draws = batches.draws(range(64))
    is_reflected = draws.reflection_seeds >= 0
    assert 16 < is_reflected.sum() < 48
    plain = batches.tensors(replace(draws, reflection_seeds=np.full(64, -1)))
    moved = (batches.tensors(draws).candles != plain.candles).flatten(1).any(1).numpy()
    assert not moved[~is_reflected].any()
    assert moved[is_reflected].mean() > 0.4  # short windows often have no turn
    torch.testing.assert_close(batches.tensors(draws).candles, batches.tensors(draws).candles, rtol=0, atol=0)


def test_a_mirrored_candle_goes_as_far_the_other_way_from_the_close_before_it(windows):
    turned = mirror_windows(windows)
    opens, high, low, close, volume, amount = np.moveaxis(turned, -1, 0)
    before = windows[:, :-1, 3]
    np.testing.assert_allclose(np.log(close[:, 1:] / before), -np.log(windows[:, 1:, 3] / before), atol=1e-12)
    np.testing.assert_allclose(np.log(high[:, 1:] / before), -np.log(windows[:, 1:, 2] / before), atol=1e-12)
    assert (low <= np.minimum(opens, close) * (1 + 1e-12)).all()
    assert (high >= np.maximum(opens, close) * (1 - 1e-12)).all()
    np.testing.assert_array_equal(volume, windows[..., 4])
    np.testing.assert_allclose(amount / turned[..., :4].mean(-1), windows[..., 5] / windows[..., :4].mean(-1))


def test_mirrored_targets_count_half_and_only_in_training(tmp_path):
    held, parts, config = makers.mapped(tmp_path, tiny.candles(700, 0), **{"data.mirror_targets": "true"})
    batch = TrainingBatches(
        held, training_runs(held, parts, config.data.window_length), config.data, 0, BatchSharding.plan(4, 4, 1, 0)
    )[0]
    tokenizer, model = tiny.tokenizer(), tiny.model()
    objective = ModelObjective(model, tokenizer, ModelStage())
    came, mirror = (
        tokenizer.encode(batch.candles),
        tokenizer.encode_counterfactual(batch.candles, batch.mirrored_candles),
    )
    counted = torch.arange(1, config.data.window_length) >= batch.context_lengths[:, None]
    alone = model.loss(*came, batch.time_features, loss_mask=counted).total
    hidden = model.hidden(came[0][:, :-1], came[1][:, :-1], batch.time_features[:, :-1])
    answered = model.dependency(hidden, model.embedding.coarse(mirror[0][:, 1:]))
    logits = model.coarse_logits(hidden), model.head.fine(answered)
    pairs = [F.cross_entropy(each[counted], ids[:, 1:][counted]) for each, ids in zip(logits, mirror, strict=True)]
    torch.testing.assert_close(objective(batch)[0], (alone + (pairs[0] + pairs[1]) / 2) / 2 * batch.weight)
    assert not fixed_batch(held, np.array([0]), 8, 16).mirrored_candles.numel()
