import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.checkpoints import tensor_names as names
from engine.errors import CheckpointMismatchError, ConfigError

PARITY = Path("tests/data/parity")
CASES = [(case.name, kind) for case in sorted(PARITY.iterdir()) if case.is_dir() for kind in names.KINDS]


def published(case, kind):
    folder = PARITY / case / kind
    return json.loads((folder / "config.json").read_text()), load_file(folder / "model.safetensors")


@pytest.mark.parametrize(("case", "kind"), CASES)
def test_there_and_back_gives_every_tensor_to_the_bit(case, kind):
    config, tensors = published(case, kind)
    back = names.to_published(kind, config, names.from_published(kind, config, tensors))
    assert back.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert back[name].dtype == tensor.dtype
        assert back[name].is_contiguous()
        assert torch.equal(back[name], tensor), name


def test_nothing_of_ours_shares_memory_with_the_published_tensors():
    config, tensors = published("plain", "model")
    theirs = {tensor.data_ptr() for tensor in tensors.values()}
    assert not theirs & {tensor.data_ptr() for tensor in names.from_published("model", config, tensors).values()}


def test_queries_and_keys_turn_the_same_in_our_row_order():
    """Half-split rotation of the published rows = one complex product over adjacent pairs of ours."""
    config, tensors = published("wider_heads", "model")
    state = names.from_published("model", config, tensors)
    width, heads = config["d_model"], config["n_heads"]
    head_width = width // heads
    x = torch.randn(5, width, generator=torch.Generator().manual_seed(0))
    angles = torch.outer(torch.arange(5.0), tensors["transformer.0.self_attn.rotary.inv_freq"])
    for number, name in enumerate(("q_proj", "k_proj")):
        theirs = (x @ tensors[f"transformer.0.self_attn.{name}.weight"].T).unflatten(-1, (heads, head_width))
        first, second = theirs.chunk(2, dim=-1)
        cos, sin = angles.cos().unsqueeze(1), angles.sin().unsqueeze(1)
        wanted = torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1).flatten(-2)
        rows = state["blocks.0.attention.qkv.weight"][number * width : (number + 1) * width]
        pairs = torch.view_as_complex((x @ rows.T).unflatten(-1, (heads, head_width // 2, 2)))
        turned = torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles).unsqueeze(1)).flatten(-2)
        torch.testing.assert_close(turned, wanted, rtol=1e-5, atol=1e-6)


def test_values_and_outputs_keep_their_rows():
    config, tensors = published("plain", "model")
    state = names.from_published("model", config, tensors)
    width = config["d_model"]
    assert torch.equal(
        state["blocks.1.attention.qkv.weight"][2 * width :], tensors["transformer.1.self_attn.v_proj.weight"]
    )
    assert torch.equal(state["blocks.1.ffn.gate_up.weight"][:48], tensors["transformer.1.ffn.w1.weight"])
    assert torch.equal(
        state["dependency.attention.key_value.bias"][width:], tensors["dep_layer.cross_attn.v_proj.bias"]
    )


def test_every_fault_is_listed():
    config, tensors = published("plain", "model")
    tensors["surprise"] = torch.zeros(1)
    del tensors["norm.weight"], tensors["head.proj_s1.bias"]
    tensors["embedding.emb_s1.weight"] = torch.zeros(3, 3)
    with pytest.raises(CheckpointMismatchError) as caught:
        names.from_published("model", config, tensors)
    for words in (
        "missing: head.proj_s1.bias, norm.weight",
        "unknown: surprise",
        "embedding.emb_s1.weight is [3, 3] instead of [32, 32]",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize("name", ["transformer.1.self_attn.rotary.inv_freq", "dep_layer.cross_attn.rotary.inv_freq"])
def test_a_wrong_constant_is_refused(name):
    config, tensors = published("plain", "model")
    tensors[name] = tensors[name] * 1.01
    with pytest.raises(CheckpointMismatchError, match=f"wrong constant: {name}"):
        names.from_published("model", config, tensors)


def test_a_wrong_code_basis_is_refused():
    config, tensors = published("plain", "tokenizer")
    tensors["tokenizer.bsq.basis"] = tensors["tokenizer.bsq.basis"].flip(0)
    with pytest.raises(CheckpointMismatchError, match=r"wrong constant: tokenizer\.bsq\.basis"):
        names.from_published("tokenizer", config, tensors)


def test_weights_in_half_precision_are_taken_and_keep_their_type():
    config, tensors = published("plain", "model")
    half = {name: tensor.bfloat16() for name, tensor in tensors.items()}
    state = names.from_published("model", config, half)
    assert {tensor.dtype for tensor in state.values()} == {torch.bfloat16}


def test_whole_numbers_as_weights_are_refused():
    config, tensors = published("plain", "model")
    tensors["norm.weight"] = torch.ones(32, dtype=torch.int64)
    with pytest.raises(CheckpointMismatchError, match=r"not floating point: norm\.weight"):
        names.from_published("model", config, tensors)


def test_saving_names_every_fault_too():
    config, tensors = published("plain", "model")
    state = names.from_published("model", config, tensors)
    state["more"] = state.pop("norm.weight")
    with pytest.raises(CheckpointMismatchError, match=r"missing: norm\.weight; unknown: more"):
        names.to_published("model", config, state)


def test_saving_leaves_the_state_alone_and_needs_no_gradient():
    config, tensors = published("plain", "model")
    state = {k: torch.nn.Parameter(v) for k, v in names.from_published("model", config, tensors).items()}
    saved = names.to_published("model", config, state)
    saved["norm.weight"].fill_(7)
    assert not torch.equal(saved["norm.weight"], state["norm.weight"])
    assert not any(tensor.requires_grad for tensor in saved.values())


def test_a_configuration_of_the_other_kind_is_refused():
    config, tensors = published("plain", "tokenizer")
    with pytest.raises(ConfigError, match="unknown"):
        names.from_published("model", config, tensors)


def test_an_absurd_depth_is_refused_before_it_costs_memory():
    config, tensors = published("plain", "model")
    with pytest.raises(CheckpointMismatchError, match="specifies 1000000000 blocks"):
        names.from_published("model", config | {"n_layers": 10**9}, tensors)


def test_an_absurd_width_is_refused_before_it_costs_memory():
    config, tensors = published("plain", "model")
    with pytest.raises(CheckpointMismatchError, match="wrong shape"):
        names.from_published("model", config | {"d_model": 8 * 10**12}, tensors)
