import numpy as np
import torch

from engine.finetune import run
from engine.finetune.data.pretokenized import PretokenizedBatches, encode_windows, strided_runs
from engine.finetune.data.split import training_runs
from engine.finetune.data.windows import BatchSharding, fixed_batch
from engine.finetune.training.losses import encode_batch
from tests.support import finetune_makers as makers
from tests.support import tiny


def test_the_grid_takes_every_stride_th_window_of_each_stretch(tmp_path):
    store, split, config = makers.mapped(tmp_path, tiny.candles(900))
    rows = training_runs(store, split, 32)
    chosen = strided_runs(rows, 8)
    assert chosen.first_rows.tolist() == list(range(0, int(rows.num_windows[0]), 8))
    assert chosen.num_windows.tolist() == [1] * len(chosen.first_rows)
    assert config.data.horizon == 8


def test_pretokenized_windows_equal_those_encoded_on_the_fly(tmp_path):
    store, split, config = makers.mapped(tmp_path, tiny.candles(900))
    rows, tokenizer, path = strided_runs(training_runs(store, split, 32), 8), tiny.tokenizer(), tmp_path / "tokens.npy"
    encode_windows(tokenizer, store, rows, config.data, path, torch.device("cpu"))
    batches = PretokenizedBatches(store, rows, config.data, 0, BatchSharding.plan(4, 4, 1, 0), path)
    batch, draws = batches[3], batches.draws(range(12, 16))
    coarse, fine = encode_batch(tokenizer, fixed_batch(store, draws.first_rows, 24, 32))
    torch.testing.assert_close(batch.tokens, torch.stack((coarse, fine), dim=-1), rtol=0, atol=0)
    assert batch.context_lengths.tolist() == [24] * 4


def test_a_pretokenized_run_learns(tmp_path):
    run.run_stages(makers.prepared(tmp_path, **{"data.pretokenize": "true", "max_steps": 30}))
    losses = makers.losses(tmp_path)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert (tmp_path / "run" / "cache" / "tokens.npy").exists()
