"""The chart of one window: context candles, the forecast over its baseline, and the actuals.

Shapes: T context candles at x = 0..T-1, H steps at x = T..T+H-1. While a forecast is being decoded, only its first h
steps are known; ``forecast_patch`` has the traces that change, for a browser that already has the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.forecast import Forecast
from kronos_dashboard.charts.axis import build_clock
from kronos_dashboard.charts.fan import baseline_cone, forecast_fan
from kronos_dashboard.charts.hover import hover_traces
from kronos_dashboard.charts.layers import actual_candles, context_candles, surprisal_bars, volume_bars, window_decimals
from kronos_dashboard.charts.layout import LayoutSpec, build_layout, level_line, price_tag
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.style import ChartStyle, Cone, PriceLevel
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.intervals import interval_label

__all__ = ["forecast_figure", "forecast_patch", "window_figure"]


def window_figure(
    window: Window,
    style: ChartStyle | None = None,
    *,
    revealed: int | None = None,
    levels: Sequence[PriceLevel] = (),
    surprisal: np.ndarray | None = None,
) -> go.Figure:
    """The window without a forecast: context candles, volume, the cutoff, and revealed actuals.

    Args:
        window: the window.
        style: the default style if None.
        revealed: number of actuals to show; None shows all.
        levels: price levels to draw.
        surprisal: z-score of each context candle's surprisal [T]; NaN where it is unknown.
    """
    return _figure(window, style or ChartStyle(), None, None, revealed, levels, surprisal)


def forecast_figure(
    window: Window,
    forecast: Forecast,
    style: ChartStyle | None = None,
    *,
    baseline: Cone | None = None,
    revealed: int | None = None,
    levels: Sequence[PriceLevel] = (),
    surprisal: np.ndarray | None = None,
) -> go.Figure:
    """The window with its forecast: bands, median, the medoid path as candles, the baseline's cone, and actuals.

    Args:
        window: the window that was forecast.
        forecast: its paths; fewer steps than the horizon while it is being decoded.
        style: the default style if None.
        baseline: prediction intervals of a baseline.
        revealed: as in ``window_figure``.
        levels: as in ``window_figure``.
        surprisal: as in ``window_figure``.
    """
    return _figure(window, style or ChartStyle(), forecast, baseline, revealed, levels, surprisal)


def forecast_patch(window: Window, forecast: Forecast, style: ChartStyle | None = None) -> go.Figure:
    """Only the traces of a forecast or of its first h steps, which a browser lays over the chart of the window."""
    style = style or ChartStyle()
    return go.Figure(data=forecast_fan(window, forecast, style))


def _figure(
    window: Window,
    style: ChartStyle,
    forecast: Forecast | None,
    baseline: Cone | None,
    revealed: int | None,
    levels: Sequence[PriceLevel],
    surprisal: np.ndarray | None,
) -> go.Figure:
    num_actuals = 0 if window.actual is None else len(window.actual)
    num_revealed = num_actuals if revealed is None else min(max(0, revealed), num_actuals)
    data = [
        context_candles(window, style),
        *(baseline_cone(window, baseline, style) if baseline is not None else ()),
        *(forecast_fan(window, forecast, style) if forecast is not None else ()),
        *actual_candles(window, style, num_revealed),
        *hover_traces(window, style, forecast, baseline, num_revealed),
        *(volume_bars(window, style, forecast, num_revealed) if window.context.has_volume else ()),
        *(surprisal_bars(surprisal, style) if surprisal is not None else ()),
    ]
    layout = build_layout(_layout_spec(window, has_surprisal=surprisal is not None), style)
    _mark_cutoff(layout, window, style)
    decimals = window_decimals(window)
    layout["shapes"] += [level_line(level, style.palette, decimals) for level in levels]
    return go.Figure(data=data, layout=layout)


def _layout_spec(window: Window, *, has_surprisal: bool) -> LayoutSpec:
    candles = window.context
    return LayoutSpec(
        clock=build_clock(candles.local_index.append(window.local_future)),
        view_id=f"{candles.symbol}|{candles.interval}|{len(candles)}|{window.horizon}",
        title=f"{candles.symbol} · {interval_label(candles.interval)}",
        x_range=(-2.0, len(candles) + window.horizon + 1.0),
        decimals=window_decimals(window),
        max_price=float(candles.frame["high"].max()),
        has_volume=candles.has_volume,
        has_surprisal=has_surprisal,
    )


def _mark_cutoff(layout: dict[str, Any], window: Window, style: ChartStyle) -> None:
    """Shade the horizon, and add a vertical line at the cutoff and a horizontal one at the last close."""
    palette, start = style.palette, window.context_length - 0.5
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
        "fillcolor": rgba(palette.muted, 0.05),
        "layer": "below",
    }
    vertical = {
        **{key: shade[key] for key in ("xref", "yref", "x0", "y0", "y1")},
        "type": "line",
        "x1": start,
        "line": {"width": 1, "dash": "dash", "color": palette.muted},
    }
    horizontal = {
        "type": "line",
        "xref": "x",
        "yref": "y",
        "x0": start,
        "x1": start + window.horizon + 200,  # beyond the range that the reader can pan to
        "y0": last,
        "y1": last,
        "line": {"width": 1, "dash": "dot", "color": palette.muted},
    }
    layout["shapes"] += [shade, vertical, horizontal]
    layout["annotations"] += [price_tag(last, style, window_decimals(window)), _cutoff_label(start, window, style)]


def _cutoff_label(x: float, window: Window, style: ChartStyle) -> dict[str, Any]:
    labels = style.labels
    return {
        "x": x,
        "y": 1,
        "xref": "x",
        "yref": "paper",
        "text": labels.now if window.actual is None else labels.cutoff,
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 4,
        "font": {"size": 11, "color": style.palette.muted},
        "name": "cutoff",
    }
