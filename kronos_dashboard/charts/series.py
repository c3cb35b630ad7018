"""The chart of a whole series of any length: candles in the view, and the range of highs and lows outside it.

A browser never receives more than about two thousand candles. When the reader zooms or pans, the page requests the
figure of the new view; until it arrives, the range shows the course of the prices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from kronos_dashboard.charts.axis import build_clock, date_labels, price_decimals
from kronos_dashboard.charts.decimation import Buckets, bucket_size, decimate
from kronos_dashboard.charts.layers import body_fills, ohlc_hover_lines
from kronos_dashboard.charts.layout import LayoutSpec, build_layout
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.style import ChartStyle
from kronos_dashboard.charts.traces import Trace, ZOrder, band, bars, candlestick
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.intervals import interval_label

__all__ = ["series_figure"]

MAX_CANDLES_IN_VIEW = 800
"""More candles could not be distinguished on a screen of 1,600 pixels."""
_MAX_OVERVIEW_POINTS = 600
"""Of the range outside the view: one every two or three pixels."""


def series_figure(
    candles: CandleFrame, style: ChartStyle | None = None, *, view: tuple[float, float] | None = None
) -> go.Figure:
    """All candles; those in the view, and half a view to either side, in detail.

    Args:
        candles: the series; its n candles are at x = 0..n-1.
        style: the default style if None.
        view: first and last position on the screen; None shows all.
    """
    style = style or ChartStyle()
    n = len(candles)
    first, last = (0.0, float(n)) if view is None else (max(0.0, view[0]), min(float(n), view[1]))
    span = max(1.0, last - first)
    detail = decimate(candles, int(first - span / 2), int(last + span / 2) + 1, bucket_size(span, MAX_CANDLES_IN_VIEW))
    overview = decimate(candles, 0, n, bucket_size(n, _MAX_OVERVIEW_POINTS))
    decimals = price_decimals(candles.frame["close"].to_numpy())
    data = [_candles(candles, detail, style, decimals), *_overview(overview, detail, style, decimals)]
    if candles.has_volume:
        data += _volume(detail, style)
    return go.Figure(data=data, layout=_layout(candles, detail, overview, style, decimals))


def _candles(candles: CandleFrame, buckets: Buckets, style: ChartStyle, decimals: int) -> Trace:
    labels = style.labels
    volume = f"<br>{labels.volume} %{{customdata:.4~s}}" if candles.has_volume else ""
    is_single = buckets.size == 1
    return candlestick(
        "history",
        buckets.first if is_single else buckets.middle,
        buckets.values,
        (style.palette.up, style.palette.down),
        fills=body_fills(style),
        decimals=decimals,
        name=labels.candles,
        showlegend=False,
        text=_bucket_texts(candles, buckets, style),
        customdata=buckets.values["volume"].astype(np.float32),
        hovertemplate=f"<b>%{{text}}</b><br>{ohlc_hover_lines(style, decimals)}{volume}<extra></extra>",
    )


def _bucket_texts(candles: CandleFrame, buckets: Buckets, style: ChartStyle) -> list[str]:
    """Time of each candle; of a bucket its first and last time, and the number of candles."""
    first = date_labels(candles.local_index[buckets.first], style.labels)
    if buckets.size == 1:
        return first
    last = date_labels(candles.local_index[buckets.last], style.labels)
    counts = buckets.last - buckets.first + 1
    return [
        f"{start} – {end} · {style.labels.num_candles.format(count=count)}"
        for start, end, count in zip(first, last, counts, strict=True)
    ]


def _overview(overview: Buckets, detail: Buckets, style: ChartStyle, decimals: int) -> list[Trace]:
    """Range of highs and lows to the left and to the right of the detailed candles."""
    traces = []
    for side, outside in (("left", overview.last < detail.first[0]), ("right", overview.first > detail.last[-1])):
        if not outside.any():
            continue
        edges = np.stack((overview.values["low"][outside], overview.values["high"][outside]))
        x = overview.middle[outside].astype(np.float32)
        fill = rgba(style.palette.muted, 0.35)
        traces += band(
            f"shadow-{side}", x, edges, "", fill, decimals=decimals, showlegend=False, zorder=ZOrder.BASELINE
        )
    return traces


def _volume(buckets: Buckets, style: ChartStyle) -> list[Trace]:
    rising = buckets.values["close"] >= buckets.values["open"]
    colors = (rgba(style.palette.up, 0.5), rgba(style.palette.down, 0.5))
    x = buckets.middle.astype(np.float32)
    width = 0.8 * buckets.size
    return bars("volume", x, buckets.values["volume"], rising, colors, "y2", name=style.labels.volume, width=width)


def _layout(
    candles: CandleFrame, detail: Buckets, overview: Buckets, style: ChartStyle, decimals: int
) -> dict[str, Any]:
    rows = np.union1d(detail.first, overview.first)
    spec = LayoutSpec(
        clock=build_clock(candles.local_index[rows], rows),
        view_id=candles.fingerprint,
        title=f"{candles.symbol} · {interval_label(candles.interval)}",
        x_range=(-1.0, float(len(candles))),
        decimals=decimals,
        max_price=float(overview.values["high"].max()),
        has_volume=candles.has_volume,
    )
    layout = build_layout(spec, style)
    if detail.size > 1:
        layout["annotations"].append(_bucket_note(detail, style))
    return layout


def _bucket_note(detail: Buckets, style: ChartStyle) -> dict[str, Any]:
    """An annotation with the number of candles per bucket."""
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0.005,
        "y": 1,
        "xanchor": "left",
        "yanchor": "top",
        "text": style.labels.bucket_size.format(count=f"{detail.size:,}"),
        "showarrow": False,
        "font": {"size": 11, "color": style.palette.muted},
    }
