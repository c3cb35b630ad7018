import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine import KronosPredictor
from engine.errors import DataError, SettingsError
from engine.finetune import __main__ as command
from engine.finetune import run
from engine.finetune.config import ProbeConfig
from engine.finetune.data.split import FOREVER
from engine.finetune.evaluation import compare
from engine.finetune.evaluation.forecast_eval import FIGURES, Probe, summary
from kronos_dashboard.evaluation import scorecard as track_record
from tests.support import finetune_makers as makers
from tests.support import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run of a few steps, with a probe set."""
    folder = tmp_path_factory.mktemp("compare")
    run.work(makers.prepared(folder, **SETTINGS))
    return folder


SETTINGS = {
    "probe.windows": 5,
    "probe.paths": 8,
    "probe.horizon": 6,
    "probe.compare_windows": 10,
    "data.test_share": 0.3,
}
MANY = ProbeConfig(compare_windows=1000, paths=8, horizon=6)


def probe_of(folder, **changes):
    store, split, _ = makers.stored(folder, tiny.candles(900))
    usual = {"context": 24, "horizon": 6, "paths": 8, "seed": 0}
    return Probe(store=store, places=tuple(split.places(store, "test", 24, 6)), **{**usual, **changes})


def test_every_evaluation_reports_forecasts_of_the_probe_set(folder):
    evaluations = makers.lines(folder, "evaluation")
    assert len(evaluations) == 4
    for line in evaluations:
        assert {"crps_skill", "mae_ratio", "coverage_50", "coverage_80", "coverage_95", "validation"} <= line.keys()
        assert line["coverage_50"] <= line["coverage_80"] <= line["coverage_95"]


def test_forecasting_in_evaluations_changes_no_step(folder, tmp_path):
    run.work(makers.prepared(tmp_path, **{**SETTINGS, "probe.windows": 0}))
    np.testing.assert_array_equal(makers.losses(tmp_path), makers.losses(folder))


def test_figures_of_the_walk_judged_as_a_model_give_no_skill(tmp_path):
    probe = probe_of(tmp_path)
    figures = summary(probe, probe.walk)
    assert figures["crps_skill"] == pytest.approx(0, abs=1e-12)
    assert 0.9 < figures["mae_ratio"] < 1.2
    assert 0.6 < figures["coverage_80"] < 0.95


def test_windows_are_scored_alone_as_together_and_by_the_future_alone(tmp_path):
    probe, predictor = probe_of(tmp_path), tiny.predictor()
    whole = probe.forecast(predictor)
    assert whole.shape == (len(probe.places), len(FIGURES))
    np.testing.assert_allclose(probe.forecast(predictor, [3, 1]), whole[[3, 1]], rtol=1e-4)
    first, last = probe.places[0].first, tiny.candles(900)["close"]
    np.testing.assert_allclose(probe.truth[0], np.log(last.iloc[first + 24 : first + 30] / last.iloc[first + 23]))
    assert probe.scale[0] == pytest.approx(np.diff(np.log(last.iloc[first : first + 24])).std())


def test_a_model_against_itself_is_no_difference_and_against_a_broken_one_is(tmp_path):
    probe, good = probe_of(tmp_path, paths=20), tiny.predictor()
    same = compare.compare(probe, good, tiny.predictor(), ("a", "b"))
    assert same.verdict == "no difference"
    assert same.tests[compare.ALL].difference == 0
    assert "no difference between a and b" in same.to_text()


@pytest.mark.parametrize(("shift", "verdict"), [(0.2, "worse"), (-0.2, "better")])
def test_a_clear_difference_is_said(tmp_path, monkeypatch, shift, verdict):
    store, split, _ = makers.stored(tmp_path, tiny.candles(6000))
    probe = Probe(store, tuple(split.places(store, "test", 24, 6)), 24, 6, 8, 0)
    rng, asked = np.random.default_rng(0), []

    def forecast(_self, predictor):
        asked.append(predictor)
        figures = np.abs(rng.normal(1, 0.1, (len(probe.places), len(FIGURES))))
        return figures + (shift if predictor == "run" else 0)

    monkeypatch.setattr(Probe, "forecast", forecast)
    result = compare.compare(probe, "run", "base", ("run", "base"))
    days = len(np.unique(probe.times()[0] // 86_400))
    assert result.tests[compare.ALL].dates == days
    assert result.verdict == (verdict if days >= 8 else "no difference")
    assert asked == ["run", "base"]


def test_groups_ask_for_more_the_more_there_are():
    tests = {name: compare.Test(30, -1.0, -2.0, p) for name, p in {"a": 0.03, "b": 0.01, "c": 0.5}.items()}
    corrected = compare._corrected(tests)
    assert {name: round(test.p, 4) for name, test in corrected.items()} == {"a": 0.06, "b": 0.03, "c": 0.5}
    assert [test.verdict for test in corrected.values()] == ["no difference", "better", "no difference"]


def test_only_what_neither_run_has_touched_is_compared_on(folder, tmp_path):
    later = tiny.candles(1100)
    later.rename_axis("timestamp").reset_index().to_csv(tmp_path / "coin_5m.csv", index=False)
    probe = compare.probe_of_paths(folder / "run", "bundled", [str(tmp_path)], wanted=MANY)
    bounds = json.loads((folder / "run" / "run.json").read_text())["data"]["bounds"]["coin_5m"]
    assert probe.times()[1].min() >= bounds["test_from"]
    assert (np.asarray(probe.store.times)[[place.first + 24 for place in probe.places]] >= bounds["test_from"]).all()
    later.rename_axis("timestamp").reset_index().to_csv(tmp_path / "other_5m.csv", index=False)
    (tmp_path / "coin_5m.csv").unlink()
    unseen = compare.probe_of_paths(folder / "run", "bundled", [str(tmp_path)], wanted=MANY)
    assert unseen.places[0].first < 40 or min(place.first for place in unseen.places) == 0
    assert unseen.horizon == 6


def test_a_run_whose_mapped_candles_are_gone_is_compared_on_others(tmp_path):
    shutil.rmtree(makers.prepared(tmp_path, **SETTINGS).store.folder)
    with pytest.raises(DataError, match=r"the candles of .* are gone from"):
        run.reopen(tmp_path / "run")
    assert compare.probe_of_paths(tmp_path / "run", "bundled", [str(tmp_path / "coin_5m.csv")]).places


def test_without_a_test_part_everything_the_run_read_counts_as_touched(tmp_path):
    makers.prepared(tmp_path, **{**SETTINGS, "data.test_share": 0})
    held = json.loads((tmp_path / "run" / "run.json").read_text())["data"]
    assert held["bounds"]["coin_5m"]["test_from"] == FOREVER
    probe = compare.probe_of_paths(tmp_path / "run", "bundled", [str(tmp_path / "coin_5m.csv")])
    with pytest.raises(DataError, match="no untouched window is left to compare on: 6 targets"):
        compare.compare_run(tmp_path / "run", "bundled", probe)
    with pytest.raises(SettingsError, match="is no run folder"):
        compare.probe_of_paths(tmp_path / "start", "bundled", [str(tmp_path / "coin_5m.csv")])


def test_the_command_prints_the_table_and_one_verdict(folder, capsys):
    assert command.main(["compare", str(folder / "run"), "--against", str(folder / "start")]) == 0
    printed = capsys.readouterr().out
    assert "6 steps after 24 candles" in printed
    assert re.search(r"^all +10 ", printed, re.MULTILINE)
    assert len(re.findall("is better than|is worse than|no difference between", printed)) == 1


def test_what_was_measured_of_a_run_stands_beside_it_for_the_app(folder, capsys):
    run_folder = str(folder / "run")
    flags = ["compare", run_folder, "--against", run_folder, "--windows"]
    assert command.main([*flags, "-1"]) == 1
    assert "compare_windows must be" in capsys.readouterr().err
    assert command.main([*flags, "7", "--horizon", "4"]) == 0
    capsys.readouterr()
    predictor = KronosPredictor.from_pretrained(run_folder, device="cpu", max_context=64)
    scores = track_record.find_scores(run_folder, predictor.digest).scores
    assert scores is not None
    assert (scores.context, scores.paths, scores.horizons) == (24, 8, (4,))
    assert scores.from_last_close is False
    whole = next(one for one in scores.scores if one.market is None)
    assert whole.windows == 7
    assert 0 <= whole.coverage_50 <= whole.coverage_80 <= whole.coverage_95 <= 1
    assert {one.interval for one in scores.scores if one.market} == {None, "5m"}


def test_a_disk_that_takes_no_figures_costs_no_comparison(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compare, "write_scores", full)
    made = compare.compare_run(
        folder / "run", folder / "run", replace(probe_of(folder), places=probe_of(folder).places[:4])
    )
    assert made.verdict == "no difference"
    assert "scores.json could not be written: No space left on device." in made.to_text()


def test_a_run_from_the_command_line_ends_with_the_comparison(tmp_path, capsys):
    makers.start(tmp_path)
    makers.csv(tmp_path)
    flags = [part for name, value in makers.flags(tmp_path, **SETTINGS) for part in (f"--{name}", value)]
    assert command.main(flags) == 0
    shown = capsys.readouterr()
    assert "model: 12 steps, 1,536 candles" in shown.out
    assert f"against {tmp_path / 'start'}" in shown.out
    assert shown.err.count("validation loss") == 4
    KronosPredictor.from_pretrained(tmp_path / "run", device="cpu")
    assert command.main(flags) == 1
    assert "error: " in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        command.main(["data.csv"])


def test_help_lists_every_setting(capsys):
    assert command.main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert "--data.context [256]" in printed
    assert "--model.rate [0.0001]" in printed
