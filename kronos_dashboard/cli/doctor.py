"""``python -m kronos_dashboard doctor FILE [--fix NAME ...] [--out FILE.csv]``: findings, and repairs by name.

The command line itself adds the FILE and reads it; this module adds its own options and prints.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from kronos_dashboard.errors import ExportFailed, WindowError
from kronos_dashboard.markets.calendars import AUTO
from kronos_dashboard.markets.candles import CandleFrame, interval_label
from kronos_dashboard.markets.doctor.examination import examine, treat
from kronos_dashboard.markets.doctor.findings import Finding
from kronos_dashboard.markets.doctor.fixes import FIX_TITLES
from kronos_dashboard.notes import Note

__all__ = ["add_options", "as_document", "run"]

_NAMED = 8


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command, beyond the file."""
    parser.add_argument("--calendar", default=AUTO, help="auto (default), 24/7, fx, learned, or an exchange as XNYS")
    parser.add_argument("--now", metavar="TIME", help="the time by which the last bar has closed (default: the clock)")
    parser.add_argument(
        "--fix", action="append", default=[], choices=sorted(FIX_TITLES), help="apply a repair; may be given more often"
    )
    parser.add_argument("--out", type=Path, metavar="CSV", help="write the candles, repaired, on their session clock")
    parser.add_argument("--json", action="store_true", help="findings as JSON")


def run(options: argparse.Namespace, candles: CandleFrame) -> None:
    """Print what is odd about ``candles``, after the fixes that were asked for.

    Raises:
        DashboardError: a time, calendar or fix cannot be understood, or the file cannot be written.
    """
    now = _now(options.now)
    treated, notes = treat(candles, options.fix, now, options.calendar)
    findings = examine(treated, now, options.calendar)
    if options.out is not None:
        _write(treated, options.out)
    if options.json:
        _say(json.dumps(as_document(treated, findings, notes), indent=2, ensure_ascii=False))
        return
    _say(f"{treated.symbol}: {len(treated):,} candles of {interval_label(treated.interval)}, {treated.session_tz}")
    for note in notes:
        _say(f"{'done':<8} {note.text}{_rows(note.rows)}")
    for finding in findings:
        _say(f"{finding.level:<8} {finding.title}. {finding.text}{_rows(finding.rows)}")
        for fix in finding.fixes:
            _say(f"{'':<8} --fix {fix.name}: {fix.title.lower()}")
    if not findings:
        _say("nothing is odd about them.")


def as_document(candles: CandleFrame, findings: Iterable[Finding], notes: Iterable[Note]) -> dict[str, object]:
    """Findings and notes as plain values."""
    return {
        "symbol": candles.symbol,
        "rows": len(candles),
        "interval": interval_label(candles.interval),
        "session_tz": candles.session_tz,
        "findings": [
            {
                "key": finding.key,
                "level": finding.level,
                "title": finding.title,
                "text": finding.text,
                "rows": list(finding.rows),
                "count": finding.count,
                "fixes": [fix.name for fix in finding.fixes],
            }
            for finding in findings
        ],
        "done": [{"text": note.text, "rows": list(note.rows)} for note in notes],
    }


def _now(text: str | None) -> pd.Timestamp:
    if text is None:
        return pd.Timestamp.now("UTC")
    try:
        time = pd.Timestamp(text)
        if pd.isna(time):
            raise ValueError("no time")
    except ValueError as error:
        raise WindowError(f"the time {text!r} cannot be read.", "Write 2024-01-31 09:30 (UTC).") from error
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _write(candles: CandleFrame, path: Path) -> None:
    """All at once or not at all."""
    frame = candles.frame.loc[:, list(candles.columns)]
    frame = frame.set_axis(candles.local_index.tz_localize(None)).rename_axis("timestamp")
    beside = path.with_name(path.name + ".part")
    try:
        frame.to_csv(beside, date_format="%Y-%m-%d %H:%M:%S")
        beside.replace(path)
    except OSError as error:
        raise ExportFailed(
            f"the file {path} cannot be written: {error}.", "Name a file in a folder that exists."
        ) from error


def _rows(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    more = ", ..." if len(rows) > _NAMED else ""
    return f" (rows {', '.join(map(str, rows[:_NAMED]))}{more})"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
