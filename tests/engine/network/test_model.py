import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import Kronos, ModelConfig
from tests.support import tiny

V1, V2 = 2**tiny.S1_BITS, 2**tiny.S2_BITS
MODES = pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])


@pytest.fixture
def model():
    return tiny.model()


# ---------------------------------------------------------------------------------------------- sizes and beginnings

GEOMETRIES = {
    "mini": (4, 256, 4, 512, 4_108_032),
    "small": (8, 512, 8, 1024, 24_741_376),
    "base": (12, 832, 16, 2048, 102_310_592),
    "large": (18, 1664, 32, 3072, 499_246_976),
}


def on_meta(layers, width, heads, ff_dim, bits):
    config = ModelConfig(n_layers=layers, d_model=width, n_heads=heads, ff_dim=ff_dim, s1_bits=bits[0], s2_bits=bits[1])
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in Kronos(config).parameters())


@pytest.mark.parametrize(("layers", "width", "heads", "ff_dim", "count"), GEOMETRIES.values(), ids=GEOMETRIES)
def test_a_published_geometry_has_its_parameters(layers, width, heads, ff_dim, count):
    assert on_meta(layers, width, heads, ff_dim, (10, 10)) == count


@pytest.mark.parametrize(("layers", "d", "heads", "f", "bits"), [(2, 32, 2, 48, (4, 4)), (5, 24, 3, 7, (6, 2))])
def test_the_parameters_follow_the_closed_form(layers, d, heads, f, bits):
    v = 2 ** bits[0] + 2 ** bits[1]
    block = 4 * (d * d + d) + 3 * d * f + 2 * d
    dependency = 4 * (d * d + d) + d
    wanted = v * d + (2 * d * d + d) + 136 * d + layers * block + d + dependency + (d * v + v)
    assert on_meta(layers, d, heads, f, bits) == wanted


def sinusoids(size, width):
    angles = np.arange(size)[:, None] / 10_000.0 ** (2 * np.arange(width // 2)[None] / width)
    return np.stack((np.sin(angles), np.cos(angles)), axis=-1).reshape(size, width)


def test_fixed_time_embeddings_are_sinusoids_and_stay_so():
    """The reference's initialisation wrote noise over them."""
    model = tiny.model(learn_te=False).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    model.loss(*tiny.ids(2, 8)).total.backward()
    optimiser.step()
    for name, size in {"minute": 60, "hour": 24, "weekday": 7, "day": 32, "month": 13}.items():
        table = model.time_embedding.get_submodule(name).weight
        assert not table.requires_grad
        np.testing.assert_allclose(table.detach(), sinusoids(size, 32), atol=1e-4)


def test_learned_time_embeddings_learn(model):
    model.train().loss(*tiny.ids(2, 8)).total.backward()
    for name in ("minute", "hour", "weekday", "day", "month"):
        assert model.time_embedding.get_submodule(name).weight.grad.abs().max() > 0


def test_every_time_feature_counts(model):
    coarse, fine, times = tiny.ids(1, 6)
    for feature in range(5):
        other = times.clone()
        other[..., feature] = (other[..., feature] + 1) % 7
        moved = (model.hidden(coarse, fine, times) - model.hidden(coarse, fine, other)).abs().max()
        assert moved > 1e-3, feature


def test_every_parameter_learns(model):
    model.train().loss(*tiny.ids(8, 24)).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_training_makes_the_loss_smaller(model):
    ids = tiny.ids(4, 12)
    optimiser = torch.optim.AdamW(model.train().parameters(), lr=1e-2)
    first = float(model.loss(*ids).total.detach())
    for _ in range(25):
        optimiser.zero_grad()
        model.loss(*ids).total.backward()
        optimiser.step()
    assert float(model.loss(*ids).total.detach()) < 0.5 * first


# --------------------------------------------------------------------------------------------------------- causality


def changed_from(tensors, t):
    """The same ids and times up to t, others from t on."""
    sizes = (V1, V2, 7)
    return [torch.cat((x[:, :t], (x[:, t:] + 1) % size), dim=1) for x, size in zip(tensors, sizes, strict=True)]


@MODES
@pytest.mark.parametrize("t", [1, 5, 11])
def test_a_later_token_never_moves_an_earlier_logit(model, training, t):
    ids = tiny.ids(2, 12)
    given = tiny.ids(2, 12, seed=1)[0]
    given_later = torch.cat((given[:, :t], (given[:, t:] + 1) % V1), dim=1)
    model.train(training)
    with torch.no_grad():
        before, after = model(*ids, given), model(*changed_from(ids, t), given_later)
    for one, other in zip(before, after, strict=True):
        moved = (one - other).abs().amax(dim=(0, 2))
        assert moved[:t].max() < 1e-6
        assert moved[t:].min() > 1e-3


@MODES
def test_the_fine_logits_see_the_coarse_token_and_the_past(model, training):
    """In the reference's evaluation the fine token was blind to one or the other, depending on the call."""
    coarse, fine, times = tiny.ids(1, 12)
    given = tiny.ids(1, 12, seed=1)[0]
    older = coarse.clone()
    older[:, 0] = (older[:, 0] + 1) % V1
    asked = given.clone()
    asked[:, 8] = (asked[:, 8] + 1) % V1
    model.train(training)
    with torch.no_grad():
        base = model(coarse, fine, times, given)
        old, new = model(older, fine, times, given), model(coarse, fine, times, asked)
    assert (base.fine - old.fine).abs().amax(-1).min() > 1e-5
    moved = (base.fine - new.fine).abs().amax(-1)[0]
    assert moved[8] > 1e-3
    assert moved[torch.arange(12) != 8].max() == 0
    assert torch.equal(base.coarse, new.coarse)


def test_at_inference_too_the_fine_logits_see_the_coarse_token_and_the_past(model):
    coarse, fine, times = tiny.ids(1, 12)
    older = coarse.clone()
    older[:, 0] = (older[:, 0] + 1) % V1
    with torch.inference_mode():
        hidden, cache = model.prefill(coarse, fine, times)
        cache = cache.expand(2, 1)
        asked = torch.tensor([[3, 4]])
        base = model.fine_logits(hidden.expand(-1, 2, -1), asked, cache)
        assert (base[0, 0] - base[0, 1]).abs().max() > 1e-3
        _, other = model.prefill(older, fine, times)
        moved = model.fine_logits(hidden.expand(-1, 2, -1), asked, other.expand(2, 1))
    assert (base - moved).abs().amax(-1).min() > 1e-5


@MODES
def test_the_loss_of_a_position_knows_nothing_of_what_comes_after(model, training):
    """The reference's validation loss saw the future."""
    ids = tiny.ids(2, 12)
    mask = torch.zeros(2, 11, dtype=torch.bool)
    mask[:, 5] = True  # predicts token 6
    model.train(training)
    with torch.no_grad():
        before, same = model.loss(*ids, loss_mask=mask), model.loss(*changed_from(ids, 7), loss_mask=mask)
        other = model.loss(*changed_from(ids, 6), loss_mask=mask)
    assert abs(float(before.total - same.total)) < 1e-6
    assert abs(float(before.coarse - other.coarse)) > 1e-3
    assert abs(float(before.fine - other.fine)) > 1e-3


# ------------------------------------------------------------------------------------------------ cached = uncached


def own_ids(series, paths, length, seed=3):
    coarse, fine, _ = tiny.ids(series * paths, length, seed)
    return coarse.view(series, paths, length), fine.view(series, paths, length)


@pytest.mark.parametrize("chunks", [(1, 1, 1, 1, 1, 1), (6,), (2, 1, 3)])
@pytest.mark.parametrize("past", [1, 8])
def test_reading_on_from_a_cache_is_reading_the_whole(model, chunks, past):
    coarse, fine, times = tiny.ids(2, past + 6)
    own = own_ids(2, 3, 6)
    parts, start = [], past
    with torch.inference_mode():
        last, cache = model.prefill(coarse[:, :past], fine[:, :past], times[:, :past])
        cache = cache.expand(3, 6)
        for c, f in zip(*(ids.split(chunks, dim=-1) for ids in own), strict=True):
            now = times[:, None, start : start + c.shape[-1]]
            parts.append(model.extend(c, f, now, cache))
            start += c.shape[-1]
        extended = torch.cat(parts, dim=2)
        for b in range(2):
            for n in range(3):
                whole_coarse = torch.cat((coarse[b, :past], own[0][b, n]))[None]
                whole_fine = torch.cat((fine[b, :past], own[1][b, n]))[None]
                whole = model.hidden(whole_coarse, whole_fine, times[b : b + 1])[0]
                torch.testing.assert_close(last[b, 0], whole[past - 1], rtol=1e-4, atol=1e-5)
                torch.testing.assert_close(extended[b, n], whole[past:], rtol=1e-4, atol=1e-5)


def plain_fine_logits(model, hidden, asked):
    """One query over all of ``hidden`` [T, D], neither side turned, four heads; then norm and head. float64."""

    def linear(layer, x):
        return x @ layer.weight.double().T + layer.bias.double()

    hidden, layer = hidden.double(), model.dependency.attention
    q = linear(layer.query, model.embedding.coarse.weight[asked].double())
    k, v = linear(layer.key_value, hidden).chunk(2, dim=-1)
    mixed = []
    for part in torch.arange(hidden.shape[-1]).chunk(4):
        weights = (k[:, part] @ q[part] / math.sqrt(len(part))).softmax(-1)
        mixed.append(weights @ v[:, part])
    x = hidden[-1] + linear(layer.out, torch.cat(mixed))
    x = x / (x.square().mean() + 1e-5).sqrt() * model.dependency.norm.weight.double()
    return linear(model.head.fine, x)


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_the_fine_logits_at_inference_are_their_plain_twin(model, steps):
    coarse, fine, times = tiny.ids(2, 7 + steps)
    own = own_ids(2, 3, steps)
    asked = torch.tensor([[0, 5, 9], [2, 2, 15]])
    with torch.inference_mode():
        hidden, cache = model.prefill(coarse[:, :7], fine[:, :7], times[:, :7])
        hidden, cache = hidden.expand(-1, 3, -1), cache.expand(3, max(steps, 1))
        for t in range(steps):
            now = times[:, None, 7 + t, None]
            hidden = model.extend(own[0][..., t : t + 1], own[1][..., t : t + 1], now, cache)[:, :, -1]
        got = model.fine_logits(hidden, asked, cache)
        for b in range(2):
            for n in range(3):
                whole = model.hidden(
                    torch.cat((coarse[b, :7], own[0][b, n]))[None],
                    torch.cat((fine[b, :7], own[1][b, n]))[None],
                    times[b : b + 1],
                )[0]
                wanted = plain_fine_logits(model, whole, asked[b, n])
                torch.testing.assert_close(got[b, n].double(), wanted, rtol=1e-4, atol=1e-5)


def test_a_shared_prefill_is_as_separate_copies(model):
    coarse, fine, times = tiny.ids(2, 11)
    own = own_ids(2, 4, 3)
    with torch.inference_mode():
        _, one = model.prefill(coarse[:, :8], fine[:, :8], times[:, :8])
        _, many = model.prefill(*(x[:, :8].repeat_interleave(4, 0) for x in (coarse, fine, times)))
        one, many = one.expand(4, 3), many.expand(1, 3)
        together = model.extend(*own, times[:, None, 8:], one)
        apart = model.extend(
            own[0].flatten(0, 1)[:, None],
            own[1].flatten(0, 1)[:, None],
            times[:, 8:].repeat_interleave(4, 0)[:, None],
            many,
        )
        asked = own[0][..., 0]
        fine_together = model.fine_logits(together[:, :, -1], asked, one)
        fine_apart = model.fine_logits(apart[:, :, -1], asked.flatten()[:, None], many)
    torch.testing.assert_close(together.flatten(0, 1), apart[:, 0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(fine_together.flatten(0, 1), fine_apart[:, 0], rtol=1e-5, atol=1e-5)


def test_a_context_within_the_limit_is_read_as_without_one(model):
    coarse, fine, times = tiny.ids(1, 9)
    own = own_ids(1, 2, 1)
    logits = []
    with torch.inference_mode():
        for limit in (None, 10, 9, 4):
            _, cache = model.prefill(coarse[:, :8], fine[:, :8], times[:, :8], limit=limit)
            hidden = model.extend(*own, times[:, None, 8:], cache.expand(2, 1))
            logits.append(model.coarse_logits(hidden))
    assert torch.equal(logits[0], logits[1])
    assert torch.equal(logits[0], logits[2])
    assert (logits[0] - logits[3]).abs().max() > 1e-3


# ------------------------------------------------------------------------------------------------------------ losses


@MODES
def test_the_loss_is_the_mean_cross_entropy_of_both_next_tokens(model, training):
    coarse, fine, times = tiny.ids(3, 12)
    model.train(training)
    with torch.no_grad():
        loss = model.loss(coarse, fine, times)
        logits = model(coarse[:, :-1], fine[:, :-1], times[:, :-1], coarse[:, 1:])
    wanted = []
    for part, ids in ((logits.coarse, coarse), (logits.fine, fine)):
        log_p = np.log(np.asarray(part.double().softmax(-1)))
        picked = np.take_along_axis(log_p, np.asarray(ids[:, 1:, None]), axis=-1)
        wanted.append(-picked.mean())
    assert float(loss.coarse) == pytest.approx(wanted[0], rel=1e-5)
    assert float(loss.fine) == pytest.approx(wanted[1], rel=1e-5)
    assert float(loss.total) == pytest.approx(sum(wanted) / 2, rel=1e-5)


def test_counted_positions_are_those_of_the_mean(model):
    coarse, fine, times = tiny.ids(3, 12)
    mask = torch.rand(3, 11, generator=tiny.seeded(0)) < 0.4
    with torch.no_grad():
        loss = model.loss(coarse, fine, times, loss_mask=mask)
        logits = model(coarse[:, :-1], fine[:, :-1], times[:, :-1], coarse[:, 1:])
    for got, part, ids in ((loss.coarse, logits.coarse, coarse), (loss.fine, logits.fine, fine)):
        each = F.cross_entropy(part.transpose(1, 2), ids[:, 1:], reduction="none")
        assert float(got) == pytest.approx(float(each[mask].mean()), rel=1e-5)


def test_counting_a_whole_row_is_the_loss_of_that_row(model):
    ids = tiny.ids(3, 12)
    mask = torch.zeros(3, 11, dtype=torch.bool)
    mask[1] = True
    with torch.no_grad():
        part, alone = model.loss(*ids, loss_mask=mask), model.loss(*(x[1:2] for x in ids))
        every = model.loss(*ids, loss_mask=torch.ones_like(mask))
        default = model.loss(*ids)
    torch.testing.assert_close(part.total, alone.total)
    assert torch.equal(every.total, default.total)


def test_sampled_coarse_tokens_repeat_with_the_generator(model):
    ids = tiny.ids(3, 12)
    with torch.no_grad():
        runs = [model.loss(*ids, teacher_forcing=False, generator=tiny.seeded(seed)) for seed in (1, 1, 2)]
        forced = model.loss(*ids)
    assert torch.equal(runs[0].fine, runs[1].fine)
    assert runs[0].fine != runs[2].fine
    assert runs[0].fine != forced.fine
    assert torch.equal(runs[0].coarse, forced.coarse)


def test_without_next_tokens_the_coarse_one_is_drawn_from_the_logits(model):
    """A model that is certain of its coarse tokens draws those, and then there is nothing left to chance."""
    ids = tiny.ids(2, 6)
    with torch.no_grad():
        model.head.coarse.weight.mul_(1e4)
        likeliest = model(*ids, generator=tiny.seeded(0)).coarse.argmax(-1)
        assert torch.equal(model(*ids, generator=tiny.seeded(0)).fine, model(*ids, likeliest).fine)


def test_no_gradient_passes_through_the_drawn_token(model):
    model.train().loss(*tiny.ids(2, 6), teacher_forcing=False, generator=tiny.seeded(0)).fine.backward()
    assert model.head.coarse.weight.grad is None


def test_token_dropout_acts_in_training_only():
    model = tiny.model(token_dropout_p=0.5)
    ids = tiny.ids(1, 6)
    with torch.no_grad():
        assert torch.equal(model.hidden(*ids), tiny.model().hidden(*ids))
        torch.manual_seed(0)
        model.train()
        assert (model.hidden(*ids) - model.hidden(*ids)).abs().max() > 1e-2


def test_logits_are_single_precision_from_half_precision_weights(model):
    ids = tiny.ids(1, 6)
    with torch.inference_mode():
        wanted = model(*ids, ids[0])
        got = model.to(torch.bfloat16)(*ids, ids[0])
    for one, other in zip(got, wanted, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, rtol=0.1, atol=0.25)
