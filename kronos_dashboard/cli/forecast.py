"""``forecast``: one window of a file is forecast, or a recorded run is made again."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import pandas as pd

from engine.config import BEGINNINGS, LEANINGS, SamplingConfig
from kronos_dashboard.cli.outputs import Made, add_outputs, check_outputs, summarise, write_outputs
from kronos_dashboard.cli.progress import ProgressLine
from kronos_dashboard.cli.reproduce import make_again
from kronos_dashboard.cli.shared import add_file, check_paths, load_file
from kronos_dashboard.errors import WindowError
from kronos_dashboard.forecasting.run import run as run_windows
from kronos_dashboard.forecasting.windows import Window, check_lengths, cut, latest
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.models.loading import DTYPES, load_model
from kronos_dashboard.settings import Settings

__all__ = ["add_parser", "run"]

_CONTEXT, _HORIZON = 400, 120
_SAMPLING = {"paths": "num_paths", **{name: name for name in ("temperature", "top_p", "top_k", "min_p", "seed")}}
"""Option -> field of ``SamplingConfig``."""
_RECORDED = ("context", "horizon", "cutoff", *_SAMPLING, "begin", "leaning", "policy", "dtype")
"""Options that a record answers."""


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add ``forecast`` to the sub-commands of a parser; its options carry ``command=run``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "forecast", help="forecast one window of a file, or make a recorded run again"
    )
    add_file(parser, required=False)
    usual = SamplingConfig()
    add = parser.add_argument
    add("--context", type=int, help=f"candles the model sees (default {_CONTEXT})")
    add("--horizon", type=int, help=f"steps to forecast (default {_HORIZON})")
    add("--cutoff", help="last candle of the context: a row counted from 1, a time on the session clock, or latest "
        "(default)")  # fmt: skip
    add("--paths", type=int, help=f"sampled futures (default {usual.num_paths})")
    add("--temperature", type=float, help=f"0: greedy (default {usual.temperature})")
    add("--top-p", type=float, help=f"nucleus; 1 = off (default {usual.top_p})")
    add("--top-k", type=int, help="keep the k likeliest tokens; off by default")
    add("--min-p", type=float, help="draw no token below this part of the likeliest's probability; 0 = off (default: "
        "as the model's config.json says)")  # fmt: skip
    add("--seed", type=int, help=f"same seed, same paths (default {usual.seed})")
    add("--begin", choices=tuple(BEGINNINGS), help="where paths begin: at the last close, where the model's tokens "
        "end, or as the model's config.json says (default model)")  # fmt: skip
    add("--leaning", choices=tuple(LEANINGS), help="none: every second path is mirrored at the last close, so that up "
        "and down are equally likely; drawn: none is; or as the model's config.json says (default model)")  # fmt: skip
    add("--policy", choices=("exact", "roll"), help="past the model's limit: read the window anew at every step, or "
        "let the oldest candles go (default roll)")  # fmt: skip
    add("--model", help="bundled, a published name, a hub id or a folder (default bundled)")
    add("--device", help="cpu, cuda or mps (default: the best there is)")
    add("--dtype", choices=DTYPES, help="of the model's matrix products (default float32)")
    add("--from-record", metavar="RUN", help="make this run again, from any file that was exported of it: the same "
        "numbers, or an error")  # fmt: skip
    add("--candles", metavar="FILE", help="with --from-record: its candles, where they are not in RUN")
    add_outputs(parser)
    parser.set_defaults(command=run, misspelt=parser.error)
    return parser


def run(options: argparse.Namespace, settings: Settings) -> None:
    """Do what the options say.

    Raises:
        DashboardError, EngineError: it cannot be done; the message says why. Nothing was written then.
    """
    _check_spelling(options)
    check_outputs(options)
    made = _make(options, settings) if options.from_record is None else make_again(options, settings)
    write_outputs(options, made)
    summarise(options, made)


def _check_spelling(options: argparse.Namespace) -> None:
    """Leave with usage and status 2 when options do not go together."""
    if options.from_record is None:
        if options.file is None:
            options.misspelt("the following arguments are required: FILE")
        if options.candles is not None:
            options.misspelt("--candles goes with --from-record alone")
        return
    if options.file is not None:
        options.misspelt("with --from-record, name the candles by --candles")
    doubled = [f"--{name.replace('_', '-')}" for name in _RECORDED if getattr(options, name) is not None]
    if doubled:
        options.misspelt(f"with --from-record, the record says what {', '.join(doubled)} would")


def _make(options: argparse.Namespace, settings: Settings) -> Made:
    sampling = _sampling(options, settings)
    context = _CONTEXT if options.context is None else options.context
    horizon = _HORIZON if options.horizon is None else options.horizon
    check_lengths(context, horizon, settings)
    imported = load_file(options, settings)
    for note in imported.notes:
        if note.level != "info":
            sys.stderr.write(f"{note.level}: {note.text}\n")
    window = _window(imported.candles, options.cutoff or "latest", context, horizon)
    name = options.model or settings.model
    with ProgressLine(shown=sys.stderr.isatty()) as progress:
        predictor = load_model(
            name, device=options.device, dtype=options.dtype or DTYPES[0], progress=progress.download
        )
        [(forecast, record)] = run_windows(
            [window], sampling, predictor, progress.step, model_name=name, policy=options.policy
        )
    return Made(window=window, forecast=forecast, record=record, again=False)


def _sampling(options: argparse.Namespace, settings: Settings) -> SamplingConfig:
    given = {field: getattr(options, name) for name, field in _SAMPLING.items() if getattr(options, name) is not None}
    begin, leaning = BEGINNINGS[options.begin or "model"], LEANINGS[options.leaning or "model"]
    sampling = SamplingConfig(**given, from_last_close=begin, mirrored=leaning)
    check_paths(sampling, settings)
    return sampling


def _window(candles: CandleFrame, cutoff: str, context: int, horizon: int) -> Window:
    """The window that ends at the cutoff; the truth comes along when all of it is there."""
    row = _cutoff_row(candles, cutoff)
    if row + horizon <= len(candles):
        return cut(candles, row, context, horizon)
    return latest(candles.rows(0, row), context, horizon)


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
