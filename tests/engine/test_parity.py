"""The numbers that the reference implementation gave for seven small checkpoints; see tests/data/parity/README.md."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from engine import COLUMNS, Kronos, KronosPredictor, KronosTokenizer, SamplingConfig
from engine.features import candle_values, compute_stats, time_features
from engine.generation.sampling import probabilities
from tests.support.paths import DATA

FOLDER = DATA / "parity"
CASES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
WITHIN = {"rtol": 0.0, "atol": 1e-4}
MODES = pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])


@dataclass(frozen=True)
class Case:
    folder: Path

    @cached_property
    def facts(self):
        return json.loads((self.folder / "case.json").read_text())

    @cached_property
    def expected(self):
        return load_file(self.folder / "expected.safetensors")

    @cached_property
    def frame(self):
        return pd.read_csv(self.folder / "context.csv", parse_dates=["timestamps"])

    @property
    def seen(self):
        """The rows that the model sees."""
        return slice(-self.facts["max_context"], None)

    @property
    def ids(self):
        """What the model reads: ids [1, T] and time features [1, T, 5]."""
        named = (self.expected[name][None] for name in ("s1_ids", "s2_ids", "time_features"))
        return tuple(tensor.long() for tensor in named)

    @property
    def tokenizer(self):
        return KronosTokenizer.from_pretrained(self.folder / "tokenizer")

    @property
    def model(self):
        return Kronos.from_pretrained(self.folder / "model")


@pytest.fixture(params=CASES)
def case(request):
    return Case(FOLDER / request.param)


def test_there_are_seven_cases():
    assert len(CASES) == 7


def test_candles_are_normalised_as_the_reference_does(case):
    values = candle_values(case.frame[case.facts["columns"]])
    got = compute_stats(values, reference_compat=True).normalize(values)
    np.testing.assert_allclose(got[case.seen], case.expected["normalised"], rtol=0, atol=1e-4)
    assert len(values) == case.facts["context_length"]


def test_time_features_are_the_references(case):
    got = time_features(pd.DatetimeIndex(case.frame["timestamps"]))
    np.testing.assert_array_equal(got[case.seen], case.expected["time_features"])


def test_ids_are_the_references_from_candles_on(case):
    values = candle_values(case.frame[case.facts["columns"]])
    normalised = compute_stats(values, reference_compat=True).normalize(values)[case.seen]
    coarse, fine = case.tokenizer.encode(torch.from_numpy(normalised)[None])
    assert torch.equal(coarse[0], case.expected["s1_ids"])
    assert torch.equal(fine[0], case.expected["s2_ids"])


def test_reconstructions_are_the_references(case):
    tokenizer, (coarse, fine, _) = case.tokenizer, case.ids
    torch.testing.assert_close(tokenizer.decode(coarse, fine)[0], case.expected["reconstruction"], **WITHIN)
    torch.testing.assert_close(tokenizer.decode_coarse(coarse)[0], case.expected["reconstruction_coarse"], **WITHIN)


def test_the_tokenizers_loss_is_the_references(case):
    loss = case.tokenizer.train().loss(case.expected["normalised"][None])
    facts = case.facts
    assert float(loss.total) == pytest.approx(facts["tokenizer_loss"], abs=1e-4)
    assert float(loss.quantization) == pytest.approx(facts["bsq_loss"], abs=1e-4)
    assert float(loss.mse_coarse) == pytest.approx(facts["mse_coarse"], abs=1e-4)
    assert float(loss.mse_full) == pytest.approx(facts["mse_full"], abs=1e-4)


def test_coarse_logits_are_the_references(case):
    model = case.model
    got = model.coarse_logits(model.hidden(*case.ids))[0]
    torch.testing.assert_close(got, case.expected["s1_logits"], **WITHIN)


def test_fine_logits_at_inference_are_the_references(case):
    """One query for the likeliest coarse token, added to the hidden state of each position as if each were a path."""
    model, expected = case.model, case.expected["s2_logits_given_argmax_s1"]
    with torch.inference_mode():
        last, cache = model.prefill(*case.ids)
        hidden = torch.cat((model.hidden(*case.ids)[:, :-1], last), dim=1)
        likeliest = model.coarse_logits(last).argmax(-1).expand(1, len(expected))
        got = model.fine_logits(hidden, likeliest, cache.expand(len(expected), 1))[0]
    torch.testing.assert_close(got, expected, **WITHIN)


@MODES
def test_teacher_forced_logits_are_the_references_in_both_modes(case, training):
    coarse, fine, times = case.ids
    logits = case.model.train(training)(coarse[:, :-1], fine[:, :-1], times[:, :-1], coarse[:, 1:])
    torch.testing.assert_close(logits.coarse[0], case.expected["teacher_forced_s1_logits"], **WITHIN)
    torch.testing.assert_close(logits.fine[0], case.expected["teacher_forced_s2_logits"], **WITHIN)


@MODES
def test_the_models_loss_is_the_references_in_both_modes(case, training):
    loss = case.model.train(training).loss(*case.ids)
    assert float(loss.total) == pytest.approx(case.facts["model_loss"], abs=1e-4)
    assert float(loss.coarse) == pytest.approx(case.facts["ce_s1"], abs=1e-4)
    assert float(loss.fine) == pytest.approx(case.facts["ce_s2"], abs=1e-4)


@pytest.mark.parametrize("stamps", [pd.Series, pd.DatetimeIndex])
def test_greedy_forecasts_are_the_references(case, stamps):
    facts = case.facts
    predictor = KronosPredictor.from_pretrained(case.folder, device="cpu", max_context=facts["max_context"])
    future = stamps(pd.to_datetime(facts["future"]))
    got = predictor.predict(
        df=case.frame[facts["columns"]],
        x_timestamp=stamps(case.frame["timestamps"]),
        y_timestamp=future,
        pred_len=facts["horizon"],
        T=facts["temperature"],
        top_k=facts["top_k"],
        top_p=1.0,
        sample_count=1,
        verbose=False,
    )
    wanted = pd.read_csv(case.folder / "greedy_forecast.csv", parse_dates=["timestamps"])
    assert list(got.columns) == list(COLUMNS)
    assert (got.index == wanted["timestamps"]).all()
    np.testing.assert_allclose(got, wanted[list(COLUMNS)], rtol=1e-5, atol=1e-9)


SETTINGS = json.loads((FOLDER / "sampling.json").read_text())


@pytest.mark.parametrize("name", SETTINGS)
def test_filtered_probabilities_are_the_references(name):
    tensors, setting = load_file(FOLDER / "sampling.safetensors"), SETTINGS[name]
    config = SamplingConfig(temperature=setting["temperature"], top_p=setting["top_p"], top_k=setting["top_k"] or None)
    got = probabilities(tensors["logits"], config)
    torch.testing.assert_close(got, tensors[name], rtol=0, atol=1e-6)
    assert torch.equal(got > 0, tensors[name] > 0)
