"""Plotly traces as plain dicts, which are several times faster to build than with ``add_trace``.

Each trace has a unique identifier in ``meta``. The browser uses it to keep hidden traces hidden, and to find the traces
that a patch replaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kronos_dashboard.charts.axis import pack_prices
from kronos_dashboard.charts.palettes import Palette, rgba

__all__ = ["TRANSPARENT", "Trace", "ZOrder", "band", "bars", "candlestick", "faint_paths", "line"]

Trace = dict[str, Any]
TRANSPARENT = "rgba(0,0,0,0)"


class ZOrder:
    """Drawing order. Context candles are at 0, where Plotly does not add the order to the names of its layers."""

    CANDLES, BASELINE, BANDS, PATHS, FORECAST, ACTUALS, MEDIAN = range(7)


def candlestick(
    uid: str,
    x: np.ndarray,
    values: Mapping[str, np.ndarray],
    colors: tuple[str, str],
    *,
    decimals: int,
    fills: tuple[str, str] | None = None,
    zorder: int = ZOrder.CANDLES,
    **attributes: object,
) -> Trace:
    """Candles at ``x`` [n] from columns open, high, low, close [n].

    Args:
        uid: identifier of the trace.
        x: positions [n].
        values: the four columns, by name.
        colors: of rising and of falling candles.
        decimals: see ``axis.price_decimals``.
        fills: colors of the bodies, if they differ from the outlines.
        zorder: see ``ZOrder``.
        attributes: further attributes of the trace.
    """
    up, down = fills or colors
    return {
        "type": "candlestick",
        "meta": uid,
        "x": x.astype(np.int32) if np.issubdtype(x.dtype, np.integer) else x.astype(np.float32),
        **{name: pack_prices(values[name], decimals) for name in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": colors[0], "width": 1}, "fillcolor": up},
        "decreasing": {"line": {"color": colors[1], "width": 1}, "fillcolor": down},
        "zorder": zorder,
        **attributes,
    }


def line(uid: str, x: np.ndarray, y: np.ndarray, color: str, *, decimals: int, **attributes: Any) -> Trace:
    """A line through ``x`` [n], ``y`` [n]; ``attributes`` may contain its ``width`` and ``dash``."""
    shape = {"color": color, "width": attributes.pop("width", 1.5), "dash": attributes.pop("dash", "solid")}
    return {
        "type": "scatter",
        "meta": uid,
        "mode": "lines",
        "x": x,
        "y": pack_prices(y, decimals),
        "line": shape,
        "hoverinfo": "skip",
        **attributes,
    }


def band(
    uid: str,
    x: np.ndarray,
    edges: np.ndarray,
    name: str,
    fill: str,
    *,
    decimals: int,
    edge: str = TRANSPARENT,
    **attributes: Any,
) -> list[Trace]:
    """A filled band between a lower and an upper edge [2, n]: two lines, the upper one filled down to the lower one."""
    common = {"legendgroup": uid, "width": 1, "dash": "dot", **attributes}
    lower = line(f"{uid}-low", x, edges[0], edge, decimals=decimals, **{**common, "showlegend": False})
    upper = line(uid, x, edges[1], edge, decimals=decimals, name=name, fill="tonexty", fillcolor=fill, **common)
    return [lower, upper]


def faint_paths(uid: str, x: np.ndarray, paths: np.ndarray, name: str, palette: Palette) -> Trace:
    """Many paths [n, m] over ``x`` [m] as one trace: NaN after each path interrupts the line."""
    count = len(paths)
    separated = np.concatenate((paths, np.full((count, 1), np.nan)), axis=1)  # [n, m + 1]
    opacity = 0.5 * max(1, count) ** -0.25  # the more paths, the fainter each
    positions = np.append(x, x[-1]).astype(np.int16 if x[-1] < 2**15 else np.int32)  # [m + 1]
    return line(
        uid,
        np.tile(positions, count),
        separated.ravel().astype(np.float32),  # precise to a fraction of a pixel
        rgba(palette.forecast, round(opacity, 2)),
        decimals=0,
        name=name,
        width=0.8,
        connectgaps=False,
        zorder=ZOrder.PATHS,
    )


def bars(
    uid: str,
    x: np.ndarray,
    heights: np.ndarray,
    rising: np.ndarray,
    colors: Sequence[str],
    axis: str,
    **attributes: object,
) -> list[Trace]:
    """Bars [n] in two traces, rising and falling: smaller than one trace with a color per bar."""
    return [
        {
            "type": "bar",
            "meta": f"{uid}-{direction}",
            "x": x[selected],
            "y": heights[selected].astype(np.float32),
            "yaxis": axis,
            "marker": {"color": color, "line": {"width": 0}},
            "showlegend": False,
            "hoverinfo": "skip",
            **attributes,
        }
        for direction, selected, color in (("up", rising, colors[0]), ("down", ~rising, colors[1]))
        if selected.any()
    ]
