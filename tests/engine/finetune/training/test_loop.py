import json
import threading
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine import Kronos, KronosPredictor
from engine.finetune import run
from engine.finetune.errors import CheckpointWriteError, NonFiniteLossError, RunExistsError, RunLockedError
from engine.finetune.launch import EXIT_STOPPED
from engine.finetune.options import load_config
from engine.finetune.training import loop
from engine.finetune.training.loop import TrainingLoop, stop_on_signal
from engine.finetune.training.run_folder import RunFolder
from tests.support import finetune_makers as makers


@pytest.fixture
def folder(tmp_path):
    makers.initial_checkpoints(tmp_path)
    makers.csv(tmp_path)
    return tmp_path


def stopping_after(monkeypatch, steps):
    """As if SIGTERM came in step ``steps``."""
    plain = TrainingLoop.step

    def step(self, batches):
        if self.state.step + 1 == steps:
            self.stage.stop_event.set()
        return plain(self, batches)

    monkeypatch.setattr(TrainingLoop, "step", step)
    return lambda: monkeypatch.setattr(TrainingLoop, "step", plain)


@pytest.mark.parametrize("stage", ["model", "tokenizer"])
def test_a_resumed_run_is_the_same_as_an_uninterrupted_one(folder, monkeypatch, stage):
    extra = {"stages": stage, "optimizer": "muon", "data.windows_per_epoch": 8}
    assert run.run_stages(makers.prepared(folder, **extra)) == "finished"
    whole, weights = makers.losses(folder), makers.weights(folder, stage)
    (folder / "run").rename(folder / "whole")
    undo = stopping_after(monkeypatch, 7)
    assert run.run_stages(makers.prepared(folder, **extra)) == "stopped"
    undo()
    assert run.run_stages(makers.prepared(folder, resume="auto", **extra)) == "finished"
    np.testing.assert_array_equal(makers.losses(folder), whole)
    assert makers.weights(folder, stage) == weights
    assert makers.lines(folder, "resumed") == [{"kind": "resumed", "stage": stage, "step": 7}]


def test_both_stages_in_one_run_give_a_pair_that_forecasts(folder):
    run.run_stages(makers.prepared(folder, stages="tokenizer,model", ema_decay=0))
    predictor = KronosPredictor.from_pretrained(folder / "run", device="cpu")
    assert predictor.tokenizer.config.s1_bits == predictor.model.config.s1_bits
    described = json.loads((folder / "run" / "run.json").read_text())
    assert described["status"] == "finished"
    assert set(described["stages"]) == {"tokenizer", "model"}
    assert {"torch", "accelerate", "python"} <= set(described["versions"])
    assert described["data"]["candles"] == 700


@pytest.mark.parametrize(("losses", "best_step"), [((1.0, 2.0, 3.0, 4.0), 0), ((3.0, 1.0, 2.0, 4.0), 5)])
def test_the_best_evaluation_is_kept_and_not_the_last(folder, monkeypatch, losses, best_step):
    evaluated, make_evaluation = [], run.make_evaluation

    def make_scripted_evaluation(*arguments):
        evaluate = make_evaluation(*arguments)

        def scripted(weights):
            evaluated.append({name: value.clone() for name, value in weights.items()})
            return {**evaluate(weights), "validation_loss": losses[len(evaluated) - 1]}

        return scripted

    monkeypatch.setattr(run, "make_evaluation", make_scripted_evaluation)
    run.run_stages(makers.prepared(folder, ema_decay=0))
    evaluations = {line["step"]: line["validation_loss"] for line in makers.lines(folder, "evaluation")}
    assert evaluations == dict(zip((0, 5, 10, 12), losses, strict=True))
    exported = Kronos.from_pretrained(folder / "run" / "model").state_dict()
    by_step = dict(zip(evaluations, evaluated, strict=True))
    same = [step for step, state in by_step.items() if all(torch.equal(state[name], exported[name]) for name in state)]
    assert same == [best_step]
    start = (folder / "start" / "model" / "model.safetensors").read_bytes()
    assert (makers.weights(folder) == start) == (best_step == 0)


def test_training_ends_when_validation_stops_improving(folder):
    run.run_stages(makers.prepared(folder, learning_rate=1e-12, max_steps=500, early_stopping_patience=2))
    assert makers.lines(folder, "train")[-1]["step"] == 10
    assert json.loads((folder / "run" / "run.json").read_text())["stages"]["model"]["stop_reason"] == "early stopping"


def test_a_budget_of_minutes_ends_a_run(folder, monkeypatch):
    ticks = count()  # every step takes at least a twentieth of a second, on any machine
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.05))
    run.run_stages(makers.prepared(folder, max_steps="none", max_minutes=0.02, early_stopping_patience="none"))
    assert makers.lines(folder, "evaluation")[-1]["training_s"] >= 1.2  # whatever a step takes, the budget is used up
    stage = json.loads((folder / "run" / "run.json").read_text())["stages"]["model"]
    assert stage["stop_reason"] == "budget"
    rates = [line["learning_rate"] for line in makers.lines(folder)]
    assert rates[-1] < max(rates) / 2


def test_gradients_are_added_over_micro_batches(folder):
    run.run_stages(makers.prepared(folder))
    whole = makers.losses(folder)
    (folder / "run").rename(folder / "whole")
    run.run_stages(makers.prepared(folder, micro_batch_size=1))
    np.testing.assert_allclose(makers.losses(folder), whole, rtol=2e-4)


def test_one_batch_is_learned_by_heart(folder):
    same = {
        "data.windows_per_epoch": 1,
        "batch_size": 1,
        "max_steps": 200,
        "eval_every_steps": 1000,
        "data.inversion_prob": 0,
        "ema_decay": 0,
    }
    fixed = {
        "data.volume_dropout_prob": 0,
        "data.context": 24,
        "data.min_context": 24,
        "data.horizon": 1,
        "learning_rate": 2e-2,
    }
    plan = makers.prepared(folder, **{**same, **fixed, "min_lr_ratio": 0.1})
    with pytest.MonkeyPatch.context() as patch:  # the same window in every epoch
        from engine.finetune.data import windows

        real = windows.plan_epoch
        patch.setattr(windows, "plan_epoch", lambda rows, config, seed, _: real(rows, config, seed, 0))
        run.run_stages(plan)
    assert makers.losses(folder)[0] > 1.5
    assert makers.losses(folder)[-1] < 0.02


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_state(folder, monkeypatch):
    prepared = makers.prepared(folder, checkpoint_every_minutes=0)
    plain = TrainingLoop.step

    def step(self, batches):
        if self.state.step == 5:
            next(iter(self.parameters)).data.fill_(float("nan"))
        return plain(self, batches)

    monkeypatch.setattr(TrainingLoop, "step", step)
    with pytest.raises(NonFiniteLossError, match="gradient of model at step 6 is not finite"):
        run.run_stages(prepared)
    saved = RunFolder(folder / "run").load_latest("model")
    assert saved.step == 5
    assert all(torch.isfinite(value).all() for value in saved.tensors.values())
    assert json.loads((folder / "run" / "run.json").read_text())["status"] == "failed"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_last_good_state_intact(folder, monkeypatch, call):
    import errno
    import os

    prepared = makers.prepared(folder, checkpoint_every_minutes=0)
    plain, saves = getattr(os, call), []

    def full(*arguments):
        if (folder / "run" / "state" / "model-000000004.safetensors").exists():
            saves.append(arguments)
            raise OSError(errno.ENOSPC, "No space left on device")
        return plain(*arguments)

    monkeypatch.setattr(os, call, full)
    with pytest.raises(CheckpointWriteError, match=r"No space left on device; the last good state is model-000000004"):
        run.run_stages(prepared)
    assert saves
    monkeypatch.setattr(os, call, plain)
    assert RunFolder(folder / "run").load_latest("model").step == 4
    assert not list((folder / "run").rglob("*.part"))
    assert run.run_stages(makers.prepared(folder, resume="auto")) == "finished"


def test_a_truncated_state_is_skipped_for_the_one_before(folder):
    run.run_stages(makers.prepared(folder, checkpoint_every_minutes=0))
    held = sorted((folder / "run" / "state").glob("model-0*.safetensors"))
    assert [path.stem for path in held] == ["model-000000011", "model-000000012"]
    held[-1].write_bytes(held[-1].read_bytes()[:1000])
    assert RunFolder(folder / "run").load_latest("model").step == 11


def test_a_folder_in_use_is_refused(folder):
    prepared = makers.prepared(folder)
    with prepared.folder.lock(), pytest.raises(RunLockedError, match="another process is training in"):
        run.run_stages(prepared)


def test_a_folder_with_a_run_is_not_overwritten_or_mixed_up(folder):
    run.run_stages(makers.prepared(folder))
    with pytest.raises(RunExistsError, match=r"already contains a run \(finished\)"):
        makers.prepared(folder)
    with pytest.raises(RunExistsError, match=r"model\.learning_rate, tokenizer\.learning_rate changed"):
        makers.prepared(folder, resume="auto", learning_rate=1e-5)
    makers.csv(folder, seed=1)
    with pytest.raises(RunExistsError, match="trained on other candles"):
        makers.prepared(folder, resume="auto")


def test_signals_are_handled_only_while_training():
    import os
    import signal

    with stop_on_signal() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    heard = []
    thread = threading.Thread(target=lambda: heard.append(stop_on_signal().__enter__()))
    thread.start()
    thread.join()
    assert not heard[0].is_set()


def test_a_run_killed_in_the_middle_ends_at_the_same_weights(folder):
    import signal
    import time

    long = {"max_steps": 60, "checkpoint_every_minutes": 0, "eval_every_steps": 20}
    assert run.run_stages(run.prepare(load_config(None, makers.flags(folder, **long)))) == "finished"
    weights, whole = makers.weights(folder), makers.losses(folder)
    (folder / "run").rename(folder / "whole")
    process = makers.command(folder, **long)
    deadline = time.monotonic() + 60
    while not list((folder / "run" / "state").glob("model-00000002*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (folder / "run" / "model").exists()
    assert run.run_stages(makers.prepared(folder, resume="auto", **long)) == "finished"
    assert makers.weights(folder) == weights
    np.testing.assert_array_equal(makers.losses(folder), whole)


def test_sigterm_saves_and_leaves_with_its_own_status(folder):
    import signal
    import time

    process = makers.command(folder, max_steps=100_000, early_stopping_patience="none", num_processes=2)
    metrics, deadline = folder / "run" / "metrics.jsonl", time.monotonic() + 90
    while not (metrics.exists() and metrics.read_text().count('"train"') > 3) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == EXIT_STOPPED, errors
    described = json.loads((folder / "run" / "run.json").read_text())
    assert described["status"] == "stopped"
    assert RunFolder(folder / "run").load_latest("model").step == described["stages"]["model"]["step"] > 3


def test_two_processes_take_the_steps_of_one_with_twice_the_batch_each(folder):
    run.run_stages(makers.prepared(folder))
    alone = makers.losses(folder)
    first = torch.frombuffer(bytearray(makers.weights(folder)[-4096:]), dtype=torch.float32)
    (folder / "run").rename(folder / "alone")
    process = makers.command(folder, num_processes=2)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    np.testing.assert_allclose(makers.losses(folder), alone, rtol=1e-4)
    second = torch.frombuffer(bytearray(makers.weights(folder)[-4096:]), dtype=torch.float32)
    torch.testing.assert_close(second, first, rtol=1e-3, atol=1e-5)
