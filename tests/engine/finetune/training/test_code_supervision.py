"""The code made by hand, and what keeps bits from repeating one another."""

import pytest
import torch

from engine import KronosTokenizer
from engine.config import TokenizerConfig
from engine.finetune import run
from engine.finetune.config import TokenizerStage
from engine.finetune.errors import FinetuneConfigError
from engine.finetune.training.code_supervision import code_loss, target_bits
from engine.finetune.training.losses import TokenizerObjective, squared_correlation
from tests.support import finetune_makers as makers
from tests.support import tiny

WIDE = TokenizerConfig(**(tiny.TOKENIZER | {"s1_bits": 10, "s2_bits": 10, "group_size": 5}))


def still(closes):
    """Candles [1, W, 6] without bodies, wicks and volume."""
    prices = torch.as_tensor(closes, dtype=torch.float32)[None, :, None].expand(1, -1, 4)
    return torch.cat((prices, torch.zeros(1, len(closes), 2)), dim=-1)


def test_neighbouring_closes_differ_in_one_bit_and_no_two_have_the_same():
    outer = torch.arange(2.475, 7.2, 0.15)
    closes = torch.cat((-outer.flip(0), torch.arange(-2.3625, 2.4, 0.075), outer))
    bits = target_bits(still(closes), WIDE)[0, :, :7]
    assert ((bits[1:] != bits[:-1]).sum(dim=-1) == 1).all()
    assert len(torch.unique(bits, dim=0)) == len(closes) == 128


def test_closes_beyond_the_range_share_its_last_cells():
    far, edge = target_bits(still([-50.0, 50.0]), WIDE), target_bits(still([-7.19, 7.15]), WIDE)
    assert torch.equal(far[..., :7], edge[..., :7])


@pytest.mark.parametrize(
    ("column", "by", "flipped"),
    [
        (0, -0.1, {7, 8, 9, 12, 19}),  # a rising body, which lengthens no lower wick, and an open off the last close
        (1, 0.2, {11}),
        (1, -0.08, {10}),
        (2, -0.2, {13}),
        (4, 1.0, {14, 15, 16, 17}),
    ],
)
def test_bodies_wicks_volume_and_gaps_are_distinguished(column, by, flipped):
    plain = still([0.3, 0.3])
    other = plain.clone()
    other[0, 1, column] += by
    different = (target_bits(other, WIDE) != target_bits(plain, WIDE))[0]
    assert not different[0].any()
    found = set(torch.nonzero(different[1]).flatten().tolist())
    assert found
    assert found <= flipped


def test_bits_do_not_depend_on_later_candles():
    candles = tiny.zscores(2, 20)
    changed = candles.clone()
    changed[:, 10:] += 1.0
    torch.testing.assert_close(target_bits(candles, WIDE)[:, :10], target_bits(changed, WIDE)[:, :10])


def test_fewer_bits_are_the_most_significant_and_more_are_unused():
    candles = tiny.zscores(2, 20)
    whole = target_bits(candles, WIDE)
    few = target_bits(candles, tiny.tokenizer().config)
    s1, s2 = tiny.tokenizer().config.s1_bits, tiny.tokenizer().config.s2_bits
    torch.testing.assert_close(few, torch.cat((whole[..., :s1], whole[..., 10 : 10 + s2]), dim=-1))
    many = target_bits(candles, TokenizerConfig(**(tiny.TOKENIZER | {"s1_bits": 12, "s2_bits": 9})))
    assert not many[..., 10:12].any()


def test_the_loss_falls_as_latents_agree_and_does_not_see_their_length():
    bits = torch.tensor([[[True, False, True, True]]])
    agree = torch.where(bits, 1.0, -1.0)
    half = agree * torch.tensor([1.0, 1.0, -1.0, -1.0])
    assert code_loss(agree, bits) < code_loss(half, bits) < code_loss(-agree, bits)
    torch.testing.assert_close(code_loss(agree, bits), code_loss(agree * 7, bits))
    torch.testing.assert_close(code_loss(agree, bits), torch.log1p(torch.exp(torch.tensor(-3.0))))


def test_a_supervised_run_trains_the_encoder_and_leaves_the_decoder(tmp_path):
    run.run_stages(
        makers.prepared(
            tmp_path, stages="tokenizer", **{"tokenizer.loss": "supervised"}, max_steps=30, learning_rate=3e-3
        )
    )
    before, after = (KronosTokenizer.from_pretrained(tmp_path / place / "tokenizer") for place in ("start", "run"))
    same = {name for name, value in before.state_dict().items() if torch.equal(value, after.state_dict()[name])}
    assert same == {name for name in before.state_dict() if not name.startswith(("embed.", "encoder.", "to_code."))}
    evaluations = makers.lines(tmp_path, "evaluation")
    assert evaluations[-1]["validation_wrong_bits"] < 0.7 * evaluations[0]["validation_wrong_bits"]


def test_a_supervised_run_selects_its_parameters_itself():
    with pytest.raises(FinetuneConfigError, match='trainable must be "full" when loss = "supervised"'):
        TokenizerStage(loss="supervised", trainable="lora")


def test_correlation_is_zero_if_all_pairs_are_equally_frequent_and_one_if_bits_repeat():
    every = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)[None] / 3**0.5
    torch.testing.assert_close(squared_correlation(every), torch.tensor(0.0))
    same = every[..., :1].expand(-1, -1, 3)
    torch.testing.assert_close(squared_correlation(same), torch.tensor(1.0))
    torch.testing.assert_close(squared_correlation(torch.ones(1, 5, 2) / 2**0.5), torch.tensor(1.0))


@pytest.mark.parametrize("loss", ["scaled_mse", "mse"])
def test_decorrelation_adds_its_weight_and_reaches_the_encoder(loss):
    tokenizer, candles = tiny.tokenizer().train(), tiny.zscores(4, 20)
    batch = makers.batch_of(candles)
    without, figures = TokenizerObjective(tokenizer, TokenizerStage(loss=loss))(batch)
    added, _ = TokenizerObjective(tokenizer, TokenizerStage(loss=loss, decorrelation_weight=2.0))(batch)
    torch.testing.assert_close(added - without, 2.0 * figures["correlation"].square())
    (added - without).backward()
    assert tokenizer.to_code.weight.grad.abs().sum() > 0
