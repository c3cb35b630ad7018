"""Check the quality of candles, fix problems by name, and print what was found."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from kronos_dashboard.errors import WindowError
from kronos_dashboard.export import write_file
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.doctor.checks import apply_fixes, run_checks
from kronos_dashboard.markets.doctor.findings import Finding
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.messages import msg
from kronos_dashboard.notes import Note

__all__ = ["as_document", "report_quality"]

_MAX_ROWS = 8
"""Row numbers in one line."""


def report_quality(
    candles: CandleFrame, *, fixes: Sequence[str], calendar: str, now: str | None, out: Path | None, as_json: bool
) -> None:
    """Apply ``fixes`` to ``candles`` and print the findings that remain, with the fixes for them.

    Args:
        candles: the candles to check.
        fixes: names of ``FIX_TITLES``, applied in this order.
        calendar: as for ``future_times``.
        now: time by which a candle must have closed to be complete; None = the current time.
        out: file to write the candles to, after the fixes.
        as_json: print one JSON document instead of lines.

    Raises:
        DashboardError: a time, calendar or fix is invalid, or the file cannot be written.
    """
    end = _parse_now(now)
    fixed, notes = apply_fixes(candles, fixes, end, calendar)
    findings = run_checks(fixed, end, calendar)
    if out is not None:
        _write_csv(fixed, out)
    if as_json:
        _print(json.dumps(as_document(fixed, findings, notes), indent=2, ensure_ascii=False))
        return
    _print(f"{fixed.symbol}: {len(fixed):,} candles of {interval_label(fixed.interval)}, {fixed.session_tz}")
    for note in notes:
        _print(f"{'done':<8} {note.text}{_format_rows(note.rows)}")
    for finding in findings:
        _print(f"{finding.level:<8} {finding.title}. {finding.text}{_format_rows(finding.rows)}")
        for fix in finding.fixes:
            _print(f"{'':<8} --fix {fix.name}: {fix.title.lower()}")
    if not findings:
        _print("No issues found.")


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


def _parse_now(text: str | None) -> pd.Timestamp:
    if text is None:
        return pd.Timestamp.now("UTC")
    try:
        time = pd.Timestamp(text)
        if pd.isna(time):
            raise ValueError("no time")
    except ValueError as error:
        raise WindowError(
            msg("the time {text} cannot be read.", text=repr(text)), msg("Write 2024-01-31 09:30 (UTC).")
        ) from error
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def _write_csv(candles: CandleFrame, path: Path) -> None:
    frame = candles.frame.loc[:, list(candles.columns)]
    frame = frame.set_axis(candles.local_index.tz_localize(None)).rename_axis("timestamp")
    write_file(path, frame.to_csv(date_format="%Y-%m-%d %H:%M:%S").encode())


def _format_rows(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    more = ", ..." if len(rows) > _MAX_ROWS else ""
    return f" (rows {', '.join(map(str, rows[:_MAX_ROWS]))}{more})"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
