import re
import shlex
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import pytest

from engine.finetune import run
from engine.finetune.__main__ import _parse_flags
from engine.finetune.config import (
    DataConfig,
    EvaluationConfig,
    ModelStage,
    RunConfig,
    StageConfig,
    TokenizerStage,
    finetune_schema,
)
from engine.finetune.errors import FinetuneConfigError, IncompatibleStartError
from engine.finetune.options import changed_settings, describe_settings, field_types, from_dict, load_config, to_dict
from tests.support import finetune_makers as makers

TABLE_TYPES = {
    "data": "DataConfig",
    "tokenizer": "TokenizerStage",
    "model": "ModelStage",
    "evaluation": "EvaluationConfig",
}

DESIGN_NOTES = ("0003-the-bundled-checkpoint.md",)


def both(name: str, value: str) -> list[tuple[str, str]]:
    return [(f"{stage}.{name}", value) for stage in ("tokenizer", "model")]


RECIPES = sorted((makers.ROOT / "engine" / "finetune" / "recipes").glob("*.toml"))


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_flags_override_the_file(tmp_path):
    lines = ['output_dir = "a"', "seed = 3", "[model]", "learning_rate = 1", "max_steps = 7"]
    lines += ['early_stopping_patience = "none"', "[data]", 'train = "x.csv"', ""]
    file = written(tmp_path, "\n".join(lines))
    config = load_config(
        file,
        [
            ("output-dir", "b"),
            ("model.batch_size", "6"),
            ("data.context", "99"),
            ("model.ema_decay", "0.5"),
            ("tensorboard", ""),
        ],
    )
    assert (config.output_dir, config.seed, config.tensorboard) == ("b", 3, True)
    assert (config.model.batch_size, config.tokenizer.batch_size) == (6, 16)
    assert (config.model.ema_decay, config.tokenizer.ema_decay) == (0.5, 0.999)
    assert (config.model.learning_rate, config.model.max_steps, config.model.early_stopping_patience) == (1.0, 7, None)
    assert (config.data.train, config.data.context) == (("x.csv",), 99)


def test_lists_tables_and_none_can_be_given_as_flags():
    flags = [
        ("output_dir", "r"),
        ("data", "a.csv, b.csv"),
        ("data.session-timezones", "us=America/New_York"),
        ("data.embargo", "none"),
    ]
    config = load_config(None, [*flags, ("model.architecture", "d_model=16,learn_te=true,resid_dropout_p=0.1")])
    assert config.data.train == ("a.csv", "b.csv")
    assert config.data.session_timezones == {"us": "America/New_York"}
    assert config.data.embargo is None
    assert config.model.architecture == {"d_model": 16, "learn_te": True, "resid_dropout_p": 0.1}


def test_settings_survive_json_and_changes_are_named():
    config = load_config(None, [("output_dir", "r"), ("stages", "tokenizer,model"), *both("learning_rate", "0.5")])
    assert from_dict(to_dict(config)) == config
    other = load_config(None, [("output_dir", "q"), ("stages", "tokenizer,model"), ("model.learning_rate", "0.5")])
    assert changed_settings(config, other) == ["output_dir", "tokenizer.learning_rate"]
    assert changed_settings(config, other, ignored=["output_dir"]) == ["tokenizer.learning_rate"]


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        (
            ("modle.learning_rate", "1"),
            r'there is no setting "modle\.learning_rate"\. Did you mean model\.learning_rate',
        ),
        (("bacth_size", "1"), r'"bacth_size"\. Did you mean .*(model|tokenizer)\.batch_size'),
        (("batch_size", "1"), r'there is no setting "batch_size"\. Did you mean .*\.batch_size'),
        (("zzz", "1"), r'there is no setting "zzz"\. All settings are listed in docs/finetuning\.md'),
        (("tokenizer.batch_size", "many"), r"tokenizer\.batch_size must be a whole number of at least 1; got 'many'"),
        (("tokenizer.learning_rate", "fast"), r"tokenizer\.learning_rate must be a number above 0; got 'fast'"),
        (("data.pretokenize", "perhaps"), r"data\.pretokenize must be true or false; got 'perhaps'"),
        (("data.session_timezones", "us=1"), r"data\.session_timezones must be a table of strings; got 1"),
        (("tokenizer.optimizer", "none"), r"tokenizer\.optimizer must be one of adamw, muon; got 'none'"),
        (("tokenizer.optimizer", "sgd"), r"tokenizer\.optimizer must be one of adamw, muon; got 'sgd'"),
        (("stages", "predictor"), r"stages must be tokenizer, model, or tokenizer followed by model; got 'predictor'"),
        (("stages", "model,tokenizer"), r"stages must be tokenizer, model, or tokenizer followed by model"),
        (("data.validation_fraction", "1.5"), r"data\.validation_fraction must be a fraction from 0 to 1; got 1\.5"),
        (("data.validation_fraction", "0.8"), r"validation_fraction \+ test_fraction must be below 0\.9"),
        (("data.min_context", "999"), r"min_context must be at most context = 256; got 999"),
        (("model.learning_rate", "0"), r"model\.learning_rate must be a number above 0; got 0\.0"),
        (("model.max_grad_norm", "-1"), r"model\.max_grad_norm must be a number above 0"),
        (("model.ema_decay", "1"), r"model\.ema_decay must be a number of at least 0 and below 1"),
        (("model.batch_size", "0"), r"model\.batch_size must be a whole number of at least 1; got 0"),
        (("model.max_minutes", "0"), r"model\.max_minutes must be a number above 0"),
        (("model.max_minutes", "none"), r"the budget must be set through max_steps or max_minutes"),
        (("model.init_from", "scratch"), r'architecture must be set when init_from = "scratch"'),
        (("evaluation.num_paths", "1"), r"evaluation\.num_paths must be a whole number of at least 2; got 1"),
        (("seed", "-1"), r"seed must be a whole number from 0 to 2\*\*31; got -1"),
        (("output_dir", ""), r"a run needs an output folder"),
    ],
)
def test_a_setting_that_is_unknown_or_out_of_range_is_refused_by_name(flag, words):
    with pytest.raises(FinetuneConfigError, match=words):
        load_config(None, [("output_dir", "r"), flag])


def test_a_file_that_is_no_settings_is_refused(tmp_path):
    with pytest.raises(FinetuneConfigError, match=r"is not valid TOML"):
        load_config(written(tmp_path, "output_dir = \n"), [])
    with pytest.raises(FinetuneConfigError, match=r"nowhere\.toml could not be read"):
        load_config(tmp_path / "nowhere.toml", [])
    with pytest.raises(FinetuneConfigError, match=r'no setting "model\.max_stepps"\. Did you mean model\.max_steps'):
        load_config(written(tmp_path, 'output_dir = "r"\n[model]\nmax_stepps = 3\n'), [])
    with pytest.raises(FinetuneConfigError, match=r"model\.max_steps must be a whole number of at least 1; got 2\.5"):
        load_config(written(tmp_path, 'output_dir = "r"\n[model]\nmax_steps = 2.5\n'), [])
    with pytest.raises(FinetuneConfigError, match=r"data\.holdout_symbols must be a list of strings; got 'none'"):
        load_config(written(tmp_path, 'output_dir = "r"\n[data]\nholdout_symbols = "none"\n'), [])
    with pytest.raises(FinetuneConfigError, match=r'a run needs an output folder: set output_dir = "runs/NAME"'):
        load_config(written(tmp_path, "seed = 1\n"), [])


def test_settings_are_frozen_keyword_only_and_each_has_a_text():
    config = load_config(None, [("output_dir", "r")])
    with pytest.raises(FrozenInstanceError):
        config.seed = 1
    for cls in (RunConfig, DataConfig, StageConfig, TokenizerStage, ModelStage, EvaluationConfig):
        assert all(one.kw_only for one in fields(cls))
    rows = describe_settings()
    assert {name for name, _, _ in rows} == set(field_types())
    assert [name for name, _, text in rows if len(text) < 10] == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DataConfig(context="99"), r"^context must be a whole number of at least 8; got '99'"),
        (lambda: DataConfig(contxt=99), r"^contxt must be left out, because there is no such field"),
        (lambda: replace(EvaluationConfig(), num_paths=1), r"^num_paths must be a whole number of at least 2; got 1"),
        (lambda: DataConfig(max_gap_hours=float("nan")), r"^max_gap_hours must be a number of at least 0; got nan"),
        (lambda: ModelStage(teacher_forcing=1), r"^teacher_forcing must be true or false; got 1"),
    ],
)
def test_settings_made_in_python_are_checked_too(make, words):
    with pytest.raises(FinetuneConfigError, match=words):
        make()


def test_a_json_schema_describes_every_setting():
    schema = finetune_schema()
    tables = {"": schema} | {table: schema["$defs"][name] for table, name in TABLE_TYPES.items()}
    settings = {
        f"{table}.{name}".lstrip("."): one for table in tables for name, one in tables[table]["properties"].items()
    }
    assert settings.keys() == field_types().keys() | TABLE_TYPES.keys()
    assert [name for name, setting in settings.items() if not setting["description"]] == []
    assert [table for table, one in tables.items() if one["additionalProperties"]] == []
    assert {"const": "none", "type": "string"} in settings["model.max_steps"]["anyOf"]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_can_be_read(recipe):
    config = load_config(recipe, [("data", "candles"), ("output_dir", "r")])
    assert config.stages


def test_every_example_in_the_docs_can_be_read(tmp_path):
    text = (makers.ROOT / "docs" / "finetuning.md").read_text(encoding="utf-8")
    examples = [part.partition("```")[0] for part in text.split("```toml\n")[1:]]
    assert len(examples) >= 6
    for example in examples:
        load_config(written(tmp_path, example), [("output_dir", "r")])


@pytest.mark.parametrize(
    "file",
    ["docs/finetuning.md", "engine/bundled/README.md", *(f"docs/design/{name}" for name in DESIGN_NOTES)],
)
def test_every_command_in_the_docs_has_valid_settings(tmp_path, file):
    text = (makers.ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    text = re.sub(r"^\$BUNDLED", "python -m engine.finetune train", text, flags=re.MULTILINE)
    commands = re.findall(r"^python -m engine\.finetune train (.+)$", text, re.MULTILINE)
    assert commands
    for command in commands:
        _, flags = _parse_flags(shlex.split(command))
        load_config(written(tmp_path, ""), [("output_dir", "r"), *flags])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"model.architecture": "d_model=64"},
            r"\[model\.architecture\] does not match.*d_model = 64 \(the checkpoint has 32\)",
        ),
        (
            {"model.init_from": "scratch", "model.architecture": "d_model=16"},
            r"\[model\.architecture\] is not a valid model architecture",
        ),
    ],
)
def test_a_start_that_does_not_fit_is_refused_before_candles_are_read(tmp_path, changes, words):
    makers.initial_checkpoints(tmp_path)
    with pytest.raises(IncompatibleStartError, match=words):
        run.prepare(makers.settings(tmp_path, **changes))


def test_a_model_of_other_bits_than_the_tokenizer_is_refused(tmp_path):
    makers.initial_checkpoints(tmp_path)
    architecture = "s1_bits=5,s2_bits=5,n_layers=1,d_model=16,n_heads=2,ff_dim=16"
    with pytest.raises(
        IncompatibleStartError, match=r"expects tokens of 5 \+ 5 bits, but the tokenizer produces 4 \+ 3"
    ):
        run.prepare(makers.settings(tmp_path, **{"model.init_from": "scratch", "model.architecture": architecture}))


def test_processes_share_the_batch_evenly():
    config = load_config(None, [("output_dir", "r"), ("model.batch_size", "7"), ("device", "cpu")])
    assert run.num_processes(config) in (1, 7)
    assert run.num_processes(load_config(None, [("output_dir", "r"), ("num_processes", "5")])) == 5
