"""Traces of a forecast: the baseline's cone, bands, sampled paths, the medoid path as candles, the median.

The first point of each band and line is the last close of the context, so that the fan is connected to the candles.
Shapes: N paths, H steps.
"""

from __future__ import annotations

import numpy as np

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.charts.layers import future_positions, prepend_last_close, window_decimals
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.style import ChartStyle, Cone
from kronos_dashboard.charts.traces import TRANSPARENT, Trace, ZOrder, band, candlestick, faint_paths, line
from kronos_dashboard.forecasting.windows import Window

__all__ = ["baseline_cone", "forecast_fan"]

_CLOSE = COLUMNS.index("close")
_OUTER_OPACITY, _INNER_OPACITY = 0.12, 0.28
"""Of the widest and of the narrowest band. Bands overlap, so the innermost one is also the darkest."""


def baseline_cone(window: Window, baseline: Cone, style: ChartStyle) -> list[Trace]:
    """The baseline's intervals, below the forecast: dotted edges with a very light fill."""
    traces = []
    for coverage in sorted(baseline.bands, reverse=True):
        edges = np.asarray(baseline.bands[coverage])  # [2, H]
        traces += band(
            f"baseline-{coverage:g}",
            future_positions(window, edges.shape[-1]),
            prepend_last_close(window, edges),
            f"{baseline.name} {coverage:.0%}",
            rgba(style.palette.baseline, 0.05),
            edge=rgba(style.palette.baseline, 0.75),
            decimals=window_decimals(window),
            zorder=ZOrder.BASELINE,
        )
    return traces


def forecast_fan(window: Window, forecast: Forecast, style: ChartStyle) -> list[Trace]:
    """Bands, sampled paths, medoid path and median over the H steps of ``forecast``."""
    x, palette, labels = future_positions(window, forecast.horizon), style.palette, style.labels
    decimals = window_decimals(window)
    traces: list[Trace] = []
    coverages = style.descending_coverages
    for coverage, opacity in zip(coverages, np.linspace(_OUTER_OPACITY, _INNER_OPACITY, len(coverages)), strict=True):
        name, fill = labels.band.format(coverage=coverage), rgba(palette.forecast, round(float(opacity), 3))
        edges = prepend_last_close(window, forecast.band(coverage))  # [2, H + 1]
        traces += band(f"band-{coverage:g}", x, edges, name, fill, decimals=decimals, zorder=ZOrder.BANDS)
    if style.visible_paths:
        paths = forecast.paths[: style.visible_paths, :, _CLOSE]
        name = labels.paths.format(count=len(paths))
        traces.append(faint_paths("paths", x, prepend_last_close(window, paths), name, palette))
    if style.show_medoid_path:
        traces.append(_medoid_candles(window, forecast, style, decimals))
    median = prepend_last_close(window, forecast.median())
    traces.append(
        line(
            "median",
            x,
            median,
            palette.forecast,
            decimals=decimals,
            name=labels.median,
            width=2.2,
            zorder=ZOrder.MEDIAN,
        )
    )
    return traces


def _medoid_candles(window: Window, forecast: Forecast, style: ChartStyle, decimals: int) -> Trace:
    """The medoid path as candles in the color of the forecast: hollow if rising, filled if falling."""
    color = style.palette.forecast
    return candlestick(
        "path",
        np.arange(window.context_length, window.context_length + forecast.horizon),
        forecast.candles(),
        (color, color),
        fills=(TRANSPARENT, rgba(color, 0.6)),
        decimals=decimals,
        name=style.labels.path,
        showlegend=True,
        hoverinfo="skip",
        opacity=0.8,
        zorder=ZOrder.FORECAST,
    )
