import io
import json
import sys

import pytest

from engine.errors import MissingExtra, RunInUse, SettingsError
from engine.finetune import __main__ as command
from engine.finetune import launch, run
from engine.finetune.training import reporters as watch
from engine.finetune.training.run_folder import RunFolder, read_metrics
from tests.support import finetune_makers as makers

LINE = {"kind": "evaluation", "stage": "model", "step": 3, "validation": 1.25, "crps_skill": 0.01, "coverage_80": 0.79}


def test_a_bar_shows_how_long_it_takes_and_how_evaluations_came_out(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    bar = watch.Bar()
    bar.logged({**LINE, "step": 0})
    for step in range(1, 11):
        bar.stepped(step, 10, {"loss": 2.0})
    bar.logged(LINE)
    bar.close()
    text = shown.getvalue()
    assert "100%" in text
    assert "loss=2.0000" in text
    assert "model step 3: validation loss 1.2500, CRPS skill 0.0100, in 80 % band 0.7900" in text


def test_tensorboard_is_told_where_to_get_or_given_every_number(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtra, match="pip install tensorboard"):
        watch.TensorBoard(tmp_path)
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
    watch.TensorBoard(tmp_path).logged(LINE)
    assert ("model/evaluation/crps_skill", 0.01, 3) in written
    assert len(written) == 3


def test_what_a_resumed_run_did_again_is_read_once(tmp_path):
    folder = RunFolder(tmp_path)
    for step in (1, 2, 3):
        folder.log({"kind": "train", "stage": "model", "step": step, "loss": 1.0 * step})
    folder.log({"kind": "resumed", "stage": "model", "step": 1})
    folder.log({"kind": "train", "stage": "model", "step": 2, "loss": 9.0})
    with folder.metrics.open("a") as file:
        file.write('{"kind": "tra')
    assert [line.get("loss") for line in read_metrics(tmp_path)] == [1.0, None, 9.0]
    assert read_metrics(tmp_path / "nowhere") == []


def test_a_folder_in_use_is_refused_before_its_description_is_touched(tmp_path):
    prepared = makers.prepared(tmp_path)
    before = prepared.folder.description.read_bytes()
    with prepared.folder.locked():
        with pytest.raises(RunInUse):
            makers.prepared(tmp_path, resume="auto")
        with pytest.raises(RunInUse):
            run.work(prepared)
    assert prepared.folder.description.read_bytes() == before


def test_a_process_that_fails_ends_the_others_and_its_status_is_kept():
    failing = "import os, time; time.sleep(0 if os.environ['RANK'] == '1' else 60); raise SystemExit(3)"
    assert launch.launch(["-c", failing], 2) == 3
    told = "import os; raise SystemExit(os.environ['MASTER_ADDR'] != '127.0.0.1' or os.environ['WORLD_SIZE'] != '3')"
    assert launch.launch(["-c", told], 3) == 0
    stopped = f"import os; raise SystemExit({launch.STOPPED} if os.environ['RANK'] == '0' else 0)"
    assert launch.launch(["-c", stopped], 2) == launch.STOPPED


def test_torchrun_is_not_needed(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(SettingsError, match="Give --processes N instead"):
        command._train(["--out", "r"])


def test_how_paths_are_to_be_drawn_may_differ_from_the_starts(tmp_path):
    run.work(makers.prepared(tmp_path, **{"model.geometry": "from_last_close=true,min_p=0.01", "steps": 2}))
    config = json.loads((tmp_path / "run" / "model" / "config.json").read_text())
    assert (config["from_last_close"], config["min_p"]) == (True, 0.01)


def test_dropout_may_differ_from_the_starts(tmp_path):
    run.work(makers.prepared(tmp_path, **{"model.geometry": "resid_dropout_p=0.25,d_model=32", "steps": 3}))
    assert '"resid_dropout_p": 0.25' in (tmp_path / "run" / "model" / "config.json").read_text()
