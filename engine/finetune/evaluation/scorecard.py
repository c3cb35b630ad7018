"""What was measured of a checkpoint: ``scores.json`` beside it, by which the app says how far to trust its bands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.checkpoints.checkpoint import write_whole
from engine.finetune.evaluation.forecast_eval import Probe, summary
from engine.predictor import KronosPredictor

__all__ = ["COLUMNS", "entries", "write_scores"]

COLUMNS = (
    "windows",
    "crps_ratio",
    "mae_ratio",
    "coverage_50",
    "coverage_80",
    "coverage_95",
    "walk_coverage_80",
    "repaired",
)
"""Figures of an entry: CRPS over the block-bootstrap walk's, error of the median over the last close's, and shares."""


def entries(probe: Probe, figures: np.ndarray) -> list[dict[str, Any]]:
    """Pooled ``figures`` [M, F] of all windows, of each market, and of each market and interval (null: of all).

    CRPS and absolute errors are in units of each window's one-bar volatility.
    """
    both = [(market, interval) for market, _, interval in (group.rpartition("_") for group in probe.groups.tolist())]
    kinds: set[tuple[str | None, str | None]] = {(None, None), *((market, None) for market, _ in both), *both}
    found = []
    for market, interval in sorted(kinds, key=lambda kind: (kind[1] is not None, kind[0] or "", kind[1] or "")):
        chosen = np.array([market in (None, one) and interval in (None, other) for one, other in both])
        part = probe.part(chosen)
        of_model, of_walk = summary(part, figures[chosen]), summary(part, part.walk)
        of_model |= {
            "windows": int(chosen.sum()),
            "crps_ratio": 1 - of_model["crps_skill"],
            "walk_coverage_80": of_walk["coverage_80"],
        }
        figure = {name: round(of_model[name], 3) for name in COLUMNS}
        found.append({"horizon": probe.horizon, "market": market, "interval": interval} | figure)
    return found


def write_scores(path: Path, predictor: KronosPredictor, probe: Probe, found: Sequence[dict[str, Any]]) -> None:
    """Write entries of ``probe``'s context, paths and sampling to ``path``, all or nothing.

    Raises:
        OSError: it cannot be written.
    """
    sampling = predictor.settled(probe.sampling)
    about = {"digest": predictor.digest, "context": probe.context, "paths": probe.paths}
    about |= {"temperature": sampling.temperature, "top_p": sampling.nucleus, "min_p": sampling.min_p}
    about |= {"from_last_close": sampling.from_last_close, "mirrored": sampling.mirrored}
    text = json.dumps({**about, "scores": list(found)}, indent=1) + "\n"
    write_whole(path, lambda beside: beside.write_bytes(text.encode()))
