"""Small runs: a few hundred candles, tiny networks saved as checkpoints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from engine.finetune import run
from engine.finetune.config import RunConfig
from engine.finetune.data import mapped_candles as store
from engine.finetune.data import split
from engine.finetune.data import symbol_candles as candles
from engine.finetune.data.windows import Batch
from engine.finetune.options import config_from
from tests.support import tiny
from tests.support.paths import ROOT


def start(folder: Path) -> Path:
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
    """A run of a dozen steps on one process, without forecasts."""
    usual = {
        "out": folder / "run",
        "data": folder / "coin_5m.csv",
        "start": folder / "start",
        "data.context": 24,
        "data.horizon": 8,
        "data.shortest_cut": 8,
        "data.embargo": 0,
        "steps": 12,
        "batch": 4,
        "evaluate_every": 5,
        "log_every": 1,
        "processes": 1,
        "precision": "fp32",
        "device": "cpu",
        "probe.validation_windows": 4,
        "probe.windows": 0,
        "probe.compare_windows": 0,
        "rate": 1e-3,
    }
    return [(name, str(value)) for name, value in (usual | changes).items()]


def settings(folder: Path, **changes: Any) -> RunConfig:
    """The same as settings."""
    return config_from(None, flags(folder, **changes))


def prepared(folder: Path, **changes: Any) -> run.Prepared:
    """A run of the usual settings, its folder made."""
    if not (folder / "start").exists():
        start(folder)
    if not (folder / "coin_5m.csv").exists():
        csv(folder)
    return run.prepare(settings(folder, **changes))


def stored(folder: Path, frame: pd.DataFrame, **changes: Any) -> tuple[store.CandleStore, split.Split, RunConfig]:
    """The store and the split of one frame."""
    config = settings(folder, **changes)
    held = store.make_store(candles.from_frame(frame), None, config.data, folder / "cache")
    return held, split.make_split(held, config.data), config


def batch_of(normalised: torch.Tensor) -> Batch:
    """Normalised candles [b, W, 6] as a batch for a tokenizer."""
    nothing = torch.empty(0)
    return Batch(normalised, nothing, nothing, torch.tensor(1.0), nothing)


def lines(folder: Path, kind: str = "train") -> list[dict[str, Any]]:
    """Lines of a run's metrics as they stand in the file."""
    text = (folder / "run" / "metrics.jsonl").read_text(encoding="utf-8")
    return [line for line in map(json.loads, text.splitlines()) if line["kind"] == kind]


def weights(folder: Path, half: str = "model") -> bytes:
    """The bytes of a run's result."""
    return (folder / "run" / half / "model.safetensors").read_bytes()


def command(folder: Path, **changes: Any) -> subprocess.Popen:
    """The same run from the command line."""
    arguments = [part for name, value in flags(folder, **changes) for part in (f"--{name}", value)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "engine.finetune", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def losses(folder: Path) -> np.ndarray:
    """The training loss of every step, as a resumed run leaves it."""
    from engine.finetune.training.run_folder import read_metrics

    return np.array([line["loss"] for line in read_metrics(folder / "run") if line["kind"] == "train"])
