"""What a forecast on the command line leaves behind: files, and a summary on stdout."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.forecast import Forecast
from kronos_dashboard.errors import ExportFailed
from kronos_dashboard.evaluation.coverage_note import Measured, market_of, measured_of
from kronos_dashboard.evaluation.metrics import score
from kronos_dashboard.export import (
    forecast_csv,
    paths_csv,
    paths_json,
    paths_parquet,
    record_json,
    report_html,
    run_json,
    write_atomically,
)
from kronos_dashboard.export.metadata import drawing
from kronos_dashboard.forecasting.baselines import random_walk
from kronos_dashboard.forecasting.run import RunRecord
from kronos_dashboard.forecasting.windows import Window

__all__ = ["Made", "add_outputs", "check_outputs", "summarise", "write_outputs"]

_LEVEL = 0.8
"""Part of the paths whose range the summary tells."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """A forecast, and what it was made of."""

    window: Window
    forecast: Forecast
    record: RunRecord
    again: bool
    """Whether the record was there first and the same numbers came out."""

    @cached_property
    def measured(self) -> Measured:
        """What is known of its bands."""
        return measured_of(self.window, self.record, market=market_of(self.window.context))


_FILES: dict[str, Callable[[Made], bytes]] = {
    "out": lambda made: forecast_csv(made.window, made.forecast, made.record, made.measured),
    "record": lambda made: record_json(made.record),
    "json_out": lambda made: run_json(made.window, made.forecast, made.record, made.measured),
    "html_out": lambda made: report_html(made.window, made.forecast, made.record, made.measured),
}
_PATHS: dict[str, Callable[[Made], bytes]] = {
    ".parquet": lambda made: paths_parquet(made.forecast, made.record, made.measured),
    ".csv": lambda made: paths_csv(made.forecast, made.record, made.measured),
    ".json": lambda made: paths_json(made.window, made.forecast, made.record, made.measured),
}


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the options that name files to write."""
    parser.add_argument("--out", type=Path, help="write the forecast as CSV, one row per step")
    parser.add_argument("--paths-out", type=Path, help="write all paths; the name ends in .parquet, .csv or .json")
    parser.add_argument("--json-out", type=Path, help="write record, summary and candles as JSON, for --from-record")
    parser.add_argument("--html-out", type=Path, help="write a report that needs no network")
    parser.add_argument("--record", type=Path, help="write how it was made as JSON, without candles")


def check_outputs(options: argparse.Namespace) -> None:
    """Find out before the work, not after it, that a result has no place to go.

    Raises:
        ExportFailed: a file cannot be written, or two would be the same.
    """
    named = _named(options)
    for path in named.values():
        if path.is_dir() or not path.parent.is_dir():
            raise ExportFailed(f"the file {path} cannot be written.", "Name a file in a folder that exists.")
    if len({path.resolve() for path in named.values()}) < len(named):
        raise ExportFailed("two of the files to write are the same.", "Give each result a name of its own.")
    paths_out = named.get("paths_out")
    if paths_out is not None and paths_out.suffix.lower() not in _PATHS:
        raise ExportFailed(f"paths are written as {', '.join(_PATHS)}; got {paths_out.name!r}.", "Change the ending.")


def write_outputs(options: argparse.Namespace, made: Made) -> None:
    """Write every file that the options name.

    Raises:
        ExportFailed: one cannot be written.
    """
    for name, path in _named(options).items():
        form = _PATHS[path.suffix.lower()] if name == "paths_out" else _FILES[name]
        write_atomically(path, form(made))


def summarise(options: argparse.Namespace, made: Made) -> None:
    """Say on stdout what was made of what, and how it ends."""
    window, forecast, record = made.window, made.forecast, made.record
    lower, upper = forecast.band(_LEVEL)[:, -1]
    end = f"{window.context.local_index[-1]:%Y-%m-%d %H:%M} ({record.session_tz})"
    reach = f"median {forecast.median()[-1]:,.6g}, {_LEVEL:.0%} of paths end within {lower:,.6g} to {upper:,.6g}"
    _say("model", f"{record.model_label} ({record.checkpoint_digest[:12]})")
    _say("window", f"{record.symbol} {record.interval}: {record.context_length} candles up to {end}")
    config = record.sampling_config
    cut = f", min-p {config.min_p:g}" if config.min_p else ""
    _say("paths", f"{forecast.num_paths} {drawing(record)}{cut}, seed {config.seed}")
    _say("last step", f"{window.local_future[-1]:%Y-%m-%d %H:%M}  {reach}")
    for sentence in made.measured.sentences():
        _say("bands", sentence)
    if window.truth is not None:
        _compare(window, forecast)
    for note in record.notes:
        _say("note", note)
    if made.again:
        _say("again", f"the same numbers as on {record.created_at} (paths {record.paths_digest[:12]})")
    else:
        _say("took", f"{record.seconds:.1f} s for {forecast.num_paths} paths of {forecast.horizon} steps")
    for path in _named(options).values():
        _say("written", str(path))


def _named(options: argparse.Namespace) -> dict[str, Path]:
    given = {name: getattr(options, name) for name in (*_FILES, "paths_out")}
    return {name: path for name, path in given.items() if path is not None}


def _compare(window: Window, forecast: Forecast) -> None:
    """The forecast and the random walk against the truth of this one window."""
    assert window.truth is not None
    truth = window.truth.frame["close"].to_numpy()
    for name, made in (("model", forecast), ("random walk", random_walk(window))):
        measured = score(made.paths[..., 3], truth, _LEVEL)
        inside = f"{measured.coverage:.0%} of steps inside the {_LEVEL:.0%} band of width {measured.width:.4g}"
        _say("truth", f"{name}: CRPS {measured.crps:.4g}, {inside}")


def _say(name: str, text: str) -> None:
    sys.stdout.write(f"{name:<9} {text}\n")
