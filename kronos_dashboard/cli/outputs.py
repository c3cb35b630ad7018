"""Results of a forecast: the files it writes, and a summary on stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.forecast import Forecast
from kronos_dashboard.cli.options import OutputOptions
from kronos_dashboard.errors import ExportError
from kronos_dashboard.evaluation.coverage_note import CoverageNote, build_coverage_note_for_record, detect_market
from kronos_dashboard.evaluation.metrics import score
from kronos_dashboard.export import (
    write_bundle,
    write_file,
    write_forecast_csv,
    write_paths_csv,
    write_paths_json,
    write_paths_parquet,
    write_record,
    write_report,
)
from kronos_dashboard.export.metadata import describe_path_options
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.run import RunRecord
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.messages import msg

__all__ = ["ForecastResult", "check_outputs", "print_summary", "write_outputs"]

_COVERAGE = 0.8
"""Fraction of paths inside the band of the summary."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastResult:
    """A forecast with its window and run record."""

    window: Window
    forecast: Forecast
    record: RunRecord
    is_reproduced: bool
    """Whether a recorded run was computed again, with the same numbers."""

    @cached_property
    def coverage_note(self) -> CoverageNote:
        """How well the bands of such forecasts covered actual prices."""
        return build_coverage_note_for_record(self.window, self.record, market=detect_market(self.window.context))


_WRITERS: dict[str, Callable[[ForecastResult], bytes]] = {
    "out": lambda result: write_forecast_csv(result.window, result.forecast, result.record, result.coverage_note),
    "record_output": lambda result: write_record(result.record),
    "bundle_output": lambda result: write_bundle(result.window, result.forecast, result.record, result.coverage_note),
    "report_output": lambda result: write_report(result.window, result.forecast, result.record, result.coverage_note),
}
"""Field of ``OutputOptions`` -> the content of its file."""
_PATH_WRITERS: dict[str, Callable[[ForecastResult], bytes]] = {
    ".parquet": lambda result: write_paths_parquet(result.forecast, result.record, result.coverage_note),
    ".csv": lambda result: write_paths_csv(result.forecast, result.record, result.coverage_note),
    ".json": lambda result: write_paths_json(result.window, result.forecast, result.record, result.coverage_note),
}
"""Suffix of ``--paths-output`` -> the content."""


def check_outputs(options: OutputOptions) -> None:
    """Check the files to write before the work starts.

    Raises:
        ExportError: a file cannot be written, or two are the same.
    """
    paths = _output_paths(options)
    for path in paths.values():
        if path.is_dir() or not path.parent.is_dir():
            raise ExportError(
                msg("the file {path} cannot be written.", path=path), msg("Choose a file in an existing folder.")
            )
    if len({path.resolve() for path in paths.values()}) < len(paths):
        raise ExportError(msg("two output files have the same name."), msg("Give each output its own name."))
    all_paths = paths.get("paths_output")
    if all_paths is not None and all_paths.suffix.lower() not in _PATH_WRITERS:
        raise ExportError(
            msg(
                "paths can be saved as {paths}; got {name}.", paths=", ".join(_PATH_WRITERS), name=repr(all_paths.name)
            ),
            msg("Change the file extension."),
        )


def write_outputs(options: OutputOptions, result: ForecastResult) -> None:
    """Write every file that the options name.

    Raises:
        ExportError: one cannot be written.
    """
    for name, path in _output_paths(options).items():
        render = _PATH_WRITERS[path.suffix.lower()] if name == "paths_output" else _WRITERS[name]
        write_file(path, render(result))


def print_summary(options: OutputOptions, result: ForecastResult) -> None:
    """Print the model, the window, the last step of the forecast and the files."""
    window, forecast, record = result.window, result.forecast, result.record
    lower, upper = forecast.band(_COVERAGE)[:, -1]
    end = f"{window.context.local_index[-1]:%Y-%m-%d %H:%M} ({record.session_tz})"
    last_step = (
        f"median {forecast.median()[-1]:,.6g}, {_COVERAGE:.0%} of paths end between {lower:,.6g} and {upper:,.6g}"
    )
    _print_line("model", f"{record.model_label} ({record.weights_sha256[:12]})")
    _print_line("window", f"{record.symbol} {record.interval}: {record.context_length} candles up to {end}")
    config = record.sampling
    min_p = f", min-p {config.min_p:g}" if config.min_p else ""
    _print_line("paths", f"{forecast.num_paths} {describe_path_options(config)}{min_p}, seed {config.seed}")
    _print_line("last step", f"{window.local_future[-1]:%Y-%m-%d %H:%M}  {last_step}")
    for sentence in result.coverage_note.sentences():
        _print_line("bands", sentence)
    if window.actual is not None:
        _print_comparison(window, forecast)
    for note in record.notes:
        _print_line("note", note)
    if result.is_reproduced:
        _print_line("identical", f"the same numbers as on {record.created_at} (paths {record.paths_sha256[:12]})")
    else:
        _print_line("took", f"{record.seconds:.1f} s for {forecast.num_paths} paths of {forecast.horizon} bars")
    for path in _output_paths(options).values():
        _print_line("written", str(path))


def _output_paths(options: OutputOptions) -> dict[str, Path]:
    """The files that are requested, by the name of their option."""
    paths = {name: getattr(options, name) for name in (*_WRITERS, "paths_output")}
    return {name: path for name, path in paths.items() if path is not None}


def _print_comparison(window: Window, forecast: Forecast) -> None:
    """Print scores of the forecast and of a random walk on this window."""
    assert window.actual is not None
    actual = window.actual.frame["close"].to_numpy()
    for name, candidate in (("model", forecast), ("random walk", random_walk(window))):
        scores = score(candidate.paths[..., 3], actual, _COVERAGE, is_paired=candidate.is_mirrored)
        inside = f"{scores.coverage:.0%} of closes inside the {_COVERAGE:.0%} band of width {scores.width:.4g}"
        _print_line("actual", f"{name}: CRPS {scores.crps:.4g}, {inside}")


def _print_line(name: str, text: str) -> None:
    sys.stdout.write(f"{name:<9} {text}\n")
