"""Files of older versions: a TOML file, a run folder and mapped candles are read under the current names."""

import json
import shutil

import numpy as np
import pytest

from engine.finetune import run
from engine.finetune.config import ModelStage
from engine.finetune.data.mapped_candles import open_mapped_candles
from engine.finetune.legacy_keys import OLDER_SETTINGS
from engine.finetune.options import field_types, load_config
from engine.finetune.training.run_folder import RunFolder, read_metrics
from tests.support import finetune_makers as makers
from tests.support import tiny
from tests.support.paths import ROOT

OLDER = ROOT / "tests" / "data" / "older_finetune"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The files of an interrupted run, in the working directory that its settings name them from."""
    shutil.copytree(OLDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / "run_folder").rename(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_older_setting_has_a_current_one():
    assert set(OLDER_SETTINGS.values()) <= set(field_types())
    assert not set(OLDER_SETTINGS) & set(field_types())


def test_an_older_toml_file_gives_the_same_run():
    config = load_config(OLDER / "older.toml", [])
    assert (config.output_dir, config.num_processes, config.log_every_steps) == ("run", 1, 1)
    assert config.checkpoint_every_minutes == 0
    data = config.data
    assert (data.train, data.min_context, data.max_gap_hours) == (("coin_5m.csv",), 8, 24)
    assert (data.validation_fraction, data.test_fraction, data.windows_per_epoch) == (0.2, 0.2, 16)
    assert (data.session_timezones, data.session_timezone_prob) == ({"coin": "America/New_York"}, 0.5)
    assert (data.volume_dropout_prob, data.inversion_prob, data.reflection_prob) == (0.1, 0.3, 0.2)
    assert (data.mirror_targets, data.group_sampling_exponent, data.pretokenize) == (True, 0.7, False)
    tokenizer = config.tokenizer
    assert (tokenizer.init_from, tokenizer.trainable, tokenizer.loss) == ("start", "full", "scaled_mse")
    assert (tokenizer.max_steps, tokenizer.batch_size, tokenizer.micro_batch_size) == (4, 4, 2)
    assert (tokenizer.learning_rate, tokenizer.muon_learning_rate, tokenizer.weight_decay) == (1e-3, 0.01, 0.01)
    assert (tokenizer.warmup_fraction, tokenizer.min_lr_ratio, tokenizer.max_grad_norm) == (0.1, 0.1, 1)
    assert (tokenizer.ema_decay, tokenizer.eval_every_steps, tokenizer.early_stopping_patience) == (0.9, 2, 9)
    model = config.model
    assert (model.lora_rank, model.lora_alpha, model.lora_scale) == (4, 8.0, 2.0)
    assert (model.num_trainable_layers, model.early_stopping_patience) == (1, None)
    assert (model.architecture["anchor_to_last_close"], model.architecture["mirror_paths"]) == (True, True)
    windows = config.evaluation
    assert (windows.loss_windows, windows.forecast_windows, windows.test_windows) == (4, 2, 3)
    assert (windows.num_paths, windows.horizon) == (4, 6)


def test_flags_override_older_settings():
    config = load_config(OLDER / "older.toml", [("model.learning_rate", "0.5"), ("output_dir", "other")])
    assert (config.model.learning_rate, config.output_dir) == (0.5, "other")


@pytest.mark.parametrize(
    ("older", "current"), [("weighed", "scaled_mse"), ("published", "mse"), ("guided", "supervised")]
)
def test_older_losses_have_a_current_name(tmp_path, older, current):
    file = tmp_path / "run.toml"
    file.write_text(f'out = "r"\n[tokenizer]\nloss = "{older}"\n', encoding="utf-8")
    assert load_config(file, []).tokenizer.loss == current


def test_the_default_of_the_adapters_is_what_it_was():
    assert (ModelStage().lora_rank, ModelStage().lora_scale) == (8, 2.0)


def test_the_saved_settings_of_an_older_run_are_those_of_its_file(folder):
    assert RunFolder(folder / "run").read_config() == load_config(folder / "older.toml", [])


def test_an_older_run_is_resumed_as_if_it_had_not_been_interrupted(folder):
    before = (folder / "run" / "run.json").read_text(encoding="utf-8")
    assert '"why"' in before
    prepared = run.prepare(load_config(folder / "older.toml", [("resume", "auto")]))
    assert run.run_stages(prepared) == "finished"
    expected = json.loads((folder / "expected.json").read_text())
    np.testing.assert_allclose(makers.losses(folder), expected["losses"], rtol=1e-3)
    lines = read_metrics(folder / "run")
    validation = [line["validation_loss"] for line in lines if line["kind"] == "evaluation"]
    np.testing.assert_allclose(validation, expected["validation"], rtol=1e-3)
    assert [line["step"] for line in lines if "learning_rate" in line] == [1, 2, 3, 4, 5, 6]
    description = json.loads((folder / "run" / "run.json").read_text())
    assert (description["version"], description["status"]) == (2, "finished")
    assert description["stages"]["model"]["best_step"] == 6
    older_names = {"why", "spent_s", "stale", "last", "held_out", "train_until", "out", "probe", "rate", "decay"}
    assert not older_names & _keys(description)


def _keys(values):
    if not isinstance(values, dict):
        return set()
    return set(values).union(*(_keys(value) for value in values.values()))


def test_older_mapped_candles_are_opened(tmp_path):
    candles, _, config = makers.mapped(tmp_path, tiny.candles(60))
    index = candles.folder / "series.json"
    names = {"first_row": "first", "num_rows": "length", "validation_start": "later_from", "timezone": "zone"}
    text = index.read_text()
    for current, older in names.items():
        text = text.replace(f'"{current}"', f'"{older}"')
    index.write_text(text)
    assert open_mapped_candles(candles.folder, config.data).series == candles.series
