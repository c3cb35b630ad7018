import numpy as np
import pandas as pd
import pytest
import torch

from engine import ConfigError, InvalidCandlesError, SamplingConfig
from engine.features import candle_values, compute_stats, time_features
from engine.generation.generate import generate
from engine.generation.request import GenerationRequest
from engine.generation.sampling import probabilities, sample_token
from engine.surprisal import MIN_HISTORY, Surprisal, _moments, score_surprisal, token_log_probs
from tests.support import tiny

LAST = 9
PLAIN = SamplingConfig(temperature=1.0, top_p=1.0)


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor()


def stepwise(model, coarse, fine, times, last):
    """What ``generate`` would draw from at each of the last steps: prefill, then one token pair more at a time."""
    start = coarse.shape[1] - last
    found = []
    with torch.inference_mode():
        hidden, cache = model.prefill(coarse[:, :start], fine[:, :start], times[:, :start])
        hidden, cache = hidden.unsqueeze(1), cache.expand(1, last)  # [B, N = 1, 1, D]
        for t in range(start, coarse.shape[1]):
            now = hidden[:, :, -1]
            of_fine = model.fine_logits(now, coarse[:, t, None], cache)
            found.append([probabilities(logits[:, 0], PLAIN) for logits in (model.coarse_logits(now), of_fine)])
            here = slice(t, t + 1)
            hidden = model.extend(coarse[:, None, here], fine[:, None, here], times[:, None, here], cache)
    return [torch.stack(parts, dim=1) for parts in zip(*found, strict=True)]


@pytest.mark.parametrize(("length", "last"), [(20, 1), (20, 9), (3, 2), (31, 30)])
def test_it_is_the_distribution_that_generate_draws_from(length, last):
    model, ids = tiny.model(), tiny.ids(3, length)
    one_pass = token_log_probs(model, *ids, last)
    for mine, theirs in zip(one_pass, stepwise(model, *ids, last), strict=True):
        assert mine.shape == theirs.shape
        torch.testing.assert_close(mine.exp().float(), theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("overflow", ["recompute", "evict"])
def test_generate_itself_hands_these_distributions_to_the_draw(monkeypatch, overflow):
    model, tokenizer = tiny.model(), tiny.tokenizer()
    seen = []

    def recording(logits, config, uniform):
        ids = sample_token(logits, config, uniform)
        seen.append((probabilities(logits, config), ids))
        return ids

    monkeypatch.setattr("engine.generation.path_sampler.sample_token", recording)
    candles, times = tiny.zscores(2, 14), tiny.ids(2, 14 + LAST)[2]
    question = GenerationRequest(candles, times, [1, 2])
    one = SamplingConfig(num_paths=1, temperature=1.0, top_p=1.0)
    generate(model, tokenizer, question, one, max_context=32, context_overflow=overflow, on_step=lambda: None)
    context = tokenizer.encode(candles)
    ids = [torch.cat((context[half], *(drawn[:, None] for _, drawn in seen[half::2])), dim=1) for half in (0, 1)]
    for half, mine in enumerate(token_log_probs(model, *ids, times, LAST)):
        theirs = torch.stack([likely for likely, _ in seen[half::2]], dim=1)
        torch.testing.assert_close(mine.exp().float(), theirs, rtol=1e-4, atol=1e-6)


def test_it_is_not_the_distribution_of_training():
    """Training turns queries and keys; sampling does not. The test would be void if both were the same."""
    model, (coarse, fine, times) = tiny.model(), tiny.ids(3, 20)
    with torch.inference_mode():
        turned = model(coarse[:, :-1], fine[:, :-1], times[:, :-1], coarse[:, 1:]).fine[:, -LAST:].log_softmax(-1)
    _, of_fine = token_log_probs(model, coarse, fine, times, LAST)
    assert (of_fine - turned).abs().amax(-1).min() > 1e-3


def test_candles_are_judged_by_what_is_known_before_them(predictor):
    """Statistics, tokens and likelihoods as if the last candles were a path sampled after the others."""
    frame = tiny.candles(25)
    [found] = score_surprisal(predictor, [frame], num_candles=LAST)
    values = candle_values(frame)
    normalised = compute_stats(values[:-LAST]).normalize(values)
    ids = predictor.tokenizer.encode(torch.from_numpy(normalised)[None])
    of_coarse, of_fine = stepwise(predictor.model, *ids, torch.from_numpy(time_features(frame.index))[None], LAST)
    for nll, of_token, tokens in ((found.coarse, of_coarse, ids[0]), (found.fine, of_fine, ids[1])):
        wanted = -of_token[0].gather(-1, tokens[0, -LAST:, None]).log().squeeze(-1)
        np.testing.assert_allclose(nll, wanted.numpy(), rtol=1e-4)
    entropy = sum(-(p * p.log()).sum(-1) for p in (of_coarse[0], of_fine[0]))
    np.testing.assert_allclose(found.entropy, entropy.numpy(), rtol=1e-4)
    assert list(found.index) == list(frame.index[-LAST:])


def test_what_was_sampled_is_as_likely_as_the_model_says(predictor):
    """Over many tokens drawn from the model, the excess has mean zero and the standard deviation that is given."""
    model, (coarse, fine, times) = predictor.model, tiny.ids(1, 6)
    of_coarse, _ = token_log_probs(model, coarse, fine, times, 1)
    drawn = torch.multinomial(of_coarse[0, 0].exp(), 4_000, replacement=True, generator=tiny.seeded(1))
    rows = [x.expand(4_000, *x.shape[1:]).clone() for x in (coarse, fine, times)]
    rows[0][:, -1] = drawn
    _, of_fine = token_log_probs(model, *rows, 1)
    rows[1][:, -1] = torch.multinomial(of_fine[:, 0].exp(), 1, generator=tiny.seeded(2))[:, 0]
    nll, entropy, variance = sum(
        _moments(part.expand(4_000, -1, -1), ids[:, -1:]) for part, ids in zip((of_coarse, of_fine), rows, strict=False)
    )
    apart = (nll - entropy)[:, 0]
    assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(4_000)
    assert apart.std() == pytest.approx(np.sqrt(variance.mean()), rel=0.1)


def test_frames_of_any_length_come_out_as_they_would_alone(predictor):
    frames = [tiny.candles(length, seed) for seed, length in enumerate((25, 30, 25, 60, 12))]
    together = score_surprisal(predictor, frames, num_candles=LAST)
    for frame, found in zip(frames, together, strict=True):
        [alone] = score_surprisal(predictor, [frame], num_candles=LAST)
        np.testing.assert_allclose(found.nll, alone.nll, rtol=1e-4)
        np.testing.assert_allclose(found.entropy, alone.entropy, rtol=1e-4)


def test_many_frames_are_read_in_several_passes(predictor, monkeypatch):
    frames = [tiny.candles(25, seed) for seed in range(5)]
    whole = score_surprisal(predictor, frames, num_candles=LAST)
    monkeypatch.setattr("engine.surprisal._MAX_TOKENS_PER_PASS", 50)
    for one, other in zip(whole, score_surprisal(predictor, frames, num_candles=LAST), strict=True):
        np.testing.assert_allclose(one.nll, other.nll, rtol=1e-4)


def test_the_window_is_what_the_model_sees(predictor):
    frame = tiny.candles(tiny.MAX_CONTEXT + 40)
    [long], [window] = (
        score_surprisal(predictor, [one], num_candles=LAST) for one in (frame, frame.iloc[-tiny.MAX_CONTEXT :])
    )
    np.testing.assert_array_equal(long.nll, window.nll)


def test_a_later_candle_never_moves_an_earlier_figure(predictor):
    frame = tiny.candles(25)
    other = frame.copy()
    other.iloc[-3:, :4] *= 1.5
    [one], [two] = (score_surprisal(predictor, [x], num_candles=LAST) for x in (frame, other))
    np.testing.assert_allclose(one.nll[:-3], two.nll[:-3], rtol=1e-5)
    assert (one.nll[-3:] != two.nll[-3:]).any()
    assert two.clipped[-3:].all()
    assert list(two.clipped[:-3]) == list(one.clipped[:-3])


def test_units_do_not_matter(predictor):
    frame = tiny.candles(25)
    other = frame * 1024.0
    other["amount"] *= 1024.0
    [one], [two] = (score_surprisal(predictor, [x], num_candles=LAST) for x in (frame, other))
    np.testing.assert_allclose(one.nll, two.nll, rtol=1e-2)  # the small constant in the scale is what differs


def test_its_threads_share_nothing_and_torch_keeps_no_graph(predictor):
    before = {name: tensor.clone() for name, tensor in predictor.model.state_dict().items()}
    [found] = score_surprisal(predictor, [tiny.candles(25)], num_candles=LAST)
    assert found.nll.dtype == np.float64
    assert all(torch.equal(tensor, before[name]) for name, tensor in predictor.model.state_dict().items())


def made(coarse, entropy, spread):
    k = len(coarse)
    index = pd.date_range("2024-01-01", periods=k, freq="h")
    arrays = {"coarse": coarse, "entropy": entropy, "std": spread, "fine": np.zeros(k), "clipped": np.zeros(k, bool)}
    return Surprisal(index=index, **{name: np.asarray(values) for name, values in arrays.items()})


def test_percentiles_count_who_surprised_less_and_ties_by_half():
    found = made([5.0, 1.0, 1.0, 9.0], [0.0, 0.0, 0.0, 7.0], [1.0, 2.0, 1.0, 1.0])
    np.testing.assert_allclose(found.excess_nll, [5.0, 1.0, 1.0, 2.0])
    np.testing.assert_allclose(found.percentile, [0.875, 0.25, 0.25, 0.625])
    np.testing.assert_allclose(found.zscore, [5.0, 0.5, 1.0, 2.0])


def test_a_certain_model_is_surprised_without_bound_or_not_at_all():
    np.testing.assert_array_equal(made([0.0, 3.0], [0.0, 0.0], [0.0, 0.0]).zscore, [0.0, np.inf])


def test_a_candle_out_of_nowhere_stands_out_on_the_bundled_model():
    """The weights that ship with the project, on candles of a calm random walk with one crash in it."""
    from engine import KronosPredictor

    predictor = KronosPredictor.from_pretrained("bundled", device="cpu")
    frame = tiny.candles(300, seed=5)
    at = len(frame) - 20
    frame.iloc[at, [2, 3]] *= 0.9  # low and close
    frame.iloc[at + 1 :, :4] *= 0.9
    [found] = score_surprisal(predictor, [frame], num_candles=60)
    assert found.excess_nll.argmax() == 40
    assert found.percentile[40] > 0.98
    assert found.zscore[40] > 3


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (tiny.candles(25).reset_index(drop=True), "indexed by bar time"),
        (tiny.candles(25).iloc[::-1], "oldest first"),
        (tiny.candles(25).drop(columns="close"), "missing: close"),
        (tiny.candles(LAST + MIN_HISTORY - 1), "at least 2 rows before the 9"),
        (tiny.candles(25).assign(open=np.inf), "finite"),
    ],
)
def test_what_cannot_be_judged_is_refused(predictor, frame, what):
    with pytest.raises(InvalidCandlesError, match=what):
        score_surprisal(predictor, [frame], num_candles=LAST)


@pytest.mark.parametrize("last", [0, -1, tiny.MAX_CONTEXT - 1, 2.0, True])
def test_a_number_of_candles_out_of_range_is_refused(predictor, last):
    with pytest.raises(ConfigError, match=r"num_candles must be 1 to 30"):
        score_surprisal(predictor, [tiny.candles(25)], num_candles=last)


def test_a_model_in_training_mode_is_refused():
    predictor = tiny.predictor()
    predictor.model.train()
    with pytest.raises(ConfigError, match="evaluation mode"):
        score_surprisal(predictor, [tiny.candles(25)], num_candles=LAST)


def test_no_frames_no_figures(predictor):
    assert score_surprisal(predictor, [], num_candles=LAST) == []
