import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import KronosTokenizer, TokenizerConfig
from tests.support import tiny

PUBLISHED = {
    "d_model": 256,
    "n_heads": 4,
    "ff_dim": 512,
    "n_enc_layers": 4,
    "n_dec_layers": 4,
    "s1_bits": 10,
    "s2_bits": 10,
    "group_size": 4,
}


@pytest.fixture
def tokenizer():
    return tiny.tokenizer()


def drawn(series, paths, length, seed=0):
    generator = tiny.seeded(seed)
    shape = (series, paths, length)
    return (
        torch.randint(2**tiny.S1_BITS, shape, generator=generator),
        torch.randint(2**tiny.S2_BITS, shape, generator=generator),
    )


def test_the_published_tokenizer_has_its_parameters():
    with torch.device("meta"):
        made = KronosTokenizer(TokenizerConfig(**PUBLISHED))
    assert sum(parameter.numel() for parameter in made.parameters()) == 3_958_042


def test_the_stacks_have_one_block_less_than_their_configuration_says(tokenizer):
    assert (len(tokenizer.encoder), len(tokenizer.decoder)) == (2, 1)


def test_ids_spread_over_both_unequal_vocabularies_and_leave_neither(tokenizer):
    coarse, fine = tokenizer.encode(tiny.zscores(20, 40))
    assert coarse.shape == fine.shape == (20, 40)
    assert coarse.dtype == fine.dtype == torch.int64
    assert set(coarse.unique().tolist()) <= set(range(2**tiny.S1_BITS))
    assert set(fine.unique().tolist()) <= set(range(2**tiny.S2_BITS))
    assert len(coarse.unique()) > 2**tiny.S1_BITS / 2
    assert len(fine.unique()) > 2**tiny.S2_BITS / 2


@pytest.mark.parametrize("training", [False, True])
def test_a_later_candle_never_moves_an_earlier_latent(tokenizer, training):
    candles = tiny.zscores(1, 12)
    other = candles.clone()
    other[:, 7:] = -other[:, 7:]
    moved = (tokenizer.train(training).latents(candles) - tokenizer.latents(other)).abs().amax(-1)[0]
    assert moved[:7].max() < 1e-6
    assert moved[7:].min() > 1e-3


@pytest.mark.parametrize("training", [False, True])
def test_a_later_token_never_moves_an_earlier_reconstruction(tokenizer, training):
    coarse, fine, _ = tiny.ids(1, 12)
    tokenizer.train(training)
    for decode in (tokenizer.decode, lambda c, _: tokenizer.decode_coarse(c)):
        other = coarse.clone()
        other[:, 7:] = (other[:, 7:] + 5) % 2**tiny.S1_BITS
        moved = (decode(coarse, fine) - decode(other, fine)).abs().amax(-1)[0]
        assert moved[:7].max() < 1e-6
        assert moved[7:].min() > 1e-3


@pytest.mark.parametrize("training", [False, True])
def test_a_later_candle_never_moves_what_training_reconstructs(tokenizer, training):
    candles = tiny.zscores(1, 12)
    other = candles.clone()
    other[:, 7:] = -other[:, 7:]
    one, two = tokenizer.train(training)(candles), tokenizer(other)
    for before, after in ((one.coarse, two.coarse), (one.full, two.full)):
        moved = (before - after).abs().amax(-1)[0]
        assert moved[:7].max() < 1e-6
        assert moved[7:].max() > 1e-3


def test_an_old_candle_moves_later_reconstructions(tokenizer):
    coarse, fine, _ = tiny.ids(1, 12)
    other = coarse.clone()
    other[:, 0] = (other[:, 0] + 5) % 2**tiny.S1_BITS
    assert (tokenizer.decode(coarse, fine) - tokenizer.decode(other, fine)).abs().amax(-1)[0].min() > 1e-5


def test_training_reconstructs_what_decoding_the_ids_gives(tokenizer):
    """Also where the halves of a code are unequal, which the reference cannot decode."""
    candles = tiny.zscores(3, 12)
    coarse, fine = tokenizer.encode(candles)
    made = tokenizer(candles)
    torch.testing.assert_close(tokenizer.decode(coarse, fine), made.full, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(tokenizer.decode_coarse(coarse), made.coarse, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(tokenizer.quantizer.code(coarse, fine), made.code)


def test_the_coarse_reconstruction_knows_nothing_of_the_fine_bits(tokenizer):
    coarse, fine, _ = tiny.ids(2, 12)
    assert (tokenizer.decode(coarse, fine) - tokenizer.decode(coarse, fine ^ 1)).abs().max() > 1e-3
    parts = tokenizer.quantizer.code(coarse, fine)[..., : tiny.S1_BITS]
    wanted = tokenizer._decode(tokenizer.from_coarse(parts))
    torch.testing.assert_close(tokenizer.decode_coarse(coarse), wanted)


@pytest.mark.parametrize("chunks", [(5,), (1, 1, 1, 1, 1), (2, 3)])
@pytest.mark.parametrize("past", [0, 1, 9])
def test_paths_that_share_a_decoded_context_come_out_as_alone(tokenizer, past, chunks):
    coarse, fine, _ = tiny.ids(2, past)
    own = drawn(2, 3, 5)
    with torch.inference_mode():
        cache = tokenizer.prefill(coarse, fine)[1].expand(3, 5)
        parts = [
            tokenizer.extend(c, f, cache) for c, f in zip(*(ids.split(chunks, dim=-1) for ids in own), strict=True)
        ]
        together = torch.cat(parts, dim=2)
        for b in range(2):
            for n in range(3):
                whole = tokenizer.decode(
                    torch.cat((coarse[b], own[0][b, n]))[None], torch.cat((fine[b], own[1][b, n]))[None]
                )
                torch.testing.assert_close(together[b, n], whole[0, past:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_tokenizer_without_blocks_works(depth):
    shallow = tiny.tokenizer(n_enc_layers=depth, n_dec_layers=1)
    coarse, fine = shallow.encode(tiny.zscores(2, 6))
    with torch.inference_mode():
        cache = shallow.prefill(coarse[:, :4], fine[:, :4])[1].expand(1, 2)
        extended = shallow.extend(coarse[:, None, 4:], fine[:, None, 4:], cache)
    torch.testing.assert_close(extended[:, 0], shallow.decode(coarse, fine)[:, 4:], rtol=1e-4, atol=1e-6)


def test_the_loss_is_half_the_sum_of_its_parts(tokenizer):
    candles = tiny.zscores(3, 12)
    with torch.no_grad():
        loss, made = tokenizer.train().loss(candles), tokenizer(candles)
    plain = [float(np.square(np.asarray(r - candles)).mean()) for r in (made.coarse, made.full)]
    quantization = made.quantization_loss
    assert float(loss.mse_coarse) == pytest.approx(plain[0], rel=1e-5)
    assert float(loss.mse_full) == pytest.approx(plain[1], rel=1e-5)
    assert torch.equal(loss.quantization, quantization)
    assert float(loss.total) == pytest.approx((sum(plain) + float(quantization)) / 2, rel=1e-5)


def test_every_parameter_learns(tokenizer):
    tokenizer.train().loss(tiny.zscores(3, 12)).total.backward()
    for name, parameter in tokenizer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_training_makes_the_loss_smaller():
    tokenizer, candles = tiny.tokenizer().train(), tiny.zscores(4, 12)
    optimiser = torch.optim.AdamW(tokenizer.parameters(), lr=1e-2)
    first = float(tokenizer.loss(candles).total.detach())
    for _ in range(25):
        optimiser.zero_grad()
        tokenizer.loss(candles).total.backward()
        optimiser.step()
    assert float(tokenizer.loss(candles).total.detach()) < 0.8 * first


def test_the_modes_differ_by_dropout_alone():
    tokenizer, candles = (
        tiny.tokenizer(ffn_dropout_p=0.2, attn_dropout_p=0.2, resid_dropout_p=0.2),
        tiny.zscores(1, 9),
    )
    assert torch.equal(tokenizer.latents(candles), tokenizer.latents(candles))
    torch.manual_seed(0)
    tokenizer.train()
    assert (tokenizer.latents(candles) - tokenizer.latents(candles)).abs().max() > 1e-3
    assert F.mse_loss(tokenizer.eval().latents(candles), tiny.tokenizer().latents(candles)) == 0


def test_candles_that_could_have_come_are_encoded_as_if_each_had(tokenizer):
    candles, others = tiny.zscores(4, 20).chunk(2)
    with torch.no_grad():
        made = tokenizer.encode_counterfactual(candles, others)
        assert (made[0] != tokenizer.encode(candles)[0]).any()
        for t in range(20):
            exchanged = torch.cat((candles[:, :t], others[:, t : t + 1]), dim=1)
            for ids, expected in zip(made, tokenizer.encode(exchanged), strict=True):
                assert (ids[:, t] == expected[:, t]).all()
