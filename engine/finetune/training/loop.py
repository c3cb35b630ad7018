"""The training loop, for the tokenizer and for the model, in one process or in several.

All randomness of a step follows from the seed and the number of the step: its windows
(``engine.finetune.data.windows``) and, because torch is seeded anew in each step, its dropout. Saved states therefore
hold no random states, and a resumed run takes the same steps as an uninterrupted one.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import FrameType
from typing import Any, Literal, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from engine.finetune.config import RunConfig, StageConfig, StageName
from engine.finetune.data.windows import Batch, TrainingBatches
from engine.finetune.errors import NonFiniteLossError
from engine.finetune.training.losses import Objective
from engine.finetune.training.optim import WeightEma, learning_rate_at, make_optimizers, set_learning_rates
from engine.finetune.training.run_folder import RunFolder
from engine.finetune.training.trainable import merge_lora
from engine.messages import msg

__all__ = [
    "LAUNCHER_PID",
    "Evaluation",
    "StopReason",
    "TrainState",
    "TrainingCallback",
    "TrainingStage",
    "stop_on_signal",
    "train",
]

LAUNCHER_PID = "KRONOS_FINETUNE_LAUNCHER"
"""Environment variable with the process id of the launcher; if it dies, its training processes stop."""
MAX_STEP_S = 10.0
"""Most time charged for one step, seconds: a suspended process does not spend its budget."""

Evaluation = Callable[[dict[str, Tensor]], dict[str, float]]
"""Metrics of a network's state; "validation_loss" among them is minimized."""
StopReason = Literal["", "budget", "early stopping", "interrupted"]


class TrainingCallback(Protocol):
    """Receives the progress of a run."""

    def on_step(self, done: float, total: float, metrics: dict[str, float]) -> None:
        """Called after every step; ``done`` and ``total`` are steps or seconds, like the budget."""
        ...

    def on_log(self, line: dict[str, Any]) -> None:
        """Called after a line was written to the metrics."""
        ...


@dataclass(frozen=True)
class TrainingStage:
    """One stage, ready to train."""

    name: StageName
    settings: StageConfig
    config: RunConfig
    objective: Objective
    batches: TrainingBatches
    evaluate: Evaluation
    folder: RunFolder
    accelerator: Accelerator
    stop_event: threading.Event
    callbacks: tuple[TrainingCallback, ...] = ()

    @property
    def is_main_process(self) -> bool:
        """Whether this process writes files."""
        return bool(self.accelerator.is_main_process)


@dataclass
class TrainState:
    """Progress of a stage: the part of a saved state that is not tensors."""

    step: int = 0
    training_s: float = 0.0
    """Training time, evaluations excluded; seconds."""
    tokens: int = 0
    """Candles read."""
    best_loss: float = math.inf
    """Lowest validation loss."""
    best_step: int = 0
    initial_loss: float = math.inf
    """Validation loss before the first step."""
    last_eval_step: int = -1
    evals_since_best: int = 0
    metric_sums: dict[str, float] = field(default_factory=dict)
    """Sums of the training metrics since the last log line, over ``num_summed`` steps."""
    num_summed: int = 0
    interval_s: float = 0.0
    """Training time since the last log line; seconds."""
    stop_reason: StopReason = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON; infinities are left out."""
        return {name: value for name, value in vars(self).items() if value != math.inf}


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that is set by SIGTERM and Ctrl-C, so that a run can save its state and exit."""
    stop = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {}
    if threading.current_thread() is threading.main_thread():  # only the main thread may set handlers
        previous = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class TrainingLoop:
    """A stage in training."""

    def __init__(self, stage: TrainingStage) -> None:
        self.stage, self.settings, self.state = stage, stage.settings, TrainState()
        network = stage.objective.network
        self.ema = WeightEma(network, self.settings.ema_decay)
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        stage.accelerator.gradient_accumulation_steps = stage.batches.sharding.grad_accum_steps
        optimizers = make_optimizers(network, self.settings)
        stage.objective.train()
        self.objective, *self.optimizers = stage.accelerator.prepare(stage.objective, *optimizers)
        self._launcher_pid = int(os.environ.get(LAUNCHER_PID, "0"))
        self._last_save = time.monotonic()

    # ------------------------------------------------------------------------------------------------------ states

    def load(self) -> bool:
        """Load the newest state; returns whether there is one."""
        saved = self.stage.folder.load_latest(self.stage.name)
        if saved is None:
            return False
        network, tensors = self.stage.objective.network, saved.tensors
        network.load_state_dict({k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")})
        self.ema.load({k.removeprefix("averaged."): v for k, v in tensors.items() if k.startswith("averaged.")})
        for number, optimizer in enumerate(self.optimizers):
            values: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                kind, _, rest = key.partition(".")
                if kind == f"optimizer{number}":
                    index, _, name = rest.partition(".")
                    values.setdefault(int(index), {})[name] = value
            optimizer.load_state_dict({"state": values, "param_groups": optimizer.state_dict()["param_groups"]})
        self.state = TrainState(step=saved.step, **{**saved.progress, "stop_reason": ""})
        return True

    def save(self) -> None:
        """Write the state."""
        stage, network = self.stage, self.stage.objective.network
        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"averaged.{n}": v for n, v in zip(self.ema.names, self.ema.values, strict=True)}
        for number, optimizer in enumerate(self.optimizers):
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer{number}.{index}.{name}": torch.as_tensor(v) for name, v in values.items()}
        progress = self.state.to_dict()
        progress.pop("step")
        if stage.is_main_process:
            stage.folder.save(stage.name, self.state.step, tensors, progress)
        self._last_save = time.monotonic()

    def is_save_due(self) -> bool:
        """Whether the last state is older than ``checkpoint_every_minutes``."""
        return time.monotonic() - self._last_save > self.stage.config.checkpoint_every_minutes * 60

    # ------------------------------------------------------------------------------------------------------- steps

    def budget_progress(self) -> tuple[float, float]:
        """Spent and total budget, in steps or in seconds."""
        if self.settings.max_steps:
            return self.state.step, self.settings.max_steps
        return self.state.training_s, (self.settings.max_minutes or 0.0) * 60

    def fraction_done(self, ahead: int = 0) -> float:
        """Fraction of the budget that is spent, ``ahead`` steps from now."""
        done, total = self.budget_progress()
        return (done + (ahead if self.settings.max_steps else 0)) / total

    def step(self, batches: Iterator[Batch]) -> dict[str, float]:
        """Take one optimizer step; returns the sums of its metrics over this process's micro-batches."""
        stage, accelerator = self.stage, self.stage.accelerator
        torch.manual_seed(_step_seed(stage.config.seed, self.state.step, accelerator.process_index))
        factor = learning_rate_at(self.fraction_done(ahead=1), self.settings)
        learning_rate = set_learning_rates(self.optimizers, self.settings, factor)
        sums: dict[str, Tensor] = {}
        for _ in range(stage.batches.sharding.grad_accum_steps):
            batch = Batch(*(tensor.to(accelerator.device, non_blocking=True) for tensor in next(batches)))
            with accelerator.accumulate(self.objective):
                loss, metrics = self.objective(batch)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    grad_norm = float(accelerator.clip_grad_norm_(self.parameters, self.settings.max_grad_norm))
                    self._require_finite(grad_norm)
                for optimizer in self.optimizers:
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
            for name, value in {"loss": loss.detach(), **metrics}.items():
                sums[name] = sums.get(name, 0.0) + value
        names, values = list(sums), torch.stack([value.double() for value in sums.values()]).tolist()
        self.state.step += 1
        if self.settings.ema_decay:
            self.ema.update(self.state.step)
        self.learning_rate, self.grad_norm = learning_rate, grad_norm
        return dict(zip(names, values, strict=True))

    def _require_finite(self, grad_norm: float) -> None:
        """The norm is that of the averaged gradients, so that all processes stop together, before the step is taken."""
        if not math.isfinite(grad_norm):
            raise NonFiniteLossError(
                msg(
                    "the gradient of {name} at step {step} is not finite ({grad_norm}): training diverged, or "
                    "the candles contain extreme values. The last good state is saved. Lower "
                    "{name}.learning_rate or {name}.max_grad_norm, and continue with --resume auto.",
                    step=self.state.step + 1,
                    name=self.stage.name,
                    grad_norm=grad_norm,
                )
            )

    def sync_step(self, sums: dict[str, float], seconds: float) -> bool:
        """Add up the metrics of all processes; returns whether any process must stop."""
        is_orphan = bool(self._launcher_pid) and os.getppid() != self._launcher_pid
        # only the main process reports its time: all take the same, and the sum must not count it twice
        values = [float(self.stage.stop_event.is_set() or is_orphan), seconds * self.stage.is_main_process]
        values += sums.values()
        world_size = self.stage.accelerator.num_processes
        if world_size > 1:
            device = self.stage.accelerator.device
            total = torch.tensor(values, dtype=torch.float64, device=device)
            torch.distributed.all_reduce(total)
            values = total.tolist()
        num_stopping, elapsed, *means = values
        state, sharding = self.state, self.stage.batches.sharding
        state.training_s += elapsed
        state.interval_s += elapsed
        state.tokens += sharding.batch_size * self.stage.batches.config.window_length
        state.num_summed += 1
        for name, value in zip(sums, means, strict=True):
            mean = value / (world_size * sharding.grad_accum_steps)
            state.metric_sums[name] = state.metric_sums.get(name, 0.0) + mean
        return num_stopping > 0

    # ------------------------------------------------------------------------------------ logging and evaluation

    def log_metrics(self) -> None:
        """Write a line with the means since the last one."""
        state, stage = self.state, self.stage
        means = {name: value / state.num_summed for name, value in state.metric_sums.items()}
        tokens = state.num_summed * stage.batches.sharding.batch_size * stage.batches.config.window_length
        self.write_line(
            {
                "kind": "train",
                "stage": stage.name,
                "step": state.step,
                **means,
                "learning_rate": self.learning_rate,
                "grad_norm": self.grad_norm,
                "training_s": state.training_s,
                "tokens": state.tokens,
                "tokens_per_s": tokens / max(state.interval_s, 1e-9),
            }
        )
        state.metric_sums, state.num_summed, state.interval_s = {}, 0, 0.0

    def write_line(self, line: dict[str, Any]) -> None:
        """Append a line to the metrics, in the main process."""
        if self.stage.is_main_process:
            self.stage.folder.log(line)
            for callback in self.stage.callbacks:
                callback.on_log(line)

    def evaluate(self) -> None:
        """Evaluate the averaged weights, and save them if they are the best so far."""
        stage, state = self.stage, self.state
        network = stage.objective.network
        weights = self.ema.state(network) if self.settings.ema_decay else dict(network.state_dict())
        weights = merge_lora(weights, self.settings.lora_scale)
        started_at = time.monotonic()
        metrics = stage.evaluate(weights)
        loss, state.last_eval_step = metrics["validation_loss"], state.step
        is_best = loss < state.best_loss
        state.evals_since_best = 0 if is_best else state.evals_since_best + 1
        if state.step == 0:
            state.initial_loss = loss
        if is_best:
            state.best_loss, state.best_step = loss, state.step
        head = {"kind": "evaluation", "stage": stage.name, "step": state.step, "training_s": state.training_s}
        seconds = time.monotonic() - started_at
        self.write_line({**head, **metrics, "best_validation_loss": state.best_loss, "seconds": seconds})
        if is_best:
            if stage.is_main_process:
                stage.folder.save_best(stage.name, state.step, weights)
            self.save()

    def stop_reason(self) -> StopReason:
        """Why training must end now; empty if it continues."""
        patience = self.settings.early_stopping_patience
        if patience is not None and self.state.evals_since_best >= patience:
            return "early stopping"
        return "budget" if self.fraction_done() >= 1 else ""


def train(stage: TrainingStage) -> TrainState:
    """Train one stage until its budget is spent, validation stops improving, or a stop is requested.

    Raises:
        NonFiniteLossError: training diverged.
        CheckpointWriteError: a state could not be written.
    """
    loop = TrainingLoop(stage)
    if loop.load():
        loop.write_line({"kind": "resumed", "stage": stage.name, "step": loop.state.step})
    else:
        loop.evaluate()
    state, sharding = loop.state, stage.batches.sharding
    loader = DataLoader(
        stage.batches,
        batch_size=None,
        sampler=_MicroStepSampler(state.step * sharding.grad_accum_steps),
        num_workers=stage.batches.config.num_workers,
    )
    batches, started_at = iter(loader), time.monotonic()
    reason = loop.stop_reason()
    while not reason:
        sums = loop.step(batches)
        must_stop = loop.sync_step(sums, min(time.monotonic() - started_at, MAX_STEP_S))
        for callback in stage.callbacks if stage.is_main_process else ():
            callback.on_step(*loop.budget_progress(), {"loss": state.metric_sums["loss"] / state.num_summed})
        if state.step % stage.config.log_every_steps == 0:
            loop.log_metrics()
        if state.step % stage.settings.eval_every_steps == 0:
            loop.evaluate()
        reason = loop.stop_reason() or ("interrupted" if must_stop else "")
        if not reason and loop.is_save_due():
            loop.save()
        started_at = time.monotonic()
    if reason != "interrupted" and state.last_eval_step != state.step:
        loop.evaluate()
    loop.save()
    state.stop_reason = reason
    stage.accelerator.free_memory()
    return state


class _MicroStepSampler(Sampler[int]):
    """Micro-batch numbers without end."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        return count(self.first)


def _step_seed(seed: int, step: int, rank: int) -> int:
    """One torch seed from the run's seed, the step and the process; primes keep neighboring seeds and steps apart."""
    return (seed * 1_000_003 + step * 4_099 + rank) % 2**63
