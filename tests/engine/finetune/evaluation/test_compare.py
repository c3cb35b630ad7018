import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine import KronosPredictor
from engine.finetune import __main__ as command
from engine.finetune import run
from engine.finetune.config import EvaluationConfig
from engine.finetune.data.split import FOREVER
from engine.finetune.errors import DataError, FinetuneConfigError
from engine.finetune.evaluation import compare
from engine.finetune.evaluation.forecast_eval import METRICS, EvalWindows, summarize
from kronos_dashboard.evaluation import scorecard as track_record
from tests.support import finetune_makers as makers
from tests.support import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run of a few steps, with a windows set."""
    folder = tmp_path_factory.mktemp("compare")
    run.run_stages(makers.prepared(folder, **SETTINGS))
    return folder


SETTINGS = {
    "evaluation.forecast_windows": 5,
    "evaluation.num_paths": 8,
    "evaluation.horizon": 6,
    "evaluation.test_windows": 10,
    "data.test_fraction": 0.3,
}
MANY = EvaluationConfig(test_windows=1000, num_paths=8, horizon=6)


def make_windows(folder, **changes):
    candles, split, _ = makers.mapped(folder, tiny.candles(900))
    values = {"context": 24, "horizon": 6, "num_paths": 8, "seed": 0} | changes
    return EvalWindows(candles=candles, windows=tuple(split.windows(candles, "test", 24, 6)), **values)


def test_every_evaluation_reports_forecasts_of_the_same_windows(folder):
    evaluations = makers.lines(folder, "evaluation")
    assert len(evaluations) == 4
    for line in evaluations:
        assert {
            "crps_skill",
            "mae_ratio",
            "coverage_50",
            "coverage_80",
            "coverage_95",
            "validation_loss",
        } <= line.keys()
        assert line["coverage_50"] <= line["coverage_80"] <= line["coverage_95"]


def test_forecasting_in_evaluations_changes_no_step(folder, tmp_path):
    run.run_stages(makers.prepared(tmp_path, **{**SETTINGS, "evaluation.forecast_windows": 0}))
    np.testing.assert_array_equal(makers.losses(tmp_path), makers.losses(folder))


def test_the_random_walk_scored_as_a_model_has_no_skill(tmp_path):
    windows = make_windows(tmp_path)
    metrics = summarize(windows, windows.random_walk)
    assert metrics["crps_skill"] == pytest.approx(0, abs=1e-12)
    assert 0.9 < metrics["mae_ratio"] < 1.2
    assert 0.6 < metrics["coverage_80"] < 0.95


def test_windows_are_scored_alone_as_together_and_by_the_future_alone(tmp_path):
    windows, predictor = make_windows(tmp_path), tiny.predictor()
    whole = windows.score(predictor)
    assert whole.shape == (len(windows.windows), len(METRICS))
    np.testing.assert_allclose(windows.score(predictor, [3, 1]), whole[[3, 1]], rtol=1e-4)
    first, last = windows.windows[0].first_row, tiny.candles(900)["close"]
    np.testing.assert_allclose(
        windows.actual_returns[0], np.log(last.iloc[first + 24 : first + 30] / last.iloc[first + 23])
    )
    assert windows.volatility[0] == pytest.approx(np.diff(np.log(last.iloc[first : first + 24])).std())


def test_a_model_against_itself_is_no_difference_and_against_a_broken_one_is(tmp_path):
    windows, good = make_windows(tmp_path, num_paths=20), tiny.predictor()
    same = compare.compare(windows, good, tiny.predictor(), ("a", "b"))
    assert same.verdict == "no difference"
    assert same.tests[compare.ALL_GROUPS].mean_difference == 0
    assert "no difference between a and b" in same.to_text()


@pytest.mark.parametrize(("shift", "verdict"), [(0.2, "worse"), (-0.2, "better")])
def test_a_clear_difference_is_reported(tmp_path, monkeypatch, shift, verdict):
    store, split, _ = makers.mapped(tmp_path, tiny.candles(6000))
    windows = EvalWindows(store, tuple(split.windows(store, "test", 24, 6)), 24, 6, 8, 0)
    rng, asked = np.random.default_rng(0), []

    def score(_self, predictor):
        asked.append(predictor)
        metrics = np.abs(rng.normal(1, 0.1, (len(windows.windows), len(METRICS))))
        return metrics + (shift if predictor == "run" else 0)

    monkeypatch.setattr(EvalWindows, "score", score)
    result = compare.compare(windows, "run", "base", ("run", "base"))
    days = len(np.unique(windows.times()[0] // 86_400))
    assert result.tests[compare.ALL_GROUPS].num_dates == days
    assert result.verdict == (verdict if days >= 8 else "no difference")
    assert asked == ["run", "base"]


def test_p_values_of_groups_are_corrected_for_their_number():
    tests = {
        name: compare.DieboldMarianoResult(30, -1.0, -2.0, p) for name, p in {"a": 0.03, "b": 0.01, "c": 0.5}.items()
    }
    corrected = compare._holm_correction(tests)
    assert {name: round(test.p_value, 4) for name, test in corrected.items()} == {"a": 0.06, "b": 0.03, "c": 0.5}
    assert [test.verdict for test in corrected.values()] == ["no difference", "better", "no difference"]


def test_only_windows_that_neither_run_has_used_are_compared_on(folder, tmp_path):
    later = tiny.candles(1100)
    later.rename_axis("timestamp").reset_index().to_csv(tmp_path / "coin_5m.csv", index=False)
    windows = compare.windows_of_files(folder / "run", "bundled", [str(tmp_path)], settings=MANY)
    bounds = json.loads((folder / "run" / "run.json").read_text())["data"]["bounds"]["coin_5m"]
    assert windows.times()[1].min() >= bounds["test_start"]
    assert (
        np.asarray(windows.candles.times)[[window.first_row + 24 for window in windows.windows]] >= bounds["test_start"]
    ).all()
    later.rename_axis("timestamp").reset_index().to_csv(tmp_path / "other_5m.csv", index=False)
    (tmp_path / "coin_5m.csv").unlink()
    unseen = compare.windows_of_files(folder / "run", "bundled", [str(tmp_path)], settings=MANY)
    assert unseen.windows[0].first_row < 40 or min(window.first_row for window in unseen.windows) == 0
    assert unseen.horizon == 6


def test_a_run_whose_mapped_candles_are_gone_is_compared_on_others(tmp_path):
    shutil.rmtree(makers.prepared(tmp_path, **SETTINGS).candles.folder)
    with pytest.raises(DataError, match=r"the candles of .* are no longer in"):
        run.open_run(tmp_path / "run")
    assert compare.windows_of_files(tmp_path / "run", "bundled", [str(tmp_path / "coin_5m.csv")]).windows


def test_without_a_test_part_all_candles_of_the_run_count_as_used(tmp_path):
    makers.prepared(tmp_path, **{**SETTINGS, "data.test_fraction": 0})
    held = json.loads((tmp_path / "run" / "run.json").read_text())["data"]
    assert held["bounds"]["coin_5m"]["test_start"] == FOREVER
    windows = compare.windows_of_files(tmp_path / "run", "bundled", [str(tmp_path / "coin_5m.csv")])
    with pytest.raises(DataError, match="no untouched window remains for the comparison: it needs 6 targets"):
        compare.compare_run(tmp_path / "run", "bundled", windows)
    with pytest.raises(FinetuneConfigError, match="is not a run folder"):
        compare.windows_of_files(tmp_path / "start", "bundled", [str(tmp_path / "coin_5m.csv")])


def test_the_command_prints_the_table_and_one_verdict(folder, capsys):
    assert command.main(["compare", str(folder / "run"), "--baseline", str(folder / "start")]) == 0
    printed = capsys.readouterr().out
    assert "6 steps after 24 candles" in printed
    assert re.search(r"^all +10 ", printed, re.MULTILINE)
    assert len(re.findall("is better than|is worse than|no difference between", printed)) == 1


def test_the_scorecard_of_a_run_is_in_its_folder_for_the_app(folder, capsys):
    run_folder = str(folder / "run")
    flags = ["compare", run_folder, "--baseline", run_folder, "--windows"]
    assert command.main([*flags, "-1"]) == 1
    assert "test_windows must be" in capsys.readouterr().err
    assert command.main([*flags, "7", "--horizon", "4"]) == 0
    capsys.readouterr()
    predictor = KronosPredictor.from_pretrained(run_folder, device="cpu", max_context=64)
    scores = track_record.find_scorecard(run_folder, predictor.weights_sha256).scorecard
    assert scores is not None
    assert (scores.context, scores.num_paths, scores.horizons) == (24, 8, (4,))
    assert scores.anchor_to_last_close is False
    whole = next(one for one in scores.groups if one.market is None)
    assert whole.windows == 7
    assert 0 <= whole.coverage_50 <= whole.coverage_80 <= whole.coverage_95 <= 1
    assert {one.interval for one in scores.groups if one.market} == {None, "5m"}


def test_a_scorecard_that_cannot_be_written_does_not_fail_the_comparison(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compare, "write_scorecard", full)
    made = compare.compare_run(
        folder / "run", folder / "run", replace(make_windows(folder), windows=make_windows(folder).windows[:4])
    )
    assert made.verdict == "no difference"
    assert "scorecard.json could not be written: No space left on device." in made.to_text()


def test_a_run_from_the_command_line_ends_with_the_comparison(tmp_path, capsys):
    makers.initial_checkpoints(tmp_path)
    makers.csv(tmp_path)
    arguments = makers.arguments(tmp_path, **SETTINGS)
    assert command.main(arguments) == 0
    shown = capsys.readouterr()
    assert "model: 12 steps, 1,536 candles" in shown.out
    assert f"against {tmp_path / 'start'}" in shown.out
    assert shown.err.count("validation loss") == 4
    KronosPredictor.from_pretrained(tmp_path / "run", device="cpu")
    assert command.main(arguments) == 1
    assert "error: " in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        command.main(["train", "data.csv"])


def test_help_lists_every_command_and_every_setting(capsys):
    assert command.main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(f"python -m engine.finetune {name}" in printed for name in ("train", "compare", "calibrate"))
    assert command.main(["train", "--help"]) == 0
    printed = capsys.readouterr().out
    assert "--data.context [256]" in printed
    assert "--model.learning_rate [0.0001]" in printed
