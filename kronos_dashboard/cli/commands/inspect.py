"""``kronos inspect``: what a file of candles contains."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from kronos_dashboard.cli.options import (
    FILE_DEFAULTS,
    FILE_GROUP,
    FILE_HELP,
    OUTPUT_GROUP,
    FileOptions,
    Flag,
    InjectedSettings,
)

__all__ = ["inspect"]


def inspect(
    file: Annotated[str, Parameter(help=FILE_HELP, group=FILE_GROUP)],
    /,
    *,
    file_options: FileOptions = FILE_DEFAULTS,
    json: Annotated[Flag, Parameter(group=OUTPUT_GROUP)] = False,
    settings: InjectedSettings,
) -> None:
    """Show what a file of candles contains, and how it is read.

    Args:
        file: See ``FILE_HELP``.
        file_options: How to read the file.
        json: Print one JSON document.
        settings: Settings of the environment.
    """
    from kronos_dashboard.cli.inspect import print_summary

    print_summary(file, file_options, settings, as_json=json)
