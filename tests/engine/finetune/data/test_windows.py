"""What a window is, which are drawn, and what must never be seen."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from engine.features import compute_stats
from engine.finetune.data.split import training_runs
from engine.finetune.data.windows import (
    BatchSharding,
    TrainingBatches,
    evaluation_batch,
    invert_windows,
    normalize_windows,
    plan_epoch,
    window_counts,
)
from engine.finetune.errors import FinetuneConfigError
from engine.finetune.training.losses import ModelObjective
from tests.support import finetune_makers as makers
from tests.support import tiny

ALONE = BatchSharding.plan(8, 8, 1, 0)


@pytest.fixture
def data(tmp_path):
    """Two groups of unequal size, the smaller with two symbols."""
    return makers.mapped(tmp_path, tiny.candles(900))


def batches(data, sharing=ALONE, **changes):
    candles, split, config = data
    data = config.data if not changes else makers.settings(candles.folder.parent.parent, **changes).data
    return TrainingBatches(candles, training_runs(candles, split, data.window_length), data, 0, sharing)


def test_statistics_are_those_of_the_engine_and_depend_on_the_context_alone():
    rng = np.random.default_rng(0)
    windows = np.cumsum(rng.normal(size=(5, 40, 6)), axis=1) * np.array([1, 1, 1, 1e-4, 1e6, 0]) + 3
    windows[0, :20, 3] = 7.0  # constant up to its cut
    context_lengths = np.array([20, 8, 33, 39, 12])
    training = normalize_windows(windows, context_lengths)
    for window, cut, own in zip(windows, context_lengths, training, strict=True):
        np.testing.assert_allclose(own, compute_stats(window[:cut]).normalize(window), atol=1e-5)
    after = np.arange(40) >= context_lengths[:, None]
    changed = np.where(after[..., None], windows * 17 + 4, windows)
    np.testing.assert_array_equal(normalize_windows(changed, context_lengths)[~after], training[~after])


def test_inverted_candles_are_candles_and_twice_inverted_the_same():
    windows = tiny.candles(30).to_numpy()[None]
    opened, high, low, close = invert_windows(windows)[..., :4].transpose(2, 0, 1)
    assert (high >= np.maximum(opened, close)).all()
    assert (low <= np.minimum(opened, close)).all()
    np.testing.assert_allclose(invert_windows(invert_windows(windows)), windows)


def test_no_window_repeats_in_an_epoch_and_none_is_missing_if_all_are_requested(data):
    training = batches(data, **{"data.windows_per_epoch": 10_000})
    plan = plan_epoch(training.runs, training.config, 0, 0)
    assert len(np.unique(plan.first_rows)) == len(plan.first_rows) == training.runs.num_windows.sum()
    other = plan_epoch(training.runs, training.config, 0, 1)
    assert set(other.first_rows) == set(plan.first_rows)
    assert (other.first_rows != plan.first_rows).any()


def test_an_epoch_is_spread_over_all_windows(data):
    training = batches(data, **{"data.windows_per_epoch": 64})
    first = np.sort(plan_epoch(training.runs, training.config, 3, 0).first_rows)
    assert len(np.unique(first)) == 64
    assert np.diff(first).max() <= 2 * training.runs.num_windows.sum() / 64 + 2


@pytest.mark.parametrize(
    ("world", "turns", "workers"), [(1, 1, 0), (2, 1, 0), (2, 2, 0), (4, 1, 0), (1, 1, 2), (2, 2, 2)]
)
def test_processes_and_workers_share_the_same_steps_without_repeating_a_window(data, world, turns, workers):
    whole = [batches(data)[step] for step in range(6)]
    clocks = [torch.cat([batch.candles for batch in whole])]
    parts = []
    for rank in range(world):
        mine = batches(data, BatchSharding.plan(8, 8 // world // turns, world, rank))
        loader = DataLoader(mine, batch_size=None, sampler=range(6 * turns), num_workers=workers)
        parts.append([batch.candles for batch in loader])
    together = [torch.cat(part[step * turns : (step + 1) * turns]) for step in range(6) for part in parts]
    torch.testing.assert_close(torch.cat(together), clocks[0], rtol=0, atol=0)


def test_weights_make_the_mean_of_means_the_mean_over_all_targets(data):
    training = batches(data, BatchSharding.plan(8, 2, 2, 1))
    other = batches(data, BatchSharding.plan(8, 2, 2, 0))
    for step in range(3):
        micro = [part[step * 2 + turn] for part in (other, training) for turn in range(2)]
        counted = torch.tensor(
            [float((training.config.window_length - batch.context_lengths).sum()) for batch in micro]
        )
        weights = torch.stack([batch.weight for batch in micro])
        torch.testing.assert_close(weights, counted / counted.mean())


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(FinetuneConfigError, match="batch_size = 9 windows cannot be split evenly across 2 processes"):
        BatchSharding.plan(9, 4, 2, 0)
    assert BatchSharding.plan(12, 4, 2, 0).grad_accum_steps == 2
    assert BatchSharding.plan(14, 4, 2, 0).grad_accum_steps == 7


def test_groups_are_sampled_by_the_square_root_of_their_candles(tmp_path):
    makers.csv(tmp_path, "big_5m.csv", 3600)
    makers.csv(tmp_path, "small_1h.csv", 400)
    training = makers.prepared(
        tmp_path, **{"data": f"{tmp_path}/big_5m.csv,{tmp_path}/small_1h.csv", "data.windows_per_epoch": 100}
    )
    rows = training_runs(training.candles, training.split, training.config.data.window_length)
    taken, _ = window_counts(rows, training.config.data, training.config.data.window_length)
    candles = [rows.num_windows[rows.group_ids == g].sum() + training.config.data.window_length - 1 for g in (0, 1)]
    assert rows.groups == ("big_5m", "small_1h")
    assert taken[0] / taken[1] == pytest.approx(np.sqrt(candles[0] / candles[1]), rel=0.05)


def test_windows_never_cross_a_long_gap(tmp_path):
    frame = tiny.candles(900)
    index = frame.index.to_series()
    index.iloc[300:] += pd.Timedelta(days=6)
    index.iloc[500:] += pd.Timedelta(days=2)  # a weekend is no long gap
    data = makers.mapped(tmp_path, frame.set_axis(pd.DatetimeIndex(index), axis=0))
    training = batches(data, **{"data.windows_per_epoch": 10_000})
    first = plan_epoch(training.runs, training.config, 0, 0).first_rows
    ends = first + training.config.window_length
    assert not ((first < 300) & (ends > 300)).any()
    assert ((first < 500) & (ends > 500)).any()


def test_volume_is_dropped_and_time_zones_are_mixed_with_the_configured_probabilities(tmp_path):
    zone = {
        "data.session_timezones": "*=America/New_York",
        "data.session_timezone_prob": 0.5,
        "data.windows_per_epoch": 400,
    }
    candles, split, config = makers.mapped(
        tmp_path, tiny.candles(900), **{**zone, "data.volume_dropout_prob": 0.25, "data.inversion_prob": 0}
    )
    training = TrainingBatches(
        candles,
        training_runs(candles, split, config.data.window_length),
        config.data,
        0,
        BatchSharding.plan(400, 400, 1, 0),
    )
    batch, draws = training[0], training.draws(range(400))
    dropped = (batch.candles[..., 4:] == 0).all(dim=1).all(dim=1)
    assert dropped.tolist() == draws.drop_volume.tolist()
    assert 60 < int(dropped.sum()) < 140
    hours = (
        batch.time_features[:, 0, 1] - torch.from_numpy(candles.time_features[draws.first_rows, 1].astype(np.int64))
    ) % 24
    assert set(hours.tolist()) <= {0, 19, 20}
    assert draws.in_session_time.tolist() == (hours != 0).tolist()


def test_a_validation_loss_does_not_change_when_later_candles_do(data):
    """The published pipeline's evaluation mode let the fine head see the candle that it was to predict."""
    candles, split, config = data
    refs = split.windows(candles, "validation", 24, 8)[:2]
    batch = evaluation_batch(candles, refs, 24, 32)
    objective = ModelObjective(tiny.model(), tiny.tokenizer(), config.model).eval()
    changed = batch.candles.clone()
    changed[:, 28:] = -changed[:, 28:]
    upto = [
        objective(batch._replace(candles=candles[:, :28], time_features=batch.time_features[:, :28]))[1]
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
    return objective.network(coarse[:, :-1], fine[:, :-1], batch.time_features[:, :-1], coarse[:, 1:])


def test_only_targets_after_the_context_count(data):
    objective = ModelObjective(tiny.model(), tiny.tokenizer(), data[2].model).eval()
    batch = batches(data)[0]
    tokens = torch.stack(objective.tokenizer.encode(batch.candles), dim=-1)
    counted = torch.arange(1, 32) >= batch.context_lengths[:, None]
    parts = zip(_logits(objective, batch), tokens[:, 1:].unbind(-1), strict=True)
    nats = [F.cross_entropy(logits[counted], ids[counted]) for logits, ids in parts]
    loss, figures = objective(batch)
    torch.testing.assert_close(loss, sum(nats) / 2 * batch.weight)
    torch.testing.assert_close([figures["coarse"], figures["fine"]], [each * batch.weight for each in nats])
    assert objective(batch._replace(candles=torch.empty(0), tokens=tokens))[0] == loss  # training before, or on the fly
