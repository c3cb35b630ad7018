"""The command line: ``python -m kronos_dashboard COMMAND``: inspect, doctor, forecast or fetch candles.

FILE is a path, or ``sample:NAME`` for candles that ship with the project. Results go to stdout and to files, progress
and errors to stderr. Exit status: 0 done, 1 it could not be done (one line says why), 2 the command was misspelt.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from engine.errors import EngineError
from kronos_dashboard.cli import doctor, fetch, forecast
from kronos_dashboard.cli.shared import add_file, load_file
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.importers import ChoiceNeeded
from kronos_dashboard.markets.importers.summary import as_document, as_lines, choices_document
from kronos_dashboard.settings import Settings

__all__ = ["main"]


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
    _add_doctor(commands.add_parser("doctor", help="say what is odd about candles, and repair it"))
    forecast.add_parser(commands)
    fetch.add_parser(commands)
    return parser


def _add_inspect(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(command=_inspect)


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    doctor.add_options(parser)
    parser.set_defaults(command=lambda options, settings: doctor.run(options, load_file(options, settings).candles))


def _inspect(options: argparse.Namespace, settings: Settings) -> None:
    try:
        imported = load_file(options, settings)
    except DashboardError as error:
        if options.json:
            choices = choices_document([error.choices] if isinstance(error, ChoiceNeeded) else [])
            print(json.dumps({"error": error.message, "hint": error.hint, **choices}, ensure_ascii=False))
        raise
    if options.json:
        print(json.dumps(as_document(imported), ensure_ascii=False, indent=1))
    else:
        print("\n".join(as_lines(imported)))


if __name__ == "__main__":
    sys.exit(main())
