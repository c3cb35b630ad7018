"""The report: one HTML file that needs nothing else. No script, no network; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.evaluation.coverage_note import Measured
from kronos_dashboard.export.metadata import facts, limits
from kronos_dashboard.export.svg import COVERAGES, forecast_svg
from kronos_dashboard.export.tables import forecast_table
from kronos_dashboard.forecasting.record import RunRecord, is_mirrored
from kronos_dashboard.forecasting.windows import Window

__all__ = ["report_html"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --faint: #6e7781; --line: #d8dee4; --paper: #ffffff; --fan: #2f5fd0;
  --up: #26a69a; --down: #ef5350; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #8b949e; --line: #30363d; --paper: #0d1117;
  --fan: #6ea8fe; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1000px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.sub, figcaption { color: var(--faint); } figure { margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
.wide { overflow-x: auto; } .wide td, .wide th { white-space: nowrap; font-size: .85rem; overflow-wrap: normal; }
pre { overflow-x: auto; font-size: .8rem; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--faint); } svg .time { text-anchor: middle; }
svg path, svg polyline { fill: none; } .grid { stroke: var(--line); }
.band { fill: var(--fan); fill-opacity: .13; } .median { stroke: var(--fan); stroke-width: 2; }
.truth { stroke: var(--ink); stroke-width: 2; } .cutoff { stroke: var(--faint); stroke-dasharray: 3 3; }
svg .up { stroke: var(--up); fill: var(--up); } svg .down { stroke: var(--down); fill: var(--down); }
svg .one-up, svg .one-down { stroke: var(--fan); } svg .one-down { fill: var(--fan); fill-opacity: .6; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def report_html(window: Window, forecast: Forecast, record: RunRecord, measured: Measured | None = None) -> bytes:
    """Chart, figures, limits and record as one HTML file in UTF-8; what was measured of the bands stands below them."""
    title = f"{record.symbol} {record.interval}: {forecast.num_paths} sampled futures"
    cutoff = window.context.local_index[-1].isoformat()
    body = (
        f"<h1>{escape(title)}</h1>",
        f'<p class="sub">{escape(f"{record.context_length} candles up to {cutoff}, {record.horizon} steps ahead")}</p>',
        _figure(window, forecast, measured),
        "<h2>After the last step</h2>",
        _table(_last_step(window, forecast, record)),
        "<h2>The spread of the paths</h2>",
        _spread(window, forecast, measured),
        "<h2>What these numbers are not</h2>",
        f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in limits(record, measured))}</ul>",
        "<h2>How it was made</h2>",
        _table(facts(record)),
        "<p>Saved with its candles (--json-out), the run is made again, to the last digit, by<br>"
        "<code>python -m kronos_dashboard forecast --from-record run.json --out forecast.csv</code></p>",
        f"<details><summary>Every step</summary>{_steps(window, forecast)}</details>",
        f'<details><summary>Run record</summary><pre id="record">{escape(record.to_json())}</pre></details>',
    )
    head = (
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
    )
    lines = ["<!DOCTYPE html>", '<html lang="en">', "<head>", *head, "</head>", "<body>", *body, "</body>", "</html>"]
    return ("\n".join(lines) + "\n").encode("utf-8", errors="replace")


def _figure(window: Window, forecast: Forecast, measured: Measured | None) -> str:
    shares = ", ".join(f"{coverage:.0%}" for coverage in reversed(COVERAGES))
    told = f"Filled: the middle {shares} of the paths. Line: their median. Candles behind the cutoff: one path."
    came = " Dark line: what came." if window.truth is not None else ""
    known = "" if measured is None else f"<br>{escape(measured.describe())}"
    return f"<figure>{forecast_svg(window, forecast)}<figcaption>{told}{came}{known}</figcaption></figure>"


def _last_step(window: Window, forecast: Forecast, record: RunRecord) -> list[tuple[str, str]]:
    last, median = float(window.context.frame["close"].iloc[-1]), float(forecast.median()[-1])
    mirrored = ", every second mirrored" if is_mirrored(record.sampling_config) else ""
    rows = [
        ("last close", f"{last:,.6g}"),
        (f"median after {forecast.horizon} steps", f"{median:,.6g} ({median / last - 1:+.2%})"),
        ("end higher", f"{(forecast.paths[:, -1, 3] > last).mean():.0%} of {forecast.num_paths} paths{mirrored}"),
    ]
    if window.truth is not None:
        came = float(window.truth.frame["close"].iloc[-1])
        rows.append(("what came", f"{came:,.6g} ({came / last - 1:+.2%})"))
    return rows


def _spread(window: Window, forecast: Forecast, measured: Measured | None) -> str:
    """The middle shares of the paths, each with how much of what came it held: in this window, and in many before."""
    rows = []
    score = None if measured is None else measured.score
    for coverage in reversed(COVERAGES):
        lower, upper = forecast.band(coverage)
        here = "the truth is not known yet"
        if window.truth is not None:
            closes = window.truth.frame["close"].to_numpy()
            inside = int(((closes >= lower) & (closes <= upper)).sum())
            here = f"{inside} of {window.horizon} closes of this one window ({inside / window.horizon:.0%})"
        reach = f"{lower[-1]:,.6g} to {upper[-1]:,.6g}"
        before = "not measured" if score is None else f"{score.held[coverage]:.0%} in {score.windows:,} windows of old"
        rows.append((f"middle {coverage:.0%} of the paths", f"end within {reach}", f"truth inside: {here}", before))
    return _table(rows)


def _steps(window: Window, forecast: Forecast) -> str:
    table = forecast_table(window, forecast)
    names = [name for name in table.columns if not str(name).startswith(("high_", "low_"))]
    head = "".join(f"<th>{escape(str(name))}</th>" for name in names)
    rows = (
        "".join(f"<td>{escape(_cell(value))}</td>" for value in row) for row in table[names].itertuples(index=False)
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "" if pd.isna(value) else f"{value:.7g}"
    return str(value)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in rest) for _, *rest in rows)
    return (
        "<table>"
        + "".join(
            f'<tr><th scope="row">{escape(row[0])}</th>{line}</tr>' for row, line in zip(rows, lines, strict=True)
        )
        + "</table>"
    )
