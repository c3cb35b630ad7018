import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import TokenizerConfig
from engine.network.quantizer import BinarySphericalQuantizer, bits_to_ids, ids_to_bits
from tests.support import tiny

S1, S2 = tiny.S1_BITS, tiny.S2_BITS
ALL = torch.cartesian_prod(torch.arange(2**S1), torch.arange(2**S2)).unbind(-1)


@pytest.fixture
def quantizer():
    return BinarySphericalQuantizer(TokenizerConfig(**tiny.TOKENIZER))


def test_bits_are_read_little_endian():
    assert bits_to_ids(torch.tensor([[True, False, False], [False, True, True]])).tolist() == [1, 6]
    assert ids_to_bits(torch.tensor([1, 6]), 3).tolist() == [[True, False, False], [False, True, True]]


@pytest.mark.parametrize("k", [1, 2, 3, 7, 10])
def test_every_id_comes_back_from_its_bits(k):
    ids = torch.arange(2**k)
    bits = ids_to_bits(ids, k)
    assert bits.dtype == torch.bool
    assert bits.shape == (2**k, k)
    assert len({tuple(row) for row in bits.tolist()}) == 2**k
    assert torch.equal(bits_to_ids(bits), ids)


def test_every_code_of_unequal_halves_comes_back_as_its_ids(quantizer):
    coarse, fine = quantizer.ids(quantizer.code(*ALL))
    assert torch.equal(coarse, ALL[0])
    assert torch.equal(fine, ALL[1])


def test_every_code_lies_on_the_unit_sphere_and_is_unlike_the_others(quantizer):
    codes = quantizer.code(*ALL)
    assert codes.shape == (2 ** (S1 + S2), S1 + S2)
    torch.testing.assert_close(codes.norm(dim=-1), torch.ones(len(codes)))
    assert len(torch.unique(codes.sign(), dim=0)) == len(codes)


def test_the_first_bits_are_the_coarse_token(quantizer):
    code = quantizer.code(torch.tensor(2**S1 - 1), torch.tensor(0))
    assert code.sign().tolist() == [1.0] * S1 + [-1.0] * S2


def test_only_the_signs_of_a_latent_count(quantizer):
    z = torch.randn(50, S1 + S2, generator=tiny.seeded(0))
    for scaled in (z * 1e-6, z * 1e6, F.normalize(z, dim=-1)):
        for one, other in zip(quantizer.ids(z), quantizer.ids(scaled), strict=True):
            assert torch.equal(one, other)


def test_training_sees_the_code_of_the_ids(quantizer):
    z = torch.randn(3, 40, S1 + S2, generator=tiny.seeded(1))
    torch.testing.assert_close(quantizer(z).code, quantizer.code(*quantizer.ids(z)), rtol=0, atol=1e-6)


def test_the_gradient_passes_straight_through(quantizer):
    """Backward, the code is the scaled direction of the latent: the signs are no obstacle."""
    z = torch.randn(5, S1 + S2, generator=tiny.seeded(2), requires_grad=True)
    weights = torch.randn(5, S1 + S2, generator=tiny.seeded(3))
    (through,) = torch.autograd.grad((quantizer(z).code * weights).sum(), z)
    (plain,) = torch.autograd.grad((F.normalize(z, dim=-1) * weights).sum() * (S1 + S2) ** -0.5, z)
    torch.testing.assert_close(through, plain)
    assert through.abs().min() > 0


def plain_loss(z, config, inverse_temperature):
    """The commitment and entropy terms, with the soft assignment spelled out code by code."""
    z = z.reshape(-1, z.shape[-1]).astype(np.float64)
    z /= np.linalg.norm(z, axis=-1, keepdims=True)
    K = z.shape[-1]
    nearest = np.where(z > 0, 1, -1) / np.sqrt(K)
    commitment = ((nearest - z) ** 2).sum(-1).mean()
    codes = np.array(list(itertools.product((-1, 1), repeat=K))) / np.sqrt(K)
    scores = 2 * inverse_temperature * z @ codes.T
    soft = np.exp(scores - scores.max(-1, keepdims=True))
    soft /= soft.sum(-1, keepdims=True)
    each = -(soft * np.log(soft)).sum(-1).mean()
    ones = (soft[:, :, None] * (codes > 0)).sum(1).mean(0)  # chance that each bit is set, over all samples
    together = -(ones * np.log(ones) + (1 - ones) * np.log(1 - ones)).sum()
    entropy = config.gamma0 * each - config.gamma * together
    return config.beta * commitment + config.zeta * entropy / inverse_temperature


@pytest.mark.parametrize("inverse_temperature", [1.0, 3.0])
def test_the_loss_is_its_plain_twin(inverse_temperature):
    config = TokenizerConfig(**(tiny.TOKENIZER | {"beta": 0.3, "gamma0": 0.8, "gamma": 1.7, "zeta": 0.6}))
    z = torch.randn(2, 9, S1 + S2, generator=tiny.seeded(4)) + 0.3
    loss = BinarySphericalQuantizer(config, inverse_temperature)(z).loss
    assert float(loss) == pytest.approx(plain_loss(z.numpy(), config, inverse_temperature), abs=1e-5)


def test_the_group_size_changes_no_number():
    z = torch.randn(2, 9, S1 + S2, generator=tiny.seeded(5))
    losses = {
        float(BinarySphericalQuantizer(TokenizerConfig(**(tiny.TOKENIZER | {"group_size": size})))(z).loss)
        for size in (1, 7)
    }
    assert len(losses) == 1


def test_the_loss_pulls_latents_towards_their_codes():
    config = TokenizerConfig(**(tiny.TOKENIZER | {"zeta": 0.0, "beta": 1.0}))
    quantizer = BinarySphericalQuantizer(config)
    codes = quantizer.code(*ALL)
    assert float(quantizer(codes).loss) == pytest.approx(0.0, abs=1e-9)
    assert float(quantizer(codes + 0.2 * torch.randn(codes.shape, generator=tiny.seeded(6))).loss) > 0.05
