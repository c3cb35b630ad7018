"""Small figures that hold a forecast against what came: error by step, coverage of the bands, where the truth fell.

Shapes: H steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from kronos_dashboard.charts.axis import decimals_of, prices
from kronos_dashboard.charts.palettes import Palette, rgba
from kronos_dashboard.charts.style import Look
from kronos_dashboard.charts.traces import Trace

__all__ = ["coverage_figure", "error_figure", "pit_figure", "sensitivity_figure", "small_layout"]

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_CHANCE = 1.96


def error_figure(errors: Mapping[str, np.ndarray], look: Look | None = None, *, height: int = 260) -> go.Figure:
    """Absolute errors [H] step by step, in price units; the first name is the model, the others are baselines."""
    chosen = look or Look()
    decimals = decimals_of(np.concatenate([np.asarray(values, dtype=np.float64) for values in errors.values()]))
    data = []
    for name, values, (colour, dash) in zip(
        errors, errors.values(), _strokes(chosen.palette, len(errors)), strict=True
    ):
        steps = np.arange(1, len(values) + 1, dtype=np.int32)
        data.append(
            {
                "type": "scatter",
                "meta": f"error-{name}",
                "mode": "lines",
                "name": name,
                "x": steps,
                "y": prices(values, decimals),
                "line": {"color": colour, "dash": dash, "width": 2},
                "hovertemplate": f"{name}  %{{y:,.{decimals}f}}<extra></extra>",
            }
        )
    layout = small_layout(chosen, height, "x unified")
    layout["xaxis"] |= {"title": {"text": chosen.words.steps}, "rangemode": "tozero"}
    layout["yaxis"] |= {"title": {"text": chosen.words.error}, "rangemode": "tozero"}
    return go.Figure(data=data, layout=layout)


def coverage_figure(
    wanted: Sequence[float], covered: Mapping[str, Sequence[float]], look: Look | None = None, *, height: int = 260
) -> go.Figure:
    """Share of steps inside each band, as fractions: a bar per forecast, and a mark where it should reach.

    Args:
        wanted: coverages of the bands.
        covered: by name of the forecast, what was measured for each of ``wanted``; the first name is the model.
        look: how to draw; the defaults when None.
        height: pixels.
    """
    chosen = look or Look()
    places = [f"{coverage:.0%}" for coverage in wanted]
    data: list[Trace] = []
    for name, shares, (colour, _) in zip(
        covered, covered.values(), _strokes(chosen.palette, len(covered)), strict=True
    ):
        data.append(
            {
                "type": "bar",
                "meta": f"coverage-{name}",
                "name": name,
                "x": places,
                "y": [float(share) for share in shares],
                "marker": {"color": rgba(colour, 0.75), "line": {"width": 0}},
                "text": [f"{share:.0%}" for share in shares],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": f"{name}  %{{y:.1%}}<extra></extra>",
            }
        )
    data.append(
        {
            "type": "scatter",
            "meta": "coverage-wanted",
            "mode": "markers",
            "name": chosen.words.wanted,
            "x": places,
            "y": list(wanted),
            "marker": {"symbol": "line-ew", "size": 64, "line": {"width": 2, "color": chosen.palette.truth}},
            "hovertemplate": f"{chosen.words.wanted}  %{{y:.0%}}<extra></extra>",
        }
    )
    layout = small_layout(chosen, height, "x")
    layout |= {"barmode": "group", "bargap": 0.35, "bargroupgap": 0.08}
    layout["xaxis"] |= {"type": "category", "showgrid": False}
    layout["yaxis"] |= {"title": {"text": chosen.words.covered}, "range": [0, 1.1], "tickformat": ".0%", "dtick": 0.25}
    return go.Figure(data=data, layout=layout)


def pit_figure(values: np.ndarray, look: Look | None = None, *, bins: int = 10, height: int = 260) -> go.Figure:
    """Where the truth fell among the paths (PIT values 0..1): flat when the paths say neither too much nor too little.

    The shaded stretch is where 95 of 100 bars lie for a perfect forecast of as many *independent* steps; steps of one
    window hang together and stray further.
    """
    chosen = look or Look()
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    counts, edges = np.histogram(known, bins=bins, range=(0.0, 1.0))
    total = max(1, len(known))
    even, reach = 1 / bins, _CHANCE * np.sqrt((1 / bins) * (1 - 1 / bins) / total)
    data = [
        {
            "type": "bar",
            "meta": "pit",
            "x": (edges[:-1] + edges[1:]) / 2,
            "y": counts / total,
            "width": [0.94 / bins] * bins,
            "customdata": np.stack((edges[:-1], edges[1:]), axis=1),
            "marker": {"color": rgba(chosen.palette.fan, 0.75), "line": {"width": 0}},
            "showlegend": False,
            "hovertemplate": "%{customdata[0]:.1f} – %{customdata[1]:.1f}: %{y:.1%}<extra></extra>",
        }
    ]
    layout = small_layout(chosen, height, "closest")
    layout["xaxis"] |= {"title": {"text": chosen.words.pit}, "range": [0, 1], "dtick": 0.2, "showgrid": False}
    layout["yaxis"] |= {"title": {"text": chosen.words.share}, "tickformat": ".0%", "rangemode": "tozero"}
    layout["shapes"] = [
        {
            "type": "rect",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": max(0.0, even - reach),
            "y1": even + reach,
            "line": {"width": 0},
            "fillcolor": rgba(chosen.palette.faint, 0.18),
            "label": {
                "text": chosen.words.by_chance,
                "textposition": "top right",
                "font": {"size": 10, "color": chosen.palette.faint},
            },
        }
    ]
    return go.Figure(data=data, layout=layout)


def sensitivity_figure(
    values: np.ndarray,
    rows: Sequence[object],
    columns: Sequence[object],
    look: Look | None = None,
    *,
    name: str,
    row_title: str | None = None,
    column_title: str | None = None,
    form: str = ",.4~g",
    height: int = 300,
) -> go.Figure:
    """A grid of numbers [R, C] as a heat map, each number written in its cell; NaN stays empty.

    Args:
        values: one number per row and column.
        rows: labels of the rows: context lengths by default.
        columns: labels of the columns: temperatures by default.
        look: how to draw; the defaults when None.
        name: what the numbers are.
        row_title: what the rows are.
        column_title: what the columns are.
        form: d3 format of the numbers.
        height: pixels.
    """
    chosen = look or Look()
    palette = chosen.palette
    across, down = [str(column) for column in columns], [str(row) for row in rows]
    heat = {
        "type": "heatmap",
        "meta": "sensitivity",
        "z": np.asarray(values, dtype=np.float64),
        "x": across,
        "y": down,
        "colorscale": [[0, rgba(palette.fan, 0.06)], [1, rgba(palette.fan, 0.75)]],
        "texttemplate": f"%{{z:{form}}}",
        "textfont": {"color": palette.text, "size": 12},
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"thickness": 8, "outlinewidth": 0, "title": {"text": name, "side": "right"}},
        "hoverongaps": False,
        "hovertemplate": f"{row_title or chosen.words.context} %{{y}} · {column_title or chosen.words.temperature} "
        f"%{{x}}<br>{name} %{{z:{form}}}<extra></extra>",
    }
    layout = small_layout(chosen, height, "closest")
    layout["xaxis"] |= {
        "type": "category",
        "title": {"text": column_title or chosen.words.temperature},
        "showgrid": False,
    }
    layout["yaxis"] |= {"type": "category", "title": {"text": row_title or chosen.words.context}, "showgrid": False}
    layout["yaxis"]["side"] = "left"
    return go.Figure(data=[heat], layout=layout)


def small_layout(look: Look, height: int, hovermode: str) -> dict[str, Any]:
    """The layout of a figure without candles."""
    palette = look.palette
    axis = {
        "gridcolor": palette.grid,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "tickfont": {"color": palette.faint, "size": 11},
    }
    return {
        "height": height,
        "template": {},
        "margin": {"l": 6, "r": 10, "t": 26, "b": 6},
        "font": {"color": palette.text, "size": 12},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": hovermode,
        "hoverlabel": {
            "bgcolor": rgba(palette.ground, 0.92),
            "bordercolor": palette.grid,
            "font": {"color": palette.text, "size": 12},
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemwidth": 30},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
        "meta": {"view": "small", "scheme": palette.scheme, "dark": palette.dark},
    }


def _strokes(palette: Palette, count: int) -> list[tuple[str, str]]:
    """Colour and dash of the model and of baselines; told apart without colours too."""
    colours = (palette.fan, palette.baseline, palette.alert, palette.faint, palette.truth)
    return [(colours[at % len(colours)], _DASHES[at % len(_DASHES)]) for at in range(count)]
