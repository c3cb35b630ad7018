"""How a model's paths are to be drawn so that its bands hold what they say: found on candles, kept in a checkpoint.

    python -m engine.finetune calibrate runs/my --data FILES --out runs/my-calibrated --from-last-close yes

A path is fed with its own draws. A small model's next candle is a little too uncertain, the path that follows moves a
little too much, and a model that has learned how volatility persists then expects more of the same: after a hundred
steps the candles of a path may move twice as far as those that it was shown. Measured bands tell by how much, a
temperature takes it back (Guo et al. 2017, arXiv 1706.04599, for classifiers), and logits that are divided by it are
those of heads whose weights are: the checkpoint keeps its format, and other readers of it draw the same paths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from engine.checkpoints import checkpoint
from engine.errors import CheckpointError, DataError, SettingsError
from engine.finetune.config import DataConfig
from engine.finetune.data import symbol_candles as sources
from engine.finetune.data.mapped_candles import make_store
from engine.finetune.data.split import choose, targets_since
from engine.finetune.evaluation.forecast_eval import Probe, summary
from engine.finetune.evaluation.loss_eval import MOST_CONTEXT
from engine.network.model import Kronos
from engine.network.tokenizer import KronosTokenizer
from engine.predictor import KronosPredictor

__all__ = ["Calibration", "calibrate", "probe_of_candles", "sharpened", "write_calibrated"]

COVERAGE = 0.8
"""The band that shall hold what it says."""
Told = Callable[[str], None]
HELD = f"in {COVERAGE:.0%}"
COLDEST, HOTTEST = 0.8, 1.25
"""No temperature beyond these is tried: where it takes more, something else is wrong."""
SLOPE = 0.35
"""How much more of the closes that band holds per unit of temperature, about."""
NEAR = 0.003
"""A band that holds its share to within this is right; less than what a few hundred windows can tell."""
MOST_TRIES = 4


@dataclass(frozen=True)
class Calibration:
    """What was tried, and what was found."""

    temperature: float
    table: pd.DataFrame
    """One row per temperature that was tried, in order: CRPS skill, and the share that each band held."""

    def to_text(self) -> str:
        """The table and what follows from it."""
        return (
            f"{self.table.round(3).to_string()}\n"
            f"temperature {self.temperature:g}: the {COVERAGE:.0%} band held {self.held:.1%} of the closes"
        )

    @property
    def held(self) -> float:
        """Fraction of the closes that the band held at the temperature."""
        return float(self.table.loc[self.temperature, HELD])


def probe_of_candles(
    paths: Sequence[str],
    cache: Path,
    *,
    windows: int,
    context: int,
    horizon: int,
    num_paths: int,
    seed: int = 0,
    reader: sources.Reader | None = None,
) -> Probe:
    """Windows of any candles, evenly from all groups, whose targets do not overlap.

    Args:
        paths: files and folders of candles; best such as the model was not trained on.
        cache: folder for the mapped candles.
        windows: most windows.
        context: T.
        horizon: H.
        num_paths: N of each forecast.
        seed: of the choice and of the draws.
        reader: of other formats than the plain schema.

    Raises:
        DataError: no window of this length is there.
    """
    store = make_store(sources.from_paths(paths, reader), None, DataConfig(), cache)
    places = targets_since(store, {}, context, horizon)
    if not places:
        raise DataError(
            f"no window to calibrate on: {horizon} targets after a context of {context} without a long gap. Give more "
            "candles, or a lower --horizon or --context."
        )
    return Probe(store, tuple(choose(store, places, windows, seed)), context, horizon, num_paths, seed)


def calibrate(predictor: KronosPredictor, probe: Probe, told: Told = lambda _: None) -> Calibration:
    """Find the temperature at which the band of COVERAGE holds its share of the closes, all steps and windows together.

    Every try draws with the same numbers, so that the share rises with the temperature almost without noise; the next
    one goes as far as the share still lacks, over SLOPE. The try that came nearest is the answer.

    Args:
        predictor: whose paths they are.
        probe: the windows; how their paths are drawn is kept but for the temperature.
        told: shown a line after each try.
    """
    rows: dict[float, dict[str, float]] = {}
    temperature = 1.0
    for _ in range(MOST_TRIES):
        tried = replace(probe, sampling=replace(probe.sampling, temperature=temperature))
        figures = summary(probe, tried.forecast(predictor))
        rows[temperature] = {"CRPS skill": figures["crps_skill"]}
        rows[temperature] |= {f"in {share}%": figures[f"coverage_{share}"] for share in (50, 80, 95)}
        told(f"temperature {temperature:.3f}: " + ", ".join(f"{k} {v:.3f}" for k, v in rows[temperature].items()))
        lacking = COVERAGE - rows[temperature][HELD]
        temperature = round(min(max(temperature + lacking / SLOPE, COLDEST), HOTTEST), 3)
        if abs(lacking) <= NEAR or temperature in rows:
            break
    best = min(rows, key=lambda one: abs(rows[one][HELD] - COVERAGE))
    return Calibration(best, pd.DataFrame.from_dict(rows, orient="index").rename_axis("temperature"))


def sharpened(model: Kronos, temperature: float) -> Kronos:
    """``model`` itself, its logits divided by ``temperature`` from now on: at 1 it draws as it did at that.

    Raises:
        SettingsError: the temperature lies beyond COLDEST to HOTTEST.
    """
    if not COLDEST <= temperature <= HOTTEST:
        raise SettingsError(f"the temperature must be {COLDEST} to {HOTTEST}; got {temperature}.")
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.div_(temperature)
    return model


def write_calibrated(
    source: str | Path, out: Path, how: Probe | float, told: Told = lambda _: None, **asks: Any
) -> str:
    """Write a checkpoint to ``out``, as ``model/`` and ``tokenizer/``, at the temperature that is found or given.

    Args:
        source: "bundled", a published name, a folder or a hub id.
        out: folder for the new checkpoint.
        how: windows to find the temperature on, or the temperature itself.
        told: shown a line after each try.
        asks: keys of ``config.json`` to set: ``from_last_close``, ``mirrored``, ``min_p``; others stay.

    Returns:
        What was found, for people.

    Raises:
        CheckpointError: ``source`` cannot be had, or ``out`` cannot be written.
        ConfigError: a key cannot have this value.
        SettingsError: ``out`` holds something, or the temperature is none.
    """
    if out.exists() and any(out.iterdir()):
        raise SettingsError(f"{out} holds something already. Name a new folder, or remove it first.")
    place = checkpoint.predictor_source(source)
    half, coder = checkpoint.read(place.model, "model"), checkpoint.read(place.tokenizer, "tokenizer")
    changed = replace(half, config={**half.config, **asks})
    if isinstance(how, Probe):
        predictor = KronosPredictor(
            Kronos.from_checkpoint(changed),
            KronosTokenizer.from_checkpoint(coder),
            max_context=max(MOST_CONTEXT, how.context),
        )
        found = calibrate(predictor, how, told)
        temperature, text = found.temperature, found.to_text()
    else:
        temperature, text = how, f"temperature {how:g}, as given"
    model = sharpened(Kronos.from_checkpoint(changed), temperature)
    try:
        model.save_pretrained(out / "model")
        KronosTokenizer.from_checkpoint(coder).save_pretrained(out / "tokenizer")
    except OSError as cause:
        raise CheckpointError(f"{out} could not be written: {cause}. Check its rights and the space.") from cause
    return text
