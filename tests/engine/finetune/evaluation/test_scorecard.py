"""``scorecard.json``: the settings that it states, and the script that writes it for any checkpoint."""

import json
import sys

import numpy as np
import pytest
import score_bundled

from engine import KronosPredictor, SamplingConfig
from engine.finetune.evaluation.forecast_eval import EvalWindows
from engine.finetune.evaluation.scorecard import scorecard_rows, write_scorecard
from kronos_dashboard.evaluation.scorecard import read_scorecard
from tests.support import finetune_makers as makers
from tests.support import tiny

BOOLEANS = [(False, None, False), (True, None, True), (False, True, True), (True, False, False)]
FRACTIONS = [(0.0, None, 0.0), (0.3, None, 0.3), (0.0, 0.3, 0.3), (0.3, 0.0, 0.0)]
OPTIONS = {"anchor_to_last_close": BOOLEANS, "mirror_paths": BOOLEANS, "min_p": FRACTIONS}


@pytest.mark.parametrize(
    ("option", "default", "requested", "expected"),
    [(option, *values) for option, rows in OPTIONS.items() for values in rows],
)
def test_the_scorecard_states_how_paths_were_sampled(tmp_path, option, default, requested, expected):
    candles, split, _ = makers.mapped(tmp_path, tiny.candles(300))
    refs = tuple(split.windows(candles, "validation", 24, 6)[:3])
    predictor = KronosPredictor(tiny.model(**{option: default}), tiny.tokenizer(), "cpu", 64)

    def windows(value):
        return EvalWindows(candles, refs, 24, 6, 4, 0, sampling=SamplingConfig(**{option: value}))

    metrics = windows(requested).score(predictor)
    np.testing.assert_array_equal(metrics, windows(expected).score(predictor))
    other = 0.3 - expected if option == "min_p" else not expected
    assert (metrics != windows(other).score(predictor)).any()
    path = tmp_path / "scorecard.json"
    write_scorecard(path, predictor, windows(requested), scorecard_rows(windows(requested), metrics))
    values = json.loads(path.read_text())
    defaults = {"anchor_to_last_close": False, "mirror_paths": False, "min_p": 0.0}
    assert {name: values[name] for name in defaults} == defaults | {option: expected}
    assert (values["version"], values["temperature"], values["top_p"], values["num_paths"]) == (1, 1.0, 1.0, 4)


def scored(tmp_path, monkeypatch, config, flags):
    """The checkpoint and its metrics, as the script writes them, of a model with ``config``."""
    model = makers.initial_checkpoints(tmp_path)
    tiny.model(**config).save_pretrained(model / "model")
    frame = tiny.candles(700)
    for part, rows in (("train", slice(0, 450)), ("validation", slice(450, 700))):
        (tmp_path / "candles" / part).mkdir(parents=True)
        rows_of = frame.iloc[rows].rename_axis("timestamp").reset_index()
        rows_of.to_csv(tmp_path / "candles" / part / "coin_5m.csv", index=False)
    out = tmp_path / "out" / "scorecard.json"
    out.parent.mkdir()
    options = ["--model", str(model), "--candles", str(tmp_path / "candles"), "--windows", "2", "--paths", "3"]
    monkeypatch.setattr(sys, "argv", ["score_bundled.py", *options, "--horizons", "6", "--json", str(out), *flags])
    score_bundled.main()
    return model, read_scorecard(out.parent)


@pytest.mark.parametrize(
    ("flags", "default", "expected"),
    [([], True, True), (["--no-anchor-to-last-close"], True, False), (["--anchor-to-last-close"], False, True)],
)
def test_the_script_anchors_paths_as_requested(tmp_path, monkeypatch, capsys, flags, default, expected):
    model, scorecard = scored(tmp_path, monkeypatch, {"anchor_to_last_close": default}, flags)
    words = "from the last close" if expected else "from the model's own level"
    assert f"3 paths {words}\n" in capsys.readouterr().out
    assert scorecard.anchor_to_last_close is expected
    assert scorecard.horizons == (6,)
    assert scorecard.weights_sha256 == KronosPredictor.from_pretrained(model, device="cpu").weights_sha256


@pytest.mark.parametrize(
    ("flags", "default", "expected"),
    [([], True, True), (["--no-mirror-paths"], True, False), (["--mirror-paths"], False, True)],
)
def test_the_script_mirrors_paths_as_requested(tmp_path, monkeypatch, capsys, flags, default, expected):
    _, scorecard = scored(tmp_path, monkeypatch, {"mirror_paths": default}, flags)
    words = ", in antithetic pairs" if expected else ""
    assert f"3 paths from the model's own level{words}\n" in capsys.readouterr().out
    assert (scorecard.mirror_paths, scorecard.anchor_to_last_close) == (expected, False)


@pytest.mark.parametrize(
    ("flags", "default", "expected"),
    [([], 0.01, 0.01), (["--min-p", "0"], 0.01, 0.0), (["--min-p", "0.02"], 0.0, 0.02)],
)
def test_the_script_drops_unlikely_tokens_as_requested(tmp_path, monkeypatch, capsys, flags, default, expected):
    _, scorecard = scored(tmp_path, monkeypatch, {"min_p": default}, flags)
    words = f", min-p {expected:g}" if expected else ""
    assert f"3 paths from the model's own level{words}\n" in capsys.readouterr().out
    assert scorecard.min_p == expected


@pytest.mark.parametrize(("option", "value"), [("--min-p", "few"), ("--dtype", "int8"), ("--horizons", "far")])
def test_an_invalid_choice_is_wrong_usage(monkeypatch, capsys, option, value):
    monkeypatch.setattr(sys, "argv", ["score_bundled.py", "--candles", "x", option, value])
    with pytest.raises(SystemExit, match="2"):
        score_bundled.main()
    assert option in capsys.readouterr().err
