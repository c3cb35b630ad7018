import io
import json
import sys

import pytest

from engine.finetune import __main__ as command
from engine.finetune import launch, run
from engine.finetune.errors import MissingDependencyError, RunLockedError
from engine.finetune.training import reporters
from engine.finetune.training.run_folder import RunFolder, read_metrics
from tests.support import finetune_makers as makers

LINE = {
    "kind": "evaluation",
    "stage": "model",
    "step": 3,
    "validation_loss": 1.25,
    "crps_skill": 0.01,
    "coverage_80": 0.79,
}


def test_a_bar_shows_progress_and_evaluations(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    bar = reporters.ProgressBar()
    bar.on_log({**LINE, "step": 0})
    for step in range(1, 11):
        bar.on_step(step, 10, {"loss": 2.0})
    bar.on_log(LINE)
    bar.close()
    text = shown.getvalue()
    assert "100%" in text
    assert "loss=2.0000" in text
    assert "model step 3: validation loss 1.2500, CRPS skill 0.0100, 80 % coverage 0.7900" in text


def test_tensorboard_gets_every_number_or_names_the_package_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingDependencyError, match="pip install tensorboard"):
        reporters.TensorBoardReporter(tmp_path)
    written = []

    class Writer:
        def __init__(self, folder):
            assert folder == str(tmp_path / "tensorboard")

        def add_scalar(self, name, value, step):
            written.append((name, value, step))

        def flush(self):
            pass

    import types

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.SimpleNamespace(SummaryWriter=Writer))
    reporters.TensorBoardReporter(tmp_path).on_log(LINE)
    assert ("model/evaluation/crps_skill", 0.01, 3) in written
    assert len(written) == 3


def test_lines_that_a_resumed_run_repeats_are_read_once(tmp_path):
    folder = RunFolder(tmp_path)
    for step in (1, 2, 3):
        folder.log({"kind": "train", "stage": "model", "step": step, "loss": 1.0 * step})
    folder.log({"kind": "resumed", "stage": "model", "step": 1})
    folder.log({"kind": "train", "stage": "model", "step": 2, "loss": 9.0})
    with folder.metrics_file.open("a") as file:
        file.write('{"kind": "tra')
    assert [line.get("loss") for line in read_metrics(tmp_path)] == [1.0, None, 9.0]
    assert read_metrics(tmp_path / "nowhere") == []


def test_a_folder_in_use_is_refused_before_its_description_is_touched(tmp_path):
    prepared = makers.prepared(tmp_path)
    before = prepared.folder.description_file.read_bytes()
    with prepared.folder.lock():
        with pytest.raises(RunLockedError):
            makers.prepared(tmp_path, resume="auto")
        with pytest.raises(RunLockedError):
            run.run_stages(prepared)
    assert prepared.folder.description_file.read_bytes() == before


def test_a_failing_process_ends_the_others_and_its_status_is_returned():
    failing = "import os, time; time.sleep(0 if os.environ['RANK'] == '1' else 60); raise SystemExit(3)"
    assert launch.launch(["-c", failing], 2) == 3
    told = "import os; raise SystemExit(os.environ['MASTER_ADDR'] != '127.0.0.1' or os.environ['WORLD_SIZE'] != '3')"
    assert launch.launch(["-c", told], 3) == 0
    stopped = f"import os; raise SystemExit({launch.EXIT_STOPPED} if os.environ['RANK'] == '0' else 0)"
    assert launch.launch(["-c", stopped], 2) == launch.EXIT_STOPPED


def test_torchrun_is_not_needed(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "0")
    assert command.main(["train", "--output_dir", "r"]) == 1
    assert "Use --num_processes N instead" in capsys.readouterr().err


def test_sampling_defaults_may_differ_from_those_of_the_initial_checkpoint(tmp_path):
    run.run_stages(
        makers.prepared(tmp_path, **{"model.architecture": "anchor_to_last_close=true,min_p=0.01", "max_steps": 2})
    )
    config = json.loads((tmp_path / "run" / "model" / "config.json").read_text())
    assert (config["anchor_to_last_close"], config["min_p"]) == (True, 0.01)


def test_dropout_may_differ_from_that_of_the_initial_checkpoint(tmp_path):
    run.run_stages(
        makers.prepared(tmp_path, **{"model.architecture": "resid_dropout_p=0.25,d_model=32", "max_steps": 3})
    )
    assert '"resid_dropout_p": 0.25' in (tmp_path / "run" / "model" / "config.json").read_text()
