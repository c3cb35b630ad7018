"""A fan without its candles, for a file that holds none.

Shapes: H steps.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from kronos_dashboard.charts import Look
from kronos_dashboard.charts.axis import decimals_of
from kronos_dashboard.charts.diagnostics import small_layout
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.traces import Trace, band, line

__all__ = ["fan_figure"]

_BANDS = ((0, 6, 0.95), (1, 5, 0.8), (2, 4, 0.5))
"""Rows of the quantiles that make a band, and its coverage; the widest first."""
_OPACITIES = (0.12, 0.2, 0.28)
_MEDIAN = 3


def fan_figure(quantiles: np.ndarray, look: Look, *, height: int = 300) -> go.Figure:
    """Bands and median of the close over the steps.

    Args:
        quantiles: [7, H] at ``export.QUANTILES``.
        look: how to draw.
        height: pixels.
    """
    steps = np.arange(1, quantiles.shape[1] + 1, dtype=np.int32)
    palette, words, decimals = look.palette, look.words, decimals_of(quantiles.astype(np.float32))
    data: list[Trace] = []
    for (low, high, coverage), opacity in zip(_BANDS, _OPACITIES, strict=True):
        edges, name = quantiles[[low, high]], words.band.format(coverage=coverage)
        data += band(f"band-{coverage:g}", steps, edges, name, rgba(palette.fan, opacity), decimals=decimals)
    hover = f"%{{x}}: %{{y:,.{decimals}f}}<extra></extra>"
    data.append(
        line(
            "median",
            steps,
            quantiles[_MEDIAN],
            palette.fan,
            decimals=decimals,
            name=words.median,
            width=2.2,
            mode="lines" if len(steps) > 1 else "markers",
            hoverinfo="all",
            hovertemplate=hover,
        )
    )
    layout = small_layout(look, height, "x")
    layout["xaxis"] |= {"title": {"text": words.steps}, "showgrid": False}
    layout["yaxis"] |= {"side": "right", "separatethousands": True, "exponentformat": "none", "nticks": 6}
    return go.Figure(data=data, layout=layout)
