"""``scores.json``: what of the settings it tells, and the script that writes one for any checkpoint."""

import json
import sys

import numpy as np
import pytest
import score_bundled

from engine import Kronos, KronosPredictor, SamplingConfig
from engine.finetune.evaluation.forecast_eval import Probe
from engine.finetune.evaluation.scorecard import entries, write_scores
from kronos_dashboard.evaluation.scorecard import read_scores
from tests.support import finetune_makers as makers
from tests.support import tiny

ASKED = pytest.mark.parametrize(
    ("asks", "begin", "holds"),
    [(False, None, False), (True, None, True), (False, True, True), (True, False, False)],
)


def asking(asks: bool) -> Kronos:
    return tiny.model(from_last_close=asks)


@ASKED
def test_the_file_tells_where_the_measured_paths_began(tmp_path, asks, begin, holds):
    store, split, _ = makers.stored(tmp_path, tiny.candles(300))
    places = tuple(split.places(store, "validation", 24, 6)[:3])
    predictor = KronosPredictor(asking(asks), tiny.tokenizer(), "cpu", 64)

    def probe(begin):
        return Probe(store, places, 24, 6, 4, 0, sampling=SamplingConfig(from_last_close=begin))

    figures = probe(begin).forecast(predictor)
    np.testing.assert_array_equal(figures, probe(holds).forecast(predictor))
    assert (figures != probe(not holds).forecast(predictor)).any()
    write_scores(tmp_path / "scores.json", predictor, probe(begin), entries(probe(begin), figures))
    values = json.loads((tmp_path / "scores.json").read_text())
    assert values["from_last_close"] is holds
    assert values["mirrored"] is False
    assert (values["temperature"], values["top_p"], values["paths"]) == (1.0, 1.0, 4)


@ASKED
def test_the_file_tells_whether_the_measured_paths_were_mirrored(tmp_path, asks, begin, holds):
    store, split, _ = makers.stored(tmp_path, tiny.candles(300))
    places = tuple(split.places(store, "validation", 24, 6)[:3])
    predictor = KronosPredictor(tiny.model(mirrored=asks), tiny.tokenizer(), "cpu", 64)

    def probe(mirrored):
        return Probe(store, places, 24, 6, 4, 0, sampling=SamplingConfig(mirrored=mirrored))

    figures = probe(begin).forecast(predictor)
    np.testing.assert_array_equal(figures, probe(holds).forecast(predictor))
    assert (figures != probe(not holds).forecast(predictor)).any()
    write_scores(tmp_path / "scores.json", predictor, probe(begin), entries(probe(begin), figures))
    values = json.loads((tmp_path / "scores.json").read_text())
    assert (values["mirrored"], values["from_last_close"]) == (holds, False)


@pytest.mark.parametrize(
    ("asks", "told", "holds"), [(0.0, None, 0.0), (0.3, None, 0.3), (0.0, 0.3, 0.3), (0.3, 0.0, 0.0)]
)
def test_the_file_tells_below_which_part_of_the_likeliest_no_token_was_drawn(tmp_path, asks, told, holds):
    store, split, _ = makers.stored(tmp_path, tiny.candles(300))
    places = tuple(split.places(store, "validation", 24, 6)[:3])
    predictor = KronosPredictor(tiny.model(min_p=asks), tiny.tokenizer(), "cpu", 64)

    def probe(min_p):
        return Probe(store, places, 24, 6, 4, 0, sampling=SamplingConfig(min_p=min_p))

    figures = probe(told).forecast(predictor)
    np.testing.assert_array_equal(figures, probe(holds).forecast(predictor))
    assert (figures != probe(0.3 - holds).forecast(predictor)).any()
    write_scores(tmp_path / "scores.json", predictor, probe(told), entries(probe(told), figures))
    values = json.loads((tmp_path / "scores.json").read_text())
    assert (values["min_p"], values["top_p"]) == (holds, 1.0)


def scored(tmp_path, monkeypatch, config, flags):
    """The checkpoint and its figures, as the script writes them, of a model with ``config``."""
    model = makers.start(tmp_path)
    tiny.model(**config).save_pretrained(model / "model")
    frame = tiny.candles(700)
    for part, rows in (("train", slice(0, 450)), ("validation", slice(450, 700))):
        (tmp_path / "candles" / part).mkdir(parents=True)
        rows_of = frame.iloc[rows].rename_axis("timestamp").reset_index()
        rows_of.to_csv(tmp_path / "candles" / part / "coin_5m.csv", index=False)
    out = tmp_path / "out" / "scores.json"
    out.parent.mkdir()
    asked = ["--model", str(model), "--candles", str(tmp_path / "candles"), "--windows", "2", "--paths", "3"]
    monkeypatch.setattr(sys, "argv", ["score_bundled.py", *asked, "--horizons", "6", "--json", str(out), *flags])
    score_bundled.main()
    return model, read_scores(out.parent)


@pytest.mark.parametrize(
    ("flags", "asks", "holds"),
    [([], True, True), (["--begin", "tokens"], True, False), (["--begin", "close"], False, True)],
)
def test_the_script_scores_paths_that_begin_as_asked(tmp_path, monkeypatch, capsys, flags, asks, holds):
    model, scores = scored(tmp_path, monkeypatch, {"from_last_close": asks}, flags)
    words = "from the last close" if holds else "from the model's own level"
    assert f"3 paths {words}\n" in capsys.readouterr().out
    assert scores.from_last_close is holds
    assert scores.horizons == (6,)
    assert scores.digest == KronosPredictor.from_pretrained(model, device="cpu").digest


@pytest.mark.parametrize(
    ("flags", "asks", "holds"),
    [([], True, True), (["--leaning", "drawn"], True, False), (["--leaning", "none"], False, True)],
)
def test_the_script_scores_paths_that_lean_as_asked(tmp_path, monkeypatch, capsys, flags, asks, holds):
    _, scores = scored(tmp_path, monkeypatch, {"mirrored": asks}, flags)
    words = ", every second mirrored" if holds else ""
    assert f"3 paths from the model's own level{words}\n" in capsys.readouterr().out
    assert (scores.mirrored, scores.from_last_close) == (holds, False)


@pytest.mark.parametrize(
    ("flags", "asks", "holds"),
    [([], 0.01, 0.01), (["--min-p", "0"], 0.01, 0.0), (["--min-p", "0.02"], 0.0, 0.02)],
)
def test_the_script_leaves_out_unlikely_tokens_as_asked(tmp_path, monkeypatch, capsys, flags, asks, holds):
    _, scores = scored(tmp_path, monkeypatch, {"min_p": asks}, flags)
    words = f", min-p {holds:g}" if holds else ""
    assert f"3 paths from the model's own level{words}\n" in capsys.readouterr().out
    assert scores.min_p == holds


@pytest.mark.parametrize(("option", "value"), [("--begin", "nowhere"), ("--leaning", "up"), ("--min-p", "few")])
def test_a_choice_that_does_not_exist_is_usage(monkeypatch, capsys, option, value):
    monkeypatch.setattr(sys, "argv", ["score_bundled.py", "--candles", "x", option, value])
    with pytest.raises(SystemExit, match="2"):
        score_bundled.main()
    assert option in capsys.readouterr().err
