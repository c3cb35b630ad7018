"""The parts that charts are made of, as plain dicts (several times cheaper than ``add_trace``).

Every trace has a name of its own in ``meta``: with it a browser keeps what the reader hid, and a patch finds what it
replaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kronos_dashboard.charts.axis import prices
from kronos_dashboard.charts.palettes import Palette, rgba

__all__ = ["NOTHING", "Trace", "Z", "band", "bars", "candlestick", "faint_paths", "line"]

Trace = dict[str, Any]
NOTHING = "rgba(0,0,0,0)"


class Z:
    """What lies over what. The candles of the context are at 0, where Plotly gives its layers their plain names."""

    CANDLES, BASELINE, BANDS, PATHS, FORECAST, TRUTH, MEDIAN = range(7)


def candlestick(
    uid: str,
    x: np.ndarray,
    values: Mapping[str, np.ndarray],
    colours: tuple[str, str],
    *,
    decimals: int,
    fills: tuple[str, str] | None = None,
    zorder: int = Z.CANDLES,
    **more: object,
) -> Trace:
    """Candles at ``x`` [n] from columns open, high, low, close [n].

    Args:
        uid: see above.
        x: positions.
        values: the four columns, by name.
        colours: of rising and of falling candles.
        decimals: see ``axis.decimals_of``.
        fills: of the bodies, where they differ from the outlines.
        zorder: see ``Z``.
        more: any attribute of the trace.
    """
    up, down = fills or colours
    return {
        "type": "candlestick",
        "meta": uid,
        "x": x.astype(np.int32) if np.issubdtype(x.dtype, np.integer) else x.astype(np.float32),
        **{name: prices(values[name], decimals) for name in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": colours[0], "width": 1}, "fillcolor": up},
        "decreasing": {"line": {"color": colours[1], "width": 1}, "fillcolor": down},
        "zorder": zorder,
        **more,
    }


def line(uid: str, x: np.ndarray, y: np.ndarray, colour: str, *, decimals: int, **more: Any) -> Trace:
    """A line; ``width`` and ``dash`` among ``more`` shape it."""
    shape = {"color": colour, "width": more.pop("width", 1.5), "dash": more.pop("dash", "solid")}
    return {
        "type": "scatter",
        "meta": uid,
        "mode": "lines",
        "x": x,
        "y": prices(y, decimals),
        "line": shape,
        "hoverinfo": "skip",
        **more,
    }


def band(
    uid: str, x: np.ndarray, edges: np.ndarray, name: str, fill: str, *, decimals: int, edge: str = NOTHING, **more: Any
) -> list[Trace]:
    """A filled band between two ``edges`` [2, n]: the lower edge, and the upper one filled down to it."""
    common = {"legendgroup": uid, "width": 1, "dash": "dot", **more}
    lower = line(f"{uid}-low", x, edges[0], edge, decimals=decimals, **{**common, "showlegend": False})
    upper = line(uid, x, edges[1], edge, decimals=decimals, name=name, fill="tonexty", fillcolor=fill, **common)
    return [lower, upper]


def faint_paths(uid: str, x: np.ndarray, paths: np.ndarray, name: str, palette: Palette) -> Trace:
    """Many paths [n, m] over ``x`` [m] as one trace: a missing value between them lifts the pen."""
    count = len(paths)
    broken = np.concatenate((paths, np.full((count, 1), np.nan)), axis=1)
    opacity = 0.5 * max(1, count) ** -0.25
    along = np.append(x, x[-1]).astype(np.int16 if x[-1] < 2**15 else np.int32)
    return line(
        uid,
        np.tile(along, count),
        broken.ravel().astype(np.float32),  # a line of half a pixel needs no more
        rgba(palette.fan, round(opacity, 2)),
        decimals=0,
        name=name,
        width=0.8,
        connectgaps=False,
        zorder=Z.PATHS,
    )


def bars(
    uid: str, x: np.ndarray, heights: np.ndarray, rising: np.ndarray, colours: Sequence[str], axis: str, **more: object
) -> list[Trace]:
    """Bars, one trace per direction (a list of colours, one per bar, costs more than both)."""
    return [
        {
            "type": "bar",
            "meta": f"{uid}-{direction}",
            "x": x[chosen],
            "y": heights[chosen].astype(np.float32),
            "yaxis": axis,
            "marker": {"color": colour, "line": {"width": 0}},
            "showlegend": False,
            "hoverinfo": "skip",
            **more,
        }
        for direction, chosen, colour in (("up", rising, colours[0]), ("down", ~rising, colours[1]))
        if chosen.any()
    ]
