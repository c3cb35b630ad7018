"""Layout of candle charts: panes, axes, price levels, and the data that the browser needs besides the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kronos_dashboard.charts.axis import Clock, ticks
from kronos_dashboard.charts.palettes import Palette, rgba
from kronos_dashboard.charts.style import ChartStyle, PriceLevel

__all__ = ["LayoutSpec", "build_layout", "level_line", "price_tag"]

_VOLUME_HEIGHT, _SURPRISAL_HEIGHT, _GAP = 0.17, 0.09, 0.03
"""Of the lower panes and between panes, as fractions of the height."""
_CLIENT_LABELS = ("log_scale", "reset_view", "save_png", "save_svg", "full_screen", "load_error")
"""Labels that ``client/component.js`` shows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LayoutSpec:
    """The content that a layout is built for."""

    clock: Clock
    view_id: str
    """Identifies the content; the reader's zoom is kept as long as it stays the same."""
    title: str
    x_range: tuple[float, float]
    """First and last position of the whole view."""
    decimals: int
    max_price: float
    """The price with the longest tick label."""
    has_volume: bool = False
    has_surprisal: bool = False


def build_layout(spec: LayoutSpec, style: ChartStyle) -> dict[str, Any]:
    """A layout with a price pane and, below it, panes of surprisal and volume if required; all share one x axis."""
    palette = style.palette
    panes = _panes(spec)
    axis_ticks = ticks(spec.clock, labels=style.labels)
    layout: dict[str, Any] = {
        "height": style.height,
        "meta": _client_meta(spec, style),
        "uirevision": "kept",
        "template": {},  # all attributes are set here; Plotly's default template is larger than a small figure
        "hovermode": "x unified",
        "dragmode": "pan",
        "bargap": 0.2,
        "barmode": "overlay",
        "hoverdistance": 30,
        "spikedistance": -1,
        "margin": {"l": 6, "r": _right_margin(spec), "t": 30, "b": 40},
        "font": {"color": palette.text, "size": 12},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {
            "bgcolor": rgba(palette.background, 0.92),
            "bordercolor": palette.grid,
            "font": {"color": palette.text, "size": 12},
            "align": "left",
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.muted, "activecolor": palette.text},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemwidth": 30},
        "xaxis": _time_axis(spec, palette, axis_ticks.positions, axis_ticks.labels, anchor=panes[-1][0]),
        "yaxis": _price_axis(palette, style, panes[0][1]),
        "shapes": [],
        "annotations": [],
    }
    for axis, domain in panes[1:]:
        layout[f"yaxis{axis[1:]}"] = _lower_axis(palette, domain)
    return layout


def level_line(level: PriceLevel, palette: Palette, decimals: int) -> dict[str, Any]:
    """A horizontal line at a price level, labeled with its name and price."""
    color = palette.highlight if level.highlighted else palette.muted
    name = f"{level.label}  " if level.label else ""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": level.price,
        "y1": level.price,
        "line": {"width": 1.2, "color": color, "dash": "dash"},
        "label": {
            "text": f"{name}{level.price:,.{decimals}f}",
            "textposition": "start",
            "yanchor": "bottom",
            "font": {"color": color, "size": 11},
        },
    }


def price_tag(price: float, style: ChartStyle, decimals: int) -> dict[str, Any]:
    """The last close as an annotation on the price axis; on a logarithmic axis its position is a power of ten."""
    palette = style.palette
    return {
        "xref": "paper",
        "x": 1,
        "xanchor": "left",
        "yref": "y",
        "y": float(np.log10(price)) if style.log_scale else price,
        "text": f"{price:,.{decimals}f}",
        "showarrow": False,
        "font": {"color": palette.background, "size": 11},
        "bgcolor": palette.muted,
        "borderpad": 2,
        "name": "price",
    }


def _panes(spec: LayoutSpec) -> list[tuple[str, tuple[float, float]]]:
    """Axes and their domains, from top to bottom: prices, surprisal, volume."""
    lower_panes = [
        ("y3", _SURPRISAL_HEIGHT) if spec.has_surprisal else None,
        ("y2", _VOLUME_HEIGHT) if spec.has_volume else None,
    ]
    bottom, domains = 0.0, []
    for axis, height in reversed([pane for pane in lower_panes if pane]):
        domains.append((axis, (bottom, bottom + height)))
        bottom += height + _GAP
    return [("y", (bottom, 1.0)), *reversed(domains)]


def _right_margin(spec: LayoutSpec) -> int:
    """Right margin in pixels: space for the longest tick label, in digits of 6.6 pixels."""
    return 16 + round(6.6 * len(f"{spec.max_price:,.{spec.decimals}f}"))


def _client_meta(spec: LayoutSpec, style: ChartStyle) -> dict[str, Any]:
    """Data for ``client/core.js`` and ``client/component.js``."""
    is_complete = np.array_equal(spec.clock.positions, np.arange(len(spec.clock.positions)))
    labels = style.labels
    return {
        "view": spec.view_id,
        "title": spec.title,
        "scheme": style.palette.scheme,
        "dark": style.palette.dark,
        "clock": {
            "positions": None if is_complete else spec.clock.positions,
            "seconds": spec.clock.seconds,
            "months": list(labels.months),
            "day": labels.day,
        },
        "labels": {name: getattr(labels, name) for name in _CLIENT_LABELS},
    }


def _time_axis(
    spec: LayoutSpec, palette: Palette, positions: Sequence[int], labels: Sequence[str], anchor: str
) -> dict:
    first, last = spec.x_range
    margin = 0.15 * (last - first)  # that the reader can pan beyond the candles
    return {
        "type": "linear",
        "tickmode": "array",
        "tickvals": list(positions),
        "ticktext": list(labels),
        "range": [first, last],
        "minallowed": first - margin,
        "maxallowed": last + margin,
        "anchor": anchor,
        "showgrid": True,
        "gridcolor": palette.grid,
        "zeroline": False,
        "rangeslider": {"visible": False},
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": palette.muted,
        "spikesnap": "cursor",
        "unifiedhovertitle": {"text": " "},
        "tickfont": {"color": palette.muted, "size": 11},
        "ticklabelstandoff": 3,
        "tickangle": 0,
    }


def _price_axis(palette: Palette, style: ChartStyle, domain: tuple[float, float]) -> dict[str, Any]:
    return {
        "domain": list(domain),
        "type": "log" if style.log_scale else "linear",
        "side": "right",
        "gridcolor": palette.grid,
        "zeroline": False,
        "separatethousands": True,
        "exponentformat": "none",
        "fixedrange": True,
        "nticks": 9,
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": palette.muted,
        "spikesnap": "cursor",
        "tickfont": {"color": palette.muted, "size": 11},
    }


def _lower_axis(palette: Palette, domain: tuple[float, float]) -> dict[str, Any]:
    return {
        "domain": list(domain),
        "side": "right",
        "showgrid": False,
        "zeroline": False,
        "nticks": 3,
        "rangemode": "tozero",
        "tickformat": "~s",
        "fixedrange": True,
        "tickfont": {"color": palette.muted, "size": 10},
    }
