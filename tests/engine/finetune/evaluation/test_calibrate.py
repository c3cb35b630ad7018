"""A temperature that makes bands hold their share, written into the weights."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import Kronos, KronosPredictor, KronosTokenizer, SamplingConfig
from engine.errors import CheckpointError
from engine.finetune.__main__ import main
from engine.finetune.errors import DataError, FinetuneConfigError
from engine.finetune.evaluation import calibrate as module
from engine.finetune.evaluation.calibrate import (
    COVERAGE,
    COVERAGE_COLUMN,
    MAX_TRIALS,
    calibrate,
    calibration_windows,
    scale_logits,
)
from engine.finetune.evaluation.forecast_eval import COVERAGES
from tests.support import finetune_makers as makers
from tests.support import tiny


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "coin_5m.csv"
    tiny.candles(700).rename_axis("timestamp").reset_index().to_csv(path, index=False)
    return path


@pytest.fixture
def windows(tmp_path, csv):
    return calibration_windows([str(csv)], tmp_path / "cache", max_windows=4, context=24, horizon=6, num_paths=8)


class FakeScores:
    """Metrics of a predictor whose bands have the coverage that ``coverage`` gives for a temperature."""

    def __init__(self, coverage):
        self.coverage, self.temperatures = coverage, []

    def metrics(self, windows):
        self.temperatures.append(windows.sampling.temperature)
        coverage = self.coverage(windows.sampling.temperature)
        return np.tile([1.0, 1.0, *(coverage for _ in COVERAGES), 0.0], (len(windows.windows), 1))


def calibrated(monkeypatch, windows, coverage):
    fake = FakeScores(coverage)
    monkeypatch.setattr(module.EvalWindows, "score", lambda windows, _: fake.metrics(windows))
    return calibrate(None, windows), fake.temperatures


@pytest.mark.parametrize(("right", "slope"), [(0.93, 0.35), (1.0, 0.35), (1.1, 0.3), (0.9, 0.5), (1.05, 0.25)])
def test_the_temperature_is_the_one_with_nominal_coverage(monkeypatch, windows, right, slope):
    got, asked = calibrated(monkeypatch, windows, lambda t: COVERAGE + slope * (t - right))
    assert asked[0] == 1.0
    assert len(asked) <= MAX_TRIALS
    assert got.temperature == pytest.approx(right, abs=0.012)
    assert got.coverage == pytest.approx(COVERAGE, abs=0.006)
    assert list(got.table.index) == asked


@pytest.mark.parametrize(("held", "end"), [(0.99, module.MIN_TEMPERATURE), (0.1, module.MAX_TEMPERATURE)])
def test_the_limit_is_tried_once_if_no_temperature_is_enough(monkeypatch, windows, held, end):
    _, asked = calibrated(monkeypatch, windows, lambda _: held)
    assert asked[-1] == end
    assert len(set(asked)) == len(asked)


def test_the_nearest_try_is_taken_not_the_last(monkeypatch, windows):
    tries = iter([0.82, 0.805, 0.7, 0.6])
    got, asked = calibrated(monkeypatch, windows, lambda _: next(tries))
    assert got.temperature == asked[1]


def test_calibration_improves_the_coverage_of_real_bands(windows):
    predictor = KronosPredictor(tiny.model(anchor_to_last_close=True), tiny.tokenizer(), "cpu", 64)
    lines = []
    got = calibrate(predictor, windows, lines.append)
    assert len(lines) == len(got.table)
    assert abs(got.coverage - COVERAGE) <= abs(got.table.loc[1.0, COVERAGE_COLUMN] - COVERAGE)
    assert f"temperature {got.temperature:g}: the 80% band covers" in got.to_text()


@pytest.mark.parametrize("temperature", [0.8, 1.0, 1.2])
def test_scaled_logits_sample_like_the_model_at_that_temperature(temperature):
    frame = tiny.candles(24)
    sampling = SamplingConfig(num_paths=5, seed=1)
    paths = []
    for model, at in ((tiny.model(), temperature), (scale_logits(tiny.model(), temperature), 1.0)):
        predictor = KronosPredictor(model, tiny.tokenizer(), "cpu", 64)
        (forecast,) = predictor.forecast_many([frame], [tiny.future(frame, 6)], replace(sampling, temperature=at))
        paths.append(forecast.paths)
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-5)


def asked(tmp_path, csv, *more):
    small = {"--windows": "3", "--paths": "4", "--context": "24", "--horizon": "6"}
    places = {"--data": str(csv), "--output": str(tmp_path / "out")}
    options = [text for pair in (places | small).items() for text in pair]
    return main(["calibrate", str(tmp_path / "start"), *options, *more])


def test_the_command_writes_weights_and_sampling_defaults(tmp_path, csv, capsys):
    start = makers.initial_checkpoints(tmp_path)
    assert asked(tmp_path, csv, "--anchor-to-last-close", "--no-mirror-paths", "--min-p", "0.01") == 0
    printed = capsys.readouterr().out
    assert "temperature 1.000: CRPS skill" in printed
    assert f"{tmp_path / 'out'} contains the calibrated checkpoint" in printed
    temperature = float(printed.split("\ntemperature ")[-1].split(":")[0])
    config = json.loads((tmp_path / "out" / "model" / "config.json").read_text())
    held = json.loads((start / "model" / "config.json").read_text())
    assert config == held | {"anchor_to_last_close": True, "min_p": 0.01}  # false is the default and not written
    before, after = (Kronos.from_pretrained(folder / "model").state_dict() for folder in (start, tmp_path / "out"))
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor / temperature if name.startswith("head.") else tensor)
    coders = [KronosTokenizer.from_pretrained(folder / "tokenizer") for folder in (start, tmp_path / "out")]
    for one, other in zip(*(coder.state_dict().values() for coder in coders), strict=True):
        assert torch.equal(one, other)


def test_a_temperature_may_be_given(tmp_path, capsys):
    start = makers.initial_checkpoints(tmp_path)
    out = tmp_path / "out"
    assert main(["calibrate", str(start), "--temperature", "1.1", "--output", str(out), "--mirror-paths"]) == 0
    assert "temperature 1.1, as given" in capsys.readouterr().out
    before, after = (Kronos.from_pretrained(folder / "model") for folder in (start, out))
    torch.testing.assert_close(after.head.coarse.weight, before.head.coarse.weight / 1.1)
    assert after.config == replace(before.config, mirror_paths=True)


@pytest.mark.parametrize("value", ["0", "3", "-1", "nan"])
def test_a_temperature_out_of_range_is_refused(tmp_path, capsys, value):
    start = makers.initial_checkpoints(tmp_path)
    assert main(["calibrate", str(start), "--temperature", value, "--output", str(tmp_path / "out")]) == 1
    assert "the temperature must be 0.8 to 1.25; got" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_invalid_sampling_default_is_refused(tmp_path, csv, capsys):
    makers.initial_checkpoints(tmp_path)
    assert asked(tmp_path, csv, "--min-p", "1.5") == 1
    assert "min_p must be at least 0 and below 1; got 1.5" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path, csv, capsys):
    makers.initial_checkpoints(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("kept")
    assert asked(tmp_path, csv) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_too_few_candles_are_refused(tmp_path, csv):
    with pytest.raises(DataError, match="no window to calibrate on: it needs 600 targets after a context of 400"):
        calibration_windows([str(csv)], tmp_path, max_windows=4, context=400, horizon=600, num_paths=8)


def test_a_model_that_is_not_there_is_refused(tmp_path, windows):
    with pytest.raises(CheckpointError):
        module.write_calibrated(tmp_path / "none", tmp_path / "out", windows)
    with pytest.raises(FinetuneConfigError, match="is not empty"):
        module.write_calibrated(tmp_path / "none", tmp_path, windows)


def test_a_full_disk_is_reported(tmp_path, windows, monkeypatch):
    start = makers.initial_checkpoints(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Kronos, "save_pretrained", full)
    with pytest.raises(CheckpointError, match=r"could not be written.*No space left"):
        module.write_calibrated(start, tmp_path / "out", windows)


@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_an_invalid_number_is_wrong_usage(tmp_path, csv, capsys, value):
    with pytest.raises(SystemExit):
        asked(tmp_path, csv, "--windows", value)
    assert "expected a whole number of at least 1" in capsys.readouterr().err
