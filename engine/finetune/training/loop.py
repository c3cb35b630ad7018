"""The one training loop, for the tokenizer and for the model, in one process or in many.

All randomness of a step follows from the seed and the step's number: its windows (``engine.finetune.data.windows``)
and, by seeding torch again, its dropout. A saved state therefore holds no random states, and a run resumed from it
takes the same steps as one that was never stopped.
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
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from engine.errors import LossNotFinite
from engine.finetune.config import RunConfig, StageConfig, StageName
from engine.finetune.data.windows import Batch, Batches
from engine.finetune.training.losses import Objective
from engine.finetune.training.optim import Averaged, make_optimizers, rate_at, set_rates
from engine.finetune.training.run_folder import RunFolder
from engine.finetune.training.trainable import plain_state

__all__ = ["LAUNCHER", "Evaluation", "Job", "Outcome", "Watcher", "stopping_on_signals", "train"]

LAUNCHER = "KRONOS_FINETUNE_LAUNCHER"
"""Environment: process id of the launcher; when it is gone, its processes stop too."""
LONGEST_STEP_S = 10.0
"""A process that is put to sleep is not charged for it."""

Evaluation = Callable[[dict[str, Tensor]], dict[str, float]]
"""Figures of a network's state; "validation" among them is what is to fall."""


class Watcher(Protocol):
    """Is told how a run goes (a progress bar, TensorBoard)."""

    def stepped(self, done: float, total: float, figures: dict[str, float]) -> None:
        """Done and total are steps or seconds, as the budget is."""
        ...

    def logged(self, line: dict[str, Any]) -> None:
        """A line of the metrics was written."""
        ...


@dataclass(frozen=True)
class Job:
    """One stage, ready to train."""

    name: StageName
    stage: StageConfig
    config: RunConfig
    objective: Objective
    batches: Batches
    evaluate: Evaluation
    folder: RunFolder
    accelerator: Accelerator
    stop: threading.Event
    watchers: tuple[Watcher, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return bool(self.accelerator.is_main_process)


@dataclass
class Outcome:
    """How far a stage is. What goes into a state beside tensors."""

    step: int = 0
    spent_s: float = 0.0
    """Computing time, without evaluations."""
    tokens: int = 0
    """Candles read."""
    best: float = math.inf
    """Lowest validation loss."""
    best_step: int = 0
    start: float = math.inf
    """Validation loss before the first step."""
    evaluated: int = -1
    """The step that was evaluated last."""
    stale: int = 0
    """Evaluations since the best."""
    sums: dict[str, float] = field(default_factory=dict)
    """Figures since the last line of the log."""
    summed: int = 0
    interval_s: float = 0.0
    why: str = ""
    """Why training ended: "budget", "no progress" or "stopped"."""

    def to_info(self) -> dict[str, Any]:
        """As JSON; infinities are left out."""
        return {name: value for name, value in vars(self).items() if value != math.inf}


@contextmanager
def stopping_on_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, so that a run saves and leaves cleanly."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Loop:
    """The state of a running stage."""

    def __init__(self, job: Job) -> None:
        self.job, self.outcome = job, Outcome()
        network = job.objective.network
        self.averaged = Averaged(network, job.stage.ema)
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        job.accelerator.gradient_accumulation_steps = job.batches.sharing.turns
        plain = make_optimizers(network, job.stage)
        job.objective.train()
        self.wrapped, *self.optimizers = job.accelerator.prepare(job.objective, *plain)
        self._launcher = int(os.environ.get(LAUNCHER, "0"))
        self._last_save = time.monotonic()

    # ------------------------------------------------------------------------------------------------- going on

    def load(self) -> bool:
        """Go on from the newest state; whether there is one."""
        saved = self.job.folder.latest(self.job.name)
        if saved is None:
            return False
        network, tensors = self.job.objective.network, saved.tensors
        network.load_state_dict({k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")})
        self.averaged.load({k.removeprefix("averaged."): v for k, v in tensors.items() if k.startswith("averaged.")})
        for number, optimizer in enumerate(self.optimizers):
            held: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                kind, _, rest = key.partition(".")
                if kind == f"optimizer{number}":
                    index, _, name = rest.partition(".")
                    held.setdefault(int(index), {})[name] = value
            optimizer.load_state_dict({"state": held, "param_groups": optimizer.state_dict()["param_groups"]})
        self.outcome = Outcome(step=saved.step, **{**saved.info, "why": ""})
        return True

    def save(self) -> None:
        """Write a state."""
        job, network = self.job, self.job.objective.network
        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"averaged.{n}": v for n, v in zip(self.averaged.names, self.averaged.values, strict=True)}
        for number, optimizer in enumerate(self.optimizers):
            for index, held in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer{number}.{index}.{name}": torch.as_tensor(v) for name, v in held.items()}
        info = self.outcome.to_info()
        info.pop("step")
        if job.is_first:
            job.folder.save(job.name, self.outcome.step, tensors, info)
        self._last_save = time.monotonic()

    # --------------------------------------------------------------------------------------------------- a step

    def progress(self, ahead: int = 0) -> float:
        """Part of the budget that is spent, ``ahead`` steps from now."""
        done, total = self.done_of_total()
        return (done + (ahead if self.job.stage.steps else 0)) / total

    def done_of_total(self) -> tuple[float, float]:
        """In steps, or in seconds where the budget is time."""
        if self.job.stage.steps:
            return self.outcome.step, self.job.stage.steps
        return self.outcome.spent_s, (self.job.stage.minutes or 0.0) * 60

    def step(self, batches: Iterator[Batch]) -> dict[str, float]:
        """One optimizer step; the sums of its figures over this process's micro-batches."""
        job, accelerator = self.job, self.job.accelerator
        torch.manual_seed(_mixed(job.config.seed, self.outcome.step, accelerator.process_index))
        rate = set_rates(self.optimizers, job.stage, rate_at(self.progress(ahead=1), job.stage))
        sums: dict[str, Tensor] = {}
        for _ in range(job.batches.sharing.turns):
            batch = Batch(*(part.to(accelerator.device, non_blocking=True) for part in next(batches)))
            with accelerator.accumulate(self.wrapped):
                loss, figures = self.wrapped(batch)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    norm = float(accelerator.clip_grad_norm_(self.parameters, job.stage.clip))
                    self._require_finite(norm)
                for optimizer in self.optimizers:
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
            for name, value in {"loss": loss.detach(), **figures}.items():
                sums[name] = sums.get(name, 0.0) + value
        names, values = list(sums), torch.stack([value.double() for value in sums.values()]).tolist()
        self.outcome.step += 1
        if job.stage.ema:
            self.averaged.update(self.outcome.step)
        self.rate, self.norm = rate, norm
        return dict(zip(names, values, strict=True))

    def _require_finite(self, norm: float) -> None:
        """The norm is that of all processes' gradients, so that all stop together, before the step is taken."""
        if not math.isfinite(norm):
            raise LossNotFinite(
                f"the gradient of step {self.outcome.step + 1} of the {self.job.name} is not finite ({norm}): training "
                "diverged, or the candles hold absurd values. The last good state is kept. Lower the rate "
                f"({self.job.name}.rate), or clip harder, and go on with --resume auto."
            )

    def agree(self, sums: dict[str, float], seconds: float) -> bool:
        """Add up what the processes say; whether any was asked to stop."""
        orphaned = self._launcher and os.getppid() != self._launcher
        first = float(self.job.is_first)
        mine = [float(self.job.stop.is_set() or bool(orphaned)), seconds * first, *sums.values()]
        world = self.job.accelerator.num_processes
        if world > 1:
            device = self.job.accelerator.device
            together = torch.tensor(mine, dtype=torch.float64, device=device)
            torch.distributed.all_reduce(together)
            mine = together.tolist()
        stop, elapsed, *values = mine
        outcome, sharing = self.outcome, self.job.batches.sharing
        outcome.spent_s += elapsed
        outcome.interval_s += elapsed
        outcome.tokens += sharing.batch * self.job.batches.config.window
        outcome.summed += 1
        for name, value in zip(sums, values, strict=True):
            outcome.sums[name] = outcome.sums.get(name, 0.0) + value / (world * sharing.turns)
        return stop > 0

    # ------------------------------------------------------------------------------------------- between steps

    def log(self) -> None:
        """A line of means since the last."""
        outcome, job = self.outcome, self.job
        means = {name: value / outcome.summed for name, value in outcome.sums.items()}
        tokens = outcome.summed * job.batches.sharing.batch * job.batches.config.window
        self.write(
            {
                "kind": "train",
                "stage": job.name,
                "step": outcome.step,
                **means,
                "rate": self.rate,
                "norm": self.norm,
                "spent_s": outcome.spent_s,
                "tokens": outcome.tokens,
                "tokens_per_s": tokens / max(outcome.interval_s, 1e-9),
            }
        )
        outcome.sums, outcome.summed, outcome.interval_s = {}, 0, 0.0

    def write(self, line: dict[str, Any]) -> None:
        """Append to the metrics, in the first process."""
        if self.job.is_first:
            self.job.folder.log(line)
            for watcher in self.job.watchers:
                watcher.logged(line)

    def evaluate(self) -> None:
        """Evaluate the averaged weights, and keep them where they are the best so far."""
        job, outcome = self.job, self.outcome
        network = job.objective.network
        state = self.averaged.state(network) if job.stage.ema else dict(network.state_dict())
        state = plain_state(state, job.stage.lora_scale)
        begun = time.monotonic()
        figures = job.evaluate(state)
        loss, outcome.evaluated = figures["validation"], outcome.step
        is_best = loss < outcome.best
        outcome.stale = 0 if is_best else outcome.stale + 1
        if outcome.step == 0:
            outcome.start = loss
        if is_best:
            outcome.best, outcome.best_step = loss, outcome.step
        head = {"kind": "evaluation", "stage": job.name, "step": outcome.step, "spent_s": outcome.spent_s}
        self.write({**head, **figures, "best": outcome.best, "seconds": time.monotonic() - begun})
        if is_best:
            if job.is_first:
                job.folder.save_best(job.name, outcome.step, state)
            self.save()

    def ending(self) -> str:
        """Why training is to end now; empty while it is not."""
        if self.job.stage.patience is not None and self.outcome.stale >= self.job.stage.patience:
            return "no progress"
        return "budget" if self.progress() >= 1 else ""

    def is_save_due(self) -> bool:
        """Whether the last state is old enough."""
        return time.monotonic() - self._last_save > self.job.config.save_minutes * 60


def train(job: Job) -> Outcome:
    """Train one stage to the end of its budget, until validation stops improving, or until told to stop.

    Raises:
        LossNotFinite: training diverged.
        StateNotWritten: a state could not be written.
    """
    loop = _Loop(job)
    if loop.load():
        loop.write({"kind": "resumed", "stage": job.name, "step": loop.outcome.step})
    else:
        loop.evaluate()
    outcome, sharing = loop.outcome, job.batches.sharing
    loader = DataLoader(
        job.batches,
        batch_size=None,
        sampler=_Numbers(outcome.step * sharing.turns),
        num_workers=job.batches.config.workers,
    )
    batches, clock = iter(loader), time.monotonic()
    why = loop.ending()
    while not why:
        sums = loop.step(batches)
        now = time.monotonic()
        stop = loop.agree(sums, min(now - clock, LONGEST_STEP_S))
        for watcher in job.watchers if job.is_first else ():
            watcher.stepped(*loop.done_of_total(), {"loss": outcome.sums["loss"] / outcome.summed})
        if outcome.step % job.config.log_every == 0:
            loop.log()
        if outcome.step % job.stage.evaluate_every == 0:
            loop.evaluate()
        why = loop.ending() or ("stopped" if stop else "")
        if not why and loop.is_save_due():
            loop.save()
        clock = time.monotonic()
    if why != "stopped" and outcome.evaluated != outcome.step:
        loop.evaluate()
    loop.save()
    outcome.why = why
    job.accelerator.free_memory()
    return outcome


class _Numbers(Sampler[int]):
    """Micro-batch numbers without end."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        return count(self.first)


def _mixed(seed: int, step: int, rank: int) -> int:
    """One seed for torch of the run's, the step's number and the process's."""
    return (seed * 1_000_003 + step * 4_099 + rank) % 2**63
