import numpy as np
import torch

from engine.finetune import run
from engine.finetune.data.pretokenized import TokenBatches, encode_windows, grid
from engine.finetune.data.split import train_rows
from engine.finetune.data.windows import Sharing, fixed_batch
from engine.finetune.training.losses import encoded
from tests.support import finetune_makers as makers
from tests.support import tiny


def test_the_grid_takes_every_stride_th_window_of_each_stretch(tmp_path):
    store, split, config = makers.stored(tmp_path, tiny.candles(900))
    rows = train_rows(store, split, 32)
    chosen = grid(rows, 8)
    assert chosen.first.tolist() == list(range(0, int(rows.room[0]), 8))
    assert chosen.room.tolist() == [1] * len(chosen.first)
    assert config.data.horizon == 8


def test_tokens_made_before_are_those_made_on_the_fly(tmp_path):
    store, split, config = makers.stored(tmp_path, tiny.candles(900))
    rows, tokenizer, path = grid(train_rows(store, split, 32), 8), tiny.tokenizer(), tmp_path / "tokens.npy"
    encode_windows(tokenizer, store, rows, config.data, path, torch.device("cpu"))
    batches = TokenBatches(store, rows, config.data, 0, Sharing.of(4, 4, 1, 0), path)
    batch, draws = batches[3], batches.draws(range(12, 16))
    coarse, fine = encoded(tokenizer, fixed_batch(store, draws.first, 24, 32))
    torch.testing.assert_close(batch.tokens, torch.stack((coarse, fine), dim=-1), rtol=0, atol=0)
    assert batch.cuts.tolist() == [24] * 4


def test_a_run_on_tokens_made_before_learns(tmp_path):
    run.work(makers.prepared(tmp_path, **{"data.pretokenise": "true", "steps": 30}))
    losses = makers.losses(tmp_path)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert (tmp_path / "run" / "cache" / "tokens.npy").exists()
