"""Figures that compare a forecast with the actuals: error by step, coverage of the bands, PIT; and a sensitivity grid.

Shapes: H steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from kronos_dashboard.charts.axis import pack_prices, price_decimals
from kronos_dashboard.charts.palettes import Palette, rgba
from kronos_dashboard.charts.style import ChartStyle
from kronos_dashboard.charts.traces import Trace

__all__ = ["coverage_figure", "error_figure", "pit_figure", "sensitivity_figure", "small_layout"]

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_Z_95 = 1.96
"""Half-width of the central 95% of a normal distribution, in standard deviations."""


def error_figure(errors: Mapping[str, np.ndarray], style: ChartStyle | None = None, *, height: int = 260) -> go.Figure:
    """Absolute errors [H] by step, in price units; the first name is the model, the others are baselines."""
    style = style or ChartStyle()
    decimals = price_decimals(np.concatenate([np.asarray(values, dtype=np.float64) for values in errors.values()]))
    data = []
    for name, values, (color, dash) in zip(errors, errors.values(), _strokes(style.palette, len(errors)), strict=True):
        steps = np.arange(1, len(values) + 1, dtype=np.int32)
        data.append(
            {
                "type": "scatter",
                "meta": f"error-{name}",
                "mode": "lines",
                "name": name,
                "x": steps,
                "y": pack_prices(values, decimals),
                "line": {"color": color, "dash": dash, "width": 2},
                "hovertemplate": f"{name}  %{{y:,.{decimals}f}}<extra></extra>",
            }
        )
    layout = small_layout(style, height, "x unified")
    layout["xaxis"] |= {"title": {"text": style.labels.steps_after_cutoff}, "rangemode": "tozero"}
    layout["yaxis"] |= {"title": {"text": style.labels.absolute_error}, "rangemode": "tozero"}
    return go.Figure(data=data, layout=layout)


def coverage_figure(
    nominal: Sequence[float],
    observed: Mapping[str, Sequence[float]],
    style: ChartStyle | None = None,
    *,
    height: int = 260,
) -> go.Figure:
    """Fraction of steps inside each band: a bar per forecast, and a mark at the nominal coverage.

    Args:
        nominal: coverages of the bands.
        observed: name of the forecast -> observed coverage for each of ``nominal``; the first name is the model.
        style: the default style if None.
        height: pixels.
    """
    style = style or ChartStyle()
    categories = [f"{coverage:.0%}" for coverage in nominal]
    data: list[Trace] = []
    for name, fractions, (color, _) in zip(
        observed, observed.values(), _strokes(style.palette, len(observed)), strict=True
    ):
        data.append(
            {
                "type": "bar",
                "meta": f"coverage-{name}",
                "name": name,
                "x": categories,
                "y": [float(fraction) for fraction in fractions],
                "marker": {"color": rgba(color, 0.75), "line": {"width": 0}},
                "text": [f"{fraction:.0%}" for fraction in fractions],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": f"{name}  %{{y:.1%}}<extra></extra>",
            }
        )
    data.append(
        {
            "type": "scatter",
            "meta": "coverage-nominal",
            "mode": "markers",
            "name": style.labels.nominal,
            "x": categories,
            "y": list(nominal),
            "marker": {"symbol": "line-ew", "size": 64, "line": {"width": 2, "color": style.palette.actual}},
            "hovertemplate": f"{style.labels.nominal}  %{{y:.0%}}<extra></extra>",
        }
    )
    layout = small_layout(style, height, "x")
    layout |= {"barmode": "group", "bargap": 0.35, "bargroupgap": 0.08}
    layout["xaxis"] |= {"type": "category", "showgrid": False}
    layout["yaxis"] |= {"title": {"text": style.labels.coverage}, "range": [0, 1.1], "tickformat": ".0%", "dtick": 0.25}
    return go.Figure(data=data, layout=layout)


def pit_figure(values: np.ndarray, style: ChartStyle | None = None, *, bins: int = 10, height: int = 260) -> go.Figure:
    """Histogram of PIT values, the rank of each actual among the paths (0 to 1): flat for a calibrated forecast.

    The shaded area contains 95% of the bars of a perfect forecast of as many *independent* steps. Steps of one window
    are correlated, so their bars deviate more. Values that are not finite are left out.
    """
    style = style or ChartStyle()
    pit = np.asarray(values, dtype=np.float64)
    pit = pit[np.isfinite(pit)]
    counts, edges = np.histogram(pit, bins=bins, range=(0.0, 1.0))
    total = max(1, len(pit))
    expected, half_width = 1 / bins, _Z_95 * np.sqrt((1 / bins) * (1 - 1 / bins) / total)
    data = [
        {
            "type": "bar",
            "meta": "pit",
            "x": (edges[:-1] + edges[1:]) / 2,
            "y": counts / total,
            "width": [0.94 / bins] * bins,
            "customdata": np.stack((edges[:-1], edges[1:]), axis=1),
            "marker": {"color": rgba(style.palette.forecast, 0.75), "line": {"width": 0}},
            "showlegend": False,
            "hovertemplate": "%{customdata[0]:.1f} – %{customdata[1]:.1f}: %{y:.1%}<extra></extra>",
        }
    ]
    layout = small_layout(style, height, "closest")
    layout["xaxis"] |= {"title": {"text": style.labels.pit}, "range": [0, 1], "dtick": 0.2, "showgrid": False}
    layout["yaxis"] |= {"title": {"text": style.labels.fraction_of_steps}, "tickformat": ".0%", "rangemode": "tozero"}
    layout["shapes"] = [
        {
            "type": "rect",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": max(0.0, expected - half_width),
            "y1": expected + half_width,
            "line": {"width": 0},
            "fillcolor": rgba(style.palette.muted, 0.18),
            "label": {
                "text": style.labels.sampling_range,
                "textposition": "top right",
                "font": {"size": 10, "color": style.palette.muted},
            },
        }
    ]
    return go.Figure(data=data, layout=layout)


def sensitivity_figure(
    values: np.ndarray,
    rows: Sequence[object],
    columns: Sequence[object],
    style: ChartStyle | None = None,
    *,
    name: str,
    row_title: str | None = None,
    column_title: str | None = None,
    number_format: str = ",.4~g",
    height: int = 300,
) -> go.Figure:
    """A grid of numbers [R, C] as a heatmap with the number in each cell; NaN is an empty cell.

    Args:
        values: one number per row and column.
        rows: labels of the rows.
        columns: labels of the columns.
        style: the default style if None.
        name: name of the numbers.
        row_title: title of the rows; "Context" if None.
        column_title: title of the columns; "Temperature" if None.
        number_format: d3 format of the numbers.
        height: pixels.
    """
    style = style or ChartStyle()
    palette = style.palette
    heatmap = {
        "type": "heatmap",
        "meta": "sensitivity",
        "z": np.asarray(values, dtype=np.float64),
        "x": [str(column) for column in columns],
        "y": [str(row) for row in rows],
        "colorscale": [[0, rgba(palette.forecast, 0.06)], [1, rgba(palette.forecast, 0.75)]],
        "texttemplate": f"%{{z:{number_format}}}",
        "textfont": {"color": palette.text, "size": 12},
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"thickness": 8, "outlinewidth": 0, "title": {"text": name, "side": "right"}},
        "hoverongaps": False,
        "hovertemplate": f"{row_title or style.labels.context} %{{y}} · {column_title or style.labels.temperature} "
        f"%{{x}}<br>{name} %{{z:{number_format}}}<extra></extra>",
    }
    layout = small_layout(style, height, "closest")
    layout["xaxis"] |= {
        "type": "category",
        "title": {"text": column_title or style.labels.temperature},
        "showgrid": False,
    }
    layout["yaxis"] |= {"type": "category", "title": {"text": row_title or style.labels.context}, "showgrid": False}
    layout["yaxis"]["side"] = "left"
    return go.Figure(data=[heatmap], layout=layout)


def small_layout(style: ChartStyle, height: int, hovermode: str) -> dict[str, Any]:
    """Layout of a figure without candles, ``height`` pixels high."""
    palette = style.palette
    axis = {
        "gridcolor": palette.grid,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "tickfont": {"color": palette.muted, "size": 11},
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
            "bgcolor": rgba(palette.background, 0.92),
            "bordercolor": palette.grid,
            "font": {"color": palette.text, "size": 12},
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemwidth": 30},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
        "meta": {"view": "small", "scheme": palette.scheme, "dark": palette.dark},
    }


def _strokes(palette: Palette, count: int) -> list[tuple[str, str]]:
    """Color and dash of the model and of baselines; the dash distinguishes them without colors."""
    colors = (palette.forecast, palette.baseline, palette.highlight, palette.muted, palette.actual)
    return [(colors[index % len(colors)], _DASHES[index % len(_DASHES)]) for index in range(count)]
