"""Up to four forecasts side by side, on one scale of prices, so that models, seeds or temperatures can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.forecast import Forecast
from kronos_dashboard.charts.axis import clock_of, ticks
from kronos_dashboard.charts.diagnostics import small_layout
from kronos_dashboard.charts.fan import cone, fan
from kronos_dashboard.charts.layers import history, truth
from kronos_dashboard.charts.style import Cone, Look
from kronos_dashboard.charts.traces import Trace
from kronos_dashboard.errors import SettingsError
from kronos_dashboard.forecasting.windows import Window

__all__ = ["MOST_PANELS", "Panel", "multiples_figure"]

MOST_PANELS = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """One forecast among several."""

    title: str
    window: Window
    forecast: Forecast
    baseline: Cone | None = None


def multiples_figure(
    panels: Sequence[Panel],
    look: Look | None = None,
    *,
    columns: int = 2,
    revealed: int | None = None,
    height: int | None = None,
) -> go.Figure:
    """The forecasts in a grid; each shows as many candles before the cutoff as steps behind it.

    Args:
        panels: one to four; their horizons may differ.
        look: how to draw; the defaults when None.
        columns: panels in a row (1 on a phone).
        revealed: candles of the truth to show; None shows all that is known.
        height: pixels; by the number of rows when None.

    Raises:
        SettingsError: there are no panels, or too many.
    """
    if not 1 <= len(panels) <= MOST_PANELS:
        raise SettingsError(f"1 to {MOST_PANELS} forecasts can stand side by side; got {len(panels)}.")
    chosen = look or Look()
    across = max(1, min(columns, len(panels)))
    rows = -(-len(panels) // across)
    layout = small_layout(chosen, height or 60 + 290 * rows, "x unified")
    layout["margin"] |= {"t": 60, "r": 8}
    layout["legend"] |= {"yref": "container", "y": 0.99, "yanchor": "top"}
    layout["hoversubplots"] = "single"
    del layout["xaxis"], layout["yaxis"]
    data: list[Trace] = []
    for number, panel in enumerate(panels):
        domain = _domain(number, across, rows)
        data += _panel(panel, chosen, number, revealed)
        _axes(layout, panel, chosen, number, domain)
    return go.Figure(data=data, layout=layout)


def _panel(panel: Panel, look: Look, number: int, revealed: int | None) -> list[Trace]:
    """The traces of one panel, on its own axes; only the first one stands in the legend."""
    window = panel.window
    known = 0 if window.truth is None else len(window.truth)
    shown = known if revealed is None else min(max(0, revealed), known)
    traces = [
        *(cone(window, panel.baseline, look) if panel.baseline is not None else ()),
        *fan(window, panel.forecast, look),
        _recent(history(window, look), window.horizon),
        *truth(window, look, shown),
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
    """The last ``count`` candles alone."""
    columns = ("x", "open", "high", "low", "close", "customdata")
    return {**trace, **{name: trace[name][-count:] for name in columns}, "hoverinfo": "skip", "hovertemplate": None}


def _axes(
    layout: dict[str, Any], panel: Panel, look: Look, number: int, domain: tuple[list[float], list[float]]
) -> None:
    """The panel's two axes and its title."""
    window, (across, up) = panel.window, domain
    first = max(0, window.context_length - window.horizon)
    times = window.context.local_index.append(window.local_future)
    found = ticks(clock_of(times[first:], np.arange(first, len(times))), 4, look.words)
    base = small_layout(look, 0, "x")
    suffix = "" if number == 0 else str(number + 1)
    layout[f"xaxis{suffix}"] = {
        **base["xaxis"],
        "domain": across,
        "anchor": _axis("y", number),
        "range": [first - 1, len(times)],
        "tickmode": "array",
        "tickvals": found.positions,
        "ticktext": found.labels,
        "tickangle": 0,
        "rangeslider": {"visible": False},
    }
    layout[f"yaxis{suffix}"] = {
        **base["yaxis"],
        "domain": up,
        "anchor": _axis("x", number),
        "side": "right",
        "nticks": 6,
        "separatethousands": True,
        "exponentformat": "none",
        "type": "log" if look.log else "linear",
        **({"matches": "y"} if number else {}),
    }
    cutoff = {"x0": window.context_length - 0.5, "x1": window.context_length - 0.5, "y0": up[0], "y1": up[1]}
    stroke = {"width": 1, "dash": "dash", "color": look.palette.faint}
    upright = {"type": "line", "xref": _axis("x", number), "yref": "paper", **cutoff, "line": stroke}
    layout.setdefault("shapes", []).append(upright)
    title = {
        "text": f"<b>{panel.title}</b>",
        "xref": "paper",
        "yref": "paper",
        "x": across[0],
        "y": up[1],
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": look.palette.text},
    }
    layout.setdefault("annotations", []).append(title)


def _domain(number: int, across: int, rows: int) -> tuple[list[float], list[float]]:
    """Where a panel lies: from left to right, then down."""
    row, column = divmod(number, across)
    width = (1 - 0.1 * (across - 1)) / across
    height = (1 - 0.2 * (rows - 1)) / rows
    left, top = column * (width + 0.1), 1 - row * (height + 0.2)
    return [left, left + width], [max(0.0, top - height), top]


def _axis(letter: str, number: int) -> str:
    return letter if number == 0 else f"{letter}{number + 1}"
