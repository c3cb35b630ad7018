"""What several commands share: the options that name a file of candles, its candles, and bounds."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.config import SamplingConfig
from kronos_dashboard.errors import WindowError
from kronos_dashboard.markets.importers import Imported, ImportOptions, read_file
from kronos_dashboard.markets.samples import SAMPLES, load_sample
from kronos_dashboard.settings import Settings

__all__ = ["add_file", "check_paths", "load_file"]

_SAMPLE = "sample:"


def add_file(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add FILE and what may be said about it."""
    samples = ", ".join(_SAMPLE + sample.key for sample in SAMPLES)
    told = f"a file of candles, or one of {samples}"
    parser.add_argument("file", metavar="FILE", nargs=None if required else "?", help=told)
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


def load_file(options: argparse.Namespace, settings: Settings) -> Imported:
    """The candles that the options name.

    Raises:
        ImportFailed: there is no such file, or it holds no candles.
        SampleNotFound: there is no such sample.
    """
    if options.file.startswith(_SAMPLE):
        return load_sample(options.file.removeprefix(_SAMPLE))
    given = {
        name: getattr(options, name) for name in ("symbol", "session_tz", "day_first", "ticker", "sheet", "interval")
    }
    columns = dict(pair.split("=", 1) if "=" in pair else (pair, "") for pair in options.column)
    wanted = ImportOptions(**given, columns=columns, price_scale=options.price_scale)
    return read_file(Path(options.file), wanted, settings)


def check_paths(sampling: SamplingConfig, settings: Settings) -> None:
    """Check that no more paths are asked for than the settings allow.

    Raises:
        WindowError: there are more.
    """
    if sampling.num_paths > settings.max_paths:
        raise WindowError(f"paths must be 1 to {settings.max_paths}; got {sampling.num_paths}.", "Ask for fewer paths.")
