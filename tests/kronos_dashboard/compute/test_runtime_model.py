import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kronos_dashboard.compute.runtime_model import MOST, Timing, Timings


def run(seconds: float = 1.0, model: str = "bundled|cpu|float32", paths: int = 30, horizon: int = 120) -> Timing:
    return Timing(model=model, paths=paths, horizon=horizon, context=400, seconds=seconds)


def test_before_any_run_there_is_a_guess_and_it_says_so(tmp_path: Path) -> None:
    guess = Timings(tmp_path / "t.json").estimate("bundled|cpu|float32", paths=30, horizon=120, context=400)
    assert not guess.learned
    assert 0.1 < guess.seconds < 10


def test_one_run_is_enough_to_know_the_next_like_it(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "t.json")
    timings.add(run(8.0))
    same = timings.estimate("bundled|cpu|float32", paths=30, horizon=120, context=400)
    assert same.learned
    assert same.seconds == pytest.approx(8.0, rel=0.05)
    assert timings.estimate("bundled|cpu|float32", paths=60, horizon=120, context=400).seconds > 10


def test_runs_of_different_sizes_teach_what_a_step_and_a_path_cost(tmp_path: Path) -> None:
    """A machine where steps are dear and paths are cheap, unlike the calibration."""
    timings = Timings(tmp_path / "t.json")
    for paths in (1, 10, 50, 100, 200) * 3:
        for horizon in (20, 120):
            timings.add(run(0.02 * horizon + 2e-5 * paths * horizon, paths=paths, horizon=horizon))
    for paths, horizon in ((5, 60), (150, 100)):
        found = timings.estimate("bundled|cpu|float32", paths=paths, horizon=horizon, context=400)
        assert found.seconds == pytest.approx(0.02 * horizon + 2e-5 * paths * horizon, rel=0.2)


def test_newer_runs_count_more(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "t.json")
    for seconds in [10.0] * 10 + [2.0] * 25:
        timings.add(run(seconds))
    assert timings.estimate("bundled|cpu|float32", paths=30, horizon=120, context=400).seconds < 3


def test_another_model_is_guessed_from_the_pace_of_this_machine(tmp_path: Path) -> None:
    timings = Timings(tmp_path / "t.json")
    before = timings.estimate("kronos-small|cpu|float32", paths=30, horizon=120, context=400, size=5)
    timings.add(run(100.0))
    after = timings.estimate("kronos-small|cpu|float32", paths=30, horizon=120, context=400, size=5)
    assert not after.learned
    assert after.seconds == pytest.approx(500, rel=0.01)
    assert before.seconds < after.seconds


def test_runs_are_remembered_from_process_to_process_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "t.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(Timings(path).add, [run(3.0)] * (MOST + 30)))
    again = Timings(path)
    assert again.estimate("bundled|cpu|float32", paths=30, horizon=120, context=400).learned
    assert path.read_text().count("seconds") == MOST
    assert [file.name for file in path.parent.iterdir()] == ["t.json"]


@pytest.mark.parametrize("text", [
    "", "{", "[]", '{"runs": [{"model": "x"}]}', '{"runs": [1]}', '{"runs": 7}',
    '{"runs": [{"model": "x", "paths": 1, "horizon": 1, "context": 1, "seconds": -1}]}',
    '{"runs": [{"model": "x", "paths": "many", "horizon": 1, "context": 1, "seconds": 1}]}',
])  # fmt: skip
def test_a_file_that_cannot_be_read_begins_anew(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    timings = Timings(path)
    assert "begin anew" in caplog.text
    timings.add(run())
    assert Timings(path).estimate("bundled|cpu|float32", paths=1, horizon=1, context=1).learned


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        timings = Timings(blocked / "t.json")
        timings.add(run(4.0))
    assert "cannot be kept" in caplog.text
    assert timings.estimate("bundled|cpu|float32", paths=30, horizon=120, context=400).learned
