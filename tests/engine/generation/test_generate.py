import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import SamplingConfig
from engine.generation import generate as engine_generate
from engine.generation.decoder import PathDecoder
from engine.generation.generate import decode_steps, generate
from engine.generation.path_sampler import TokenSampler
from engine.generation.request import GenerationRequest, GenerationSettings
from engine.generation.sampling import sample_token, uniforms
from tests.support import tiny

SAMPLING = SamplingConfig(num_paths=3, temperature=0.9, top_p=0.95)
NEAR = {"rtol": 0.0, "atol": 1e-4}


@pytest.fixture(scope="module")
def networks():
    return tiny.model().requires_grad_(False), tiny.tokenizer().requires_grad_(False)


def make_request(series, context, horizon, seed=0):
    times = tiny.ids(series, context + horizon, seed)[2]
    return GenerationRequest(tiny.zscores(series, context, seed), times, list(range(seed, seed + series)))


def futures(
    networks, request, sampling=SAMPLING, *, max_context=32, context_overflow="recompute", step_done=lambda: None
):
    options = {"max_context": max_context, "context_overflow": context_overflow, "on_step": step_done}
    return generate(*networks, request, sampling, **options)


# ------------------------------------------------------------------------------------------------------ plain twins


def window_logits(model, coarse, fine, times, max_context):
    """Hidden states of the newest ``max_context`` tokens, read from the beginning."""
    window = slice(-max_context, None)
    return model.hidden(coarse[:, window], fine[:, window], times[:, window])


def banded_hidden(model, coarse, fine, times, limit):
    """Hidden states where every token attends to itself and the ``limit`` - 1 before it, in every layer."""
    T = coarse.shape[1]
    distance = torch.arange(T)[:, None] - torch.arange(T)
    seen = (distance >= 0) & (distance < limit)
    x = model._embed(coarse, fine, times)
    for block in model.blocks:
        q, k, v = (part.transpose(1, 2) for part in block.attention._project(block.norm1(x)))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=1.0)  # q comes scaled
        x = x + block.attention.out(mixed.transpose(1, 2).flatten(-2))
        x = x + block.ffn(block.norm2(x))
    return model.norm(x)[:, -limit:]


def fine_logits(model, hidden, coarse):
    """One query over all of ``hidden`` [1, T, D], neither side turned."""
    attention = model.dependency.attention
    q = attention.query(model.embedding.coarse(coarse))[:, None]
    k, v = attention.key_value(hidden).chunk(2, dim=-1)
    heads = [x.unflatten(-1, (attention.heads, -1)).transpose(1, 2) for x in (q, k, v)]
    mixed = F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(-2)
    return model.head.fine(model.dependency.norm(hidden[:, -1:] + attention.out(mixed)))[:, 0]


def sample_naively(networks, request, sampling, max_context, overflow):
    """Every path by itself, every step from the beginning, nothing kept: float32 [B, N, H, 6]."""
    model, tokenizer = networks
    read = window_logits if overflow == "recompute" else banded_hidden
    B, T = request.candles.shape[:2]
    out = torch.empty(B, sampling.num_paths, request.horizon, 6)
    with torch.no_grad():
        for b in range(B):
            context = tokenizer.encode(request.candles[b : b + 1])
            numbers = uniforms([request.seeds[b]], sampling.num_paths, request.horizon)[0]
            for n in range(sampling.num_paths):
                coarse, fine = context
                for step in range(request.horizon):
                    hidden = read(model, coarse, fine, request.times[b : b + 1, : T + step], max_context)
                    new_coarse = sample_token(model.coarse_logits(hidden[:, -1]), sampling, numbers[n, step, :1])
                    new_fine = sample_token(fine_logits(model, hidden, new_coarse), sampling, numbers[n, step, 1:])
                    coarse, fine = torch.cat((coarse, new_coarse[None]), 1), torch.cat((fine, new_fine[None]), 1)
                window = slice(-max_context, None)
                out[b, n] = tokenizer.decode(coarse[:, window], fine[:, window])[0, -request.horizon :]
    return out


SITUATIONS = {
    "nothing slides": (10, 6),
    "the last step fills the window": (10, 7),
    "slides": (13, 8),
    "begins full": (16, 5),
    "context beyond the limit": (23, 4),
    "horizon as long as the limit": (9, 16),
    "one candle": (1, 5),
    "one candle, horizon as long as the limit": (1, 16),
    "one step": (16, 1),
}


@pytest.mark.parametrize(("past", "horizon"), SITUATIONS.values(), ids=SITUATIONS)
def test_recomputed_paths_equal_those_of_encoding_every_window_anew(networks, past, horizon):
    request = make_request(2, past, horizon)
    got = futures(networks, request, max_context=16)
    torch.testing.assert_close(got, sample_naively(networks, request, SAMPLING, 16, "recompute"), **NEAR)


@pytest.mark.parametrize(("past", "horizon"), [(10, 6), (13, 8), (16, 5), (9, 16), (1, 16)])
def test_evicted_paths_equal_those_of_a_moving_band_of_attention(networks, past, horizon):
    request = make_request(2, past, horizon)
    got = futures(networks, request, max_context=16, context_overflow="evict")
    torch.testing.assert_close(got, sample_naively(networks, request, SAMPLING, 16, "evict"), **NEAR)


def test_both_overflows_agree_while_nothing_slides(networks):
    request = make_request(2, 10, 7)  # the last token is sampled from a window of 16
    assert torch.equal(
        *(futures(networks, request, max_context=16, context_overflow=overflow) for overflow in ("recompute", "evict"))
    )


def test_the_overflows_differ_once_the_window_slides(networks):
    request = make_request(2, 13, 12)
    recomputed, evicted = (
        futures(networks, request, max_context=16, context_overflow=overflow) for overflow in ("recompute", "evict")
    )
    torch.testing.assert_close(recomputed[:, :, :3], evicted[:, :, :3], **NEAR)
    assert (recomputed - evicted).abs().max() > 1e-2


# --------------------------------------------------------------------------------------------------- paths and seeds


def test_futures_have_their_shape_and_type(networks):
    got = futures(networks, make_request(2, 10, 5))
    assert got.shape == (2, 3, 5, 6)
    assert got.dtype == torch.float32
    assert got.isfinite().all()


@pytest.mark.parametrize("overflow", ["recompute", "evict"])
def test_shared_contexts_give_what_separate_copies_give(networks, overflow):
    """N paths of one series, and N copies of the series with a path each."""
    request = make_request(1, 14, 6)
    together = futures(networks, request, max_context=16, context_overflow=overflow)[0]
    model, tokenizer = networks
    numbers = uniforms(request.seeds, 3, 6)
    copies = GenerationRequest(request.candles.expand(3, -1, -1), request.times.expand(3, -1, -1), [0] * 3)
    run = GenerationSettings(model, tokenizer, SAMPLING, 16, overflow, lambda: None)
    with torch.inference_mode():
        ids = tokenizer.encode(copies.candles)
        sampler = TokenSampler(run, *ids, copies.times)
        decoder = PathDecoder(run, *ids, copies)
        apart = decoder.decode(*sampler.sample(numbers.transpose(0, 1)))
    torch.testing.assert_close(together, apart[:, 0], **NEAR)


@pytest.mark.parametrize("few", [1, 2, 5])
def test_the_first_paths_do_not_depend_on_how_many_are_requested(networks, few):
    request = make_request(2, 10, 5)
    some, more = (futures(networks, request, SamplingConfig(num_paths=n)) for n in (few, 9))
    torch.testing.assert_close(some, more[:, :few], **NEAR)


def test_a_series_comes_out_alone_as_beside_others(networks):
    request = make_request(4, 10, 5)
    together = futures(networks, request)
    for b in range(4):
        torch.testing.assert_close(futures(networks, request.slice(b, b + 1)), together[b : b + 1], **NEAR)


def test_paths_differ_and_seeds_count(networks):
    request = make_request(1, 10, 8)
    other = GenerationRequest(request.candles, request.times, [99])
    one, again, two = futures(networks, request), futures(networks, request), futures(networks, other)
    assert torch.equal(one, again)
    assert not torch.equal(one, two)
    assert not torch.equal(one[0, 0], one[0, 1])


def test_greedy_paths_are_all_one_whatever_the_seed(networks):
    request = make_request(1, 10, 8)
    greedy = SamplingConfig(num_paths=3, temperature=0.0)
    one, two = (futures(networks, GenerationRequest(request.candles, request.times, [seed]), greedy) for seed in (1, 2))
    assert torch.equal(one, two)
    assert torch.equal(one[0, 0], one[0, 2])
    narrow = SamplingConfig(num_paths=3, top_k=1)
    torch.testing.assert_close(futures(networks, request, narrow), one, **NEAR)


def test_the_candles_and_times_given_are_left_alone_and_so_is_chance(networks):
    request = make_request(2, 14, 6)
    before, state = (request.candles.clone(), request.times.clone()), torch.random.get_rng_state()
    futures(networks, request, max_context=16)
    assert torch.equal(request.candles, before[0])
    assert torch.equal(request.times, before[1])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_future_times_are_read(networks):
    request = make_request(1, 10, 8)
    later = request.times.clone()
    later[:, 10:] = (later[:, 10:] + 1) % 7
    first = futures(networks, request)
    moved = futures(networks, GenerationRequest(request.candles, later, request.seeds))
    assert torch.equal(first[:, :, 0], moved[:, :, 0])  # a bar's own time is not known when it is sampled
    assert not torch.equal(first, moved)


# ------------------------------------------------------------------------------------------------ memory and progress


def limited_to(rows, monkeypatch, model, horizon):
    """A bound on the cache that ``rows`` paths just fit."""
    per_row = 2 * 4 * model.config.d_model * (model.config.n_layers + 1) * horizon
    monkeypatch.setattr(engine_generate, "_MAX_CACHE_BYTES", rows * per_row)


@pytest.mark.parametrize("overflow", ["recompute", "evict"])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 8, 12])
def test_slices_change_no_path_and_every_step_is_counted(networks, monkeypatch, rows, overflow):
    request, sampling, horizon = make_request(3, 12, 6), SamplingConfig(num_paths=4), 6
    whole = futures(networks, request, sampling, max_context=16, context_overflow=overflow)
    assert decode_steps(networks[0], 3, 4, horizon) == horizon
    limited_to(rows, monkeypatch, networks[0], horizon)
    steps = []
    sliced = futures(
        networks, request, sampling, max_context=16, context_overflow=overflow, step_done=lambda: steps.append(1)
    )
    torch.testing.assert_close(sliced, whole, **NEAR)
    wanted = {0: 6, 1: 6, 2: 6, 3: 6, 5: 3, 8: 2, 12: 1}[rows] * horizon  # an even number of paths at once
    assert len(steps) == wanted
    assert decode_steps(networks[0], 3, 4, horizon) == wanted


@pytest.mark.parametrize("overflow", ["recompute", "evict"])
@pytest.mark.parametrize("tokens", [1, 12, 30])
def test_encoding_tokens_in_several_passes_changes_no_path(networks, monkeypatch, tokens, overflow):
    request = make_request(2, 12, 9)
    whole = futures(networks, request, max_context=16, context_overflow=overflow)
    monkeypatch.setattr(
        "engine.generation.request._MAX_TOKENS_PER_PASS", tokens
    )  # 0, 2 and 5 tokens of each of six paths
    torch.testing.assert_close(futures(networks, request, max_context=16, context_overflow=overflow), whole, **NEAR)


def test_at_most_32_series_are_prefilled_at_once(networks):
    request, sampling = make_request(33, 5, 2), SamplingConfig(num_paths=1)
    steps = []
    together = futures(networks, request, sampling, step_done=lambda: steps.append(1))
    assert len(steps) == decode_steps(networks[0], 33, 1, 2) == 4
    torch.testing.assert_close(futures(networks, request.slice(32, 33), sampling), together[32:], **NEAR)


def test_what_the_callback_raises_ends_the_run(networks):
    steps = []

    def stop():
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        futures(networks, make_request(1, 10, 8), step_done=stop)
    assert len(steps) == 3


def test_samples_follow_the_models_own_probabilities(networks):
    """The first candle of 4,000 paths against the exact distribution of its coarse token.

    A count is binomial; one of 16 lies 5 standard deviations off with a chance below 1e-5, and the seed is fixed.
    """
    model, tokenizer = networks
    request, sampling = make_request(1, 10, 1), SamplingConfig(num_paths=4_000, temperature=1.3)
    run = GenerationSettings(model, tokenizer, sampling, 32, "recompute", lambda: None)
    with torch.inference_mode():
        ids = tokenizer.encode(request.candles)
        sampled, _ = TokenSampler(run, *ids, request.times).sample(uniforms([5], 4_000, 1))
        logits = model.coarse_logits(model.hidden(*ids, request.times[:, :10])[:, -1])
    probs = np.asarray((logits / 1.3).softmax(-1).double())[0]
    counts = np.bincount(sampled.flatten(), minlength=16)
    deviation = np.sqrt(4_000 * probs * (1 - probs)) + 1
    assert (np.abs(counts - 4_000 * probs) < 5 * deviation).all()
    assert (counts > 0).sum() > 4
