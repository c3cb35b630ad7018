"""Compare a run with a baseline model on windows that neither was trained or selected on.

    python -m engine.finetune compare runs/my --baseline bundled --data my.csv

The verdict is that of the Diebold-Mariano test on CRPS (``engine.finetune.evaluation.significance``). The p-values of
single groups are corrected by Holm's method, because one of many groups differs by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.checkpoints.registry import SCORECARD_FILE
from engine.finetune.config import DataConfig, EvaluationConfig, RunConfig
from engine.finetune.data.mapped_candles import MappedCandles, map_candles
from engine.finetune.data.readers import Reader, source_from_paths
from engine.finetune.data.split import FOREVER, Split, windows_since
from engine.finetune.errors import DataError, FinetuneConfigError
from engine.finetune.evaluation.forecast_eval import EvalWindows, summarize
from engine.finetune.evaluation.loss_eval import make_windows, max_context_for
from engine.finetune.evaluation.scorecard import scorecard_rows, write_scorecard
from engine.finetune.evaluation.significance import DieboldMarianoResult, Verdict, average_by_date, diebold_mariano
from engine.finetune.training.run_folder import RunFolder
from engine.messages import msg
from engine.predictor import KronosPredictor

__all__ = ["ALL_GROUPS", "Comparison", "compare", "compare_run", "windows_of_files", "windows_of_run"]

ALL_GROUPS = "all"


@dataclass(frozen=True)
class Comparison:
    """A run and a baseline on the same windows."""

    run: str
    baseline: str
    table: pd.DataFrame
    """One row per group, and one for all."""
    tests: dict[str, DieboldMarianoResult]
    """By group and for ``ALL_GROUPS``; the p-values of groups are corrected for their number."""
    horizon: int
    context: int
    scorecard: tuple[dict[str, Any], ...] = ()
    """Rows of the run's scorecard."""
    warning: str = ""
    """What went wrong apart from the comparison; usually empty."""

    @property
    def verdict(self) -> Verdict:
        """Over all windows."""
        return self.tests[ALL_GROUPS].verdict

    def to_text(self) -> str:
        """The table and the verdict."""
        test = self.tests[ALL_GROUPS]
        conclusion = {
            "better": f"{self.run} is better than {self.baseline}",
            "worse": f"{self.run} is worse than {self.baseline}",
            "no difference": f"no difference between {self.run} and {self.baseline} on these windows",
        }[self.verdict]
        too_few = " These dates are too few for a test." if np.isnan(test.statistic) else ""
        warning = f"\n{self.warning}" if self.warning else ""
        return (
            f"{self.run} against {self.baseline}: {self.horizon} steps after {self.context} candles, CRPS in units of "
            f"one-bar volatility\n{self.table.to_string()}\n"
            f"{conclusion} (p = {test.p_value:.3f}, {test.num_dates} dates).{too_few}{warning}"
        )


def compare(
    windows: EvalWindows, run: KronosPredictor, baseline: KronosPredictor, names: tuple[str, str]
) -> Comparison:
    """Forecast all windows with both models, and test the difference of their CRPS."""
    metrics = [windows.score(predictor) for predictor in (run, baseline)]  # [M, F] each
    differences, groups = metrics[0][:, 0] - metrics[1][:, 0], windows.groups
    times, ends = windows.times()
    masks = {group: groups == group for group in sorted(set(groups.tolist()))}
    tests = {
        group: diebold_mariano(*average_by_date(differences[mask], times[mask], ends[mask]))
        for group, mask in masks.items()
    }
    tests = {**_holm_correction(tests), ALL_GROUPS: diebold_mariano(*average_by_date(differences, times, ends))}
    masks[ALL_GROUPS] = np.full(len(groups), True)
    rows = {group: _table_row(windows, metrics, masks[group], test) for group, test in tests.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").round(3)
    scorecard = tuple(scorecard_rows(windows, metrics[0]))
    return Comparison(names[0], names[1], table, tests, windows.horizon, windows.context, scorecard)


def _table_row(
    windows: EvalWindows, metrics: Sequence[np.ndarray], mask: np.ndarray, test: DieboldMarianoResult
) -> dict[str, Any]:
    subset = windows.subset(mask)
    run, baseline = (summarize(subset, one[mask]) for one in metrics)
    return {
        "windows": int(mask.sum()),
        "dates": test.num_dates,
        "CRPS": run["crps"],
        "baseline CRPS": baseline["crps"],
        "skill": run["crps_skill"],
        "baseline skill": baseline["crps_skill"],
        "80 % coverage": run["coverage_80"],
        "baseline coverage": baseline["coverage_80"],
        "MAE / persistence": run["mae_ratio"],
        "p": test.p_value,
        "verdict": test.verdict,
    }


def _holm_correction(tests: dict[str, DieboldMarianoResult]) -> dict[str, DieboldMarianoResult]:
    """Holm's step-down correction of the p-values."""
    ordered = sorted(tests, key=lambda group: tests[group].p_value)
    corrected, largest = {}, 0.0
    for rank, group in enumerate(ordered):
        largest = max(largest, min(tests[group].p_value * (len(ordered) - rank), 1.0))
        corrected[group] = replace(tests[group], p_value=largest)
    return {group: corrected[group] for group in tests}


def compare_run(run: str | Path, baseline: str | Path, windows: EvalWindows) -> Comparison:
    """Load both models, compare them on ``windows``, and write the run's scorecard into its folder.

    Raises:
        CheckpointError: a model cannot be loaded.
        DataError: there are no windows.
    """
    if not windows.windows:
        raise DataError(
            msg(
                "no untouched window remains for the comparison: it needs {horizon} targets after all data "
                "used for training and selection, with a context of {context}. Provide later candles or other "
                "symbols, or lower the horizon.",
                horizon=windows.horizon,
                context=windows.context,
            )
        )
    max_context = max_context_for(windows.context)
    predictors = [KronosPredictor.from_pretrained(source, max_context=max_context) for source in (run, baseline)]
    comparison = compare(windows, predictors[0], predictors[1], (str(run), str(baseline)))
    path = Path(run) / SCORECARD_FILE
    try:
        write_scorecard(path, predictors[0], windows, comparison.scorecard)
    except OSError as error:
        return replace(comparison, warning=f"{path} could not be written: {error.strerror}.")
    return comparison


def windows_of_run(
    candles: MappedCandles, split: Split, config: RunConfig, settings: EvaluationConfig | None = None
) -> EvalWindows:
    """Test windows of a run's own candles; ``settings`` as in ``windows_of_files``."""
    settings = settings or config.evaluation
    windows = split.windows(candles, "test", config.data.context, settings.horizon)
    return make_windows(candles, windows, settings.test_windows, config, settings)


def windows_of_files(
    run: str | Path,
    baseline: str | Path,
    paths: Sequence[str],
    *,
    settings: EvaluationConfig | None = None,
    reader: Reader | None = None,
) -> EvalWindows:
    """Windows of given candles that neither the run nor ``baseline``, if it is a run, was trained or selected on.

    Args:
        run: a run folder.
        baseline: what the run is compared with.
        paths: files and folders of candles.
        settings: how many windows, and how they are forecast; None = those of the run.
        reader: for formats other than the plain schema.

    Raises:
        FinetuneConfigError: ``run`` is not a run folder.
    """
    folder = RunFolder(Path(run))
    config = folder.read_config()
    data = DataConfig(session_timezones=config.data.session_timezones, max_gap_hours=config.data.max_gap_hours)
    candles = map_candles(source_from_paths(paths, reader), None, data, folder.path / "cache")
    starts = _first_unseen_time(folder)
    if RunFolder(Path(baseline)).description_file.is_file():
        others = _first_unseen_time(RunFolder(Path(baseline)))
        starts = {group: max(starts.get(group, -FOREVER), others.get(group, -FOREVER)) for group in {*starts, *others}}
    settings = settings or config.evaluation
    windows = windows_since(candles, starts, config.data.context, settings.horizon)
    return make_windows(candles, windows, settings.test_windows, config, settings)


def _first_unseen_time(folder: RunFolder) -> dict[str, int]:
    """By group, the first bar time that a run has not used; groups that it had no candles of are absent."""
    data = folder.read_description().get("data")
    if data is None:
        raise FinetuneConfigError(
            msg(
                "{path} is not a run folder: it has no run.json with settings. Specify the folder of a run.",
                path=folder.path,
            )
        )
    return {
        group: data["last_bar_times"][group] + 1 if bounds["test_start"] == FOREVER else bounds["test_start"]
        for group, bounds in data["bounds"].items()
    }
