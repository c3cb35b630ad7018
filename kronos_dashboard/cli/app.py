"""The commands, and how one is run.

Results go to stdout and to files, progress and errors to stderr. Exit status: 0 done, 1 not possible (one line says
why), 2 invalid usage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import reduce

from cyclopts import App, CycloptsError, Parameter, ValidationError

from engine.errors import EngineError
from kronos_dashboard.cli.commands.doctor import doctor
from kronos_dashboard.cli.commands.fetch import fetch
from kronos_dashboard.cli.commands.forecast import forecast
from kronos_dashboard.cli.commands.inspect import inspect
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.settings import Settings

__all__ = ["COMMANDS", "app", "run"]

PROGRAM = "kronos"
COMMANDS: dict[Callable[..., None], str] = {
    inspect: "FILE [OPTIONS]",
    doctor: "FILE [OPTIONS]",
    forecast: "(FILE | --reproduce RUN) [OPTIONS]",
    fetch: "--symbol SYMBOL [OPTIONS]",
}
"""Command -> its arguments in the line on usage; in the order of the help."""

app = App(
    name=PROGRAM,
    help="Probabilistic forecasts of candles with Kronos models.",
    help_epilogue="Run `kronos COMMAND --help` for the options of a command.",
    version_flags=(),
    default_parameter=Parameter(allow_repeating=True),  # the last one counts, so that scripts can override
)
for _position, (_command, _arguments) in enumerate(COMMANDS.items()):
    _usage = f"Usage: {PROGRAM} {_command.__name__} {_arguments}"
    app.command(_command, usage=_usage, sort_key=_position, help_epilogue="")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command with ``arguments`` (by default those of the process); returns the exit status."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if not tokens:
        return _report_usage((), f"a command is required: {', '.join(command.__name__ for command in COMMANDS)}.")
    try:
        command, bound, injected = app.parse_args(tokens, print_error=False, exit_on_error=False)
    except CycloptsError as error:
        message = error.exception_message if isinstance(error, ValidationError) else str(error)
        return _report_usage(tuple(error.command_chain or ()), message)
    try:
        values = {"settings": Settings.from_environment()} if "settings" in injected else {}
        command(*bound.args, **bound.kwargs, **values)
    except (DashboardError, EngineError) as error:
        _report(f"error: {' '.join(str(error).split())}")
        return 1
    except KeyboardInterrupt:
        _report("error: stopped; nothing was written.")
        return 1
    return 0


def _report_usage(command_chain: tuple[str, ...], message: str) -> int:
    usage = reduce(App.__getitem__, command_chain, app).usage or f"Usage: {PROGRAM} COMMAND [OPTIONS]"
    name = " ".join((PROGRAM, *command_chain))
    _report(f"{usage}\nRun {name} --help for help.\nerror: {message}")
    return 2


def _report(text: str) -> None:
    sys.stderr.write(f"{text}\n")
