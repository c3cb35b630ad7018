"""A forecast without candles, from its quantiles: for exported files that contain neither candles nor paths.

Shapes: H steps.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from kronos_dashboard.charts import ChartStyle
from kronos_dashboard.charts.axis import price_decimals
from kronos_dashboard.charts.diagnostics import small_layout
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.traces import Trace, band, line

__all__ = ["quantile_figure"]

_BANDS = ((0, 6, 0.95), (1, 5, 0.8), (2, 4, 0.5))
"""Rows of the lower and the upper edge of each band, and its coverage; the widest first."""
_OPACITIES = (0.12, 0.2, 0.28)
"""Of the bands, as in ``fan``."""
_MEDIAN = 3
"""Row of the median."""


def quantile_figure(quantiles: np.ndarray, style: ChartStyle, *, height: int = 300) -> go.Figure:
    """Bands and median of the close over the steps.

    Args:
        quantiles: of the close [7, H], at ``export.QUANTILES``.
        style: the style.
        height: pixels.
    """
    steps = np.arange(1, quantiles.shape[1] + 1, dtype=np.int32)
    palette, labels, decimals = style.palette, style.labels, price_decimals(quantiles.astype(np.float32))
    data: list[Trace] = []
    for (low, high, coverage), opacity in zip(_BANDS, _OPACITIES, strict=True):
        edges, name = quantiles[[low, high]], labels.band.format(coverage=coverage)
        data += band(f"band-{coverage:g}", steps, edges, name, rgba(palette.forecast, opacity), decimals=decimals)
    hover = f"%{{x}}: %{{y:,.{decimals}f}}<extra></extra>"
    data.append(
        line(
            "median",
            steps,
            quantiles[_MEDIAN],
            palette.forecast,
            decimals=decimals,
            name=labels.median,
            width=2.2,
            mode="lines" if len(steps) > 1 else "markers",
            hoverinfo="all",
            hovertemplate=hover,
        )
    )
    layout = small_layout(style, height, "x")
    layout["xaxis"] |= {"title": {"text": labels.steps_after_cutoff}, "showgrid": False}
    layout["yaxis"] |= {"side": "right", "separatethousands": True, "exponentformat": "none", "nticks": 6}
    return go.Figure(data=data, layout=layout)
