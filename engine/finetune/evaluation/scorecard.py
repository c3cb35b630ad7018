"""The scorecard of a checkpoint: ``scorecard.json`` in its folder, from which the app reports the measured coverage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.files import atomic_write
from engine.finetune.evaluation.forecast_eval import EvalWindows, summarize
from engine.predictor import KronosPredictor

__all__ = ["SCORECARD_METRICS", "SCORECARD_VERSION", "scorecard_rows", "write_scorecard"]

SCORECARD_VERSION = 1
"""Of the file format. Files without a version were named ``scores.json`` and had other keys."""
SCORECARD_METRICS = (
    "windows",
    "crps_ratio",
    "mae_ratio",
    "coverage_50",
    "coverage_80",
    "coverage_95",
    "walk_coverage_80",
    "repaired_fraction",
)
"""Metrics of a row: CRPS relative to the block-bootstrap random walk, absolute error of the median relative to
persistence, and fractions."""


def scorecard_rows(windows: EvalWindows, metrics: np.ndarray) -> list[dict[str, Any]]:
    """Pooled ``metrics`` [M, F] of all windows, of each market, and of each market and interval (null: all of them).

    CRPS and absolute errors are in units of each window's one-bar volatility.
    """
    groups = [
        (market, interval) for market, _, interval in (group.rpartition("_") for group in windows.groups.tolist())
    ]
    keys: set[tuple[str | None, str | None]] = {(None, None), *((market, None) for market, _ in groups), *groups}
    rows = []
    for market, interval in sorted(keys, key=lambda key: (key[1] is not None, key[0] or "", key[1] or "")):
        mask = np.array([market in (None, one) and interval in (None, other) for one, other in groups])
        subset = windows.subset(mask)
        model, walk = summarize(subset, metrics[mask]), summarize(subset, subset.random_walk)
        model |= {
            "windows": int(mask.sum()),
            "crps_ratio": 1 - model["crps_skill"],
            "walk_coverage_80": walk["coverage_80"],
        }
        values = {name: round(model[name], 3) for name in SCORECARD_METRICS}
        rows.append({"horizon": windows.horizon, "market": market, "interval": interval} | values)
    return rows


def write_scorecard(
    path: Path, predictor: KronosPredictor, windows: EvalWindows, rows: Sequence[dict[str, Any]]
) -> None:
    """Write rows, and the context and sampling settings that they were measured with, to ``path``.

    Raises:
        OSError: the file cannot be written.
    """
    sampling = predictor.resolve_sampling(windows.sampling)
    scorecard = {
        "version": SCORECARD_VERSION,
        "weights_sha256": predictor.weights_sha256,
        "context": windows.context,
        "num_paths": windows.num_paths,
        "temperature": sampling.temperature,
        "top_p": sampling.nucleus,
        "min_p": sampling.min_p,
        "anchor_to_last_close": sampling.anchor_to_last_close,
        "mirror_paths": sampling.mirror_paths,
        "groups": list(rows),
    }
    atomic_write(path, (json.dumps(scorecard, indent=1) + "\n").encode())
