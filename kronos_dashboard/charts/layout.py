"""The frame around candles: panes, axes, the cutoff, levels, and what the browser is told beside the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kronos_dashboard.charts.axis import Clock, ticks
from kronos_dashboard.charts.palettes import Palette, rgba
from kronos_dashboard.charts.style import Level, Look

__all__ = ["Frame", "layout_of", "level_line", "price_tag"]

_VOLUME, _SURPRISE, _GAP = 0.17, 0.09, 0.03
"""Shares of the height."""
_TOLD = ("log", "reset", "picture", "drawing", "larger", "failed")


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """What a layout is made for."""

    clock: Clock
    view: str
    """Names what is shown; a reader's zoom is kept as long as it stays the same."""
    title: str
    range: tuple[float, float]
    decimals: int
    highest: float
    """The widest price that the axis must have room for."""
    has_volume: bool = False
    has_surprise: bool = False


def layout_of(frame: Frame, look: Look) -> dict[str, Any]:
    """A layout with a pane of prices and, below it, the panes that are wanted; all share one x axis."""
    palette = look.palette
    panes = _panes(frame)
    found = ticks(frame.clock, words=look.words)
    layout: dict[str, Any] = {
        "height": look.height,
        "meta": _told(frame, look),
        "uirevision": "kept",
        "template": {},  # everything is said here; the library's own would be the longest part of a small figure
        "hovermode": "x unified",
        "dragmode": "pan",
        "bargap": 0.2,
        "barmode": "overlay",
        "hoverdistance": 30,
        "spikedistance": -1,
        "margin": {"l": 6, "r": _right(frame), "t": 30, "b": 40},
        "font": {"color": palette.text, "size": 12},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {
            "bgcolor": rgba(palette.ground, 0.92),
            "bordercolor": palette.grid,
            "font": {"color": palette.text, "size": 12},
            "align": "left",
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.faint, "activecolor": palette.text},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemwidth": 30},
        "xaxis": _bar_axis(frame, palette, found.positions, found.labels, anchor=panes[-1][0]),
        "yaxis": _price_axis(palette, look, panes[0][1]),
        "shapes": [],
        "annotations": [],
    }
    for axis, domain in panes[1:]:
        layout[f"yaxis{axis[1:]}"] = _small_axis(palette, domain)
    return layout


def level_line(level: Level, palette: Palette, decimals: int) -> dict[str, Any]:
    """A level across the chart, with its name and price at the right end."""
    colour = palette.alert if level.alert else palette.faint
    name = f"{level.label}  " if level.label else ""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": level.price,
        "y1": level.price,
        "line": {"width": 1.2, "color": colour, "dash": "dash"},
        "label": {
            "text": f"{name}{level.price:,.{decimals}f}",
            "textposition": "start",
            "yanchor": "bottom",
            "font": {"color": colour, "size": 11},
        },
    }


def price_tag(price: float, look: Look, decimals: int) -> dict[str, Any]:
    """The last known price on the price axis, as an annotation (on a logarithmic axis these count in powers of ten)."""
    palette = look.palette
    return {
        "xref": "paper",
        "x": 1,
        "xanchor": "left",
        "yref": "y",
        "y": float(np.log10(price)) if look.log else price,
        "text": f"{price:,.{decimals}f}",
        "showarrow": False,
        "font": {"color": palette.ground, "size": 11},
        "bgcolor": palette.faint,
        "borderpad": 2,
        "name": "price",
    }


def _panes(frame: Frame) -> list[tuple[str, tuple[float, float]]]:
    """Axes and their domains, from the top to the bottom: prices, surprise, volume."""
    wanted = [
        ("y3", _SURPRISE) if frame.has_surprise else None,
        ("y2", _VOLUME) if frame.has_volume else None,
    ]
    floor, small = 0.0, []
    for axis, share in reversed([pane for pane in wanted if pane]):
        small.append((axis, (floor, floor + share)))
        floor += share + _GAP
    return [("y", (floor, 1.0)), *reversed(small)]


def _right(frame: Frame) -> int:
    """Pixels on the right, for the longest price."""
    return 16 + round(6.6 * len(f"{frame.highest:,.{frame.decimals}f}"))


def _told(frame: Frame, look: Look) -> dict[str, Any]:
    """What ``client/core.js`` needs beside the figure."""
    whole = np.array_equal(frame.clock.positions, np.arange(len(frame.clock.positions)))
    words = look.words
    return {
        "view": frame.view,
        "title": frame.title,
        "scheme": look.palette.scheme,
        "dark": look.palette.dark,
        "clock": {
            "positions": None if whole else frame.clock.positions,
            "seconds": frame.clock.seconds,
            "months": list(words.months),
            "day": words.day,
        },
        "words": {name: getattr(words, name) for name in _TOLD},
    }


def _bar_axis(frame: Frame, palette: Palette, positions: Sequence[int], labels: Sequence[str], anchor: str) -> dict:
    first, last = frame.range
    room = 0.15 * (last - first)
    return {
        "type": "linear",
        "tickmode": "array",
        "tickvals": list(positions),
        "ticktext": list(labels),
        "range": [first, last],
        "minallowed": first - room,
        "maxallowed": last + room,
        "anchor": anchor,
        "showgrid": True,
        "gridcolor": palette.grid,
        "zeroline": False,
        "rangeslider": {"visible": False},
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": palette.faint,
        "spikesnap": "cursor",
        "unifiedhovertitle": {"text": " "},
        "tickfont": {"color": palette.faint, "size": 11},
        "ticklabelstandoff": 3,
        "tickangle": 0,
    }


def _price_axis(palette: Palette, look: Look, domain: tuple[float, float]) -> dict[str, Any]:
    return {
        "domain": list(domain),
        "type": "log" if look.log else "linear",
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
        "spikecolor": palette.faint,
        "spikesnap": "cursor",
        "tickfont": {"color": palette.faint, "size": 11},
    }


def _small_axis(palette: Palette, domain: tuple[float, float]) -> dict[str, Any]:
    return {
        "domain": list(domain),
        "side": "right",
        "showgrid": False,
        "zeroline": False,
        "nticks": 3,
        "rangemode": "tozero",
        "tickformat": "~s",
        "fixedrange": True,
        "tickfont": {"color": palette.faint, "size": 10},
    }
