"""Calibrate a checkpoint: find the temperature at which its 80 % band has 80 % coverage, and write it into the weights.

    python -m engine.finetune calibrate runs/my --data FILES --output runs/my-calibrated --anchor-to-last-close

Sampled candles are fed back, so errors accumulate. A small model's next candle is slightly too uncertain, the path
moves slightly too much, and a model that has learned volatility clustering then expects more of the same: after a
hundred steps the candles of a path may be twice as volatile as those of the context. The coverage of the bands measures
this, and a temperature corrects it (Guo et al. 2017, arXiv 1706.04599, for classifiers). Dividing logits by a
temperature equals dividing the weights of the heads, so that the checkpoint keeps its format, and other programs sample
the same paths from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from engine.checkpoints import checkpoint
from engine.checkpoints.resolve import resolve_predictor
from engine.errors import CheckpointError
from engine.finetune.config import DataConfig
from engine.finetune.data.mapped_candles import map_candles
from engine.finetune.data.readers import Reader, source_from_paths
from engine.finetune.data.split import sample_windows, windows_since
from engine.finetune.errors import DataError, FinetuneConfigError
from engine.finetune.evaluation.forecast_eval import EvalWindows, summarize
from engine.finetune.evaluation.loss_eval import max_context_for
from engine.messages import msg
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer
from engine.predictor import KronosPredictor

__all__ = ["Calibration", "Reporter", "calibrate", "calibration_windows", "scale_logits", "write_calibrated"]

COVERAGE = 0.8
"""Nominal coverage of the band that is calibrated."""
COVERAGE_COLUMN = f"{COVERAGE:.0%} coverage"
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.8, 1.25
"""A model that needs more correction has another problem."""
COVERAGE_PER_TEMPERATURE = 0.35
"""Typical slope of the coverage over the temperature, used as the step of the search."""
COVERAGE_TOLERANCE = 0.003
"""Below the standard error of the coverage over a few hundred windows."""
MAX_TRIALS = 4
Reporter = Callable[[str], None]
"""Receives a line of text after each trial."""


@dataclass(frozen=True)
class Calibration:
    """The chosen temperature, and all trials."""

    temperature: float
    table: pd.DataFrame
    """One row per temperature in order of the trials: CRPS skill, and the coverage of each band."""

    def to_text(self) -> str:
        """The table and the result."""
        return (
            f"{self.table.round(3).to_string()}\n"
            f"temperature {self.temperature:g}: the {COVERAGE:.0%} band covers {self.coverage:.1%} of the closes"
        )

    @property
    def coverage(self) -> float:
        """Fraction of the closes inside the band at the chosen temperature."""
        return float(self.table.loc[self.temperature, COVERAGE_COLUMN])


def calibration_windows(
    paths: Sequence[str],
    cache_dir: Path,
    *,
    max_windows: int,
    context: int,
    horizon: int,
    num_paths: int,
    seed: int = 0,
    reader: Reader | None = None,
) -> EvalWindows:
    """Windows of any candles, evenly from all groups, with targets that do not overlap.

    Args:
        paths: files and folders of candles, preferably ones that the model was not trained on.
        cache_dir: folder for the memory-mapped candles.
        max_windows: most windows.
        context: T.
        horizon: H.
        num_paths: N of each forecast.
        seed: of the choice of windows and of the paths.
        reader: for formats other than the plain schema.

    Raises:
        DataError: there is no window of this length.
    """
    candles = map_candles(source_from_paths(paths, reader), None, DataConfig(), cache_dir)
    windows = windows_since(candles, {}, context, horizon)
    if not windows:
        raise DataError(
            msg(
                "no window to calibrate on: it needs {horizon} targets after a context of {context}, without a "
                "long gap. Provide more candles, or lower --horizon or --context.",
                horizon=horizon,
                context=context,
            )
        )
    chosen = tuple(sample_windows(candles, windows, max_windows, seed))
    return EvalWindows(candles, chosen, context, horizon, num_paths, seed)


def calibrate(predictor: KronosPredictor, windows: EvalWindows, report: Reporter = lambda _: None) -> Calibration:
    """Find the temperature at which the band has its nominal coverage over all steps and windows.

    All trials use the same random numbers, so that the coverage rises with the temperature almost without noise. Each
    step of the search is the missing coverage divided by its typical slope. The trial with the smallest error wins.

    Args:
        predictor: the model.
        windows: the windows, with the sampling settings to use (except the temperature).
        report: receives a line after each trial.
    """
    rows: dict[float, dict[str, float]] = {}
    temperature = 1.0
    for _ in range(MAX_TRIALS):
        trial = replace(windows, sampling=replace(windows.sampling, temperature=temperature))
        metrics = summarize(windows, trial.score(predictor))
        row = {"CRPS skill": metrics["crps_skill"]}
        row |= {f"{percent}% coverage": metrics[f"coverage_{percent}"] for percent in (50, 80, 95)}
        rows[temperature] = row
        report(f"temperature {temperature:.3f}: " + ", ".join(f"{name} {value:.3f}" for name, value in row.items()))
        missing = COVERAGE - row[COVERAGE_COLUMN]
        temperature += missing / COVERAGE_PER_TEMPERATURE
        temperature = round(min(max(temperature, MIN_TEMPERATURE), MAX_TEMPERATURE), 3)
        if abs(missing) <= COVERAGE_TOLERANCE or temperature in rows:
            break
    best = min(rows, key=lambda one: abs(rows[one][COVERAGE_COLUMN] - COVERAGE))
    return Calibration(best, pd.DataFrame.from_dict(rows, orient="index").rename_axis("temperature"))


def scale_logits(model: Kronos, temperature: float) -> Kronos:
    """Divide the logits of ``model`` by ``temperature``, in place: at temperature 1 it then samples as at that one.

    Raises:
        FinetuneConfigError: the temperature is outside MIN_TEMPERATURE..MAX_TEMPERATURE.
    """
    if not MIN_TEMPERATURE <= temperature <= MAX_TEMPERATURE:
        raise FinetuneConfigError(
            msg(
                "the temperature must be {min_temperature} to {limit}; got {temperature}.",
                min_temperature=MIN_TEMPERATURE,
                limit=MAX_TEMPERATURE,
                temperature=temperature,
            )
        )
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.div_(temperature)
    return model


def write_calibrated(
    source: str | Path,
    output: Path,
    target: EvalWindows | float,
    report: Reporter = lambda _: None,
    **sampling_defaults: Any,
) -> str:
    """Write a calibrated checkpoint to ``output``, as ``model/`` and ``tokenizer/``.

    Args:
        source: "bundled", a published name, a folder or a hub id.
        output: folder for the new checkpoint.
        target: windows to find the temperature on, or the temperature itself.
        report: receives a line after each trial.
        sampling_defaults: keys of ``config.json`` to set: ``anchor_to_last_close``, ``mirror_paths``, ``min_p``.

    Returns:
        The result as text.

    Raises:
        CheckpointError: ``source`` cannot be loaded, or ``output`` cannot be written.
        ConfigError: a key has an invalid value.
        FinetuneConfigError: ``output`` is not empty, or the temperature is out of range.
    """
    if output.exists() and any(output.iterdir()):
        raise FinetuneConfigError(
            msg("{output} is not empty. Choose a new folder, or delete this one first.", output=output)
        )
    sources = resolve_predictor(source)
    model_checkpoint = checkpoint.read_checkpoint(sources.model, "model")
    tokenizer_checkpoint = checkpoint.read_checkpoint(sources.tokenizer, "tokenizer")
    model_checkpoint = replace(model_checkpoint, config={**model_checkpoint.config, **sampling_defaults})
    if isinstance(target, EvalWindows):
        predictor = KronosPredictor(
            Kronos.from_checkpoint(model_checkpoint),
            KronosTokenizer.from_checkpoint(tokenizer_checkpoint),
            max_context=max_context_for(target.context),
        )
        calibration = calibrate(predictor, target, report)
        temperature, text = calibration.temperature, calibration.to_text()
    else:
        temperature, text = target, f"temperature {target:g}, as given"
    model = scale_logits(Kronos.from_checkpoint(model_checkpoint), temperature)
    try:
        model.save_pretrained(output / "model")
        KronosTokenizer.from_checkpoint(tokenizer_checkpoint).save_pretrained(output / "tokenizer")
    except OSError as cause:
        raise CheckpointError(
            msg(
                "{output} could not be written: {cause}. Check its permissions and the free disk space.",
                output=output,
                cause=cause,
            )
        ) from cause
    return text
