"""The command line: ``python -m kronos_dashboard inspect FILE`` and ``python -m kronos_dashboard forecast FILE``.

FILE is a path, or ``sample:NAME`` for candles that ship with the project. Results go to stdout and to files, progress
and errors to stderr. Exit status: 0 done, 1 it could not be done (one line says why), 2 the command was misspelt.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from engine.config import SamplingConfig
from engine.errors import EngineError
from engine.forecast import Forecast
from kronos_dashboard.baselines import random_walk
from kronos_dashboard.candles import CandleFrame
from kronos_dashboard.errors import DashboardError, ExportFailed, WindowError
from kronos_dashboard.export import forecast_csv, record_json, write_atomically
from kronos_dashboard.forecasting import RunRecord, run
from kronos_dashboard.importers import ChoiceNeeded, Imported, ImportOptions, read_file
from kronos_dashboard.importers.describing import as_document, as_lines, choices_document
from kronos_dashboard.metrics import score
from kronos_dashboard.models import ModelShelf
from kronos_dashboard.samples import SAMPLES, load_sample
from kronos_dashboard.settings import Settings
from kronos_dashboard.windows import Window, check_lengths, cut, latest

__all__ = ["main"]

_SAMPLE = "sample:"
_LEVEL = 0.9
"""Coverage of the band in the summary."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace, Settings], None] = options.command
    try:
        command(options, Settings.from_environment())
    except (DashboardError, EngineError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: stopped; nothing was written.", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kronos_dashboard", description="Candles in, sampled futures out.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_inspect(commands.add_parser("inspect", help="say what a file of candles holds"))
    _add_forecast(commands.add_parser("forecast", help="forecast one window of a file"))
    return parser


def _add_file(parser: argparse.ArgumentParser) -> None:
    samples = ", ".join(_SAMPLE + sample.key for sample in SAMPLES)
    parser.add_argument("file", metavar="FILE", help=f"a file of candles, or one of {samples}")
    parser.add_argument(
        "--tz", "--session-tz", dest="session_tz", metavar="ZONE", help="clock of stamps without a zone"
    )
    parser.add_argument("--symbol", help="name of the series (default: what the file says, or its name)")
    parser.add_argument("--ticker", help="which instrument of a file with several")
    parser.add_argument("--sheet", help="which sheet of a workbook, or file of an archive")
    parser.add_argument("--interval", help="length of a candle, such as 5m; ticks are put together to it")
    order = parser.add_mutually_exclusive_group()
    order.add_argument("--day-first", action="store_true", default=None, help="01/02/2024 is the first of February")
    order.add_argument(
        "--month-first", dest="day_first", action="store_false", help="01/02/2024 is the second of January"
    )
    parser.add_argument("--column", action="append", default=[], metavar="FIELD=NAME", help="which column is the time, "
                        "open, high, low, close, volume or amount, by name or by number")  # fmt: skip
    parser.add_argument("--price-scale", type=float, help="what prices are divided by")


def _add_inspect(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(command=_inspect)


def _add_forecast(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    sampling = SamplingConfig()
    parser.add_argument("--context", type=int, default=400, help="candles the model sees (default 400)")
    parser.add_argument("--horizon", type=int, default=120, help="steps to forecast (default 120)")
    parser.add_argument(
        "--cutoff",
        default="latest",
        help="last candle of the context: a row counted from 1, a time on the session clock, or latest (default)",
    )
    parser.add_argument("--paths", type=int, default=sampling.num_paths, help="sampled futures (default %(default)s)")
    parser.add_argument(
        "--temperature", type=float, default=sampling.temperature, help="0: greedy (default %(default)s)"
    )
    parser.add_argument("--top-p", type=float, default=sampling.top_p, help="nucleus; 1 = off (default %(default)s)")
    parser.add_argument("--top-k", type=int, help="keep the k likeliest tokens; off by default")
    parser.add_argument("--seed", type=int, default=sampling.seed, help="same seed, same paths (default %(default)s)")
    parser.add_argument("--model", help="bundled, a published name, a hub id or a folder (default bundled)")
    parser.add_argument("--device", help="cpu, cuda or mps (default: the best there is)")
    parser.add_argument("--out", type=Path, help="write the forecast as CSV")
    parser.add_argument("--record", type=Path, help="write how it was made as JSON")
    parser.set_defaults(command=_forecast)


def _inspect(options: argparse.Namespace, settings: Settings) -> None:
    try:
        imported = _load(options, settings)
    except DashboardError as error:
        if options.json:
            choices = choices_document([error.choices] if isinstance(error, ChoiceNeeded) else [])
            print(json.dumps({"error": error.message, "hint": error.hint, **choices}, ensure_ascii=False))
        raise
    if options.json:
        print(json.dumps(as_document(imported), ensure_ascii=False, indent=1))
    else:
        print("\n".join(as_lines(imported)))


def _forecast(options: argparse.Namespace, settings: Settings) -> None:
    sampling = _sampling(options, settings)
    check_lengths(options.context, options.horizon, settings)
    _check_folders(options.out, options.record)
    imported = _load(options, settings)
    for note in imported.notes:
        if note.level != "info":
            print(f"{note.level}: {note.text}", file=sys.stderr)
    window = _window(imported.candles, options)
    name = options.model or settings.model
    with _Progress(shown=sys.stderr.isatty()) as progress:
        predictor = ModelShelf().get(name, options.device, progress.download)
        [(forecast, record)] = run([window], sampling, predictor, progress.step, model_name=name)
    if options.out is not None:
        write_atomically(options.out, forecast_csv(window, forecast, record))
    if options.record is not None:
        write_atomically(options.record, record_json(record))
    _summarise(window, forecast, record, options.out)


def _sampling(options: argparse.Namespace, settings: Settings) -> SamplingConfig:
    """Raises ConfigError for what the engine does not take, WindowError for more paths than the settings allow."""
    sampling = SamplingConfig(
        num_paths=options.paths,
        temperature=options.temperature,
        top_p=options.top_p,
        top_k=options.top_k,
        seed=options.seed,
    )
    if sampling.num_paths > settings.max_paths:
        raise WindowError(f"paths must be 1 to {settings.max_paths}; got {sampling.num_paths}.", "Ask for fewer paths.")
    return sampling


def _check_folders(*paths: Path | None) -> None:
    """Find out before the work, not after it, that a result has no place to go."""
    for path in paths:
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise ExportFailed(f"the file {path} cannot be written.", "Name a file in a folder that exists.")


def _load(options: argparse.Namespace, settings: Settings) -> Imported:
    if options.file.startswith(_SAMPLE):
        return load_sample(options.file.removeprefix(_SAMPLE))
    given = {
        name: getattr(options, name) for name in ("symbol", "session_tz", "day_first", "ticker", "sheet", "interval")
    }
    columns = dict(pair.split("=", 1) if "=" in pair else (pair, "") for pair in options.column)
    wanted = ImportOptions(**given, columns=columns, price_scale=options.price_scale)
    return read_file(Path(options.file), wanted, settings)


def _window(candles: CandleFrame, options: argparse.Namespace) -> Window:
    """The window that ``--cutoff`` asks for; the truth comes along when all of it is there."""
    row = _cutoff_row(candles, options.cutoff)
    if row + options.horizon <= len(candles):
        return cut(candles, row, options.context, options.horizon)
    return latest(candles.rows(0, row), options.context, options.horizon)


def _cutoff_row(candles: CandleFrame, cutoff: str) -> int:
    """Rows up to and including the cutoff.

    Raises:
        WindowError: there is no such row, or the text is neither a row nor a time.
    """
    if cutoff == "latest":
        return len(candles)
    if cutoff.lstrip("+-").isdigit() and len(cutoff) < 8:
        if not 1 <= int(cutoff) <= len(candles):
            raise WindowError(f"the cutoff must be row 1 to {len(candles)} of {candles.symbol}; got {cutoff}.")
        return int(cutoff)
    try:
        time = pd.Timestamp(cutoff)
        if pd.isna(time):
            raise ValueError("no time")
        time = time.tz_localize(candles.session_tz) if time.tz is None else time
    except ValueError as error:
        raise WindowError(
            f"the cutoff {cutoff!r} is neither a row, nor a time on the clock of {candles.session_tz}, nor latest.",
            "Write 1200, or 2024-01-31 09:30.",
        ) from error
    row = len(candles.until(time.tz_convert("UTC")))
    if row == 0:
        raise WindowError(f"the cutoff {cutoff} is before the first candle, {candles.local_index[0]}.")
    return row


@dataclass
class _Progress:
    """A line on stderr that counts bytes and decode steps, when somebody watches."""

    shown: bool

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def step(self, done: int, total: int) -> None:
        """A decode step is done."""
        self._draw("sampling", done / total if total else 0.0, f"step {done} of {total}")

    def download(self, name: str, done: int, total: int | None) -> None:
        """More bytes of a file have arrived."""
        of_all = f" of {total / 1e6:,.0f}" if total else ""
        self._draw("downloading", done / total if total else 0.0, f"{name} {done / 1e6:,.0f}{of_all} MB")

    def _draw(self, what: str, share: float, told: str) -> None:
        if self.shown:
            line = f"\r\033[K{what} [{'#' * round(30 * share):<30}] {told}"
            print(line, end="", file=sys.stderr, flush=True)


def _summarise(window: Window, forecast: Forecast, record: RunRecord, out: Path | None) -> None:
    lower, upper = forecast.band(_LEVEL)[:, -1]
    print(f"model     {record.model_label} ({record.checkpoint_digest[:12]})")
    end = f"{window.context.local_index[-1]:%Y-%m-%d %H:%M} ({record.session_tz})"
    print(f"window    {record.symbol} {record.interval}: {record.context_length} candles up to {end}")
    reach = f"median {forecast.median()[-1]:,.6g}, {_LEVEL:.0%} of paths {lower:,.6g} to {upper:,.6g}"
    print(f"last step {window.local_future[-1]:%Y-%m-%d %H:%M}  {reach}")
    if window.truth is not None:
        _compare(window, forecast)
    for note in record.notes:
        print(f"note      {note}")
    print(f"took      {record.seconds:.1f} s for {forecast.num_paths} paths of {forecast.horizon} steps")
    if out is not None:
        print(f"written   {out}")


def _compare(window: Window, forecast: Forecast) -> None:
    """The forecast and the random walk against the truth of this one window."""
    assert window.truth is not None
    truth = window.truth.frame["close"].to_numpy()
    for name, made in (("model", forecast), ("random walk", random_walk(window))):
        measured = score(made.paths[..., 3], truth, _LEVEL)
        inside = f"{measured.coverage:.0%} of steps inside the {_LEVEL:.0%} band of width {measured.width:.4g}"
        print(f"truth     {name}: CRPS {measured.crps:.4g}, {inside}")


if __name__ == "__main__":
    sys.exit(main())
