"""``kronos doctor``: data quality of candles, and fixes by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from kronos_dashboard.cli.options import (
    CHECK_GROUP,
    FILE_DEFAULTS,
    FILE_GROUP,
    FILE_HELP,
    OUTPUT_GROUP,
    FileOptions,
    FixName,
    Flag,
    InjectedSettings,
)

__all__ = ["doctor"]

Fixes = Annotated[
    tuple[FixName, ...],
    Parameter(name="--fix", group=CHECK_GROUP, negative="", show_default=False, metavar="NAME"),
]


def doctor(
    file: Annotated[str, Parameter(help=FILE_HELP, group=FILE_GROUP)],
    /,
    *,
    file_options: FileOptions = FILE_DEFAULTS,
    calendar: Annotated[str, Parameter(group=CHECK_GROUP)] = "auto",
    now: Annotated[str | None, Parameter(group=CHECK_GROUP, metavar="TIME")] = None,
    fixes: Fixes = (),
    out: Annotated[Path | None, Parameter(group=OUTPUT_GROUP)] = None,
    json: Annotated[Flag, Parameter(group=OUTPUT_GROUP)] = False,
    settings: InjectedSettings,
) -> None:
    """Check the quality of candles, and fix problems by name.

    Args:
        file: See ``FILE_HELP``.
        file_options: How to read the file.
        calendar: Trading calendar: auto, 24/7, fx, learned, or the code of an exchange such as XNYS.
        now: Time by which a candle must have closed to be complete. Default: the current time.
        fixes: Apply a fix, and check the result. May be repeated; fixes are applied in this order.
        out: Write the candles after all fixes as CSV, in the timezone of the series.
        json: Print the findings as JSON.
        settings: Settings of the environment.
    """
    from kronos_dashboard.cli.candle_files import load_candles
    from kronos_dashboard.cli.doctor import report_quality

    candles = load_candles(file, file_options, settings).candles
    report_quality(candles, fixes=fixes, calendar=calendar, now=now, out=out, as_json=json)
