"""Small runs: a few hundred candles, tiny networks saved as checkpoints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from engine.finetune import run
from engine.finetune.config import RunConfig, StageConfig
from engine.finetune.data.mapped_candles import MappedCandles, map_candles
from engine.finetune.data.readers import source_from_frame
from engine.finetune.data.split import Split, make_split
from engine.finetune.data.windows import Batch
from engine.finetune.options import load_config
from engine.finetune.training.run_folder import read_metrics
from tests.support import tiny
from tests.support.paths import ROOT

STAGE_SETTINGS = {one.name for one in fields(StageConfig)}


def initial_checkpoints(folder: Path) -> Path:
    """A tiny tokenizer and model in a folder."""
    tiny.tokenizer().save_pretrained(folder / "start" / "tokenizer")
    tiny.model().save_pretrained(folder / "start" / "model")
    return folder / "start"


def csv(folder: Path, name: str = "coin_5m.csv", length: int = 700, seed: int = 0) -> Path:
    """A file of the plain schema."""
    path = folder / name
    tiny.candles(length, seed).rename_axis("timestamp").reset_index().to_csv(path, index=False)
    return path


def flags(folder: Path, **changes: Any) -> list[tuple[str, str]]:
    """A run of a dozen steps in one process, without forecasts.

    A setting of a stage that is given without its table is for both stages.
    """
    values = {
        "output_dir": folder / "run",
        "data.train": folder / "coin_5m.csv",
        "init_from": folder / "start",
        "data.context": 24,
        "data.horizon": 8,
        "data.min_context": 8,
        "data.embargo": 0,
        "max_steps": 12,
        "batch_size": 4,
        "eval_every_steps": 5,
        "log_every_steps": 1,
        "num_processes": 1,
        "precision": "fp32",
        "device": "cpu",
        "evaluation.loss_windows": 4,
        "evaluation.forecast_windows": 0,
        "evaluation.test_windows": 0,
        "learning_rate": 1e-3,
    }
    result = []
    for name, value in (values | changes).items():
        tables = ("tokenizer.", "model.") if name in STAGE_SETTINGS else ("",)
        result += [(table + name, str(value)) for table in tables]
    return result


def settings(folder: Path, **changes: Any) -> RunConfig:
    """The same as settings."""
    return load_config(None, flags(folder, **changes))


def prepared(folder: Path, **changes: Any) -> run.PreparedRun:
    """The same as a run whose folder exists."""
    if not (folder / "start").exists():
        initial_checkpoints(folder)
    if not (folder / "coin_5m.csv").exists():
        csv(folder)
    return run.prepare(settings(folder, **changes))


def mapped(folder: Path, frame: pd.DataFrame, **changes: Any) -> tuple[MappedCandles, Split, RunConfig]:
    """The mapped candles and the split of one frame."""
    config = settings(folder, **changes)
    candles = map_candles(source_from_frame(frame), None, config.data, folder / "cache")
    return candles, make_split(candles, config.data), config


def batch_of(normalized: torch.Tensor) -> Batch:
    """Normalized candles [b, W, 6] as a batch for a tokenizer."""
    empty = torch.empty(0)
    return Batch(normalized, empty, empty, torch.tensor(1.0), empty)


def lines(folder: Path, kind: str = "train") -> list[dict[str, Any]]:
    """Lines of a run's metrics as they stand in the file."""
    text = (folder / "run" / "metrics.jsonl").read_text(encoding="utf-8")
    return [line for line in map(json.loads, text.splitlines()) if line["kind"] == kind]


def weights(folder: Path, stage: str = "model") -> bytes:
    """The bytes of a run's result."""
    return (folder / "run" / stage / "model.safetensors").read_bytes()


def arguments(folder: Path, **changes: Any) -> list[str]:
    """The same as arguments of the command line."""
    return ["train", *(part for name, value in flags(folder, **changes) for part in (f"--{name}", value))]


def command(folder: Path, **changes: Any) -> subprocess.Popen:
    """The same as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "engine.finetune", *arguments(folder, **changes)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def losses(folder: Path) -> np.ndarray:
    """The training loss of every step, as a resumed run leaves it."""
    return np.array([line["loss"] for line in read_metrics(folder / "run") if line["kind"] == "train"])
