import copy
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.network.kv_cache import KVCache
from engine.network.layers import (
    Attention,
    CrossAttention,
    FeedForward,
    RMSNorm,
    TransformerBlock,
    rotary_factors,
)
from engine.network.linear import PackedLinear, pack_weights
from tests.support import tiny

D, HEADS, W = 16, 2, 8


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=tiny.seeded(seed))


def made(kind, seed=0, **arguments):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = kind(**arguments)
    tiny.perturb_parameters(module, seed)
    return module.eval()


@pytest.fixture
def attention():
    return made(Attention, width=D, heads=HEADS, attention_dropout=0.0, residual_dropout=0.0)


@pytest.fixture
def cross():
    return made(CrossAttention, width=D, heads=HEADS, attention_dropout=0.0, residual_dropout=0.0)


@pytest.fixture
def block():
    return made(
        TransformerBlock, width=D, heads=HEADS, ff_dim=24, ffn_dropout=0.0, attention_dropout=0.0, residual_dropout=0.0
    )


# --------------------------------------------------------------------------------------------------- plain twins


def rotated(x, start=0):
    """Rotary positions on adjacent pairs of x [T, w], spelled out; float64."""
    x, out = np.asarray(x, dtype=np.float64), np.empty(x.shape)
    for t in range(x.shape[0]):
        for i in range(x.shape[1] // 2):
            angle = (start + t) * 10_000.0 ** (-2 * i / x.shape[1])
            a, b = x[t, 2 * i], x[t, 2 * i + 1]
            out[t, 2 * i] = a * np.cos(angle) - b * np.sin(angle)
            out[t, 2 * i + 1] = a * np.sin(angle) + b * np.cos(angle)
    return out


def softmax(x):
    weights = np.exp(x - x.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def linear(x, weight, bias):
    return np.asarray(x, dtype=np.float64) @ weight.detach().double().numpy().T + bias.detach().double().numpy()


def plain_attention(q, k, v, seen):
    """Softmax attention of one head; ``seen`` [Tq, Tk] says what may be looked at. float64."""
    scores = np.where(seen, q @ k.T / np.sqrt(q.shape[-1]), -np.inf)
    return softmax(scores) @ v


def plain_self_attention(module, x, seen=None):
    """``Attention`` on x [T, D], spelled out."""
    T = len(x)
    seen = np.tril(np.ones((T, T), dtype=bool)) if seen is None else seen
    q, k, v = np.split(linear(x, module.qkv.weight, module.qkv.bias), 3, axis=-1)
    heads = [slice(h * W, (h + 1) * W) for h in range(HEADS)]
    mixed = [plain_attention(rotated(q[:, h]), rotated(k[:, h]), v[:, h], seen) for h in heads]
    return linear(np.concatenate(mixed, axis=-1), module.out.weight, module.out.bias)


# -------------------------------------------------------------------------------------------------------- rotary


@pytest.mark.parametrize(("start", "length"), [(0, 5), (3, 4), (510, 5), (2040, 8)])
def test_the_rotation_table_is_the_formula_at_any_position(start, length):
    table = rotary_factors(start, length, W, torch.device("cpu"))
    for t in range(length):
        for i in range(W // 2):
            angle = (start + t) * 10_000.0 ** (-2 * i / W)
            np.testing.assert_allclose(complex(table[t, i]), np.exp(1j * angle), atol=2e-4 if start > 1000 else 1e-4)


@pytest.mark.parametrize("paths", [1, 3])
def test_attention_depends_on_distances_only(attention, paths):
    """What lets the cache roll: rotary positions are relative."""
    x = noise(1, paths, 4, D)
    outputs = []
    for past in (2, 777):
        with torch.inference_mode():
            cache = KVCache(1, 4)
            attention.prefill(noise(1, past, D, seed=past), cache, 0)
            cache = cache.expand(paths, 4)
            outputs.append(attention.extend(torch.zeros_like(x), x, cache, 0)[:, :, -1])  # sees its own path's four
    torch.testing.assert_close(*outputs, rtol=1e-3, atol=1e-4)


# ------------------------------------------------------------------------------------------------ self-attention


@pytest.mark.parametrize("training", [False, True])
def test_self_attention_is_its_plain_twin(attention, training):
    x = noise(2, 9, D)
    got = attention.train(training)(x).detach().numpy()
    for row in range(2):
        np.testing.assert_allclose(got[row], plain_self_attention(attention, x[row].numpy()), atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", ["attention", "block"])
def test_a_later_token_never_moves_an_earlier_output(kind, training, request):
    module = request.getfixturevalue(kind).train(training)
    x = noise(1, 8, D)
    other = x.clone()
    other[:, 5:] += 1
    moved = (module(x) - module(other)).abs().amax(-1)[0]
    assert moved[:5].max() < 1e-6
    assert moved[5:].min() > 1e-3


def test_dropout_acts_in_training_only():
    module = made(Attention, width=D, heads=HEADS, attention_dropout=0.3, residual_dropout=0.3)
    x = noise(1, 8, D)
    assert torch.equal(module(x), module(x))
    torch.manual_seed(0)
    module.train()
    assert not torch.equal(module(x), module(x))


# ----------------------------------------------------------------------------------------------- cache and paths


@pytest.mark.parametrize("chunks", [(1, 1, 1, 1, 1), (2, 3), (5,), (1, 4)])
@pytest.mark.parametrize("past", [1, 7])
@pytest.mark.parametrize(("series", "paths"), [(2, 3), (2, 1), (1, 1)])
def test_extending_a_block_in_any_chunks_is_reading_the_whole(block, chunks, past, series, paths):
    own = sum(chunks)
    shared, new = noise(series, past, D), noise(series, paths, own, D, seed=1)
    cache = KVCache(1)
    with torch.inference_mode():
        read = [block.prefill(shared, cache, 0)]
        cache = cache.expand(paths, own)
        parts = []
        for part in new.split(chunks, dim=2):
            parts.append(block.extend(part, cache, 0))
            cache.advance(part.shape[2])
        extended = torch.cat(parts, dim=2)
        for b in range(series):
            for n in range(paths):
                whole = block(torch.cat((shared[b], new[b, n]))[None])[0]
                torch.testing.assert_close(read[0][b], whole[:past], rtol=1e-5, atol=1e-5)
                torch.testing.assert_close(extended[b, n], whole[past:], rtol=1e-5, atol=1e-5)
    assert cache.position == past + own


def test_a_shared_context_is_read_as_copies_of_it_would_be(block):
    shared, new = noise(2, 6, D), noise(2, 5, 3, D, seed=1)
    one, many = KVCache(1), KVCache(1)
    with torch.inference_mode():
        block.prefill(shared, one, 0)
        block.prefill(shared.repeat_interleave(5, 0), many, 0)
        together = block.extend(new, one.expand(5, 3), 0)
        apart = block.extend(new.flatten(0, 1).unsqueeze(1), many.expand(1, 3), 0)
    torch.testing.assert_close(together.flatten(0, 1), apart.squeeze(1), rtol=1e-5, atol=1e-6)


def test_a_cache_can_be_expanded_more_than_once(block):
    """Slices of the paths go on from the same context."""
    with torch.inference_mode():
        cache = KVCache(1)
        block.prefill(noise(1, 6, D), cache, 0)
        first, second = cache.expand(2, 4), cache.expand(2, 4)
        new = noise(1, 2, 1, D, seed=1)
        block.extend(noise(1, 2, 1, D, seed=2), first, 0)
        first.advance(1)
        block.extend(new, first, 0)
        alone = block.extend(new, second, 0)
        again = block.extend(new, cache.expand(2, 4), 0)
    assert (cache.position, first.position, second.position) == (6, 7, 6)
    assert torch.equal(alone, again)


@pytest.mark.parametrize("limit", [1, 3, 6, 8, 99])
def test_with_a_limit_only_the_newest_tokens_are_attended_to(attention, limit):
    shared, new = noise(1, 6, D), noise(1, 1, 4, D, seed=1)
    x = torch.cat((shared[0], new[0, 0])).numpy()
    T = len(x)
    near = np.tril(np.ones((T, T), dtype=bool)) & (np.arange(T)[:, None] - np.arange(T) < limit)
    wanted = plain_self_attention(attention, x, near)[6:]
    with torch.inference_mode():
        cache = KVCache(1, limit)
        attention.prefill(shared, cache, 0)
        cache = cache.expand(1, 4)
        for t in range(4):
            part = new[:, :, t : t + 1]
            got = attention.extend(part, part, cache, 0)
            cache.advance(1)
            np.testing.assert_allclose((got - part)[0, 0, 0], wanted[t], atol=1e-5)


# --------------------------------------------------------------------------------------------- the dependency layer


@pytest.mark.parametrize("training", [False, True])
def test_cross_attention_is_causal_with_turned_keys_in_both_modes(cross, training):
    query, context = noise(1, 7, D), noise(1, 7, D, seed=1)
    q = linear(query[0], cross.query.weight, cross.query.bias)
    k, v = np.split(linear(context[0], cross.key_value.weight, cross.key_value.bias), 2, axis=-1)
    seen = np.tril(np.ones((7, 7), dtype=bool))
    heads = [slice(h * W, (h + 1) * W) for h in range(HEADS)]
    mixed = [plain_attention(rotated(q[:, h]), rotated(k[:, h]), v[:, h], seen) for h in heads]
    wanted = linear(np.concatenate(mixed, axis=-1), cross.out.weight, cross.out.bias)
    np.testing.assert_allclose(cross.train(training)(query, context)[0].detach(), wanted, atol=1e-5)


def test_one_query_at_inference_sees_all_keys_and_nothing_is_turned(cross):
    """Per path: one query over the shared and its own hidden states, neither side turned, as the weights were used."""
    shared, own, query = noise(2, 5, D), noise(2, 3, 4, D, seed=1), noise(2, 3, 1, D, seed=2)
    with torch.inference_mode():
        cache = KVCache(1)
        cross.prefill(shared, cache, 0)
        cache = cache.expand(3, 4)
        cross.append_kv(own[:, :, :3], cache, 0)
        cache.advance(3)
        cross.append_kv(own[:, :, 3:], cache, 0)
        cache.advance(1)
        got = cross.extend(query, cache, 0)
    for b in range(2):
        for n in range(3):
            context = torch.cat((shared[b], own[b, n]))
            q = linear(query[b, n], cross.query.weight, cross.query.bias)
            k, v = np.split(linear(context, cross.key_value.weight, cross.key_value.bias), 2, axis=-1)
            heads = [slice(h * W, (h + 1) * W) for h in range(HEADS)]
            everything = np.ones((1, 9), dtype=bool)
            mixed = [plain_attention(q[:, h], k[:, h], v[:, h], everything) for h in heads]
            wanted = linear(np.concatenate(mixed, axis=-1), cross.out.weight, cross.out.bias)
            np.testing.assert_allclose(got[b, n], wanted, atol=1e-5)


# ---------------------------------------------------------------------------------------------- norm, feed-forward


def test_the_norm_is_its_plain_twin_and_computed_in_single_precision():
    norm = made(RMSNorm, width=D)
    x = noise(3, D) * 100
    weight = norm.weight.detach().double().numpy()
    wanted = x.double().numpy() / np.sqrt((x.double().numpy() ** 2).mean(-1, keepdims=True) + 1e-5) * weight
    np.testing.assert_allclose(norm(x).detach(), wanted, rtol=1e-5)
    assert norm(x.bfloat16()).dtype == torch.float32


def test_a_tiny_vector_is_not_blown_up_by_the_norm():
    norm = RMSNorm(D)
    x = torch.full((1, D), 1e-4)
    torch.testing.assert_close(norm(x), x / (1e-8 + 1e-5) ** 0.5)


def test_the_feed_forward_is_its_plain_twin():
    ffn = made(FeedForward, width=D, ff_dim=24, dropout=0.0)
    x = noise(3, D)
    gate, up = np.split(x.double().numpy() @ ffn.gate_up.weight.detach().double().numpy().T, 2, axis=-1)
    wanted = (gate / (1 + np.exp(-gate)) * up) @ ffn.down.weight.detach().double().numpy().T
    np.testing.assert_allclose(ffn(x).detach(), wanted, atol=1e-5)


# ------------------------------------------------------------------------------------------------------- packing

ROWS = [1, 5, 6, 40]


@pytest.fixture
def packed():
    layer = made(PackedLinear, in_features=D, out_features=24)
    pack_weights(layer)
    assert layer._packed is not None
    return layer


def plainly(layer, x):
    with torch.no_grad():
        return F.linear(x, layer.weight, layer.bias)


@pytest.mark.parametrize("rows", ROWS)
def test_a_packed_layer_gives_the_plain_result(packed, rows):
    x = noise(rows, D)
    with torch.inference_mode():
        torch.testing.assert_close(packed(x), plainly(packed, x), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(packed(x.view(1, rows, D)), plainly(packed, x)[None], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", ROWS)
def test_a_projection_onto_a_residual_is_their_sum_and_changes_neither(rows, dtype, bias):
    layer = made(PackedLinear, in_features=D, out_features=24, bias=bias).to(dtype)
    pack_weights(layer)
    x, residual = noise(1, rows, D), noise(1, rows, 24, seed=1)
    with torch.inference_mode():
        wanted = noise(1, rows, 24, seed=1) + layer(x)
        torch.testing.assert_close(layer.add_to(residual, x), wanted, rtol=1e-5, atol=1e-6)
    assert torch.equal(residual, noise(1, rows, 24, seed=1))
    assert torch.equal(x, noise(1, rows, D))


def test_one_row_is_normalised_as_many_are():
    norm, x = made(RMSNorm, width=D), noise(1, 5, D)
    with torch.inference_mode():
        each = torch.cat([norm(x[:, i : i + 1]) for i in range(5)], dim=1)
        torch.testing.assert_close(each, norm(x), rtol=1e-6, atol=1e-6)


def test_a_packed_layer_without_a_bias_gives_the_plain_result():
    layer = made(PackedLinear, in_features=D, out_features=24, bias=False)
    layer.pack()
    with torch.inference_mode():
        torch.testing.assert_close(layer(noise(8, D)), plainly(layer, noise(8, D)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", ROWS)
def test_the_packed_copy_is_ignored_once_the_weight_has_changed(packed, rows):
    with torch.no_grad():
        packed.weight.mul_(3)
    with torch.inference_mode():
        torch.testing.assert_close(packed(noise(rows, D)), plainly(packed, noise(rows, D)), rtol=1e-5, atol=1e-6)


def test_the_packed_copy_is_ignored_once_other_weights_were_loaded(packed):
    packed.load_state_dict(made(PackedLinear, seed=9, in_features=D, out_features=24).state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(packed(noise(8, D)), plainly(packed, noise(8, D)), rtol=1e-5, atol=1e-6)


def test_a_packed_layer_still_learns(packed):
    packed(noise(8, D)).square().sum().backward()
    assert packed.weight.grad.abs().max() > 0


def test_packing_shows_in_no_state(packed):
    plain = made(PackedLinear, in_features=D, out_features=24)
    assert packed.state_dict().keys() == plain.state_dict().keys()
    assert dict(packed.named_buffers()) == {}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_of_a_packed_layer_works(packed, copied):
    twin = copied(packed)
    with torch.no_grad():
        twin.weight.add_(1)  # the copy is its own
    x = noise(8, D)
    with torch.inference_mode():
        torch.testing.assert_close(packed(x), plainly(packed, x), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(twin(x), plainly(twin, x), rtol=1e-5, atol=1e-6)
    assert (twin(x) - packed(x)).abs().max() > 0.1


@pytest.mark.parametrize("rows", ROWS)
def test_moving_to_bfloat16_drops_the_packed_copy_and_packs_anew(packed, rows):
    x = noise(rows, D)
    wanted = plainly(packed, x)
    half = copy.deepcopy(packed).to(torch.bfloat16)
    assert half._packed is None
    with torch.inference_mode():
        unpacked = half(x)
        half.pack()
        torch.testing.assert_close(half(x), unpacked, rtol=2e-2, atol=2e-2)
    torch.testing.assert_close(unpacked.float(), wanted, rtol=5e-2, atol=5e-2)


def test_the_packed_copy_is_ignored_once_other_weights_were_assigned(packed):
    packed.load_state_dict(made(PackedLinear, seed=9, in_features=D, out_features=24).state_dict(), assign=True)
    with torch.inference_mode():
        torch.testing.assert_close(packed(noise(8, D)), plainly(packed, noise(8, D)), rtol=1e-5, atol=1e-6)


def test_the_packed_copy_is_ignored_once_another_parameter_took_the_place(packed):
    packed.weight = made(PackedLinear, seed=9, in_features=D, out_features=24).weight
    with torch.inference_mode():
        torch.testing.assert_close(packed(noise(8, D)), plainly(packed, noise(8, D)), rtol=1e-5, atol=1e-6)


def test_dropout_of_the_dependency_layer_is_off_as_in_the_reference():
    model = tiny.model(attn_dropout_p=0.5, resid_dropout_p=0.5).train()
    x, asked = noise(1, 8, 32), noise(1, 8, 32, seed=1)
    assert torch.equal(model.dependency(x, asked), model.dependency(x, asked))
