import hashlib
import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.checkpoints import checkpoint, registry
from engine.checkpoints import resolve as sources
from engine.checkpoints import tensor_names as names
from engine.errors import (
    CheckpointError,
    CheckpointMismatchError,
    CheckpointNotFoundError,
    ConfigError,
    CorruptCheckpointError,
)

PLAIN = Path("tests/data/parity/plain")

_TOKENIZER = {
    "attn_dropout_p": 0.0, "beta": 0.05, "d_in": 6, "d_model": 256, "ff_dim": 512, "ffn_dropout_p": 0.0, "gamma": 1.1,
    "gamma0": 1.0, "group_size": 4, "n_dec_layers": 4, "n_enc_layers": 4, "n_heads": 4, "resid_dropout_p": 0.0,
    "s1_bits": 10, "s2_bits": 10, "zeta": 0.05,
}  # fmt: skip
_MODEL = {
    "attn_dropout_p": 0.0, "d_model": 256, "ff_dim": 512, "ffn_dropout_p": 0.2, "learn_te": True, "n_heads": 4,
    "n_layers": 4, "resid_dropout_p": 0.2, "s1_bits": 10, "s2_bits": 10, "token_dropout_p": 0.0,
}  # fmt: skip
PUBLISHED_CONFIGS = {
    "kronos-mini": _MODEL,
    "kronos-small": _MODEL
    | {"n_layers": 8, "d_model": 512, "n_heads": 8, "ff_dim": 1024}
    | {"ffn_dropout_p": 0.25, "attn_dropout_p": 0.1, "resid_dropout_p": 0.25, "token_dropout_p": 0.1},
    "kronos-base": _MODEL | {"n_layers": 12, "d_model": 832, "n_heads": 16, "ff_dim": 2048},
    "kronos-tokenizer-base": _TOKENIZER,
    "kronos-tokenizer-2k": _TOKENIZER | {"group_size": 5},
}


@pytest.fixture
def folder(tmp_path):
    """A model's folder that a test may damage."""
    return Path(shutil.copytree(PLAIN / "model", tmp_path / "mine"))


@pytest.mark.parametrize("kind", ["tokenizer", "model"])
def test_a_folder_is_read(kind):
    read = checkpoint.read_checkpoint(PLAIN / kind, kind)
    weights = PLAIN / kind / "model.safetensors"
    assert read.kind == kind
    assert read.config == json.loads((PLAIN / kind / "config.json").read_text())
    assert read.tensors.keys() == load_file(weights).keys()
    assert read.source == str(PLAIN / kind)
    assert read.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["tokenizer", "model"])
def test_a_folder_with_both_halves_gives_each(kind):
    assert (
        checkpoint.read_checkpoint(str(PLAIN), kind).weights_sha256
        == checkpoint.read_checkpoint(PLAIN / kind, kind).weights_sha256
    )
    assert checkpoint.read_checkpoint(PLAIN.parent, kind, subfolder=f"plain/{kind}").config["d_model"] == 32


@pytest.mark.parametrize("kind", ["tokenizer", "model"])
def test_what_is_written_reads_back_to_the_bit(tmp_path, kind):
    first = checkpoint.read_checkpoint(PLAIN, kind)
    digest = checkpoint.write_checkpoint(tmp_path / "deep" / "new", kind, first.config, first.state())
    second = checkpoint.read_checkpoint(tmp_path / "deep" / "new", kind)
    assert second.weights_sha256 == digest
    assert second.config == first.config
    assert all(torch.equal(second.tensors[name], tensor) for name, tensor in first.tensors.items())
    assert sorted(path.name for path in (tmp_path / "deep/new").iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("kind", ["tokenizer", "model"])
def test_what_is_written_loads_in_the_reference_implementation(tmp_path, kind):
    theirs = pytest.importorskip("kronos_finance._vendor.kronos_model")
    read = checkpoint.read_checkpoint(PLAIN, kind)
    checkpoint.write_checkpoint(tmp_path, kind, read.config, read.state())
    module = {"tokenizer": theirs.KronosTokenizer, "model": theirs.Kronos}[kind].from_pretrained(str(tmp_path))
    loaded = module.state_dict()
    assert loaded.keys() == read.tensors.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in read.tensors.items())


@pytest.mark.parametrize("name", PUBLISHED_CONFIGS)
def test_config_files_are_the_published_ones_to_the_byte(name):
    entry = registry.find_checkpoint(name)
    text = checkpoint.render_config(entry.kind, PUBLISHED_CONFIGS[name])
    assert hashlib.sha256(text.encode()).hexdigest() == entry.config_sha256


@pytest.mark.parametrize("name", PUBLISHED_CONFIGS)
def test_published_geometries_have_the_published_number_of_parameters(name):
    entry = registry.find_checkpoint(name)
    parts = names._tensor_map(entry.kind, PUBLISHED_CONFIGS[name]).rules()
    assert sum(math.prod(part.shape) for part in parts) == entry.parameters


def test_a_failed_write_leaves_the_old_checkpoint_whole(folder, monkeypatch):
    read = checkpoint.read_checkpoint(folder, "model")

    def half_way(tensors, path, metadata):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", half_way)
    with pytest.raises(OSError, match="No space"):
        checkpoint.write_checkpoint(folder, "model", read.config, read.state())
    assert checkpoint.read_checkpoint(folder, "model").weights_sha256 == read.weights_sha256
    assert len(list(folder.iterdir())) == 2


def test_a_state_that_does_not_fit_is_not_written(tmp_path):
    read = checkpoint.read_checkpoint(PLAIN, "model")
    with pytest.raises(CheckpointMismatchError, match="missing"):
        checkpoint.write_checkpoint(tmp_path / "new", "model", read.config, {})
    with pytest.raises(ConfigError):
        checkpoint.write_checkpoint(tmp_path / "new", "model", {}, read.state())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("size", [0, 4, 100, 50_000])
def test_truncated_weights_are_named(folder, size):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(CorruptCheckpointError, match=r"model\.safetensors is not a complete safetensors file.*again"):
        checkpoint.read_checkpoint(folder, "model")


@pytest.mark.parametrize("content", [b"\xff" * 4_000, b"<html>not found</html>" * 50, b"\x80\x04\x95pickle"])
def test_weights_that_are_something_else_are_named(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(CorruptCheckpointError, match="not a complete safetensors file"):
        checkpoint.read_checkpoint(folder, "model")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(folder, value):
    tensors = load_file(folder / "model.safetensors")
    tensors["norm.weight"][3] = value
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(CorruptCheckpointError, match=r"non-finite values in norm\.weight"):
        checkpoint.read_checkpoint(folder, "model")


def test_a_folder_without_config_json_is_not_found(folder):
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointNotFoundError, match=r"mine has no config\.json\. A checkpoint is a folder with"):
        checkpoint.read_checkpoint(folder, "model")


def test_a_file_without_the_right_to_read_it_is_named(folder, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(checkpoint, "sha256_of", denied)
    with pytest.raises(CheckpointError, match=r"could not be read.*Permission denied.*Check the file permissions"):
        checkpoint.read_checkpoint(folder, "model")


def test_pickled_weights_are_refused_by_name(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(
        CheckpointNotFoundError, match=r"no model\.safetensors\. It contains pytorch_model\.bin.*not supported"
    ):
        checkpoint.read_checkpoint(folder, "model")


@pytest.mark.parametrize("content", ["", "{", "[1]", "\ud800".encode("utf-8", "surrogatepass")])
def test_a_config_that_is_no_json_object_is_corrupt(folder, content):
    (folder / "config.json").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(CorruptCheckpointError, match=r"config\.json"):
        checkpoint.read_checkpoint(folder, "model")


def test_a_huge_config_is_not_parsed(folder):
    (folder / "config.json").write_text(" " * 200_000 + "{}")
    with pytest.raises(CorruptCheckpointError, match="200,002 bytes"):
        checkpoint.read_checkpoint(folder, "model")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"d_modell": 3}, "unknown: .'d_modell'."), ({"d_model": "wide"}, "d_model"), ({"n_heads": 5}, "")],
)
def test_a_config_with_wrong_settings_is_a_mismatch_that_names_the_file(folder, change, words):
    config = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointMismatchError, match=rf"config\.json of .*mine.*{words}"):
        checkpoint.read_checkpoint(folder, "model")


def test_weights_of_another_geometry_are_a_mismatch_that_names_the_file(folder):
    shutil.copy("tests/data/parity/wider_heads/model/model.safetensors", folder)
    with pytest.raises(CheckpointMismatchError, match=r"model\.safetensors of .*mine.*missing.*wrong shape"):
        checkpoint.read_checkpoint(folder, "model").state()


def test_the_other_half_is_a_mismatch():
    with pytest.raises(CheckpointMismatchError, match=r"expected a tokenizer, but .* describes a model"):
        checkpoint.read_checkpoint(PLAIN / "model", "tokenizer")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kronos-smal", 'Did you mean "kronos-small"'),
        ("nonsense", "Known names: bundled, kronos-mini, kronos-small, kronos-base"),
        ("./no/such/folder", "there is no model or folder"),
        (Path("NeoQuasar/Kronos-small"), "there is no model or folder"),  # a Path is a folder and never a hub id
        (PLAIN / "model" / "config.json", "is a file; specify the folder"),
    ],
)
def test_an_unknown_name_says_what_there_is(name, words):
    with pytest.raises(CheckpointNotFoundError) as caught:
        checkpoint.read_checkpoint(name, "model")
    assert words in str(caught.value)


def test_the_bundled_checkpoint_is_a_folder_of_the_engine(monkeypatch):
    monkeypatch.setattr(sources, "_BUNDLED_FOLDER", PLAIN.resolve())
    assert checkpoint.read_checkpoint("Bundled", "tokenizer").source == "bundled"


def test_published_names_know_their_tokenizer_and_context():
    assert [(m.name, m.max_context, m.tokenizer) for m in registry.published_models()] == [
        ("kronos-mini", 2048, "kronos-tokenizer-2k"),
        ("kronos-small", 512, "kronos-tokenizer-base"),
        ("kronos-base", 512, "kronos-tokenizer-base"),
    ]
    for entry in registry.published_models():
        assert registry.find_checkpoint(entry.tokenizer).kind == "tokenizer"
        assert registry.find_checkpoint(entry.repo.upper()) is entry


@pytest.mark.parametrize("name", ["Kronos-Mini", "NeoQuasar/Kronos-mini"])
def test_a_predictor_of_a_published_model_takes_its_tokenizer(name):
    source = checkpoint.resolve_predictor(name)
    assert (source.model, source.tokenizer) == ("kronos-mini", "kronos-tokenizer-2k")
    assert (source.max_context, source.name, source.is_bundled) == (2048, "kronos-mini", False)


def test_a_predictor_of_a_folder_takes_the_tokenizer_beside_the_model():
    source = checkpoint.resolve_predictor(PLAIN)
    assert (source.model, source.tokenizer, source.max_context) == (PLAIN, PLAIN, 512)


def test_a_predictor_of_a_bare_model_needs_a_tokenizer():
    with pytest.raises(CheckpointNotFoundError, match="Pass tokenizer="):
        checkpoint.resolve_predictor(PLAIN / "model")
    given = checkpoint.resolve_predictor(PLAIN / "model", PLAIN / "tokenizer")
    assert given.tokenizer == PLAIN / "tokenizer"
    assert checkpoint.resolve_predictor("kronos-base", "kronos-tokenizer-2k").tokenizer == "kronos-tokenizer-2k"


def test_a_tokenizer_is_no_predictor():
    with pytest.raises(CheckpointMismatchError, match="expected a model"):
        checkpoint.resolve_predictor("kronos-tokenizer-base")


def test_the_bundled_predictor_says_so():
    source = checkpoint.resolve_predictor("bundled")
    assert source.is_bundled
    assert "not the published model" in source.name
