"""Figures as one self-contained HTML file without network access, in the theme of the reader."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from kronos_dashboard.charts.palettes import theme_colors

__all__ = ["html_page"]

_CORE = Path(__file__).with_name("client") / "core.js"
_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --text: #31333f; --faint: #6e7781; }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1117; --text: #fafafa; --faint: #8b949e; } }
body { margin: 0 auto; padding: 16px; max-width: 1400px; background: var(--ground); color: var(--text);
       font: 14px/1.5 system-ui, sans-serif; }
h1 { font-size: 20px; margin: 0 0 8px; }
.chart { width: 100%; margin: 8px 0 24px; }
.spikeline:not([stroke-dasharray]) { display: none; }
.note { color: var(--faint); margin: 4px 0; }
"""
_START = """
const dark = window.matchMedia("(prefers-color-scheme: dark)");
for (const source of document.querySelectorAll("script[type='application/json']")) {
  const chart = new Chart(document.getElementById(source.dataset.chart));
  const { themes, theme } = JSON.parse(source.dataset.options);
  chart.show(source.textContent, { themes, theme, dark: dark.matches });
  dark.addEventListener("change", () => chart.setTheme(dark.matches));
  window.addEventListener("resize", () => chart.redraw());
}
"""


def html_page(figures: Sequence[go.Figure], *, title: str, notes: Sequence[str] = ()) -> str:
    """A whole HTML document.

    Args:
        figures: charts, from top to bottom.
        title: heading and title of the document; it is escaped.
        notes: paragraphs below the charts; they are escaped.
    """
    charts = "\n".join(_chart(figure, f"chart-{index}") for index, figure in enumerate(figures))
    paragraphs = "\n".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    core = _CORE.read_text(encoding="utf-8")
    # The module without its exports, which a script inside a page cannot have.
    script = core[: core.rindex("export {")] + _START
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{charts}\n{paragraphs}\n"
        f'<script>{get_plotlyjs()}</script>\n<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def _chart(figure: go.Figure, name: str) -> str:
    """The container of a chart, and its data as a JSON script element, which escaped ``<`` cannot close."""
    meta = figure.layout.meta or {}
    text = figure.to_json(validate=False).replace("<", "\\u003c")
    theme = "dark" if meta.get("dark") else "light"
    options = escape(json.dumps({"themes": theme_colors(meta.get("scheme", "classic")), "theme": theme}))
    return (
        f'<div class="chart" id="{name}"></div>\n'
        f'<script type="application/json" data-chart="{name}" data-options="{options}">{text}</script>'
    )
