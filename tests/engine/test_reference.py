"""Ours against the live reference implementation, on random geometries, weights, candles and horizons.

Greedy choices and signs are compared exactly, so an example in which the reference itself decides by a hair (two
likeliest tokens, or a latent and zero, nearer than float32 noise) says nothing about either side. How near the
reference comes is measured, and such an example is not used; no tolerance is widened for it.
"""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine import Kronos, KronosPredictor, KronosTokenizer, ModelConfig, TokenizerConfig
from engine.checkpoints import tensor_names as names
from tests.support import tiny

reference = pytest.importorskip(
    "kronos_finance._vendor.kronos_model", reason="the reference package is not installed (requirements-reference.txt)"
)

WITHIN = {"rtol": 0.0, "atol": 1e-4}
HAIR = 1e-4
"""Nearer than this, a choice of the reference counts as undecided."""


def examples(count):
    """As many random examples, the same on every machine."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=slow)


@st.composite
def widths(draw):
    """d_model and n_heads with heads of even width, and four such heads in the dependency layer."""
    d_model = draw(st.sampled_from([8, 16, 24, 40, 48]))
    heads = draw(st.sampled_from([h for h in (1, 2, 3, 4, 5, 6, 8, 12) if d_model % (2 * h) == 0]))
    return {"d_model": d_model, "n_heads": heads, "ff_dim": draw(st.integers(1, 60))}


@st.composite
def geometries(draw, equal_halves):
    s1 = draw(st.integers(1, 6))
    s2 = s1 if equal_halves else draw(st.integers(1, 6))
    bits = {"s1_bits": s1, "s2_bits": s2}
    dropouts = {"ffn_dropout_p": 0.0, "attn_dropout_p": 0.0, "resid_dropout_p": 0.0}
    weights = {name: draw(st.floats(0.01, 2.0)) for name in ("beta", "gamma0", "gamma", "zeta")}
    divisors = [d for d in range(1, s1 + s2 + 1) if (s1 + s2) % d == 0]
    tokenizer = {
        "d_in": 6,
        **draw(widths()),
        "n_enc_layers": draw(st.integers(1, 4)),
        "n_dec_layers": draw(st.integers(1, 4)),
        **bits,
        **dropouts,
        **weights,
        "group_size": draw(st.sampled_from(divisors)),
    }
    model = {
        **bits,
        **draw(widths()),
        **dropouts,
        "n_layers": draw(st.integers(1, 3)),
        "token_dropout_p": 0.0,
        "learn_te": draw(st.booleans()),
    }
    return tokenizer, model


class Pair:
    """The reference's modules with random weights, and ours with the same."""

    def __init__(self, configs, seed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.their_tokenizer = reference.KronosTokenizer(**configs[0]).eval()
            self.their_model = reference.Kronos(**configs[1]).eval()
        tiny.perturb_parameters(self.their_tokenizer, seed)
        tiny.perturb_parameters(self.their_model, seed + 1)
        self.tokenizer = KronosTokenizer(TokenizerConfig(**configs[0])).eval()
        self.model = Kronos(ModelConfig(**configs[1])).eval()
        self.tokenizer.load_state_dict(
            names.from_published("tokenizer", configs[0], self.their_tokenizer.state_dict()), strict=True
        )
        self.model.load_state_dict(
            names.from_published("model", configs[1], self.their_model.state_dict()), strict=True
        )


def random_ids(config, series, length, seed):
    generator = tiny.seeded(seed)
    coarse = torch.randint(2 ** config["s1_bits"], (series, length), generator=generator)
    fine = torch.randint(2 ** config["s2_bits"], (series, length), generator=generator)
    times = (torch.rand(series, length, 5, generator=generator) * torch.tensor([60, 24, 7, 32, 13])).long()
    return coarse, fine, times


class Nearness:
    """How near the reference came to choosing otherwise, while it forecast."""

    def __init__(self, tokenizer, model):
        self.least = math.inf
        self.handles = [
            tokenizer.quant_embed.register_forward_hook(self._latents),
            model.head.proj_s1.register_forward_hook(self._logits),
            model.head.proj_s2.register_forward_hook(self._logits),
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()

    def _latents(self, _module, _arguments, latents):
        self.least = min(self.least, float(latents.abs().min()))

    def _logits(self, _module, _arguments, logits):
        first, second = logits[:, -1].topk(2, dim=-1).values.unbind(-1)
        self.least = min(self.least, float((first - second).min()))


# -------------------------------------------------------------------------------------------------------- the parts


@examples(30)
@given(geometries(equal_halves=False), st.integers(1, 3), st.integers(2, 40), st.integers(0, 2**20))
def test_logits_and_losses_are_the_references(configs, series, length, seed):
    pair = Pair(configs, seed)
    coarse, fine, times = random_ids(configs[1], series, length, seed)
    with torch.no_grad():
        theirs, context = pair.their_model.decode_s1(coarse, fine, times)
        hidden, cache = pair.model.prefill(coarse, fine, times)
        torch.testing.assert_close(pair.model.coarse_logits(pair.model.hidden(coarse, fine, times)), theirs, **WITHIN)
        asked = coarse[:, :1]
        got = pair.model.fine_logits(hidden, asked, cache.expand(1, 1))
        torch.testing.assert_close(got, pair.their_model.decode_s2(context, asked)[:, -1:], **WITHIN)

        past, after = (coarse[:, :-1], fine[:, :-1], times[:, :-1]), (coarse[:, 1:], fine[:, 1:])
        logits = pair.their_model.train()(*past, use_teacher_forcing=True, s1_targets=after[0])
        total, ce_coarse, ce_fine = pair.their_model.head.compute_loss(*logits, *after)
        for training in (False, True):
            ours = pair.model.train(training)(*past, after[0])
            torch.testing.assert_close(ours.coarse, logits[0], **WITHIN)
            torch.testing.assert_close(ours.fine, logits[1], **WITHIN)
            loss = pair.model.loss(coarse, fine, times)
            for one, other in zip(loss, (total, ce_coarse, ce_fine), strict=True):
                torch.testing.assert_close(one, other, **WITHIN)


@examples(30)
@given(geometries(equal_halves=False), st.integers(1, 3), st.integers(1, 40), st.integers(0, 2**20))
def test_the_tokenizer_is_the_references(configs, series, length, seed):
    pair = Pair(configs, seed)
    candles = tiny.zscores(series, length, seed)
    with torch.no_grad():
        with Nearness(pair.their_tokenizer, pair.their_model) as nearness:
            ids = pair.their_tokenizer.encode(candles, half=True)
        assume(nearness.least > HAIR)
        for one, other in zip(pair.tokenizer.encode(candles), ids, strict=True):
            assert torch.equal(one, other)
        (coarse, full), quantization, *_ = pair.their_tokenizer.train()(candles)
        ours = pair.tokenizer.train()(candles)
        torch.testing.assert_close(ours.coarse, coarse, **WITHIN)
        torch.testing.assert_close(ours.full, full, **WITHIN)
        torch.testing.assert_close(ours.quantization_loss, quantization, **WITHIN)
        torch.testing.assert_close(pair.tokenizer.decode(*ids), full, **WITHIN)
        torch.testing.assert_close(pair.tokenizer.decode_coarse(ids[0]), coarse, **WITHIN)
        if configs[0]["s1_bits"] == configs[0]["s2_bits"]:  # the reference decodes equal halves only
            torch.testing.assert_close(
                pair.tokenizer.decode(*ids), pair.their_tokenizer.decode(ids, half=True), **WITHIN
            )


@examples(15)
@given(geometries(equal_halves=False), st.integers(0, 2**20))
def test_gradients_of_the_losses_are_the_references(configs, seed):
    """Training with ours moves the same numbers the same way."""
    pair = Pair(configs, seed)
    coarse, fine, times = random_ids(configs[1], 2, 9, seed)
    candles = tiny.zscores(2, 9, seed)
    with torch.no_grad(), Nearness(pair.their_tokenizer, pair.their_model) as nearness:
        pair.their_tokenizer.encode(candles)
    assume(nearness.least > HAIR)

    pair.model.train().loss(coarse, fine, times).total.backward()
    logits = pair.their_model.train()(
        coarse[:, :-1], fine[:, :-1], times[:, :-1], use_teacher_forcing=True, s1_targets=coarse[:, 1:]
    )
    pair.their_model.head.compute_loss(*logits, coarse[:, 1:], fine[:, 1:])[0].backward()
    (rough, full), quantization, *_ = pair.their_tokenizer.train()(candles)
    mse = torch.nn.functional.mse_loss
    ((mse(rough, candles) + mse(full, candles) + quantization) / 2).backward()
    pair.tokenizer.train().loss(candles).total.backward()

    for kind, config, ours, theirs in (
        ("tokenizer", configs[0], pair.tokenizer, pair.their_tokenizer),
        ("model", configs[1], pair.model, pair.their_model),
    ):
        parameters = dict(theirs.named_parameters())
        gradients = {name: p.grad if p.grad is not None else torch.zeros_like(p) for name, p in parameters.items()}
        published = {name: gradients.get(name, tensor) for name, tensor in theirs.state_dict().items()}
        wanted = names.from_published(kind, config, published)
        for name, parameter in ours.named_parameters():
            if parameter.requires_grad:
                torch.testing.assert_close(
                    parameter.grad, wanted[name], rtol=1e-3, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
                )


# ----------------------------------------------------------------------------------------------------- the forecasts


@st.composite
def situations(draw):
    """A context, a horizon and a limit: within it, sliding past it, and beginning beyond it."""
    max_context = draw(st.integers(4, 24))
    context = draw(st.integers(2, 2 * max_context))
    horizon = draw(st.integers(1, min(max_context, 10)))
    return context, horizon, max_context


def columns_near(got, wanted, frame):
    """Within 1e-5 of a price; of volumes, which may pass zero, within 1e-5 of the column's size."""
    prices = ["open", "high", "low", "close"]
    np.testing.assert_allclose(got[prices], wanted[prices], rtol=1e-5, atol=0)
    for column in ("volume", "amount"):
        size = np.abs(frame[column]).max() if column in frame else np.abs(wanted[column]).max()
        np.testing.assert_allclose(got[column], wanted[column], rtol=1e-5, atol=1e-5 * size)


def stamps(start, length, freq):
    return pd.Series(pd.date_range(start, periods=length, freq=freq))


GREEDY = {"T": 1.0, "top_k": 1, "top_p": 1.0, "sample_count": 1, "verbose": False}
COLUMN_SETS = (
    ["open", "high", "low", "close", "volume", "amount"],
    ["open", "high", "low", "close", "volume"],
    ["open", "high", "low", "close"],
)


@examples(40)
@given(
    geometries(equal_halves=True),
    situations(),
    st.sampled_from(COLUMN_SETS),
    st.sampled_from(["5min", "h", "D"]),
    st.booleans(),
    st.integers(0, 2**20),
)
def test_greedy_forecasts_are_the_references(configs, situation, columns, freq, as_index, seed):
    context, horizon, max_context = situation
    pair = Pair(configs, seed)
    frame = tiny.candles(context, seed)[columns].reset_index(drop=True)
    times = stamps("2023-02-26 22:15", context + horizon, freq)
    past, future = times[:context].reset_index(drop=True), times[context:].reset_index(drop=True)
    theirs = reference.KronosPredictor(pair.their_model, pair.their_tokenizer, "cpu", max_context)
    with Nearness(pair.their_tokenizer, pair.their_model) as nearness:
        wanted = theirs.predict(frame, past, future, horizon, **GREEDY)
    assume(nearness.least > HAIR)
    if as_index:
        past, future = pd.DatetimeIndex(past), pd.DatetimeIndex(future)
    ours = KronosPredictor(pair.model, pair.tokenizer, "cpu", max_context)
    got = ours.predict(frame, past, future, horizon, **GREEDY)
    assert list(got.columns) == list(wanted.columns)
    assert (np.asarray(got.index) == np.asarray(wanted.index)).all()
    columns_near(got, wanted, frame)


@examples(15)
@given(geometries(equal_halves=True), situations(), st.integers(2, 4), st.integers(0, 2**20))
def test_batched_greedy_forecasts_are_the_references(configs, situation, series, seed):
    context, horizon, max_context = situation
    pair = Pair(configs, seed)
    frames = [tiny.candles(context, seed + i).reset_index(drop=True) for i in range(series)]
    times = [stamps(f"2023-0{i + 1}-26 22:15", context + horizon, "30min") for i in range(series)]
    past = [each[:context].reset_index(drop=True) for each in times]
    future = [each[context:].reset_index(drop=True) for each in times]
    theirs = reference.KronosPredictor(pair.their_model, pair.their_tokenizer, "cpu", max_context)
    with Nearness(pair.their_tokenizer, pair.their_model) as nearness:
        wanted = theirs.predict_batch(frames, past, future, horizon, **GREEDY)
    assume(nearness.least > HAIR)
    ours = KronosPredictor(pair.model, pair.tokenizer, "cpu", max_context)
    got = ours.predict_batch(frames, past, future, horizon, **GREEDY)
    for one, other, frame in zip(got, wanted, frames, strict=True):
        columns_near(one, other, frame)


def test_the_reference_loads_a_checkpoint_that_asks_for_more_than_it_knows(tmp_path):
    """Keys of ours in config.json are passed over, and the numbers are the same."""
    asking = tiny.model(anchor_to_last_close=True, mirror_paths=True, min_p=0.01)
    asking.save_pretrained(tmp_path)
    theirs = reference.Kronos.from_pretrained(str(tmp_path)).eval()
    coarse, fine, times = tiny.ids(2, 9)
    with torch.inference_mode():
        hidden = theirs.decode_s1(coarse, fine, times)[0]
        torch.testing.assert_close(asking(coarse, fine, times).coarse, hidden, **WITHIN)
