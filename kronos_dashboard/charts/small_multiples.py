"""Up to four forecasts side by side on one price scale, to compare models, seeds or temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.forecast import Forecast
from kronos_dashboard.charts.axis import build_clock, ticks
from kronos_dashboard.charts.diagnostics import small_layout
from kronos_dashboard.charts.fan import baseline_cone, forecast_fan
from kronos_dashboard.charts.layers import actual_candles, context_candles
from kronos_dashboard.charts.style import ChartStyle, Cone
from kronos_dashboard.charts.traces import Trace
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.messages import msg

__all__ = ["MAX_PANELS", "Panel", "multiples_figure"]

MAX_PANELS = 4
"""A grid of two by two: smaller panels could not be read."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """One of several forecasts."""

    title: str
    window: Window
    forecast: Forecast
    baseline: Cone | None = None


def multiples_figure(
    panels: Sequence[Panel],
    style: ChartStyle | None = None,
    *,
    columns: int = 2,
    revealed: int | None = None,
    height: int | None = None,
) -> go.Figure:
    """The forecasts in a grid; each panel has as many candles before the cutoff as steps after it.

    Args:
        panels: one to ``MAX_PANELS``; their horizons may differ.
        style: the default style if None.
        columns: panels in a row.
        revealed: number of actuals to show; None shows all.
        height: pixels; chosen by the number of rows if None.

    Raises:
        SettingsError: there are no panels, or too many.
    """
    if not 1 <= len(panels) <= MAX_PANELS:
        raise SettingsError(
            msg(
                "1 to {limit} forecasts can be compared; got {count}.",
                limit=MAX_PANELS,
                count=len(panels),
            )
        )
    style = style or ChartStyle()
    num_columns = max(1, min(columns, len(panels)))
    num_rows = -(-len(panels) // num_columns)  # rounded up
    layout = small_layout(style, height or 60 + 290 * num_rows, "x unified")
    layout["margin"] |= {"t": 60, "r": 8}
    layout["legend"] |= {"yref": "container", "y": 0.99, "yanchor": "top"}
    layout["hoversubplots"] = "single"
    del layout["xaxis"], layout["yaxis"]
    data: list[Trace] = []
    for number, panel in enumerate(panels):
        domain = _domain(number, num_columns, num_rows)
        data += _panel(panel, style, number, revealed)
        _axes(layout, panel, style, number, domain)
    return go.Figure(data=data, layout=layout)


def _panel(panel: Panel, style: ChartStyle, number: int, revealed: int | None) -> list[Trace]:
    """Traces of one panel on its own axes; only those of the first panel are in the legend."""
    window = panel.window
    num_actuals = 0 if window.actual is None else len(window.actual)
    num_revealed = num_actuals if revealed is None else min(max(0, revealed), num_actuals)
    traces = [
        *(baseline_cone(window, panel.baseline, style) if panel.baseline is not None else ()),
        *forecast_fan(window, panel.forecast, style),
        _recent(context_candles(window, style), window.horizon),
        *actual_candles(window, style, num_revealed),
    ]
    for trace in traces:
        group = trace.get("legendgroup", trace["meta"])
        trace.update(
            meta=f"{trace['meta']}-{number}",
            xaxis=_axis("x", number),
            yaxis=_axis("y", number),
            legendgroup=group,
            showlegend=number == 0 and trace.get("showlegend", True),
        )
        if trace["type"] == "scatter" and group == "median":
            trace.update(hoverinfo="y+name", hovertemplate=None)
    return traces


def _recent(trace: Trace, count: int) -> Trace:
    """Only the last ``count`` candles of a trace."""
    columns = ("x", "open", "high", "low", "close", "customdata")
    return {**trace, **{name: trace[name][-count:] for name in columns}, "hoverinfo": "skip", "hovertemplate": None}


def _axes(
    layout: dict[str, Any], panel: Panel, style: ChartStyle, number: int, domain: tuple[list[float], list[float]]
) -> None:
    """Add the panel's two axes, its cutoff line and its title."""
    window, (x_domain, y_domain) = panel.window, domain
    first = max(0, window.context_length - window.horizon)
    times = window.context.local_index.append(window.local_future)
    axis_ticks = ticks(build_clock(times[first:], np.arange(first, len(times))), 4, style.labels)
    base = small_layout(style, 0, "x")
    suffix = "" if number == 0 else str(number + 1)
    layout[f"xaxis{suffix}"] = {
        **base["xaxis"],
        "domain": x_domain,
        "anchor": _axis("y", number),
        "range": [first - 1, len(times)],
        "tickmode": "array",
        "tickvals": axis_ticks.positions,
        "ticktext": axis_ticks.labels,
        "tickangle": 0,
        "rangeslider": {"visible": False},
    }
    layout[f"yaxis{suffix}"] = {
        **base["yaxis"],
        "domain": y_domain,
        "anchor": _axis("x", number),
        "side": "right",
        "nticks": 6,
        "separatethousands": True,
        "exponentformat": "none",
        "type": "log" if style.log_scale else "linear",
        **({"matches": "y"} if number else {}),
    }
    ends = {"x0": window.context_length - 0.5, "x1": window.context_length - 0.5, "y0": y_domain[0], "y1": y_domain[1]}
    stroke = {"width": 1, "dash": "dash", "color": style.palette.muted}
    cutoff_line = {"type": "line", "xref": _axis("x", number), "yref": "paper", **ends, "line": stroke}
    layout.setdefault("shapes", []).append(cutoff_line)
    title = {
        "text": f"<b>{panel.title}</b>",
        "xref": "paper",
        "yref": "paper",
        "x": x_domain[0],
        "y": y_domain[1],
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": style.palette.text},
    }
    layout.setdefault("annotations", []).append(title)


def _domain(number: int, num_columns: int, num_rows: int) -> tuple[list[float], list[float]]:
    """Horizontal and vertical domain of a panel; panels fill rows from left to right, from the top down.

    Between columns a tenth of the width is free for the price labels, between rows a fifth of the height for title and
    dates.
    """
    row, column = divmod(number, num_columns)
    width = (1 - 0.1 * (num_columns - 1)) / num_columns
    height = (1 - 0.2 * (num_rows - 1)) / num_rows
    left, top = column * (width + 0.1), 1 - row * (height + 0.2)
    return [left, left + width], [max(0.0, top - height), top]


def _axis(letter: str, number: int) -> str:
    return letter if number == 0 else f"{letter}{number + 1}"
