"""Small pictures beside answers: a chance over the steps, and the groups that paths fall into.

Shapes: H steps, counted from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from kronos_dashboard.analytics import Fan, Scenarios
from kronos_dashboard.charts import Look
from kronos_dashboard.charts.axis import decimals_of
from kronos_dashboard.charts.diagnostics import small_layout
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.traces import Trace, band, line

__all__ = ["curve_figure", "group_colours", "groups_figure"]

_HEIGHT = 150
_GROUPS_HEIGHT = 210


def curve_figure(
    curve: np.ndarray, look: Look, *, name: str, step: int | None = None, even: float | None = None
) -> go.Figure:
    """A chance over the steps [3, H] (value, lower and upper edge), the asked step marked.

    Args:
        curve: fractions.
        look: how to draw.
        name: what the chance is of, for the hover box.
        step: which step is marked; None marks none.
        even: where a line of reference lies; None draws none.
    """
    palette, steps = look.palette, np.arange(1, curve.shape[1] + 1, dtype=np.int32)
    edges = band("interval", steps, curve[1:], "", rgba(palette.fan, 0.16), decimals=4, showlegend=False)
    middle = line(
        "chance",
        steps,
        curve[0],
        palette.fan,
        decimals=4,
        width=2,
        mode="lines" if len(steps) > 1 else "markers",
        hoverinfo="all",
        hovertemplate=f"%{{x}}: {name} %{{y:.0%}}<extra></extra>",
        showlegend=False,
    )
    data: list[Trace] = [*edges, middle]
    if step is not None:
        data.append(_mark(step, float(curve[0, step - 1]), look))
    layout = _layout(look, _HEIGHT)
    layout["xaxis"] |= {"showgrid": False, "range": [0.5, len(steps) + 0.5], "nticks": 6}
    layout["yaxis"] |= {"range": [-0.02, 1.02], "tickformat": ".0%", "tickvals": [0, 0.5, 1]}
    if even is not None:
        layout["shapes"] = [_level(even, look)]
    return go.Figure(data=data, layout=layout)


def groups_figure(fan: Fan, groups: Scenarios, look: Look) -> go.Figure:
    """One real path per group, the one in its middle; the wider its line the more paths the group has."""
    steps = np.arange(0, fan.horizon + 1, dtype=np.int32)
    decimals = decimals_of(fan.closes)
    data: list[Trace] = [
        line(
            f"group-{number}",
            steps,
            fan.walks[group.path],
            colour,
            decimals=decimals,
            width=1.2 + 4 * group.share.value,
            dash=dash,
            showlegend=False,
            hoverinfo="all",
            hovertemplate=f"%{{x}}: %{{y:,.{decimals}f}} ({group.share.value:.0%})<extra></extra>",
        )
        for number, (group, (colour, dash)) in enumerate(zip(groups.groups, _strokes(groups, look), strict=True))
    ]
    layout = _layout(look, _GROUPS_HEIGHT)
    layout["xaxis"] |= {"showgrid": False, "nticks": 6}
    layout["yaxis"] |= {"nticks": 5, "side": "right", "separatethousands": True, "exponentformat": "none"}
    layout["shapes"] = [_level(fan.last_close, look)]
    return go.Figure(data=data, layout=layout)


def group_colours(groups: Scenarios, look: Look) -> list[str]:
    """The colour of each group in ``groups_figure``."""
    return [colour for colour, _ in _strokes(groups, look)]


def _strokes(groups: Scenarios, look: Look) -> Sequence[tuple[str, str]]:
    """Colour and dash of each group, from the highest to the lowest end; told apart without colours too."""
    palette = look.palette
    three = ((palette.up, "solid"), (palette.fan, "dash"), (palette.down, "dot"))
    return {1: (three[1],), 2: (three[0], three[2])}.get(len(groups.groups), three)


def _mark(step: int, value: float, look: Look) -> Trace:
    return {
        "type": "scatter",
        "meta": "asked",
        "mode": "markers",
        "x": [step],
        "y": [value],
        "marker": {"color": look.palette.fan, "size": 10, "line": {"color": look.palette.ground, "width": 2}},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _level(y: float, look: Look) -> dict[str, Any]:
    stroke = {"width": 1, "dash": "dot", "color": look.palette.faint}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": stroke, "layer": "below"}


def _layout(look: Look, height: int) -> dict[str, Any]:
    layout = small_layout(look, height, "x")
    layout["margin"] |= {"t": 6}
    return layout
