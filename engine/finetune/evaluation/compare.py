"""Whether a run helped: both models forecast the same windows, which neither was trained or chosen on.

    python -m engine.finetune compare runs/my --against bundled --data my.csv

The verdict is that of the Diebold-Mariano test on CRPS (``engine.finetune.evaluation.significance``). Where there are
several groups, their tests are corrected by Holm's method, since one of many will look different by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.checkpoints.registry import SCORES_FILE
from engine.errors import DataError, SettingsError
from engine.finetune.config import DataConfig, ProbeConfig, RunConfig
from engine.finetune.data import symbol_candles as sources
from engine.finetune.data.mapped_candles import CandleStore, make_store
from engine.finetune.data.split import FOREVER, Place, choose, targets_since
from engine.finetune.evaluation import significance as scores
from engine.finetune.evaluation.forecast_eval import Probe, summary
from engine.finetune.evaluation.loss_eval import MOST_CONTEXT
from engine.finetune.evaluation.scorecard import entries, write_scores
from engine.finetune.evaluation.significance import Test
from engine.finetune.run import Prepared, settings_of
from engine.finetune.training.run_folder import RunFolder
from engine.predictor import KronosPredictor

__all__ = ["ALL", "Comparison", "compare", "compare_run", "probe_of_paths", "probe_of_run"]

ALL = "all"


@dataclass(frozen=True)
class Comparison:
    """A run against what it is compared with, on the same windows."""

    run: str
    base: str
    table: pd.DataFrame
    """One row per group, and "all"; what a person reads."""
    tests: dict[str, Test]
    """By group, and ``ALL``; p of groups corrected for how many there are."""
    horizon: int
    context: int
    measured: tuple[dict[str, Any], ...] = ()
    """The run's own figures, for ``scores.json``."""
    note: str = ""
    """What went wrong beside the comparison; mostly nothing."""

    @property
    def verdict(self) -> scores.Verdict:
        """Of all windows together."""
        return self.tests[ALL].verdict

    def to_text(self) -> str:
        """The table and what it allows to say."""
        test, unit = self.tests[ALL], "one-bar volatilities"
        said = {
            "better": f"{self.run} is better than {self.base}",
            "worse": f"{self.run} is worse than {self.base}",
            "no difference": f"no difference between {self.run} and {self.base} that these windows can show",
        }[self.verdict]
        note = f"\n{self.note}" if self.note else ""
        few = " These are too few dates to tell anything." if np.isnan(test.statistic) else ""
        return (
            f"{self.run} against {self.base}: {self.horizon} steps after {self.context} candles, CRPS in {unit}\n"
            f"{self.table.to_string()}\n"
            f"{said} (p = {test.p:.3f}, {test.dates} dates).{few}{note}"
        )


def compare(probe: Probe, run: KronosPredictor, base: KronosPredictor, names: tuple[str, str]) -> Comparison:
    """Forecast every window of ``probe`` with both models, and test the difference of their CRPS."""
    figures = [probe.forecast(predictor) for predictor in (run, base)]
    losses, groups = figures[0][:, 0] - figures[1][:, 0], probe.groups
    times, ends = probe.times()
    tests = {
        group: scores.diebold_mariano(
            *scores.per_date(losses[groups == group], times[groups == group], ends[groups == group])
        )
        for group in sorted(set(groups.tolist()))
    }
    whole = scores.diebold_mariano(*scores.per_date(losses, times, ends))
    tests = {**_corrected(tests), ALL: whole}
    rows = {group: _row(probe, figures, groups == group, test) for group, test in tests.items() if group != ALL}
    rows[ALL] = _row(probe, figures, np.full(len(groups), True), whole)
    table = pd.DataFrame.from_dict(rows, orient="index").round(3)
    measured = tuple(entries(probe, figures[0]))
    return Comparison(names[0], names[1], table, tests, probe.horizon, probe.context, measured)


def _row(probe: Probe, figures: Sequence[np.ndarray], chosen: np.ndarray, test: Test) -> dict[str, Any]:
    part = probe.part(chosen)
    run, base = (summary(part, one[chosen]) for one in figures)
    return {
        "windows": int(chosen.sum()),
        "dates": test.dates,
        "CRPS": run["crps"],
        "base": base["crps"],
        "skill": run["crps_skill"],
        "base's": base["crps_skill"],
        "in 80 %": run["coverage_80"],
        "base in": base["coverage_80"],
        "MAE / still": run["mae_ratio"],
        "p": test.p,
        "verdict": test.verdict,
    }


def _corrected(tests: dict[str, Test]) -> dict[str, Test]:
    """Holm's step-down correction of the p-values."""
    ordered = sorted(tests, key=lambda group: tests[group].p)
    corrected, highest = {}, 0.0
    for rank, group in enumerate(ordered):
        highest = max(highest, min(tests[group].p * (len(ordered) - rank), 1.0))
        corrected[group] = replace(tests[group], p=highest)
    return {group: corrected[group] for group in tests}


def compare_run(run: str | Path, base: str | Path, probe: Probe) -> Comparison:
    """Load both models and compare them on ``probe``; what was measured of the run is kept in its folder.

    Raises:
        CheckpointError: one of them cannot be had.
        DataError: there is nothing to compare on.
    """
    if not probe.places:
        raise DataError(
            f"no untouched window is left to compare on: {probe.horizon} targets after everything that the run was "
            f"trained or chosen on, behind a context of {probe.context}. Give later candles, other symbols, or a lower "
            "horizon."
        )
    most = max(MOST_CONTEXT, probe.context)
    predictors = [KronosPredictor.from_pretrained(source, max_context=most) for source in (run, base)]
    comparison = compare(probe, predictors[0], predictors[1], (str(run), str(base)))
    path = Path(run) / SCORES_FILE
    try:
        write_scores(path, predictors[0], probe, comparison.measured)
    except OSError as error:
        return replace(comparison, note=f"{path} could not be written: {error.strerror}.")
    return comparison


def probe_of_run(prepared: Prepared, wanted: ProbeConfig | None = None) -> Probe:
    """The untouched windows of a run's own candles; ``wanted`` as in ``probe_of_paths``."""
    config, wanted = prepared.config, wanted or prepared.config.probe
    places = prepared.split.places(prepared.store, "test", config.data.context, wanted.horizon)
    return _probe(prepared.store, places, config, wanted)


def probe_of_paths(
    run: str | Path,
    base: str | Path,
    paths: Sequence[str],
    *,
    wanted: ProbeConfig | None = None,
    reader: sources.Reader | None = None,
) -> Probe:
    """The windows of any candles that neither the run nor ``base`` (where it is a run too) was trained or chosen on.

    Args:
        run: a run folder.
        base: what it is compared with.
        paths: files and folders of candles.
        wanted: how many windows, and how they are forecast; None = as the run's settings say.
        reader: of other formats than the plain schema.

    Raises:
        SettingsError: ``run`` is no run folder.
    """
    config = settings_of(run)
    plain = DataConfig(session_clocks=config.data.session_clocks, longest_break_hours=config.data.longest_break_hours)
    store = make_store(sources.from_paths(paths, reader), None, plain, Path(run) / "cache")
    since = _untouched_since(Path(run))
    if (Path(base) / "run.json").is_file():
        theirs = _untouched_since(Path(base))
        since = {group: max(since.get(group, -FOREVER), theirs.get(group, -FOREVER)) for group in {*since, *theirs}}
    wanted = wanted or config.probe
    return _probe(store, targets_since(store, since, config.data.context, wanted.horizon), config, wanted)


def _probe(store: CandleStore, places: list[Place], config: RunConfig, wanted: ProbeConfig) -> Probe:
    return Probe(
        store=store,
        places=tuple(choose(store, places, wanted.compare_windows, config.seed)),
        context=config.data.context,
        horizon=wanted.horizon,
        paths=wanted.paths,
        seed=config.seed,
        on_session_clock=config.data.session_clock_share > 0.5,
    )


def _untouched_since(run: Path) -> dict[str, int]:
    """By group, from when on a run saw nothing; groups that it had none of are missing."""
    held = RunFolder(run).read_description().get("data")
    if held is None:
        raise SettingsError(f"{run} is no run folder: it has no run.json with settings. Give the folder of a run.")
    return {
        group: held["last"][group] + 1 if bounds["test_from"] == FOREVER else bounds["test_from"]
        for group, bounds in held["bounds"].items()
    }
