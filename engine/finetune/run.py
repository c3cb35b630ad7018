"""One run from its settings to its checkpoints: prepare the folder once, then train the stages in every process."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import threading
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

from engine.errors import EngineError
from engine.finetune.config import STAGES, RunConfig, StageName
from engine.finetune.data.mapped_candles import INDEX_FILE, MappedCandles, map_candles, open_mapped_candles
from engine.finetune.data.pretokenized import PretokenizedBatches, encode_windows, strided_runs
from engine.finetune.data.readers import CandleSource, Reader, source_from_paths
from engine.finetune.data.split import Split, SplitBounds, make_split, require_validation_windows, training_runs
from engine.finetune.data.windows import BatchSharding, TrainingBatches
from engine.finetune.errors import DataError, FinetuneConfigError, RunExistsError, RunLockedError
from engine.finetune.evaluation.loss_eval import make_evaluation
from engine.finetune.options import changed_settings, from_dict, to_dict
from engine.finetune.training.initialization import build_objective
from engine.finetune.training.loop import TrainingCallback, TrainingStage, TrainState, stop_on_signal, train
from engine.finetune.training.losses import ModelObjective, Objective
from engine.finetune.training.run_folder import RunFolder
from engine.finetune.training.trainable import select_trainable
from engine.messages import msg

__all__ = ["PreparedRun", "num_processes", "open_run", "prepare", "run_stages"]

RESUMABLE_SETTINGS = (
    "output_dir",
    "resume",
    "num_processes",
    "device",
    "precision",
    "log_every_steps",
    "checkpoint_every_minutes",
    "tensorboard",
    "data.num_workers",
    "data.cache_dir",
    *(f"{stage}.{name}" for stage in STAGES for name in ("max_steps", "max_minutes", "early_stopping_patience")),
)
"""Settings that may differ when a run is resumed."""
_MAX_PROCESSES = 8
"""Training processes on a CPU by default; more share the memory bandwidth."""
Reporter = Callable[[str], None]


@dataclass(frozen=True)
class PreparedRun:
    """A run that can be trained."""

    config: RunConfig
    folder: RunFolder
    candles: MappedCandles
    split: Split

    @property
    def trained_tokenizer(self) -> Path | None:
        """Folder of the tokenizer that this run trains before its model."""
        return self.folder.path / "tokenizer" if "tokenizer" in self.config.stages else None


def prepare(
    config: RunConfig,
    *,
    source: CandleSource | None = None,
    validation_source: CandleSource | None = None,
    reader: Reader | None = None,
) -> PreparedRun:
    """Check the settings, read the candles, and describe the run in its folder.

    Args:
        config: the settings.
        source: candles to use instead of ``config.data.train``.
        validation_source: candles to use instead of ``config.data.validation``.
        reader: for file formats other than the plain schema.

    Raises:
        FinetuneError: the run cannot start; the folder is unchanged.
    """
    folder = RunFolder(Path(config.output_dir).expanduser())
    if folder.path.is_dir():
        with folder.lock():
            pass
    _check_resume(config, folder)
    for name in config.stages:  # fail before reading the candles, which may take minutes
        build_objective(name, config, None)
    source = source or source_from_paths(config.data.train, reader)
    if validation_source is None and config.data.validation:
        validation_source = source_from_paths(config.data.validation, reader)
    cache_dir = Path(config.data.cache_dir).expanduser() if config.data.cache_dir else folder.path / "cache"
    candles = map_candles(source, validation_source, config.data, cache_dir)
    split = make_split(candles, config.data)
    training_runs(candles, split, config.data.window_length)
    validation = split.windows(candles, "validation", config.data.context, config.data.horizon)
    require_validation_windows(validation, config.data)
    digest = folder.read_description().get("data", {}).get("digest")
    if digest is not None and config.resume == "auto" and digest != candles.digest:
        raise RunExistsError(
            msg(
                "{path} was trained on other candles. Use the same data, or another folder (--output_dir).",
                path=folder.path,
            )
        )
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.update_description(
        {
            "settings": to_dict(config),
            "data": _describe_data(source, candles, split),
            "versions": _versions(),
            "status": "prepared",
        }
    )
    return PreparedRun(config, folder, candles, split)


def _describe_data(source: CandleSource, candles: MappedCandles, split: Split) -> dict[str, Any]:
    last_times: dict[str, int] = {}  # by group, seconds
    for one in candles.series:
        last = int(candles.times[one.first_row + one.num_rows - 1])
        last_times[one.group] = max(last, last_times.get(one.group, 0))
    return {
        "digest": candles.digest,
        "cache": str(candles.folder.resolve()),
        "source": source.label,
        "candles": len(candles.times),
        "series": len(candles.series),
        "notes": list(candles.notes),
        "bounds": split.to_dict(),
        "last_bar_times": last_times,
        "holdout_symbols": sorted(split.holdout_symbols),
    }


def open_run(path: str | Path) -> PreparedRun:
    """A run that was prepared before.

    Raises:
        FinetuneConfigError: this is not a run folder.
        DataError: its mapped candles were deleted.
    """
    folder = RunFolder(Path(path))
    config, data = folder.read_config(), folder.read_description()["data"]
    bounds = {group: SplitBounds(**values) for group, values in data["bounds"].items()}
    cache = Path(data["cache"])
    if not (cache / INDEX_FILE).is_file():
        raise DataError(
            msg("the candles of {path} are no longer in {cache}. Specify them again (--data).", path=path, cache=cache)
        )
    candles = open_mapped_candles(cache, config.data)
    return PreparedRun(config, folder, candles, Split(bounds, frozenset(data["holdout_symbols"])))


def _check_resume(config: RunConfig, folder: RunFolder) -> None:
    """Refuse to overwrite another run, or to resume one with other settings.

    Raises:
        RunExistsError: the folder holds such a run.
    """
    saved = folder.read_description()
    if "settings" not in saved or saved.get("status") == "prepared":
        return
    if config.resume == "never":
        raise RunExistsError(
            msg(
                "{path} already contains a run ({status}). Resume it (--resume auto), or choose another folder "
                "(--output_dir).",
                path=folder.path,
                status=saved.get("status"),
            )
        )
    changed = changed_settings(from_dict(saved["settings"]), config, RESUMABLE_SETTINGS)
    if changed:
        raise RunExistsError(
            msg(
                "{path} contains a run with other settings: {changed} changed. Use the same settings, or "
                "choose another folder (--output_dir).",
                path=folder.path,
                changed=", ".join(changed),
            )
        )


def _versions() -> dict[str, str]:
    names = ("torch", "accelerate", "numpy", "pandas", "safetensors")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}


def num_processes(config: RunConfig) -> int:
    """Training processes of a run: the configured number, or the most that share every batch evenly.

    On a CPU one single-threaded process per core is faster than one process with all threads (1.5 times on two cores,
    measured).
    """
    if config.num_processes:
        return config.num_processes
    if _device(config) == "cuda":
        available = torch.cuda.device_count()
    else:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        available = min(cores, _MAX_PROCESSES)
    batch_sizes = [config.stage(name).batch_size for name in config.stages]
    return next(n for n in range(available, 0, -1) if all(size % n == 0 for size in batch_sizes))


def _device(config: RunConfig) -> str:
    has_gpu = torch.cuda.is_available()
    if config.device == "cuda" and not has_gpu:
        raise FinetuneConfigError(
            msg('device = "cuda" needs a GPU supported by torch; none was found. Use "cpu" or "auto".')
        )
    return ("cuda" if has_gpu else "cpu") if config.device == "auto" else config.device


def _mixed_precision(config: RunConfig, device: str) -> str:
    """In the terms of Accelerate."""
    if config.precision != "auto":
        return "no" if config.precision == "fp32" else "bf16"
    has_bf16 = torch.cuda.is_bf16_supported() if device == "cuda" else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16" if has_bf16 else "no"


def run_stages(
    prepared: PreparedRun, callbacks: Sequence[TrainingCallback] = (), report: Reporter = lambda _: None
) -> str:
    """Train the stages of a prepared run in this process, which the environment may define as one of several.

    Returns:
        "finished" or "stopped".

    Raises:
        RunLockedError: another process trains in the folder.
        FinetuneError: training cannot continue.
    """
    config, folder = prepared.config, prepared.folder
    device = _device(config)
    accelerator = Accelerator(
        cpu=device == "cpu",
        mixed_precision=_mixed_precision(config, device),
        kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)],
    )
    is_main = accelerator.is_main_process
    try:
        with folder.lock() if is_main else nullcontext(), stop_on_signal() as stop_event:
            if is_main:
                folder.update_description({"status": "running", "pid": os.getpid(), "started": time.time()})
            states: dict[str, TrainState] = {}
            for name in config.stages:
                states[name] = _train_stage(name, prepared, accelerator, stop_event, tuple(callbacks))
                if states[name].stop_reason == "interrupted":
                    break
                if is_main:
                    _export(name, prepared, states[name].best_step)
                    report(_summary(name, states[name]))
                accelerator.wait_for_everyone()
            was_interrupted = any(state.stop_reason == "interrupted" for state in states.values())
            status = "stopped" if was_interrupted else "finished"
            if is_main:
                stages = {name: state.to_dict() for name, state in states.items()}
                folder.update_description({"status": status, "stages": stages})
            return status
    except EngineError as error:
        if is_main and not isinstance(error, RunLockedError):
            _record_failure(folder, error)
        raise
    finally:
        accelerator.end_training()
        # Accelerate keeps this state per process; without a reset the next run in this process would inherit it
        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()


def _record_failure(folder: RunFolder, error: EngineError) -> None:
    """Write the error into ``run.json``. If that fails too (a full disk), the first error is the one to report."""
    try:
        folder.update_description({"status": "failed", "error": str(error)})
    except EngineError:
        return


def _summary(name: StageName, state: TrainState) -> str:
    return (
        f"{name}: {state.step} steps, {state.tokens:,} candles, {state.training_s / 60:.1f} min; validation loss "
        f"{state.initial_loss:.4f} -> {state.best_loss:.4f} (step {state.best_step}); ended: {state.stop_reason}"
    )


def _train_stage(
    name: StageName,
    prepared: PreparedRun,
    accelerator: Accelerator,
    stop_event: threading.Event,
    callbacks: tuple[TrainingCallback, ...],
) -> TrainState:
    config, settings = prepared.config, prepared.config.stage(name)
    torch.manual_seed(config.seed)  # for the random weights of a network from scratch and of LoRA adapters
    objective = build_objective(name, config, prepared.trained_tokenizer)
    select_trainable(objective.network, settings)
    sharding = BatchSharding.plan(
        settings.batch_size, settings.micro_batch_size, accelerator.num_processes, accelerator.process_index
    )
    return train(
        TrainingStage(
            name=name,
            settings=settings,
            config=config,
            objective=objective,
            batches=_make_batches(prepared, objective, sharding, accelerator),
            evaluate=make_evaluation(prepared.candles, prepared.split, config, objective, accelerator),
            folder=prepared.folder,
            accelerator=accelerator,
            stop_event=stop_event,
            callbacks=callbacks,
        )
    )


def _make_batches(
    prepared: PreparedRun, objective: Objective, sharding: BatchSharding, accelerator: Accelerator
) -> TrainingBatches:
    candles, data, seed = prepared.candles, prepared.config.data, prepared.config.seed
    runs = training_runs(candles, prepared.split, data.window_length)
    if not (data.pretokenize and isinstance(objective, ModelObjective)):
        return TrainingBatches(candles, runs, data, seed, sharding)
    runs = strided_runs(runs, data.horizon)
    tokenizer, path = objective.tokenizer.to(accelerator.device), prepared.folder.path / "cache" / "tokens.npy"
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        encode_windows(tokenizer, candles, runs, data, path, accelerator.device)
    accelerator.wait_for_everyone()
    return PretokenizedBatches(candles, runs, data, seed, sharding, path)


def _export(name: StageName, prepared: PreparedRun, step: int) -> None:
    """Write the best weights as a plain checkpoint, ``RUN/<stage>``; a model alone with a copy of its tokenizer."""
    config, folder = prepared.config, prepared.folder
    objective = build_objective(name, config, prepared.trained_tokenizer)
    objective.network.load_state_dict(load_file(folder.best_weights_file(name, step)))
    objective.network.save_pretrained(folder.path / name)
    if isinstance(objective, ModelObjective) and "tokenizer" not in config.stages:
        objective.tokenizer.save_pretrained(folder.path / "tokenizer")
