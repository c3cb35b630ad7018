from dataclasses import FrozenInstanceError

import pytest

from engine import ConfigError, ModelConfig, SamplingConfig, TokenizerConfig
from engine.config import MAX_PATHS
from tests.support import tiny


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_paths": 0}, r"num_paths must be 1 to 10000; got 0"),
        ({"num_paths": MAX_PATHS + 1}, "num_paths must be"),
        ({"num_paths": 2.0}, "num_paths must be"),
        ({"num_paths": True}, "num_paths must be"),
        ({"temperature": -0.1}, r"temperature must be 0 \(greedy\) or 1e-06 to 10; got -0\.1"),
        ({"temperature": 10.5}, "temperature must be"),
        ({"temperature": float("nan")}, "temperature must be"),
        ({"temperature": float("inf")}, "temperature must be"),
        ({"top_p": 0.0}, r"top_p must be above 0 and at most 1, or None; got 0\.0"),
        ({"top_p": -0.5}, "top_p must be"),
        ({"top_p": 1.01}, "top_p must be"),
        ({"top_p": float("nan")}, "top_p must be"),
        ({"top_k": 0}, "top_k must be at least 1, or None to turn it off; got 0"),
        ({"top_k": -3}, "top_k must be"),
        ({"seed": -1}, r"seed must be 0 to 2\*\*63 - 1; got -1"),
        ({"seed": 2**63}, "seed must be"),
        ({"seed": 1.5}, "seed must be"),
    ],
)
def test_a_sampling_setting_out_of_range_is_refused_by_name(change, words):
    with pytest.raises(ConfigError, match=words):
        SamplingConfig(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"num_paths": 1},
        {"num_paths": MAX_PATHS},
        {"temperature": 0.0},
        {"temperature": 10.0},
        {"temperature": 1},
        {"top_p": None},
        {"top_p": 1.0},
        {"top_p": 1e-6},
        {"top_k": 1},
        {"top_k": 10**9},
        {"seed": 0},
        {"seed": 2**63 - 1},
    ],
)
def test_the_ends_of_every_range_are_allowed(change):
    (name, value), config = next(iter(change.items())), SamplingConfig(**change)
    assert getattr(config, name) == value


def test_a_refused_setting_is_also_a_value_error():
    with pytest.raises(ValueError, match="temperature"):
        SamplingConfig(temperature=-1)


def test_no_nucleus_is_a_nucleus_of_one():
    assert SamplingConfig(top_p=None).nucleus == 1.0
    assert SamplingConfig(top_p=0.4).nucleus == 0.4


def test_settings_are_frozen_and_named():
    with pytest.raises(FrozenInstanceError):
        SamplingConfig().seed = 3
    with pytest.raises(TypeError):
        SamplingConfig(5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"s1_bits": 0}, "s1_bits must be a whole number of at least 1"),
        ({"s2_bits": 21}, "bits must be at most 20"),
        ({"s1_bits": 4.0}, "s1_bits must be a whole number"),
        ({"d_model": 30}, "d_model must be n_heads times an even head dimension|d_model must be a multiple of 8"),
        ({"n_heads": 3}, "d_model must be n_heads times an even head dimension"),
        ({"n_heads": 32}, "even head dimension"),
        ({"d_model": 4, "n_heads": 1}, "d_model must be a multiple of 8"),
        ({"ff_dim": 0}, "ff_dim must be"),
        ({"n_layers": 0}, "n_layers must be at least 1"),
        ({"ffn_dropout_p": 1.0}, "ffn_dropout_p must be at least 0 and below 1"),
        ({"attn_dropout_p": -0.1}, "attn_dropout_p must be"),
        ({"resid_dropout_p": 2.0}, "resid_dropout_p must be"),
        ({"token_dropout_p": 1.0}, "token_dropout_p must be"),
    ],
)
def test_a_model_geometry_that_cannot_be_built_is_refused(change, words):
    with pytest.raises(ConfigError, match=words):
        ModelConfig(**(tiny.MODEL | change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"d_in": 5}, "d_in must be 6"),
        ({"n_enc_layers": 0}, "layers must be at least 1"),
        ({"n_dec_layers": 0}, "layers must be at least 1"),
        ({"group_size": 2}, r"group_size must divide s1_bits \+ s2_bits = 7; got 2"),
        ({"group_size": 0}, "group_size must divide"),
        ({"n_heads": 16}, "even head dimension"),
    ],
)
def test_a_tokenizer_geometry_that_cannot_be_built_is_refused(change, words):
    with pytest.raises(ConfigError, match=words):
        TokenizerConfig(**(tiny.TOKENIZER | change))


@pytest.mark.parametrize(("kind", "values"), [(ModelConfig, tiny.MODEL), (TokenizerConfig, tiny.TOKENIZER)])
def test_the_published_keys_go_there_and_back(kind, values):
    config = kind(**values)
    assert kind.from_mapping(config.to_dict()) == config


@pytest.mark.parametrize(("kind", "values"), [(ModelConfig, tiny.MODEL), (TokenizerConfig, tiny.TOKENIZER)])
def test_missing_and_unknown_keys_are_listed(kind, values):
    published = kind(**values).to_dict()
    del published["ff_dim"], published["s1_bits"]
    with pytest.raises(ConfigError, match=r"missing: \['ff_dim', 's1_bits'\], unknown: \['colour'\]"):
        kind.from_mapping(published | {"colour": "blue"})


@pytest.mark.parametrize("value", [-0.1, 1, 1.0, True, "much"])
def test_min_p_is_a_fraction_below_one(value):
    with pytest.raises(ConfigError, match="min_p must be at least 0 and below 1"):
        SamplingConfig(min_p=value)
    with pytest.raises(ConfigError, match="min_p must be at least 0 and below 1"):
        ModelConfig(**tiny.MODEL, min_p=value)


def test_an_extension_key_is_written_if_it_differs_from_its_default():
    asking = ModelConfig(**tiny.MODEL, min_p=0.01, mirror_paths=True)
    assert asking.to_dict() == ModelConfig(**tiny.MODEL).to_dict() | {"min_p": 0.01, "mirror_paths": True}
    assert ModelConfig.from_mapping(asking.to_dict()) == asking
    assert ModelConfig.extension_defaults() == {"min_p": 0.0, "anchor_to_last_close": False, "mirror_paths": False}


def test_old_spellings_of_the_extension_keys_are_read_and_written_anew():
    published, new = ModelConfig(**tiny.MODEL).to_dict(), {"anchor_to_last_close": True, "mirror_paths": True}
    config = ModelConfig.from_mapping(published | {"from_last_close": True, "mirrored": True})
    assert config == ModelConfig(**tiny.MODEL, **new)
    assert config.to_dict() == published | new


def test_a_key_in_both_spellings_is_refused():
    published = ModelConfig(**tiny.MODEL).to_dict()
    with pytest.raises(ConfigError, match=r"missing: none, unknown: \['mirrored'\]"):
        ModelConfig.from_mapping(published | {"mirrored": True, "mirror_paths": False})
