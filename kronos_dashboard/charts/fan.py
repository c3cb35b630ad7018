"""A forecast as a fan: bands over its baseline, sample paths, one real path as candles, the median.

The first point of every band and line is the last close of the context, so that the fan grows out of the candles.
"""

from __future__ import annotations

import numpy as np

from engine.forecast import COLUMNS, Forecast
from kronos_dashboard.charts.layers import future_x, joined, window_decimals
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.style import Cone, Look
from kronos_dashboard.charts.traces import NOTHING, Trace, Z, band, candlestick, faint_paths, line
from kronos_dashboard.forecasting.windows import Window

__all__ = ["cone", "fan"]

_CLOSE = COLUMNS.index("close")
_WIDEST, _NARROWEST = 0.12, 0.28
"""Opacities of the outermost and the innermost band."""


def cone(window: Window, baseline: Cone, look: Look) -> list[Trace]:
    """The baseline's intervals behind everything: dotted edges, almost no fill."""
    traces = []
    for coverage in sorted(baseline.bands, reverse=True):
        edges = np.asarray(baseline.bands[coverage])
        traces += band(
            f"baseline-{coverage:g}",
            future_x(window, edges.shape[-1]),
            joined(window, edges),
            f"{baseline.name} {coverage:.0%}",
            rgba(look.palette.baseline, 0.05),
            edge=rgba(look.palette.baseline, 0.75),
            decimals=window_decimals(window),
            zorder=Z.BASELINE,
        )
    return traces


def fan(window: Window, forecast: Forecast, look: Look) -> list[Trace]:
    """Bands, paths, representative candles and median of the steps that are known."""
    x, palette, words = future_x(window, forecast.horizon), look.palette, look.words
    decimals = window_decimals(window)
    traces: list[Trace] = []
    coverages = look.widest_first
    for coverage, opacity in zip(coverages, np.linspace(_WIDEST, _NARROWEST, len(coverages)), strict=True):
        name, fill = words.band.format(coverage=coverage), rgba(palette.fan, round(float(opacity), 3))
        edges = joined(window, forecast.band(coverage))
        traces += band(f"band-{coverage:g}", x, edges, name, fill, decimals=decimals, zorder=Z.BANDS)
    if look.paths:
        paths = forecast.paths[: look.paths, :, _CLOSE]
        name = words.paths.format(count=len(paths))
        traces.append(faint_paths("paths", x, joined(window, paths), name, palette))
    if look.candles:
        traces.append(_representative(window, forecast, look, decimals))
    median = joined(window, forecast.median())
    traces.append(
        line("median", x, median, palette.fan, decimals=decimals, name=words.median, width=2.2, zorder=Z.MEDIAN)
    )
    return traces


def _representative(window: Window, forecast: Forecast, look: Look, decimals: int) -> Trace:
    """One real sampled path as hollow (up) and filled (down) candles in the colour of the fan."""
    fan = look.palette.fan
    return candlestick(
        "path",
        np.arange(window.context_length, window.context_length + forecast.horizon),
        forecast.candles(),
        (fan, fan),
        fills=(NOTHING, rgba(fan, 0.6)),
        decimals=decimals,
        name=look.words.path,
        showlegend=True,
        hoverinfo="skip",
        opacity=0.8,
        zorder=Z.FORECAST,
    )
