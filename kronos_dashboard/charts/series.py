"""The chart of a whole series, however long: candles for what is in view, a shadow of highs and lows for the rest.

A browser never gets more than some two thousand candles. When the reader zooms or pans, the page asks for the figure of
the new view; until it comes there is the shadow to steer by.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from kronos_dashboard.charts.axis import clock_of, date_labels, decimals_of
from kronos_dashboard.charts.decimation import Buckets, decimate, size_for
from kronos_dashboard.charts.layers import bodies, price_lines
from kronos_dashboard.charts.layout import Frame, layout_of
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.style import Look
from kronos_dashboard.charts.traces import Trace, Z, band, bars, candlestick
from kronos_dashboard.markets.candles import CandleFrame, interval_label

__all__ = ["series_figure"]

IN_VIEW = 800
"""Candles that a screen can tell apart."""
_SHADOW = 600
"""Points of the shadow."""


def series_figure(
    candles: CandleFrame, look: Look | None = None, *, view: tuple[float, float] | None = None
) -> go.Figure:
    """All candles, those in view (and half a view to either side) in detail.

    Args:
        candles: the series; n of them stand at x = 0..n-1.
        look: how to draw; the defaults when None.
        view: first and last position on the screen; None for all.
    """
    chosen = look or Look()
    n = len(candles)
    first, last = (0.0, float(n)) if view is None else (max(0.0, view[0]), min(float(n), view[1]))
    span = max(1.0, last - first)
    detail = decimate(candles, int(first - span / 2), int(last + span / 2) + 1, size_for(span, IN_VIEW))
    shadow = decimate(candles, 0, n, size_for(n, _SHADOW))
    decimals = decimals_of(candles.frame["close"].to_numpy())
    data = [_candles(candles, detail, chosen, decimals), *_shadow(shadow, detail, chosen, decimals)]
    if candles.has_volume:
        data += _volume(detail, chosen)
    return go.Figure(data=data, layout=_layout(candles, detail, shadow, chosen, decimals))


def _candles(candles: CandleFrame, buckets: Buckets, look: Look, decimals: int) -> Trace:
    words = look.words
    volume = f"<br>{words.volume} %{{customdata:.4~s}}" if candles.has_volume else ""
    single = buckets.size == 1
    return candlestick(
        "history",
        buckets.first if single else buckets.middle,
        buckets.values,
        (look.palette.up, look.palette.down),
        fills=bodies(look),
        decimals=decimals,
        name=words.candles,
        showlegend=False,
        text=_labels(candles, buckets, look),
        customdata=buckets.values["volume"].astype(np.float32),
        hovertemplate=f"<b>%{{text}}</b><br>{price_lines(look, decimals)}{volume}<extra></extra>",
    )


def _labels(candles: CandleFrame, buckets: Buckets, look: Look) -> list[str]:
    """From when to when, and of how many candles, where it is more than one."""
    begin = date_labels(candles.local_index[buckets.first], look.words)
    if buckets.size == 1:
        return begin
    end = date_labels(candles.local_index[buckets.last], look.words)
    counts = buckets.last - buckets.first + 1
    return [
        f"{one} – {other} · {look.words.bundled.format(count=count)}"
        for one, other, count in zip(begin, end, counts, strict=True)
    ]


def _shadow(shadow: Buckets, detail: Buckets, look: Look, decimals: int) -> list[Trace]:
    """Highs and lows of all that is not drawn in detail, left and right of it."""
    traces = []
    for side, outside in (("left", shadow.last < detail.first[0]), ("right", shadow.first > detail.last[-1])):
        if not outside.any():
            continue
        edges = np.stack((shadow.values["low"][outside], shadow.values["high"][outside]))
        x = shadow.middle[outside].astype(np.float32)
        fill = rgba(look.palette.faint, 0.35)
        traces += band(f"shadow-{side}", x, edges, "", fill, decimals=decimals, showlegend=False, zorder=Z.BASELINE)
    return traces


def _volume(buckets: Buckets, look: Look) -> list[Trace]:
    rising = buckets.values["close"] >= buckets.values["open"]
    colours = (rgba(look.palette.up, 0.5), rgba(look.palette.down, 0.5))
    x = buckets.middle.astype(np.float32)
    width = 0.8 * buckets.size
    return bars("volume", x, buckets.values["volume"], rising, colours, "y2", name=look.words.volume, width=width)


def _layout(candles: CandleFrame, detail: Buckets, shadow: Buckets, look: Look, decimals: int) -> dict[str, Any]:
    rows = np.union1d(detail.first, shadow.first)
    frame = Frame(
        clock=clock_of(candles.local_index[rows], rows),
        view=candles.fingerprint,
        title=f"{candles.symbol} · {interval_label(candles.interval)}",
        range=(-1.0, float(len(candles))),
        decimals=decimals,
        highest=float(shadow.values["high"].max()),
        has_volume=candles.has_volume,
    )
    layout = layout_of(frame, look)
    if detail.size > 1:
        layout["annotations"].append(_bundled(detail, look))
    return layout


def _bundled(detail: Buckets, look: Look) -> dict[str, Any]:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0.005,
        "y": 1,
        "xanchor": "left",
        "yanchor": "top",
        "text": look.words.bucket.format(count=f"{detail.size:,}"),
        "showarrow": False,
        "font": {"size": 11, "color": look.palette.faint},
    }
