import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kronos_dashboard.compute.runtime_model import MAX_RUNS, RuntimeModel, RunTiming


def run(seconds: float = 1.0, model: str = "bundled|cpu|float32", paths: int = 30, horizon: int = 120) -> RunTiming:
    return RunTiming(model=model, num_paths=paths, horizon=horizon, context=400, seconds=seconds)


def test_without_any_run_the_estimate_is_marked_as_a_guess(tmp_path: Path) -> None:
    guess = RuntimeModel(tmp_path / "t.json").estimate("bundled|cpu|float32", num_paths=30, horizon=120, context=400)
    assert not guess.measured
    assert 0.1 < guess.seconds < 10


def test_one_run_is_enough_to_estimate_a_similar_one(tmp_path: Path) -> None:
    model = RuntimeModel(tmp_path / "t.json")
    model.add(run(8.0))
    same = model.estimate("bundled|cpu|float32", num_paths=30, horizon=120, context=400)
    assert same.measured
    assert same.seconds == pytest.approx(8.0, rel=0.05)
    assert model.estimate("bundled|cpu|float32", num_paths=60, horizon=120, context=400).seconds > 10


def test_runs_of_different_sizes_identify_the_cost_of_a_step_and_of_a_path(tmp_path: Path) -> None:
    """A machine where steps are expensive and paths are cheap, unlike the calibration."""
    model = RuntimeModel(tmp_path / "t.json")
    for paths in (1, 10, 50, 100, 200) * 3:
        for horizon in (20, 120):
            model.add(run(0.02 * horizon + 2e-5 * paths * horizon, paths=paths, horizon=horizon))
    for paths, horizon in ((5, 60), (150, 100)):
        found = model.estimate("bundled|cpu|float32", num_paths=paths, horizon=horizon, context=400)
        assert found.seconds == pytest.approx(0.02 * horizon + 2e-5 * paths * horizon, rel=0.2)


def test_newer_runs_have_more_weight(tmp_path: Path) -> None:
    model = RuntimeModel(tmp_path / "t.json")
    for seconds in [10.0] * 10 + [2.0] * 25:
        model.add(run(seconds))
    assert model.estimate("bundled|cpu|float32", num_paths=30, horizon=120, context=400).seconds < 3


def test_another_model_is_estimated_from_the_speed_of_this_machine(tmp_path: Path) -> None:
    model = RuntimeModel(tmp_path / "t.json")
    before = model.estimate("kronos-small|cpu|float32", num_paths=30, horizon=120, context=400, relative_cost=5)
    model.add(run(100.0))
    after = model.estimate("kronos-small|cpu|float32", num_paths=30, horizon=120, context=400, relative_cost=5)
    assert not after.measured
    assert after.seconds == pytest.approx(500, rel=0.01)
    assert before.seconds < after.seconds


def test_runs_are_stored_across_processes_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "t.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(RuntimeModel(path).add, [run(3.0)] * (MAX_RUNS + 30)))
    again = RuntimeModel(path)
    assert again.estimate("bundled|cpu|float32", num_paths=30, horizon=120, context=400).measured
    assert path.read_text().count("seconds") == MAX_RUNS
    assert [file.name for file in path.parent.iterdir()] == ["t.json"]


@pytest.mark.parametrize("text", [
    "", "{", "[]", '{"runs": [{"model": "x"}]}', '{"runs": [1]}', '{"runs": 7}',
    '{"runs": [{"model": "x", "paths": 1, "horizon": 1, "context": 1, "seconds": -1}]}',
    '{"runs": [{"model": "x", "paths": "many", "horizon": 1, "context": 1, "seconds": 1}]}',
])  # fmt: skip
def test_a_file_that_cannot_be_read_is_replaced(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    model = RuntimeModel(path)
    assert "begin anew" in caplog.text
    model.add(run())
    assert RuntimeModel(path).estimate("bundled|cpu|float32", num_paths=1, horizon=1, context=1).measured


def test_a_folder_that_cannot_be_written_stores_runs_for_the_process_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        model = RuntimeModel(blocked / "t.json")
        model.add(run(4.0))
    assert "cannot be kept" in caplog.text
    assert model.estimate("bundled|cpu|float32", num_paths=30, horizon=120, context=400).measured


def test_a_file_of_an_older_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"runs": [{"model": "x", "paths": 3, "horizon": 2, "context": 9, "seconds": 1.5}]}')
    assert RuntimeModel(path).estimate("x", num_paths=3, horizon=2, context=9).measured
