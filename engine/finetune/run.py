"""A run from its settings to its checkpoints: prepare the folder once, then train its stages in one process or more.

``prepare`` reads the candles and refuses what cannot be trained; ``work`` is what each training process does.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState, GradientState
from safetensors.torch import load_file

from engine.errors import DataError, EngineError, RunExists, RunInUse, SettingsError
from engine.finetune.config import RunConfig, StageName
from engine.finetune.data import symbol_candles as sources
from engine.finetune.data.mapped_candles import CandleStore, make_store, open_store
from engine.finetune.data.pretokenized import TokenBatches, encode_windows, grid
from engine.finetune.data.split import Bounds, Split, make_split, require_validation, train_rows
from engine.finetune.data.windows import Batches, Sharing
from engine.finetune.evaluation.loss_eval import make_evaluation
from engine.finetune.options import as_dict, differences, from_dict
from engine.finetune.training.initialization import starting_objective
from engine.finetune.training.loop import Job, Outcome, Watcher, stopping_on_signals, train
from engine.finetune.training.losses import ModelObjective, Objective
from engine.finetune.training.run_folder import RunFolder
from engine.finetune.training.trainable import prepare_parts

__all__ = ["Prepared", "prepare", "processes_for", "reopen", "settings_of", "work"]

MAY_CHANGE = (
    "out",
    "resume",
    "processes",
    "device",
    "precision",
    "log_every",
    "save_minutes",
    "tensorboard",
    "data.workers",
    "data.cache",
    *(f"{stage}.{name}" for stage in ("tokenizer", "model") for name in ("steps", "minutes", "patience")),
)
"""Settings that a run may go on with after a change."""
_MOST_PROCESSES = 8
Report = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A run that can be trained."""

    config: RunConfig
    folder: RunFolder
    store: CandleStore
    split: Split

    @property
    def trained_tokenizer(self) -> Path | None:
        """Where the model's stage finds the tokenizer that this run trains before it."""
        return self.folder.path / "tokenizer" if "tokenizer" in self.config.stages else None


def prepare(
    config: RunConfig,
    *,
    source: sources.Source | None = None,
    later: sources.Source | None = None,
    reader: sources.Reader | None = None,
) -> Prepared:
    """Check the settings, read the candles, and describe the run in its folder.

    Args:
        config: the settings.
        source: candles given in Python instead of ``config.data.path``.
        later: the same for ``config.data.validation_path``.
        reader: reads files of other formats than the plain schema.

    Raises:
        FinetuneError: one of its kinds; the folder is then as it was.
    """
    folder = RunFolder(Path(config.out).expanduser())
    if folder.path.is_dir():
        with folder.locked():
            pass
    _check_resume(config, folder)
    for name in config.stages:  # a wrong start is told before minutes are spent on candles
        starting_objective(name, config, None)
    source = source or sources.from_paths(config.data.path, reader)
    if later is None and config.data.validation_path:
        later = sources.from_paths(config.data.validation_path, reader)
    cache = Path(config.data.cache).expanduser() if config.data.cache else folder.path / "cache"
    store = make_store(source, later, config.data, cache)
    split = make_split(store, config.data)
    train_rows(store, split, config.data.window)
    require_validation(split.places(store, "validation", config.data.context, config.data.horizon), config.data)
    held = folder.read_description().get("data", {}).get("digest")
    if held is not None and config.resume == "auto" and held != store.digest:
        raise RunExists(f"{folder.path} was trained on other candles. Give the same data, or another folder (--out).")
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.describe(
        {
            "settings": as_dict(config),
            "data": {
                "digest": store.digest,
                "cache": str(store.folder.resolve()),
                "source": source.label,
                "candles": len(store.times),
                "series": len(store.series),
                "notes": list(store.notes),
                "bounds": split.to_dict(),
                "last": _last_times(store),
                "held_out": sorted(split.held_out),
            },
            "versions": _versions(),
            "status": "prepared",
        }
    )
    return Prepared(config, folder, store, split)


def _last_times(store: CandleStore) -> dict[str, int]:
    """The last bar time of each group, seconds."""
    last: dict[str, int] = {}
    for one in store.series:
        last[one.group] = max(int(store.times[one.first + one.length - 1]), last.get(one.group, 0))
    return last


def reopen(path: str | Path) -> Prepared:
    """A run that was prepared before.

    Raises:
        SettingsError: this is no run folder.
        DataError: its mapped candles were deleted.
    """
    folder, config = RunFolder(Path(path)), settings_of(path)
    held = folder.read_description()
    bounds = {group: Bounds(**one) for group, one in held["data"]["bounds"].items()}
    cache = Path(held["data"]["cache"])
    if not (cache / "series.json").is_file():
        raise DataError(f"the candles of {path} are gone from {cache}. Give them again (--data).")
    store = open_store(cache, config.data)
    return Prepared(config, folder, store, Split(bounds, frozenset(held["data"]["held_out"])))


def settings_of(path: str | Path) -> RunConfig:
    """The settings of a run folder.

    Raises:
        SettingsError: this is none.
    """
    held = RunFolder(Path(path)).read_description()
    if "settings" not in held:
        raise SettingsError(f"{path} is no run folder: it has no run.json with settings. Give the folder of a run.")
    return from_dict(held["settings"])


def _check_resume(config: RunConfig, folder: RunFolder) -> None:
    held = folder.read_description()
    if "settings" not in held:
        return
    if config.resume == "never" and held.get("status") != "prepared":
        raise RunExists(
            f"{folder.path} holds a run already ({held.get('status')}). Go on with it (--resume auto), or choose "
            "another folder (--out)."
        )
    changed = differences(from_dict(held["settings"]), config, MAY_CHANGE)
    if config.resume == "auto" and changed and held.get("status") != "prepared":
        raise RunExists(
            f"{folder.path} holds a run with other settings: {', '.join(changed)} changed. Give the same, or "
            "choose another folder (--out)."
        )


def _versions() -> dict[str, str]:
    names = ("torch", "accelerate", "numpy", "pandas", "safetensors")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}


def processes_for(config: RunConfig) -> int:
    """How many processes to train in.

    Two processes of one thread each use two cores better than one process of two threads (1.5 times, measured).
    """
    if config.processes:
        return config.processes
    if _device(config) == "cuda":
        most = torch.cuda.device_count()
    else:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        most = min(cores, _MOST_PROCESSES)
    batches = [config.stage(name).batch for name in config.stages]
    return next(n for n in range(most, 0, -1) if all(batch % n == 0 for batch in batches))


def _device(config: RunConfig) -> str:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise SettingsError('device = "cuda" needs a GPU that torch can use; there is none. Take "cpu" or "auto".')
    return ("cuda" if torch.cuda.is_available() else "cpu") if config.device == "auto" else config.device


def _precision(config: RunConfig, device: str) -> str:
    if config.precision != "auto":
        return "no" if config.precision == "fp32" else "bf16"
    fits = torch.cuda.is_bf16_supported() if device == "cuda" else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16" if fits else "no"


def work(prepared: Prepared, watchers: Sequence[Watcher] = (), report: Report = lambda _: None) -> str:
    """Train the stages of a prepared run in this process (one of several, where the environment says so).

    Returns:
        "finished" or "stopped".

    Raises:
        RunInUse: another process trains into the folder.
        FinetuneError: training could not go on.
    """
    config, folder = prepared.config, prepared.folder
    device = _device(config)
    accelerator = Accelerator(
        cpu=device == "cpu",
        mixed_precision=_precision(config, device),
        kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)],
    )
    try:
        with folder.locked() if accelerator.is_main_process else nullcontext(), stopping_on_signals() as stop:
            if accelerator.is_main_process:
                folder.describe({"status": "running", "pid": os.getpid(), "started": time.time()})
            outcomes: dict[str, Any] = {}
            for name in config.stages:
                outcome = _stage(name, prepared, accelerator, stop, tuple(watchers))
                outcomes[name] = outcome.to_info()
                if outcome.why == "stopped":
                    break
                if accelerator.is_main_process:
                    _export(name, prepared, outcome.best_step)
                    report(_said(name, outcome))
                accelerator.wait_for_everyone()
            status = "stopped" if stop_asked(outcomes) else "finished"
            if accelerator.is_main_process:
                folder.describe({"status": status, "stages": outcomes})
            return status
    except EngineError as error:
        if accelerator.is_main_process and not isinstance(error, RunInUse):
            _try_describe(folder, {"status": "failed", "error": str(error)})
        raise
    finally:
        accelerator.end_training()
        AcceleratorState._reset_state(reset_partial_state=True)  # else the next run of this process would inherit it
        GradientState._reset_state()


def stop_asked(outcomes: dict[str, Any]) -> bool:
    """Whether any stage was stopped before its end."""
    return any(one["why"] == "stopped" for one in outcomes.values())


def _try_describe(folder: RunFolder, values: dict[str, Any]) -> None:
    """Describe a run that failed; on a full disk that fails too, and the first error is the one to tell."""
    try:
        folder.describe(values)
    except EngineError:
        return


def _said(name: StageName, outcome: Outcome) -> str:
    return (
        f"{name}: {outcome.step} steps, {outcome.tokens:,} candles, {outcome.spent_s / 60:.1f} min; validation loss "
        f"{outcome.start:.4f} -> {outcome.best:.4f} (step {outcome.best_step}); ended: {outcome.why}"
    )


def _stage(
    name: StageName, prepared: Prepared, accelerator: Accelerator, stop: Any, watchers: tuple[Watcher, ...]
) -> Outcome:
    config, stage = prepared.config, prepared.config.stage(name)
    torch.manual_seed(config.seed)  # the first weights of a network from scratch
    objective = starting_objective(name, config, prepared.trained_tokenizer)
    prepare_parts(objective.network, stage)
    sharing = Sharing.of(stage.batch, stage.micro_batch, accelerator.num_processes, accelerator.process_index)
    job = Job(
        name=name,
        stage=stage,
        config=config,
        objective=objective,
        batches=_batches(prepared, objective, sharing, accelerator),
        evaluate=make_evaluation(prepared.store, prepared.split, config, objective, accelerator),
        folder=prepared.folder,
        accelerator=accelerator,
        stop=stop,
        watchers=watchers,
    )
    return train(job)


def _batches(prepared: Prepared, objective: Objective, sharing: Sharing, accelerator: Accelerator) -> Batches:
    store, data, seed = prepared.store, prepared.config.data, prepared.config.seed
    rows = train_rows(store, prepared.split, data.window)
    if not (data.pretokenise and isinstance(objective, ModelObjective)):
        return Batches(store, rows, data, seed, sharing)
    chosen = grid(rows, data.horizon)
    tokenizer, path = objective.tokenizer.to(accelerator.device), prepared.folder.path / "cache" / "tokens.npy"
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        encode_windows(tokenizer, store, chosen, data, path, accelerator.device)
    accelerator.wait_for_everyone()
    return TokenBatches(store, chosen, data, seed, sharing, path)


def _export(name: StageName, prepared: Prepared, step: int) -> None:
    """The best weights as a plain checkpoint, ``RUN/<stage>``; a model alone gets its tokenizer beside it."""
    config, folder = prepared.config, prepared.folder
    objective = starting_objective(name, config, prepared.trained_tokenizer)
    objective.network.load_state_dict(load_file(folder.best(name, step)))
    objective.network.save_pretrained(folder.path / name)
    if isinstance(objective, ModelObjective) and "tokenizer" not in config.stages:
        objective.tokenizer.save_pretrained(folder.path / "tokenizer")
