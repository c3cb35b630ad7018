"""A temperature that makes bands hold their share, written into the weights."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import Kronos, KronosPredictor, KronosTokenizer, SamplingConfig
from engine.errors import CheckpointError, DataError, SettingsError
from engine.finetune.__main__ import main
from engine.finetune.evaluation import calibrate as module
from engine.finetune.evaluation.calibrate import COVERAGE, HELD, MOST_TRIES, calibrate, probe_of_candles, sharpened
from engine.finetune.evaluation.forecast_eval import COVERAGES
from tests.support import finetune_makers as makers
from tests.support import tiny


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "coin_5m.csv"
    tiny.candles(700).rename_axis("timestamp").reset_index().to_csv(path, index=False)
    return path


@pytest.fixture
def probe(tmp_path, csv):
    return probe_of_candles([str(csv)], tmp_path / "cache", windows=4, context=24, horizon=6, num_paths=8)


class Fan:
    """Stands for a predictor whose bands hold a share that rises with the temperature, as ``share`` says."""

    def __init__(self, share):
        self.share, self.asked = share, []

    def figures(self, probe):
        self.asked.append(probe.sampling.temperature)
        held = self.share(probe.sampling.temperature)
        return np.tile([1.0, 1.0, *(held for _ in COVERAGES), 0.0], (len(probe.places), 1))


def found(monkeypatch, probe, share):
    fan = Fan(share)
    monkeypatch.setattr(module.Probe, "forecast", lambda probe, _: fan.figures(probe))
    return calibrate(None, probe), fan.asked


@pytest.mark.parametrize(("right", "slope"), [(0.93, 0.35), (1.0, 0.35), (1.1, 0.3), (0.9, 0.5), (1.05, 0.25)])
def test_the_temperature_is_the_one_at_which_the_band_holds_its_share(monkeypatch, probe, right, slope):
    got, asked = found(monkeypatch, probe, lambda t: COVERAGE + slope * (t - right))
    assert asked[0] == 1.0
    assert len(asked) <= MOST_TRIES
    assert got.temperature == pytest.approx(right, abs=0.012)
    assert got.held == pytest.approx(COVERAGE, abs=0.006)
    assert list(got.table.index) == asked


@pytest.mark.parametrize(("held", "end"), [(0.99, module.COLDEST), (0.1, module.HOTTEST)])
def test_where_no_temperature_is_enough_the_last_allowed_is_tried_once(monkeypatch, probe, held, end):
    _, asked = found(monkeypatch, probe, lambda _: held)
    assert asked[-1] == end
    assert len(set(asked)) == len(asked)


def test_the_nearest_try_is_taken_not_the_last(monkeypatch, probe):
    tries = iter([0.82, 0.805, 0.7, 0.6])
    got, asked = found(monkeypatch, probe, lambda _: next(tries))
    assert got.temperature == asked[1]


def test_real_bands_come_nearer_to_their_share(probe):
    predictor = KronosPredictor(tiny.model(from_last_close=True), tiny.tokenizer(), "cpu", 64)
    lines = []
    got = calibrate(predictor, probe, lines.append)
    assert len(lines) == len(got.table)
    assert abs(got.held - COVERAGE) <= abs(got.table.loc[1.0, HELD] - COVERAGE)
    assert f"temperature {got.temperature:g}: the 80% band held" in got.to_text()


@pytest.mark.parametrize("temperature", [0.8, 1.0, 1.2])
def test_a_sharpened_model_draws_as_the_model_did_at_that_temperature(temperature):
    frame = tiny.candles(24)
    sampling = SamplingConfig(num_paths=5, seed=1)
    paths = []
    for model, heat in ((tiny.model(), temperature), (sharpened(tiny.model(), temperature), 1.0)):
        predictor = KronosPredictor(model, tiny.tokenizer(), "cpu", 64)
        (forecast,) = predictor.forecast_many([frame], [tiny.future(frame, 6)], replace(sampling, temperature=heat))
        paths.append(forecast.paths)
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-5)


def asked(tmp_path, csv, *more):
    small = {"--windows": "3", "--paths": "4", "--context": "24", "--horizon": "6"}
    places = {"--data": str(csv), "--out": str(tmp_path / "out")}
    options = [text for pair in (places | small).items() for text in pair]
    return main(["calibrate", str(tmp_path / "start"), *options, *more])


def test_the_command_writes_a_checkpoint_that_asks_for_how_it_was_calibrated(tmp_path, csv, capsys):
    start = makers.start(tmp_path)
    assert asked(tmp_path, csv, "--from-last-close", "yes", "--mirrored", "no", "--min-p", "0.01") == 0
    told = capsys.readouterr().out
    assert "temperature 1.000: CRPS skill" in told
    assert f"{tmp_path / 'out'} holds the calibrated checkpoint" in told
    temperature = float(told.split("\ntemperature ")[-1].split(":")[0])
    config = json.loads((tmp_path / "out" / "model" / "config.json").read_text())
    held = json.loads((start / "model" / "config.json").read_text())
    assert config == held | {"from_last_close": True, "min_p": 0.01}  # "no" is the default and not written
    before, after = (Kronos.from_pretrained(folder / "model").state_dict() for folder in (start, tmp_path / "out"))
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor / temperature if name.startswith("head.") else tensor)
    coders = [KronosTokenizer.from_pretrained(folder / "tokenizer") for folder in (start, tmp_path / "out")]
    for one, other in zip(*(coder.state_dict().values() for coder in coders), strict=True):
        assert torch.equal(one, other)


def test_a_temperature_may_be_given(tmp_path, capsys):
    start = makers.start(tmp_path)
    out = tmp_path / "out"
    assert main(["calibrate", str(start), "--temperature", "1.1", "--out", str(out), "--mirrored", "yes"]) == 0
    assert "temperature 1.1, as given" in capsys.readouterr().out
    before, after = (Kronos.from_pretrained(folder / "model") for folder in (start, out))
    torch.testing.assert_close(after.head.coarse.weight, before.head.coarse.weight / 1.1)
    assert after.config == replace(before.config, mirrored=True)


@pytest.mark.parametrize("value", ["0", "3", "-1", "nan"])
def test_a_temperature_that_is_none_is_refused(tmp_path, capsys, value):
    start = makers.start(tmp_path)
    assert main(["calibrate", str(start), "--temperature", value, "--out", str(tmp_path / "out")]) == 1
    assert "the temperature must be 0.8 to 1.25; got" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_config_json_cannot_hold_is_refused(tmp_path, csv, capsys):
    makers.start(tmp_path)
    assert asked(tmp_path, csv, "--min-p", "1.5") == 1
    assert "min_p must be 0 to below 1; got 1.5" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path, csv, capsys):
    makers.start(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("kept")
    assert asked(tmp_path, csv) == 1
    assert "holds something already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_too_few_candles_are_refused(tmp_path, csv):
    with pytest.raises(DataError, match="no window to calibrate on: 600 targets after a context of 400"):
        probe_of_candles([str(csv)], tmp_path, windows=4, context=400, horizon=600, num_paths=8)


def test_a_model_that_is_not_there_is_refused(tmp_path, probe):
    with pytest.raises(CheckpointError):
        module.write_calibrated(tmp_path / "none", tmp_path / "out", probe)
    with pytest.raises(SettingsError, match="holds something"):
        module.write_calibrated(tmp_path / "none", tmp_path, probe)


def test_a_full_disk_is_said(tmp_path, probe, monkeypatch):
    start = makers.start(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Kronos, "save_pretrained", full)
    with pytest.raises(CheckpointError, match=r"could not be written.*No space left"):
        module.write_calibrated(start, tmp_path / "out", probe)


@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_a_number_that_is_none_is_usage(tmp_path, csv, capsys, value):
    with pytest.raises(SystemExit):
        asked(tmp_path, csv, "--windows", value)
    assert "a whole number of at least 1 is wanted" in capsys.readouterr().err
