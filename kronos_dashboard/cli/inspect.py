"""Print what a file of candles contains."""

from __future__ import annotations

import json
import sys

from kronos_dashboard.cli.candle_files import load_candles
from kronos_dashboard.cli.options import FileOptions
from kronos_dashboard.errors import DashboardError
from kronos_dashboard.markets.importers import ChoiceRequiredError
from kronos_dashboard.markets.importers.summary import choices_dict, summary_dict, summary_lines
from kronos_dashboard.settings import Settings

__all__ = ["print_summary"]


def print_summary(file: str, options: FileOptions, settings: Settings, *, as_json: bool) -> None:
    """Print the summary of ``file``, as lines or as one JSON document.

    Raises:
        DashboardError: the file cannot be read. With ``as_json``, the reason is printed as JSON first.
    """
    try:
        imported = load_candles(file, options, settings)
    except DashboardError as error:
        if as_json:
            choices = choices_dict([error.choice] if isinstance(error, ChoiceRequiredError) else [])
            document = {"error": error.message, "hint": error.hint, **choices}
            sys.stdout.write(f"{json.dumps(document, ensure_ascii=False)}\n")
        raise
    if as_json:
        sys.stdout.write(f"{json.dumps(summary_dict(imported), ensure_ascii=False, indent=1)}\n")
    else:
        sys.stdout.write("\n".join(summary_lines(imported)) + "\n")
