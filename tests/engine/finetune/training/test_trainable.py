"""What is trained, and that every way of it exports a plain checkpoint."""

import numpy as np
import pytest
import torch

from engine import Kronos, KronosTokenizer
from engine.finetune import run
from engine.finetune.config import ModelStage, TokenizerStage
from engine.finetune.errors import FinetuneConfigError
from engine.finetune.training.optim import WeightEma, learning_rate_at, make_optimizers, set_learning_rates
from engine.finetune.training.trainable import LoraLinear, merge_lora, select_trainable
from tests.support import finetune_makers as makers
from tests.support import tiny


def changed(before, after):
    """Names of the tensors that differ."""
    one, other = before.state_dict(), after.state_dict()
    assert one.keys() == other.keys()
    return {name for name in one if not torch.equal(one[name], other[name])}


@pytest.mark.parametrize(
    ("parts", "kept", "moved"),
    [
        (
            "head",
            ("embedding", "time_embedding", "blocks", "norm", "dependency"),
            {"head.coarse.weight", "head.fine.bias"},
        ),
        (
            "last",
            ("embedding", "time_embedding", "blocks.0"),
            {"blocks.1.ffn.down.weight", "norm.weight", "head.fine.bias"},
        ),
        (
            "lora",
            ("embedding", "time_embedding", "head", "norm"),
            {"blocks.0.attention.qkv.weight", "blocks.1.ffn.down.weight"},
        ),
        ("full", (), {"embedding.coarse.weight", "time_embedding.hour.weight", "head.fine.bias"}),
    ],
)
def test_frozen_parameters_are_unchanged_and_the_export_is_plain(tmp_path, parts, kept, moved):
    run.run_stages(makers.prepared(tmp_path, trainable=parts))
    before, after = (Kronos.from_pretrained(tmp_path / place / "model") for place in ("start", "run"))
    different = changed(before, after)
    assert moved <= different
    assert not [name for name in different if name.startswith(kept)]


def test_the_last_blocks_of_a_tokenizer_are_its_decoder_so_that_tokens_stay(tmp_path):
    run.run_stages(makers.prepared(tmp_path, stages="tokenizer", trainable="last"))
    before, after = (KronosTokenizer.from_pretrained(tmp_path / place / "tokenizer") for place in ("start", "run"))
    candles = tiny.zscores(2, 20)
    torch.testing.assert_close(before.encode(candles), after.encode(candles), rtol=0, atol=0)
    assert "head.weight" in changed(before, after)


def test_a_decoder_trained_alone_leaves_tokens_as_they_are(tmp_path):
    run.run_stages(makers.prepared(tmp_path, stages="tokenizer", trainable="decoder"))
    before, after = (KronosTokenizer.from_pretrained(tmp_path / place / "tokenizer") for place in ("start", "run"))
    candles = tiny.zscores(2, 20)
    torch.testing.assert_close(before.encode(candles), after.encode(candles), rtol=0, atol=0)
    trained = {"from_code.weight", "from_coarse.bias", "decoder.0.ffn.down.weight", "head.weight"}
    assert trained <= changed(before, after)


def test_a_model_has_no_decoder_to_train():
    with pytest.raises(FinetuneConfigError, match="no decoder"):
        select_trainable(tiny.model(), ModelStage(trainable="decoder"))


def test_low_rank_additions_change_nothing_at_first_and_merge_exactly():
    plain, stage = tiny.model(), ModelStage(trainable="lora", lora_rank=2, lora_alpha=1.5)
    adapted = tiny.model()
    select_trainable(adapted, stage)
    trained = [name for name, p in adapted.named_parameters() if p.requires_grad]
    assert trained
    assert all("lora" in name for name in trained)
    coarse, fine, times = tiny.ids(2, 12)
    torch.testing.assert_close(adapted(coarse, fine, times, coarse), plain(coarse, fine, times, coarse))
    with torch.no_grad():
        for module in adapted.modules():
            if isinstance(module, LoraLinear):
                torch.nn.init.normal_(module.lora_up, generator=tiny.seeded(1))
    merged = tiny.model()
    merged.load_state_dict(merge_lora(adapted.state_dict(), stage.lora_scale))
    torch.testing.assert_close(
        adapted(coarse, fine, times, coarse), merged(coarse, fine, times, coarse), rtol=1e-4, atol=1e-4
    )
    assert changed(plain, merged)


def test_a_run_with_additions_goes_on_where_it_stopped(tmp_path):
    run.run_stages(makers.prepared(tmp_path, trainable="lora", checkpoint_every_minutes=0))
    whole, weights = makers.losses(tmp_path), makers.weights(tmp_path)
    (tmp_path / "run" / "state" / "model-000000012.safetensors").unlink()
    run.run_stages(makers.prepared(tmp_path, trainable="lora", checkpoint_every_minutes=0, resume="auto"))
    assert makers.lines(tmp_path, "resumed")[0]["step"] == 11
    np.testing.assert_array_equal(makers.losses(tmp_path), whole)
    assert makers.weights(tmp_path) == weights


def test_more_blocks_than_there_are_is_refused():
    with pytest.raises(FinetuneConfigError, match="must be at most 2, the number of blocks of this Kronos; got 5"):
        select_trainable(tiny.model(), ModelStage(trainable="last", num_trainable_layers=5))


def test_fixed_time_embeddings_are_never_trained():
    model = tiny.model(learn_te=False)
    select_trainable(model, ModelStage())
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert "head.fine.weight" in trained
    assert not [name for name in trained if name.startswith("time_embedding")]


def test_decay_is_for_the_matrices_of_projections_alone():
    model = tiny.model()
    (adamw,) = make_optimizers(model, ModelStage(weight_decay=0.3))
    decay = {id(p): group["weight_decay"] for group in adamw.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        wanted = 0.3 if parameter.ndim == 2 and "embedding" not in name else 0.0
        assert decay[id(parameter)] == wanted, name


def test_muon_takes_the_inner_matrices_and_adamw_the_rest():
    model = tiny.model(d_model=64, n_layers=1, ff_dim=64)
    muon, adamw = make_optimizers(model, ModelStage(optimizer="muon"))
    inner = {id(p) for group in muon.param_groups for p in group["params"]}
    assert {name for name, p in model.named_parameters() if id(p) in inner} == {
        "blocks.0.attention.qkv.weight",
        "blocks.0.attention.out.weight",
        "blocks.0.ffn.gate_up.weight",
        "blocks.0.ffn.down.weight",
        "dependency.attention.query.weight",
        "dependency.attention.key_value.weight",
        "dependency.attention.out.weight",
    }
    rest = {id(p) for group in adamw.param_groups for p in group["params"]}
    assert inner | rest == {id(p) for p in model.parameters()}
    assert set_learning_rates([muon, adamw], ModelStage(learning_rate=0.1, muon_learning_rate=0.5), 0.5) == 0.05
    assert (muon.param_groups[0]["lr"], adamw.param_groups[0]["lr"]) == (0.25, 0.05)


def test_the_rate_rises_and_falls_along_a_cosine():
    stage = ModelStage(warmup_fraction=0.1, min_lr_ratio=0.2)
    assert [learning_rate_at(p, stage) for p in (0.0, 0.05, 0.1)] == [0.0, 0.5, 1.0]
    assert learning_rate_at(0.55, stage) == pytest.approx(0.6)
    assert learning_rate_at(1.0, stage) == learning_rate_at(1.5, stage) == pytest.approx(0.2)
    assert learning_rate_at(0.0, ModelStage(warmup_fraction=0.0)) == 1.0


def test_averages_follow_only_what_is_trained():
    model = tiny.model()
    select_trainable(model, ModelStage(trainable="head"))
    averaged = WeightEma(model, 0.5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    averaged.update(1_000)
    state, live = averaged.state(model), model.state_dict()
    torch.testing.assert_close(state["head.fine.bias"], live["head.fine.bias"] - 0.5)
    assert torch.equal(state["norm.weight"], live["norm.weight"])


def test_the_scaled_loss_and_the_published_one_are_as_defined():
    from engine.finetune.training.losses import TokenizerObjective

    candles = tiny.zscores(2, 20) * torch.tensor([0.1, 3.0])[:, None, None]
    batch = makers.batch_of(candles)
    tokenizer = tiny.tokenizer()
    loss, figures = TokenizerObjective(tokenizer, TokenizerStage(loss="mse"))(batch)
    torch.testing.assert_close(loss, tokenizer.loss(candles).total)
    step = candles[..., 3].diff(dim=1).std(dim=1).clamp(0.03, 0.5)
    made = tokenizer(candles)
    weight = (0.1 / step[:, None, None]) ** 2 * torch.tensor([1, 1, 1, 2.0, 0.5, 0.5])
    wanted = sum(f * ((part - candles) ** 2 * weight).mean() for f, part in ((1, made.full), (0.2, made.coarse)))
    stage = TokenizerStage(close_weight=2.0, volume_weight=0.5, coarse_weight=0.2, quantization_weight=0.1)
    weighed, _ = TokenizerObjective(tokenizer, stage)(batch)
    torch.testing.assert_close(weighed, wanted + 0.1 * made.quantization_loss)
    floors = ((made.full - candles)[..., 3] ** 2).mean(dim=1).sqrt() / step
    torch.testing.assert_close(figures["floor"], floors.median())
