"""What a window is, which are drawn, and what must never be seen."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from engine.errors import SettingsError
from engine.features import statistics
from engine.finetune.data.split import train_rows
from engine.finetune.data.windows import Batches, Sharing, epoch_plan, inverted, normalised, place_batch, quotas
from engine.finetune.training.losses import ModelObjective
from tests.support import finetune_makers as makers
from tests.support import tiny

ALONE = Sharing.of(8, 8, 1, 0)


@pytest.fixture
def held(tmp_path):
    """Two groups of unequal size, the smaller with two symbols."""
    return makers.stored(tmp_path, tiny.candles(900))


def batches(held, sharing=ALONE, **changes):
    store, split, config = held
    data = config.data if not changes else makers.settings(store.folder.parent.parent, **changes).data
    return Batches(store, train_rows(store, split, data.window), data, 0, sharing)


def test_statistics_are_those_of_the_engine_and_know_nothing_from_the_cut_on():
    rng = np.random.default_rng(0)
    windows = np.cumsum(rng.normal(size=(5, 40, 6)), axis=1) * np.array([1, 1, 1, 1e-4, 1e6, 0]) + 3
    windows[0, :20, 3] = 7.0  # constant up to its cut
    cuts = np.array([20, 8, 33, 39, 12])
    made = normalised(windows, cuts)
    for window, cut, own in zip(windows, cuts, made, strict=True):
        np.testing.assert_allclose(own, statistics(window[:cut]).normalise(window), atol=1e-5)
    after = np.arange(40) >= cuts[:, None]
    changed = np.where(after[..., None], windows * 17 + 4, windows)
    np.testing.assert_array_equal(normalised(changed, cuts)[~after], made[~after])


def test_inverted_candles_are_candles_and_twice_inverted_the_same():
    windows = tiny.candles(30).to_numpy()[None]
    opened, high, low, close = inverted(windows)[..., :4].transpose(2, 0, 1)
    assert (high >= np.maximum(opened, close)).all()
    assert (low <= np.minimum(opened, close)).all()
    np.testing.assert_allclose(inverted(inverted(windows)), windows)


def test_no_window_comes_twice_in_an_epoch_and_none_is_missing_when_all_are_asked_for(held):
    made = batches(held, **{"data.epoch_windows": 10_000})
    plan = epoch_plan(made.rows, made.config, 0, 0)
    assert len(np.unique(plan.first)) == len(plan.first) == made.rows.room.sum()
    other = epoch_plan(made.rows, made.config, 0, 1)
    assert set(other.first) == set(plan.first)
    assert (other.first != plan.first).any()


def test_an_epoch_is_spread_over_all_there_is(held):
    made = batches(held, **{"data.epoch_windows": 64})
    first = np.sort(epoch_plan(made.rows, made.config, 3, 0).first)
    assert len(np.unique(first)) == 64
    assert np.diff(first).max() <= 2 * made.rows.room.sum() / 64 + 2


@pytest.mark.parametrize(
    ("world", "turns", "workers"), [(1, 1, 0), (2, 1, 0), (2, 2, 0), (4, 1, 0), (1, 1, 2), (2, 2, 2)]
)
def test_processes_and_workers_share_the_same_steps_without_repeating_a_window(held, world, turns, workers):
    whole = [batches(held)[step] for step in range(6)]
    clocks = [torch.cat([batch.candles for batch in whole])]
    parts = []
    for rank in range(world):
        mine = batches(held, Sharing.of(8, 8 // world // turns, world, rank))
        loader = DataLoader(mine, batch_size=None, sampler=range(6 * turns), num_workers=workers)
        parts.append([batch.candles for batch in loader])
    together = [torch.cat(part[step * turns : (step + 1) * turns]) for step in range(6) for part in parts]
    torch.testing.assert_close(torch.cat(together), clocks[0], rtol=0, atol=0)


def test_weights_make_the_mean_of_means_the_mean_over_all_targets(held):
    made = batches(held, Sharing.of(8, 2, 2, 1))
    other = batches(held, Sharing.of(8, 2, 2, 0))
    for step in range(3):
        micro = [part[step * 2 + turn] for part in (other, made) for turn in range(2)]
        counted = torch.tensor([float((made.config.window - batch.cuts).sum()) for batch in micro])
        weights = torch.stack([batch.weight for batch in micro])
        torch.testing.assert_close(weights, counted / counted.mean())


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(SettingsError, match="batch = 9 windows cannot be shared evenly by 2 processes"):
        Sharing.of(9, 4, 2, 0)
    assert Sharing.of(12, 4, 2, 0).turns == 2
    assert Sharing.of(14, 4, 2, 0).turns == 7


def test_groups_are_drawn_by_the_root_of_their_candles(tmp_path):
    makers.csv(tmp_path, "big_5m.csv", 3600)
    makers.csv(tmp_path, "small_1h.csv", 400)
    made = makers.prepared(
        tmp_path, **{"data": f"{tmp_path}/big_5m.csv,{tmp_path}/small_1h.csv", "data.epoch_windows": 100}
    )
    rows = train_rows(made.store, made.split, made.config.data.window)
    taken, _ = quotas(rows, made.config.data, made.config.data.window)
    candles = [rows.room[rows.group == g].sum() + made.config.data.window - 1 for g in (0, 1)]
    assert rows.groups == ("big_5m", "small_1h")
    assert taken[0] / taken[1] == pytest.approx(np.sqrt(candles[0] / candles[1]), rel=0.05)


def test_windows_never_cross_a_long_gap(tmp_path):
    frame = tiny.candles(900)
    index = frame.index.to_series()
    index.iloc[300:] += pd.Timedelta(days=6)
    index.iloc[500:] += pd.Timedelta(days=2)  # a weekend is no long gap
    held = makers.stored(tmp_path, frame.set_axis(pd.DatetimeIndex(index), axis=0))
    made = batches(held, **{"data.epoch_windows": 10_000})
    first = epoch_plan(made.rows, made.config, 0, 0).first
    ends = first + made.config.window
    assert not ((first < 300) & (ends > 300)).any()
    assert ((first < 500) & (ends > 500)).any()


def test_volume_is_dropped_and_clocks_are_mixed_in_the_shares_asked_for(tmp_path):
    zone = {"data.session_clocks": "*=America/New_York", "data.session_clock_share": 0.5, "data.epoch_windows": 400}
    store, split, config = makers.stored(
        tmp_path, tiny.candles(900), **{**zone, "volume_dropout": 0.25, "inversion": 0}
    )
    made = Batches(store, train_rows(store, split, config.data.window), config.data, 0, Sharing.of(400, 400, 1, 0))
    batch, draws = made[0], made.draws(range(400))
    dropped = (batch.candles[..., 4:] == 0).all(dim=1).all(dim=1)
    assert dropped.tolist() == draws.no_volume.tolist()
    assert 60 < int(dropped.sum()) < 140
    hours = (batch.clock[:, 0, 1] - torch.from_numpy(store.clock[draws.first, 1].astype(np.int64))) % 24
    assert set(hours.tolist()) <= {0, 19, 20}
    assert draws.on_session_clock.tolist() == (hours != 0).tolist()


def test_a_validation_loss_does_not_change_when_later_candles_do(held):
    """The published pipeline's evaluation mode let the fine head see the candle that it was to predict."""
    store, split, config = held
    place = split.places(store, "validation", 24, 8)[:2]
    batch = place_batch(store, place, 24, 32)
    objective = ModelObjective(tiny.model(), tiny.tokenizer(), config.model).eval()
    changed = batch.candles.clone()
    changed[:, 28:] = -changed[:, 28:]
    upto = [
        objective(batch._replace(candles=candles[:, :28], clock=batch.clock[:, :28]))[1]
        for candles in (batch.candles, changed)
    ]
    assert upto[0] == upto[1]
    logits = [_logits(objective, batch._replace(candles=candles)) for candles in (batch.candles, changed)]
    for one, other in zip(*logits, strict=True):
        torch.testing.assert_close(one[:, :27], other[:, :27], rtol=0, atol=0)  # logits of candles up to 27
        assert (one[:, 28:] != other[:, 28:]).any()


@torch.no_grad()
def _logits(objective, batch):
    coarse, fine = objective.tokenizer.encode(batch.candles)
    return objective.network(coarse[:, :-1], fine[:, :-1], batch.clock[:, :-1], coarse[:, 1:])


def test_only_targets_after_the_cut_count(held):
    objective = ModelObjective(tiny.model(), tiny.tokenizer(), held[2].model).eval()
    batch = batches(held)[0]
    tokens = torch.stack(objective.tokenizer.encode(batch.candles), dim=-1)
    counted = torch.arange(1, 32) >= batch.cuts[:, None]
    parts = zip(_logits(objective, batch), tokens[:, 1:].unbind(-1), strict=True)
    nats = [F.cross_entropy(logits[counted], ids[counted]) for logits, ids in parts]
    loss, figures = objective(batch)
    torch.testing.assert_close(loss, sum(nats) / 2 * batch.weight)
    torch.testing.assert_close([figures["coarse"], figures["fine"]], [each * batch.weight for each in nats])
    assert objective(batch._replace(candles=torch.empty(0), tokens=tokens))[0] == loss  # made before, or on the fly
