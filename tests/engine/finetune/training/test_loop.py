import json
import threading

import numpy as np
import pytest
import torch

from engine import KronosPredictor
from engine.errors import LossNotFinite, RunExists, RunInUse, StateNotWritten
from engine.finetune import run
from engine.finetune.launch import STOPPED
from engine.finetune.options import config_from
from engine.finetune.training import run_folder as state
from engine.finetune.training.loop import _Loop, stopping_on_signals
from tests.support import finetune_makers as makers


@pytest.fixture
def folder(tmp_path):
    makers.start(tmp_path)
    makers.csv(tmp_path)
    return tmp_path


def stopping_after(monkeypatch, steps):
    """As if SIGTERM came in step ``steps``."""
    plain = _Loop.step

    def step(self, batches):
        if self.outcome.step + 1 == steps:
            self.job.stop.set()
        return plain(self, batches)

    monkeypatch.setattr(_Loop, "step", step)
    return lambda: monkeypatch.setattr(_Loop, "step", plain)


@pytest.mark.parametrize("stage", ["model", "tokenizer"])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(folder, monkeypatch, stage):
    extra = {"stages": stage, "optimizer": "muon", "data.epoch_windows": 8}
    assert run.work(makers.prepared(folder, **extra)) == "finished"
    whole, weights = makers.losses(folder), makers.weights(folder, stage)
    (folder / "run").rename(folder / "whole")
    undo = stopping_after(monkeypatch, 7)
    assert run.work(makers.prepared(folder, **extra)) == "stopped"
    undo()
    assert run.work(makers.prepared(folder, resume="auto", **extra)) == "finished"
    np.testing.assert_array_equal(makers.losses(folder), whole)
    assert makers.weights(folder, stage) == weights
    assert makers.lines(folder, "resumed") == [{"kind": "resumed", "stage": stage, "step": 7}]


def test_both_stages_in_one_run_give_a_pair_that_forecasts(folder):
    run.work(makers.prepared(folder, stages="tokenizer,model", ema=0))
    predictor = KronosPredictor.from_pretrained(folder / "run", device="cpu")
    assert predictor.tokenizer.config.s1_bits == predictor.model.config.s1_bits
    described = json.loads((folder / "run" / "run.json").read_text())
    assert described["status"] == "finished"
    assert set(described["stages"]) == {"tokenizer", "model"}
    assert {"torch", "accelerate", "python"} <= set(described["versions"])
    assert described["data"]["candles"] == 700


def test_the_best_evaluation_is_kept_and_not_the_last(folder):
    run.work(makers.prepared(folder, rate=50.0, clip=1e6, ema=0))
    evaluations = {line["step"]: line["validation"] for line in makers.lines(folder, "evaluation")}
    assert list(evaluations) == [0, 5, 10, 12]
    assert evaluations[12] > evaluations[0]  # the rate is absurd
    assert makers.weights(folder) == (folder / "start" / "model" / "model.safetensors").read_bytes()


def test_training_ends_when_validation_stops_improving(folder):
    run.work(makers.prepared(folder, rate=1e-12, steps=500, patience=2))
    assert makers.lines(folder, "train")[-1]["step"] == 10
    assert json.loads((folder / "run" / "run.json").read_text())["stages"]["model"]["why"] == "no progress"


def test_a_budget_of_minutes_ends_a_run(folder):
    run.work(makers.prepared(folder, steps="none", minutes=0.02, patience="none"))
    assert makers.lines(folder, "evaluation")[-1]["spent_s"] >= 1.2  # whatever a step takes, the budget is used up
    stage = json.loads((folder / "run" / "run.json").read_text())["stages"]["model"]
    assert stage["why"] == "budget"
    rates = [line["rate"] for line in makers.lines(folder)]
    assert rates[-1] < max(rates) / 2


def test_gradients_are_added_over_micro_batches(folder):
    run.work(makers.prepared(folder))
    whole = makers.losses(folder)
    (folder / "run").rename(folder / "whole")
    run.work(makers.prepared(folder, micro_batch=1))
    np.testing.assert_allclose(makers.losses(folder), whole, rtol=2e-4)


def test_one_batch_is_learned_by_heart(folder):
    same = {"data.epoch_windows": 1, "batch": 1, "steps": 200, "evaluate_every": 1000, "inversion": 0, "ema": 0}
    fixed = {"volume_dropout": 0, "data.context": 24, "data.shortest_cut": 24, "data.horizon": 1, "rate": 2e-2}
    plan = makers.prepared(folder, **{**same, **fixed, "final_rate": 0.1})
    with pytest.MonkeyPatch.context() as patch:  # the same window in every epoch
        from engine.finetune.data import windows

        real = windows.epoch_plan
        patch.setattr(windows, "epoch_plan", lambda rows, config, seed, _: real(rows, config, seed, 0))
        run.work(plan)
    assert makers.losses(folder)[0] > 1.5
    assert makers.losses(folder)[-1] < 0.02


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_state(folder, monkeypatch):
    prepared = makers.prepared(folder, save_minutes=0)
    plain = _Loop.step

    def step(self, batches):
        if self.outcome.step == 5:
            next(iter(self.parameters)).data.fill_(float("nan"))
        return plain(self, batches)

    monkeypatch.setattr(_Loop, "step", step)
    with pytest.raises(LossNotFinite, match="gradient of step 6 of the model is not finite"):
        run.work(prepared)
    saved = state.RunFolder(folder / "run").latest("model")
    assert saved.step == 5
    assert all(torch.isfinite(value).all() for value in saved.tensors.values())
    assert json.loads((folder / "run" / "run.json").read_text())["status"] == "failed"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_last_good_state_intact(folder, monkeypatch, call):
    import errno
    import os

    prepared = makers.prepared(folder, save_minutes=0)
    plain, saves = getattr(os, call), []

    def full(*arguments):
        if (folder / "run" / "state" / "model-000000004.safetensors").exists():
            saves.append(arguments)
            raise OSError(errno.ENOSPC, "No space left on device")
        return plain(*arguments)

    monkeypatch.setattr(os, call, full)
    with pytest.raises(StateNotWritten, match=r"No space left on device; the last good state is model-000000004"):
        run.work(prepared)
    assert saves
    monkeypatch.setattr(os, call, plain)
    assert state.RunFolder(folder / "run").latest("model").step == 4
    assert not list((folder / "run").rglob("*.tmp"))
    assert run.work(makers.prepared(folder, resume="auto")) == "finished"


def test_a_state_that_was_cut_short_is_passed_over_for_the_one_before(folder):
    run.work(makers.prepared(folder, save_minutes=0))
    held = sorted((folder / "run" / "state").glob("model-0*.safetensors"))
    assert [path.stem for path in held] == ["model-000000011", "model-000000012"]
    held[-1].write_bytes(held[-1].read_bytes()[:1000])
    assert state.RunFolder(folder / "run").latest("model").step == 11


def test_a_folder_in_use_is_refused(folder):
    prepared = makers.prepared(folder)
    with prepared.folder.locked(), pytest.raises(RunInUse, match="another process trains into"):
        run.work(prepared)


def test_a_folder_with_a_run_is_not_overwritten_or_mixed_up(folder):
    run.work(makers.prepared(folder))
    with pytest.raises(RunExists, match=r"holds a run already \(finished\)"):
        makers.prepared(folder)
    with pytest.raises(RunExists, match=r"model\.rate, tokenizer\.rate changed"):
        makers.prepared(folder, resume="auto", rate=1e-5)
    makers.csv(folder, seed=1)
    with pytest.raises(RunExists, match="trained on other candles"):
        makers.prepared(folder, resume="auto")


def test_signals_are_heard_only_while_training():
    import os
    import signal

    with stopping_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    heard = []
    thread = threading.Thread(target=lambda: heard.append(stopping_on_signals().__enter__()))
    thread.start()
    thread.join()
    assert not heard[0].is_set()


def test_a_run_killed_in_the_middle_ends_at_the_same_weights(folder):
    import signal
    import time

    long = {"steps": 60, "save_minutes": 0, "evaluate_every": 20}
    assert run.work(run.prepare(config_from(None, makers.flags(folder, **long)))) == "finished"
    weights, whole = makers.weights(folder), makers.losses(folder)
    (folder / "run").rename(folder / "whole")
    process = makers.command(folder, **long)
    deadline = time.monotonic() + 60
    while not list((folder / "run" / "state").glob("model-00000002*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (folder / "run" / "model").exists()
    assert run.work(makers.prepared(folder, resume="auto", **long)) == "finished"
    assert makers.weights(folder) == weights
    np.testing.assert_array_equal(makers.losses(folder), whole)


def test_sigterm_saves_and_leaves_with_its_own_status(folder):
    import signal
    import time

    process = makers.command(folder, steps=100_000, patience="none", processes=2)
    metrics, deadline = folder / "run" / "metrics.jsonl", time.monotonic() + 90
    while not (metrics.exists() and metrics.read_text().count('"train"') > 3) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == STOPPED, errors
    described = json.loads((folder / "run" / "run.json").read_text())
    assert described["status"] == "stopped"
    assert state.RunFolder(folder / "run").latest("model").step == described["stages"]["model"]["step"] > 3


def test_two_processes_take_the_steps_of_one_with_twice_the_batch_each(folder):
    run.work(makers.prepared(folder))
    alone = makers.losses(folder)
    first = torch.frombuffer(bytearray(makers.weights(folder)[-4096:]), dtype=torch.float32)
    (folder / "run").rename(folder / "alone")
    process = makers.command(folder, processes=2)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    np.testing.assert_allclose(makers.losses(folder), alone, rtol=1e-4)
    second = torch.frombuffer(bytearray(makers.weights(folder)[-4096:]), dtype=torch.float32)
    torch.testing.assert_close(second, first, rtol=1e-3, atol=1e-5)
