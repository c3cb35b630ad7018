from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from engine.errors import SettingsError, StartMismatch
from engine.finetune import run
from engine.finetune.config import DataConfig, ModelStage, ProbeConfig, RunConfig, StageConfig, TokenizerStage
from engine.finetune.options import as_dict, config_from, describe, differences, field_names, from_dict
from tests.support import finetune_makers as makers

RECIPES = sorted((makers.ROOT / "engine" / "finetune" / "recipes").glob("*.toml"))


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_flags_win_over_the_file_and_plain_names_mean_the_field_wherever_it_is(tmp_path):
    file = written(
        tmp_path, 'out = "a"\nseed = 3\n[model]\nrate = 1\nsteps = 7\npatience = "none"\n[data]\npath = "x.csv"\n'
    )
    config = config_from(
        file, [("out", "b"), ("batch", "6"), ("data.context", "99"), ("model.ema", "0.5"), ("tensorboard", "")]
    )
    assert (config.out, config.seed, config.tensorboard) == ("b", 3, True)
    assert (config.model.batch, config.tokenizer.batch) == (6, 6)
    assert (config.model.ema, config.tokenizer.ema) == (0.5, 0.999)
    assert (config.model.rate, config.model.steps, config.model.patience) == (1.0, 7, None)
    assert (config.data.path, config.data.context) == (("x.csv",), 99)


def test_lists_tables_and_nothing_can_be_given_as_flags():
    flags = [("out", "r"), ("data", "a.csv, b.csv"), ("session-clocks", "us=America/New_York"), ("embargo", "none")]
    config = config_from(None, [*flags, ("model.geometry", "d_model=16,learn_te=true,resid_dropout_p=0.1")])
    assert config.data.path == ("a.csv", "b.csv")
    assert config.data.session_clocks == {"us": "America/New_York"}
    assert config.data.embargo is None
    assert config.model.geometry == {"d_model": 16, "learn_te": True, "resid_dropout_p": 0.1}


def test_settings_survive_json_and_differences_are_named():
    config = config_from(None, [("out", "r"), ("stages", "tokenizer,model"), ("rate", "0.5")])
    assert from_dict(as_dict(config)) == config
    other = config_from(None, [("out", "q"), ("stages", "tokenizer,model"), ("model.rate", "0.5")])
    assert differences(config, other) == ["out", "tokenizer.rate"]
    assert differences(config, other, ignored=["out"]) == ["tokenizer.rate"]


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        (("modle.rate", "1"), r'there is no setting "modle\.rate"\. Did you mean model\.rate'),
        (("bacth", "1"), r'"bacth"\. Did you mean batch'),
        (("zzz", "1"), r'there is no setting "zzz"\. docs/finetuning\.md'),
        (("batch", "many"), r"tokenizer\.batch must be a whole number; got 'many'"),
        (("rate", "fast"), r"tokenizer\.rate must be a number; got 'fast'"),
        (("pretokenise", "perhaps"), r"data\.pretokenise must be true or false; got 'perhaps'"),
        (("optimizer", "sgd"), r"tokenizer\.optimizer must be one of adamw, muon; got 'sgd'"),
        (("stages", "predictor"), r"stages takes tokenizer, model; got 'predictor'"),
        (("stages", "model,tokenizer"), r"stages must be tokenizer, model, or tokenizer before model"),
        (("validation_share", "1.5"), r"validation_share must be a fraction, 0 to 1; got 1\.5"),
        (("validation_share", "0.8"), r"validation_share \+ test_share must be below 0\.9"),
        (("shortest_cut", "999"), r"shortest_cut must be at most context = 256; got 999"),
        (("rate", "0"), r"rate must be above 0; got 0\.0"),
        (("clip", "-1"), r"clip must be above 0"),
        (("ema", "1"), r"ema must be 0 to below 1"),
        (("batch", "0"), r"batch must be at least 1; got 0"),
        (("minutes", "0"), r"minutes must be above 0"),
        (("minutes", "none"), r"the budget must be given in steps or in minutes"),
        (("model.start", "scratch"), r'geometry must be given with start = "scratch"'),
        (("paths", "1"), r"paths must be at least 2; got 1"),
        (("seed", "-1"), r"seed must be 0\.\.2\*\*31; got -1"),
        (("out", ""), r"out must be a folder; got ''"),
    ],
)
def test_a_setting_that_is_unknown_or_out_of_range_is_refused_by_name(flag, words):
    with pytest.raises(SettingsError, match=words):
        config_from(None, [("out", "r"), flag])


def test_a_file_that_is_no_settings_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"is not TOML"):
        config_from(written(tmp_path, "out = \n"), [])
    with pytest.raises(SettingsError, match=r"nowhere\.toml could not be read"):
        config_from(tmp_path / "nowhere.toml", [])
    with pytest.raises(SettingsError, match=r'no setting "model\.stepps"\. Did you mean model\.steps'):
        config_from(written(tmp_path, 'out = "r"\n[model]\nstepps = 3\n'), [])
    with pytest.raises(SettingsError, match=r"model\.steps must be a whole number; got 2\.5"):
        config_from(written(tmp_path, 'out = "r"\n[model]\nsteps = 2.5\n'), [])
    with pytest.raises(SettingsError, match=r'a run needs a folder: give out = "runs/NAME"'):
        config_from(written(tmp_path, "seed = 1\n"), [])


def test_settings_are_frozen_keyword_only_and_each_has_a_text():
    config = config_from(None, [("out", "r")])
    with pytest.raises(FrozenInstanceError):
        config.seed = 1
    for cls in (RunConfig, DataConfig, StageConfig, TokenizerStage, ModelStage, ProbeConfig):
        assert all(one.kw_only for one in fields(cls))
    rows = describe()
    assert {name for name, _, _ in rows} == set(field_names())
    assert [name for name, _, text in rows if len(text) < 10] == []


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_can_be_read(recipe):
    config = config_from(recipe, [("data", "candles"), ("out", "r")])
    assert config.stages


def test_every_example_in_the_docs_can_be_read(tmp_path):
    text = (makers.ROOT / "docs" / "finetuning.md").read_text(encoding="utf-8")
    examples = [part.partition("```")[0] for part in text.split("```toml\n")[1:]]
    assert len(examples) >= 6
    for example in examples:
        config_from(written(tmp_path, example), [("out", "r")])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"model.geometry": "d_model=64"},
            r"\[model\.geometry\] does not fit what.*d_model = 64 \(it has 32\)",
        ),
        ({"model.start": "scratch", "model.geometry": "d_model=16"}, r"\[model\.geometry\] does not describe a model"),
    ],
)
def test_a_start_that_does_not_fit_is_refused_before_candles_are_read(tmp_path, changes, words):
    makers.start(tmp_path)
    with pytest.raises(StartMismatch, match=words):
        run.prepare(makers.settings(tmp_path, **changes))


def test_a_model_of_other_bits_than_the_tokenizer_is_refused(tmp_path):
    makers.start(tmp_path)
    geometry = "s1_bits=5,s2_bits=5,n_layers=1,d_model=16,n_heads=2,ff_dim=16"
    with pytest.raises(StartMismatch, match=r"reads tokens of 5 \+ 5 bits and the tokenizer makes tokens of 4 \+ 3"):
        run.prepare(makers.settings(tmp_path, **{"model.start": "scratch", "model.geometry": geometry}))


def test_processes_share_the_batch_evenly():
    config = config_from(None, [("out", "r"), ("batch", "7"), ("device", "cpu")])
    assert run.processes_for(config) in (1, 7)
    assert run.processes_for(config_from(None, [("out", "r"), ("processes", "5")])) == 5
