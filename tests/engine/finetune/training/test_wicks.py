"""The penalty on reconstructed candles whose high or low lies inside the body."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine import KronosTokenizer
from engine.config import TokenizerConfig
from engine.finetune.config import TokenizerStage
from engine.finetune.data.windows import fixed_batch, normalize_windows, window_statistics
from engine.finetune.training.losses import TokenizerObjective, wick_lengths
from tests.support import finetune_makers as makers
from tests.support import tiny

WINDOW = 32


@pytest.fixture
def batch(tmp_path):
    mapped, _, _ = makers.mapped(tmp_path, tiny.candles(300, 0))
    return fixed_batch(mapped, np.array([0, 40, 90]), 24, WINDOW)


def test_wicks_of_real_candles_are_those_of_their_prices():
    frame = tiny.candles(64)
    windows, lengths = frame.to_numpy()[None], np.array([40])
    mean, scale = window_statistics(windows, lengths)
    candles = torch.from_numpy(normalize_windows(windows, lengths))
    unit = scale[0, 3]
    price_scale = torch.tensor(np.stack((scale[:, :4] / unit, (mean[:, :4] - mean[:, 3:4]) / unit), axis=1)).float()
    opens, highs, lows, closes = windows[0, :, :4].T
    expected = np.stack((highs - np.maximum(opens, closes), np.minimum(opens, closes) - lows), axis=-1) / unit
    np.testing.assert_allclose(wick_lengths(candles, price_scale)[0], expected, atol=2e-5)


def test_a_batch_has_what_puts_prices_on_one_scale(batch):
    wicks = wick_lengths(batch.candles, batch.price_scale)
    assert wicks.shape == (3, WINDOW, 2)
    assert wicks.min() > -1e-4, "real candles are possible"
    swapped = batch.candles.clone()
    swapped[..., 1], swapped[..., 2] = batch.candles[..., 2], batch.candles[..., 1]
    assert (wick_lengths(swapped, batch.price_scale) < 0).any()


def test_training_the_decoder_with_the_penalty_removes_impossible_candles(batch):
    torch.manual_seed(0)
    network = KronosTokenizer(TokenizerConfig(**tiny.TOKENIZER))
    stage = TokenizerStage(max_steps=1, wick_weight=1.0)
    objective = TokenizerObjective(network, stage)
    assert objective.metric_names[-1] == "impossible"
    optimizer = torch.optim.Adam([*network.decoder.parameters(), *network.head.parameters()], lr=3e-3)
    fractions = []
    for _ in range(60):
        loss, metrics = objective(batch)
        fractions.append(float(metrics["impossible"]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert fractions[0] > 0.3
    assert fractions[-1] < fractions[0] / 3
    assert "impossible" not in TokenizerObjective(network, TokenizerStage(max_steps=1)).metric_names
