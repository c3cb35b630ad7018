import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import SamplingConfig
from engine.generation import generate as engine_generate
from engine.generation.generate import Question, decode_steps, generate
from engine.generation.sampling import draw, uniforms
from tests.support import tiny

SAMPLING = SamplingConfig(num_paths=3, temperature=0.9, top_p=0.95)
NEAR = {"rtol": 0.0, "atol": 1e-4}


@pytest.fixture(scope="module")
def halves():
    return tiny.model().requires_grad_(False), tiny.tokenizer().requires_grad_(False)


def asked(series, context, horizon, seed=0):
    times = tiny.ids(series, context + horizon, seed)[2]
    return Question(tiny.normalised(series, context, seed), times, list(range(seed, seed + series)))


def futures(halves, question, sampling=SAMPLING, *, max_context=32, policy="exact", step_done=lambda: None):
    return generate(*halves, question, sampling, max_context=max_context, policy=policy, step_done=step_done)


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


def plainly(halves, question, sampling, max_context, policy):
    """Every path by itself, every step from the beginning, nothing kept: float32 [B, N, H, 6]."""
    model, tokenizer = halves
    read = window_logits if policy == "exact" else banded_hidden
    B, T = question.candles.shape[:2]
    out = torch.empty(B, sampling.num_paths, question.horizon, 6)
    with torch.no_grad():
        for b in range(B):
            context = tokenizer.encode(question.candles[b : b + 1])
            numbers = uniforms([question.seeds[b]], sampling.num_paths, question.horizon)[0]
            for n in range(sampling.num_paths):
                coarse, fine = context
                for step in range(question.horizon):
                    hidden = read(model, coarse, fine, question.times[b : b + 1, : T + step], max_context)
                    new_coarse = draw(model.coarse_logits(hidden[:, -1]), sampling, numbers[n, step, :1])
                    new_fine = draw(fine_logits(model, hidden, new_coarse), sampling, numbers[n, step, 1:])
                    coarse, fine = torch.cat((coarse, new_coarse[None]), 1), torch.cat((fine, new_fine[None]), 1)
                window = slice(-max_context, None)
                out[b, n] = tokenizer.decode(coarse[:, window], fine[:, window])[0, -question.horizon :]
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
def test_exact_paths_are_those_of_reading_every_window_anew(halves, past, horizon):
    question = asked(2, past, horizon)
    got = futures(halves, question, max_context=16)
    torch.testing.assert_close(got, plainly(halves, question, SAMPLING, 16, "exact"), **NEAR)


@pytest.mark.parametrize(("past", "horizon"), [(10, 6), (13, 8), (16, 5), (9, 16), (1, 16)])
def test_rolling_paths_are_those_of_a_moving_band_of_attention(halves, past, horizon):
    question = asked(2, past, horizon)
    got = futures(halves, question, max_context=16, policy="roll")
    torch.testing.assert_close(got, plainly(halves, question, SAMPLING, 16, "roll"), **NEAR)


def test_rolling_is_exact_while_nothing_slides(halves):
    question = asked(2, 10, 7)  # the last token is drawn from a window of 16
    assert torch.equal(*(futures(halves, question, max_context=16, policy=policy) for policy in ("exact", "roll")))


def test_rolling_is_something_else_once_the_window_slides(halves):
    question = asked(2, 13, 12)
    exact, roll = (futures(halves, question, max_context=16, policy=policy) for policy in ("exact", "roll"))
    torch.testing.assert_close(exact[:, :, :3], roll[:, :, :3], **NEAR)
    assert (exact - roll).abs().max() > 1e-2


# --------------------------------------------------------------------------------------------------- paths and seeds


def test_futures_have_their_shape_and_type(halves):
    got = futures(halves, asked(2, 10, 5))
    assert got.shape == (2, 3, 5, 6)
    assert got.dtype == torch.float32
    assert got.isfinite().all()


@pytest.mark.parametrize("policy", ["exact", "roll"])
def test_shared_contexts_give_what_separate_copies_give(halves, policy):
    """N paths of one series, and N copies of the series with a path each."""
    question = asked(1, 14, 6)
    together = futures(halves, question, max_context=16, policy=policy)[0]
    model, tokenizer = halves
    numbers = uniforms(question.seeds, 3, 6)
    copies = Question(question.candles.expand(3, -1, -1), question.times.expand(3, -1, -1), [0] * 3)
    run = engine_generate._Run(model, tokenizer, SAMPLING, 16, policy, lambda: None)
    with torch.inference_mode():
        ids = tokenizer.encode(copies.candles)
        sampler = engine_generate._Sampler(run, *ids, copies.times)
        decoder = engine_generate._Decoder(run, *ids, copies)
        apart = decoder.decode(*sampler.sample(numbers.transpose(0, 1)))
    torch.testing.assert_close(together, apart[:, 0], **NEAR)


@pytest.mark.parametrize("few", [1, 2, 5])
def test_the_first_paths_do_not_depend_on_how_many_are_asked_for(halves, few):
    question = asked(2, 10, 5)
    some, more = (futures(halves, question, SamplingConfig(num_paths=n)) for n in (few, 9))
    torch.testing.assert_close(some, more[:, :few], **NEAR)


def test_a_series_comes_out_alone_as_beside_others(halves):
    question = asked(4, 10, 5)
    together = futures(halves, question)
    for b in range(4):
        torch.testing.assert_close(futures(halves, question.series(b, b + 1)), together[b : b + 1], **NEAR)


def test_paths_differ_and_seeds_count(halves):
    question = asked(1, 10, 8)
    other = Question(question.candles, question.times, [99])
    one, again, two = futures(halves, question), futures(halves, question), futures(halves, other)
    assert torch.equal(one, again)
    assert not torch.equal(one, two)
    assert not torch.equal(one[0, 0], one[0, 1])


def test_greedy_paths_are_all_one_whatever_the_seed(halves):
    question = asked(1, 10, 8)
    greedy = SamplingConfig(num_paths=3, temperature=0.0)
    one, two = (futures(halves, Question(question.candles, question.times, [seed]), greedy) for seed in (1, 2))
    assert torch.equal(one, two)
    assert torch.equal(one[0, 0], one[0, 2])
    narrow = SamplingConfig(num_paths=3, top_k=1)
    torch.testing.assert_close(futures(halves, question, narrow), one, **NEAR)


def test_the_candles_and_times_given_are_left_alone_and_so_is_chance(halves):
    question = asked(2, 14, 6)
    before, state = (question.candles.clone(), question.times.clone()), torch.random.get_rng_state()
    futures(halves, question, max_context=16)
    assert torch.equal(question.candles, before[0])
    assert torch.equal(question.times, before[1])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_future_times_are_read(halves):
    question = asked(1, 10, 8)
    later = question.times.clone()
    later[:, 10:] = (later[:, 10:] + 1) % 7
    first = futures(halves, question)
    moved = futures(halves, Question(question.candles, later, question.seeds))
    assert torch.equal(first[:, :, 0], moved[:, :, 0])  # a bar's own time is not known when it is drawn
    assert not torch.equal(first, moved)


# ------------------------------------------------------------------------------------------------ memory and progress


def limited_to(rows, monkeypatch, model, horizon):
    """A bound on the cache that ``rows`` paths just fit."""
    per_row = 2 * 4 * model.config.d_model * (model.config.n_layers + 1) * horizon
    monkeypatch.setattr(engine_generate, "_MOST_CACHE_BYTES", rows * per_row)


@pytest.mark.parametrize("policy", ["exact", "roll"])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 8, 12])
def test_slices_change_no_path_and_every_step_is_counted(halves, monkeypatch, rows, policy):
    question, sampling, horizon = asked(3, 12, 6), SamplingConfig(num_paths=4), 6
    whole = futures(halves, question, sampling, max_context=16, policy=policy)
    assert decode_steps(halves[0], 3, 4, horizon) == horizon
    limited_to(rows, monkeypatch, halves[0], horizon)
    steps = []
    sliced = futures(halves, question, sampling, max_context=16, policy=policy, step_done=lambda: steps.append(1))
    torch.testing.assert_close(sliced, whole, **NEAR)
    wanted = {0: 6, 1: 6, 2: 6, 3: 6, 5: 3, 8: 2, 12: 1}[rows] * horizon  # an even number of paths at once
    assert len(steps) == wanted
    assert decode_steps(halves[0], 3, 4, horizon) == wanted


@pytest.mark.parametrize("policy", ["exact", "roll"])
@pytest.mark.parametrize("tokens", [1, 12, 30])
def test_reading_tokens_in_several_passes_changes_no_path(halves, monkeypatch, tokens, policy):
    question = asked(2, 12, 9)
    whole = futures(halves, question, max_context=16, policy=policy)
    monkeypatch.setattr(engine_generate, "_MOST_TOKENS", tokens)  # 0, 2 and 5 tokens of each of six paths
    torch.testing.assert_close(futures(halves, question, max_context=16, policy=policy), whole, **NEAR)


def test_at_most_32_series_are_read_at_once(halves):
    question, sampling = asked(33, 5, 2), SamplingConfig(num_paths=1)
    steps = []
    together = futures(halves, question, sampling, step_done=lambda: steps.append(1))
    assert len(steps) == decode_steps(halves[0], 33, 1, 2) == 4
    torch.testing.assert_close(futures(halves, question.series(32, 33), sampling), together[32:], **NEAR)


def test_what_the_callback_raises_ends_the_run(halves):
    steps = []

    def stop():
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        futures(halves, asked(1, 10, 8), step_done=stop)
    assert len(steps) == 3


def test_draws_follow_the_models_own_chances(halves):
    """The first candle of 4,000 paths against the exact distribution of its coarse token.

    A count is binomial; one of 16 lies 5 standard deviations off with a chance below 1e-5, and the seed is fixed.
    """
    model, tokenizer = halves
    question, sampling = asked(1, 10, 1), SamplingConfig(num_paths=4_000, temperature=1.3)
    run = engine_generate._Run(model, tokenizer, sampling, 32, "exact", lambda: None)
    with torch.inference_mode():
        ids = tokenizer.encode(question.candles)
        drawn, _ = engine_generate._Sampler(run, *ids, question.times).sample(uniforms([5], 4_000, 1))
        logits = model.coarse_logits(model.hidden(*ids, question.times[:, :10])[:, -1])
    chances = np.asarray((logits / 1.3).softmax(-1).double())[0]
    counts = np.bincount(drawn.flatten(), minlength=16)
    deviation = np.sqrt(4_000 * chances * (1 - chances)) + 1
    assert (np.abs(counts - 4_000 * chances) < 5 * deviation).all()
    assert (counts > 0).sum() > 4
