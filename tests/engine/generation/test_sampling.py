import math

import numpy as np
import pytest
import torch

from engine import SamplingConfig
from engine.generation.sampling import probabilities, sample_token, uniforms
from tests.support import tiny

LOGITS = torch.randn(6, 64, generator=tiny.seeded(0)) * 2
CONFIGS = [
    SamplingConfig(),
    SamplingConfig(temperature=0.6, top_p=0.9),
    SamplingConfig(temperature=1.5, top_p=0.99),
    SamplingConfig(top_k=5),
    SamplingConfig(top_k=5, top_p=0.6),
    SamplingConfig(temperature=0.3, top_k=40, top_p=0.3),
    SamplingConfig(top_p=1e-6),
    SamplingConfig(min_p=0.05),
    SamplingConfig(temperature=0.7, top_k=20, top_p=0.8, min_p=0.1),
]


def twin(row, config):
    """Plain numpy: temperature, top-k, min-p, nucleus by the mass before a token, rescale."""
    row = row.astype(np.float64) / config.temperature
    order = np.argsort(-row, kind="stable")
    if config.top_k is not None:
        order = order[: config.top_k]
    p = np.exp(row[order] - row[order].max())
    p /= p.sum()
    p[p < (config.min_p or 0) * p.max()] = 0.0
    before = np.concatenate(([0.0], np.cumsum(p)[:-1]))
    p[before > config.nucleus] = 0.0
    out = np.zeros(len(row))
    out[order] = p / p.sum()
    return out


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_chances_are_their_plain_twin(config):
    got = probabilities(LOGITS, config).numpy()
    for row, p in zip(LOGITS.numpy(), got, strict=True):
        np.testing.assert_allclose(p, twin(row, config), atol=1e-6)
        assert ((p > 0) == (twin(row, config) > 0)).all()


def test_top_k_and_nucleus_both_count():
    """The reference forgets the nucleus once top-k is set."""
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    assert (probabilities(logits, SamplingConfig(top_k=3)) > 0).tolist() == [[True, True, True, False]]
    assert (probabilities(logits, SamplingConfig(top_p=0.9)) > 0).tolist() == [[True, True, True, False]]
    assert (probabilities(logits, SamplingConfig(top_k=3, top_p=0.6)) > 0).tolist() == [[True, True, False, False]]
    # the nucleus counts what top-k has left: 0.5 of 0.95 is already more than 0.51
    assert (probabilities(logits, SamplingConfig(top_k=3, top_p=0.51)) > 0).tolist() == [[True, False, False, False]]
    assert (probabilities(logits, SamplingConfig(top_k=1, top_p=0.99)) > 0).tolist() == [[True, False, False, False]]


def test_the_token_that_crosses_the_nucleus_stays():
    logits = torch.tensor([[0.6, 0.25, 0.1, 0.05]]).log()
    kept = probabilities(logits, SamplingConfig(top_p=0.7))[0]
    np.testing.assert_allclose(kept, [0.6 / 0.85, 0.25 / 0.85, 0, 0], atol=1e-6)


@pytest.mark.parametrize(
    "config", [SamplingConfig(top_p=None), SamplingConfig(top_p=1.0), SamplingConfig(top_k=64), SamplingConfig(min_p=0)]
)
def test_filters_that_are_off_change_nothing(config):
    assert torch.equal(probabilities(LOGITS, config), probabilities(LOGITS, SamplingConfig()))
    torch.testing.assert_close(probabilities(LOGITS, config), LOGITS.softmax(-1))


def test_min_p_drops_what_is_far_less_likely_than_the_likeliest():
    logits = torch.tensor([[0.6, 0.3, 0.061, 0.039]]).log()
    np.testing.assert_allclose(
        probabilities(logits, SamplingConfig(min_p=0.1))[0], np.array([600, 300, 61, 0]) / 961, atol=1e-6
    )
    # after the temperature: at 0.5 the third is 0.01 of the first
    hot = probabilities(logits, SamplingConfig(min_p=0.1, temperature=0.5))[0]
    assert (hot > 0).tolist() == [True, True, False, False]


def test_temperature_zero_is_greedy_whatever_the_number():
    config = SamplingConfig(temperature=0.0, top_k=3, top_p=0.5)
    wanted = LOGITS.argmax(-1)
    assert torch.equal(probabilities(LOGITS, config).argmax(-1), wanted)
    assert probabilities(LOGITS, config).sum() == len(LOGITS)
    for number in (0.0, 0.5, 0.99999994):
        assert torch.equal(sample_token(LOGITS, config, torch.full((6,), number)), wanted)


def test_the_logits_are_not_changed():
    before = LOGITS.clone()
    for config in [*CONFIGS, SamplingConfig(temperature=0.0)]:
        probabilities(LOGITS, config)
        sample_token(LOGITS, config, torch.rand(6, generator=tiny.seeded(1)))
    assert torch.equal(before, LOGITS)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("number", [0.0, 0.5, 0.99999994])
def test_a_token_without_a_chance_is_never_drawn(config, number):
    drawn = sample_token(LOGITS, config, torch.full((6,), number))
    assert (probabilities(LOGITS, config).gather(1, drawn[:, None]) > 0).all()


@pytest.mark.parametrize("number", [0.0, 0.99999994])
def test_impossible_tokens_at_both_ends_are_never_drawn(number):
    logits = torch.full((1, 9), float("-inf"))
    logits[0, [3, 5]] = 0.0
    assert sample_token(logits, SamplingConfig(), torch.tensor([number])).item() == (3 if number == 0 else 5)


def test_drawing_inverts_the_distribution_function_in_token_order():
    logits = torch.tensor([[0.2, 0.0, 0.5, 0.3]]).log().expand(6, -1)
    numbers = torch.tensor([0.0, 0.19, 0.21, 0.69, 0.71, 0.999])
    assert sample_token(logits, SamplingConfig(), numbers).tolist() == [0, 0, 2, 2, 3, 3]


@pytest.mark.parametrize("config", CONFIGS[1:5], ids=str)
def test_draws_come_as_often_as_their_chances_say(config):
    """Every count of 50,000 lies within 6 of its standard deviations.

    A count is binomial; by Bernstein's inequality one such deviation has a chance below 2 exp(-18 / (1 + 2 / s)), where
    s >= 30 is the standard deviation of counts with a mean above 900: below 1e-7 each, 2e-5 for 64 tokens and 4
    settings. Rarer tokens are counted together. The seed is fixed, so that the test does not waver.
    """
    draws = 50_000
    logits = LOGITS[:1]
    p = probabilities(logits, config)[0].double().numpy()
    numbers = torch.rand(draws, generator=tiny.seeded(5))
    counts = np.bincount(sample_token(logits.expand(draws, -1), config, numbers).numpy(), minlength=64)
    often = p * draws > 900
    assert counts[p == 0].sum() == 0
    for seen, chance in [*zip(counts[often], p[often], strict=True), (counts[~often].sum(), p[~often].sum())]:
        assert abs(seen - draws * chance) <= 6 * max(30, math.sqrt(draws * chance * (1 - chance)))
    assert abs(counts.sum() - draws) == 0


# ------------------------------------------------------------------------------------------------ a wide nucleus


@pytest.mark.parametrize("nucleus", [0.2, 0.5, 0.9, 0.999])
def test_a_nucleus_of_more_than_128_tokens_is_its_plain_twin(nucleus):
    logits = torch.randn(4, 1024, generator=tiny.seeded(2)) * torch.tensor([[0.1], [0.5], [1.0], [6.0]])
    config = SamplingConfig(top_p=nucleus)
    got = probabilities(logits, config).numpy()
    sizes = (got > 0).sum(-1)
    assert sizes[0] > 128 > sizes[3]  # both ways are taken in one batch
    for row, p in zip(logits.numpy(), got, strict=True):
        wanted = twin(row, config)
        # single and double precision may disagree on the one token at the edge
        assert abs(int((p > 0).sum()) - int((wanted > 0).sum())) <= 1
        np.testing.assert_allclose(p, wanted, atol=2 * wanted[wanted > 0].min())


def test_a_row_is_the_same_alone_and_beside_one_that_needs_a_full_sort():
    narrow, flat = torch.randn(1, 1024, generator=tiny.seeded(3)) * 6, torch.zeros(1, 1024)
    config = SamplingConfig(top_p=0.9)
    assert torch.equal(probabilities(narrow, config), probabilities(torch.cat((narrow, flat)), config)[:1])


def test_a_row_is_drawn_the_same_alone_and_in_a_batch():
    logits = torch.randn(40, 1024, generator=tiny.seeded(4)) * 3
    numbers = torch.rand(40, generator=tiny.seeded(5))
    config = SamplingConfig(temperature=0.8, top_k=500, top_p=0.95)
    together = sample_token(logits, config, numbers)
    alone = torch.cat([sample_token(logits[i : i + 1], config, numbers[i : i + 1]) for i in range(40)])
    assert torch.equal(together, alone)


# ------------------------------------------------------------------------------------------------------ uniforms


def test_uniform_numbers_lie_in_the_half_open_interval():
    numbers = uniforms([1, 2], 500, 7)
    assert numbers.shape == (2, 500, 7, 2)
    assert numbers.dtype == torch.float32
    assert 0 <= numbers.min() < 0.01
    assert 0.99 < numbers.max() < 1


@pytest.mark.parametrize("few", [1, 2, 3, 7, 16])
def test_the_first_paths_do_not_depend_on_how_many_there_are(few):
    assert torch.equal(uniforms([3], 40, 5)[:, :few], uniforms([3], few, 5))


def test_a_series_numbers_depend_on_its_own_seed_only():
    together = uniforms([7, 8, 7], 4, 5)
    assert torch.equal(together[:1], uniforms([7], 4, 5))
    assert torch.equal(together[0], together[2])
    assert not torch.equal(together[0], together[1])


def test_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    uniforms([7], 4, 5)
    assert torch.equal(before, torch.random.get_rng_state())
