"""The chart of one window: context candles, the forecast over its baseline, and what came.

Shapes: T context candles at x = 0..T-1, H steps at x = T..T+H-1. While a forecast is being decoded only its first h
steps are known; ``fan_patch`` has the traces that changed, for a browser that has the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.forecast import Forecast
from kronos_dashboard.charts.axis import clock_of
from kronos_dashboard.charts.fan import cone, fan
from kronos_dashboard.charts.hover import steps
from kronos_dashboard.charts.layers import history, surprise_bars, truth, volume_bars, window_decimals
from kronos_dashboard.charts.layout import Frame, layout_of, level_line, price_tag
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.style import Cone, Level, Look
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import interval_label

__all__ = ["fan_patch", "forecast_figure", "window_figure"]


def window_figure(
    window: Window,
    look: Look | None = None,
    *,
    revealed: int | None = None,
    levels: Sequence[Level] = (),
    surprise: np.ndarray | None = None,
) -> go.Figure:
    """The window before a forecast: context candles, volume, the cutoff, and what came as far as it is revealed.

    Args:
        window: what to draw.
        look: how; the defaults when None.
        revealed: candles of the truth to show; None shows all that is known, 0 none.
        levels: prices to draw lines at.
        surprise: [T], how surprising each context candle was, in standard deviations; NaN where that is not known.
    """
    return _figure(window, look or Look(), None, None, revealed, levels, surprise)


def forecast_figure(
    window: Window,
    forecast: Forecast,
    look: Look | None = None,
    *,
    baseline: Cone | None = None,
    revealed: int | None = None,
    levels: Sequence[Level] = (),
    surprise: np.ndarray | None = None,
) -> go.Figure:
    """The window with the forecast: bands, median, a real path as candles, the baseline's cone behind, and what came.

    Args:
        window: what the forecast is for.
        forecast: its paths; fewer steps than the horizon while it is being decoded.
        look: how; the defaults when None.
        baseline: prediction intervals of a forecast that knows nothing of patterns.
        revealed: as in ``window_figure``.
        levels: as in ``window_figure``.
        surprise: as in ``window_figure``.
    """
    return _figure(window, look or Look(), forecast, baseline, revealed, levels, surprise)


def fan_patch(window: Window, forecast: Forecast, look: Look | None = None) -> go.Figure:
    """The traces of a forecast alone, to be laid over the chart of its window: its first h steps, as far as known."""
    chosen = look or Look()
    return go.Figure(data=fan(window, forecast, chosen))


def _figure(
    window: Window,
    look: Look,
    forecast: Forecast | None,
    baseline: Cone | None,
    revealed: int | None,
    levels: Sequence[Level],
    surprise: np.ndarray | None,
) -> go.Figure:
    known = 0 if window.truth is None else len(window.truth)
    shown = known if revealed is None else min(max(0, revealed), known)
    data = [
        history(window, look),
        *(cone(window, baseline, look) if baseline is not None else ()),
        *(fan(window, forecast, look) if forecast is not None else ()),
        *truth(window, look, shown),
        *steps(window, look, forecast, baseline, shown),
        *(volume_bars(window, look, forecast, shown) if window.context.has_volume else ()),
        *(surprise_bars(surprise, look) if surprise is not None else ()),
    ]
    layout = layout_of(_frame(window, has_surprise=surprise is not None), look)
    _mark_cutoff(layout, window, look)
    decimals = window_decimals(window)
    layout["shapes"] += [level_line(level, look.palette, decimals) for level in levels]
    return go.Figure(data=data, layout=layout)


def _frame(window: Window, *, has_surprise: bool) -> Frame:
    candles = window.context
    return Frame(
        clock=clock_of(candles.local_index.append(window.local_future)),
        view=f"{candles.symbol}|{candles.interval}|{len(candles)}|{window.horizon}",
        title=f"{candles.symbol} · {interval_label(candles.interval)}",
        range=(-2.0, len(candles) + window.horizon + 1.0),
        decimals=window_decimals(window),
        highest=float(candles.frame["high"].max()),
        has_volume=candles.has_volume,
        has_surprise=has_surprise,
    )


def _mark_cutoff(layout: dict[str, Any], window: Window, look: Look) -> None:
    """Shade the future, draw the line between, and hold the last close against both."""
    palette, start = look.palette, window.context_length - 0.5
    last = float(window.context.frame["close"].iloc[-1])
    shade = {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": start,
        "x1": start + window.horizon,
        "y0": 0,
        "y1": 1,
        "line": {"width": 0},
        "fillcolor": rgba(palette.faint, 0.05),
        "layer": "below",
    }
    upright = {
        **{key: shade[key] for key in ("xref", "yref", "x0", "y0", "y1")},
        "type": "line",
        "x1": start,
        "line": {"width": 1, "dash": "dash", "color": palette.faint},
    }
    level = {
        "type": "line",
        "xref": "x",
        "yref": "y",
        "x0": start,
        "x1": start + window.horizon + 200,
        "y0": last,
        "y1": last,
        "line": {"width": 1, "dash": "dot", "color": palette.faint},
    }
    layout["shapes"] += [shade, upright, level]
    layout["annotations"] += [price_tag(last, look, window_decimals(window)), _cutoff_label(start, window, look)]


def _cutoff_label(x: float, window: Window, look: Look) -> dict[str, Any]:
    words = look.words
    return {
        "x": x,
        "y": 1,
        "xref": "x",
        "yref": "paper",
        "text": words.now if window.truth is None else words.cutoff,
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 4,
        "font": {"size": 11, "color": look.palette.faint},
        "name": "cutoff",
    }
