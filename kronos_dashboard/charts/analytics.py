"""Small figures of the analytics: a probability by step, and scenarios.

Shapes: H steps, counted from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from kronos_dashboard.analytics import SampledPaths, Scenarios
from kronos_dashboard.charts import ChartStyle
from kronos_dashboard.charts.axis import price_decimals
from kronos_dashboard.charts.diagnostics import small_layout
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.traces import Trace, band, line

__all__ = ["probability_figure", "scenarios_figure"]

_HEIGHT = 150
_SCENARIOS_HEIGHT = 210


def probability_figure(
    curve: np.ndarray, style: ChartStyle, *, name: str, step: int | None = None, reference: float | None = None
) -> go.Figure:
    """A probability by step with its interval, and a marked step.

    Args:
        curve: probability, lower and upper edge [3, H], as fractions.
        style: the style.
        name: name of the event, for the hover box.
        step: the step to mark, from 1; None marks none.
        reference: probability of a horizontal reference line; None draws none.
    """
    palette, steps = style.palette, np.arange(1, curve.shape[1] + 1, dtype=np.int32)
    edges = band("interval", steps, curve[1:], "", rgba(palette.forecast, 0.16), decimals=4, showlegend=False)
    value = line(
        "probability",
        steps,
        curve[0],
        palette.forecast,
        decimals=4,
        width=2,
        mode="lines" if len(steps) > 1 else "markers",
        hoverinfo="all",
        hovertemplate=f"%{{x}}: {name} %{{y:.0%}}<extra></extra>",
        showlegend=False,
    )
    data: list[Trace] = [*edges, value]
    if step is not None:
        data.append(_mark(step, float(curve[0, step - 1]), style))
    layout = _layout(style, _HEIGHT)
    layout["xaxis"] |= {"showgrid": False, "range": [0.5, len(steps) + 0.5], "nticks": 6}
    layout["yaxis"] |= {"range": [-0.02, 1.02], "tickformat": ".0%", "tickvals": [0, 0.5, 1]}
    if reference is not None:
        layout["shapes"] = [_reference_line(reference, style)]
    return go.Figure(data=data, layout=layout)


def scenarios_figure(paths: SampledPaths, scenarios: Scenarios, style: ChartStyle) -> go.Figure:
    """The medoid path of each scenario; the width of its line grows with the scenario's probability."""
    steps = np.arange(0, paths.horizon + 1, dtype=np.int32)
    decimals = price_decimals(paths.closes)
    data: list[Trace] = [
        line(
            f"group-{number}",
            steps,
            paths.close_paths[scenario.medoid_path],
            color,
            decimals=decimals,
            width=1.2 + 4 * scenario.probability.value,
            dash=dash,
            showlegend=False,
            hoverinfo="all",
            hovertemplate=f"%{{x}}: %{{y:,.{decimals}f}} ({scenario.probability.value:.0%})<extra></extra>",
        )
        for number, (scenario, (color, dash)) in enumerate(
            zip(scenarios.clusters, _strokes(scenarios, style), strict=True)
        )
    ]
    layout = _layout(style, _SCENARIOS_HEIGHT)
    layout["xaxis"] |= {"showgrid": False, "nticks": 6}
    layout["yaxis"] |= {"nticks": 5, "side": "right", "separatethousands": True, "exponentformat": "none"}
    layout["shapes"] = [_reference_line(paths.last_close, style)]
    return go.Figure(data=data, layout=layout)


def _strokes(scenarios: Scenarios, style: ChartStyle) -> Sequence[tuple[str, str]]:
    """Color and dash of each scenario, from the highest to the lowest end; dashes differ as well as colors."""
    palette = style.palette
    three = ((palette.up, "solid"), (palette.forecast, "dash"), (palette.down, "dot"))
    return {1: (three[1],), 2: (three[0], three[2])}.get(len(scenarios.clusters), three)


def _mark(step: int, value: float, style: ChartStyle) -> Trace:
    return {
        "type": "scatter",
        "meta": "marked-step",
        "mode": "markers",
        "x": [step],
        "y": [value],
        "marker": {
            "color": style.palette.forecast,
            "size": 10,
            "line": {"color": style.palette.background, "width": 2},
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _reference_line(y: float, style: ChartStyle) -> dict[str, Any]:
    stroke = {"width": 1, "dash": "dot", "color": style.palette.muted}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": stroke, "layer": "below"}


def _layout(style: ChartStyle, height: int) -> dict[str, Any]:
    layout = small_layout(style, height, "x")
    layout["margin"] |= {"t": 6}
    return layout
