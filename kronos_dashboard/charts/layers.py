"""Traces of what is known: context candles, actuals, volume, surprisal.

Shapes: T context candles at x = 0..T-1, H steps at x = T..T+H-1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.forecast import Forecast
from kronos_dashboard.charts.axis import date_labels, price_decimals
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.style import ChartStyle
from kronos_dashboard.charts.traces import TRANSPARENT, Trace, ZOrder, bars, candlestick, line
from kronos_dashboard.forecasting.windows import Window

__all__ = [
    "actual_candles",
    "body_fills",
    "context_candles",
    "future_positions",
    "ohlc_hover_lines",
    "prepend_last_close",
    "surprisal_bars",
    "volume_bars",
    "window_decimals",
]

OUTLIER_ZSCORE = 3.0
"""Surprisal z-score from which a bar has the highlight color: 0.1% of candles if z-scores were normal."""


def context_candles(window: Window, style: ChartStyle) -> Trace:
    """The context's candles [T], with all values of a candle in its hover box."""
    candles, labels, decimals = window.context, style.labels, window_decimals(window)
    volume = f"<br>{labels.volume} %{{customdata[1]:.4~s}}" if candles.has_volume else ""
    cells = (date_labels(candles.local_index, labels), np.char.mod("%.5g", candles.frame["volume"].to_numpy()))
    return candlestick(
        "history",
        np.arange(len(candles)),
        candles.frame,
        (style.palette.up, style.palette.down),
        fills=body_fills(style),
        decimals=decimals,
        name=labels.candles,
        showlegend=False,
        customdata=np.stack([np.asarray(cell, dtype=str) for cell in cells], axis=1),
        hovertemplate=f"<b>%{{customdata[0]}}</b><br>{ohlc_hover_lines(style, decimals)}{volume}<extra></extra>",
    )


def actual_candles(window: Window, style: ChartStyle, num_revealed: int) -> list[Trace]:
    """The first ``num_revealed`` actuals: a line from the last close through their closes, or candles."""
    if window.actual is None or num_revealed == 0:
        return []
    frame, decimals, palette = window.actual.frame.iloc[:num_revealed], window_decimals(window), style.palette
    common: dict[str, Any] = {"name": style.labels.actuals, "zorder": ZOrder.ACTUALS, "hoverinfo": "skip"}
    if not style.actuals_as_candles:
        y = prepend_last_close(window, frame["close"].to_numpy())
        return [
            line(
                "truth", future_positions(window, num_revealed), y, palette.actual, decimals=decimals, width=2, **common
            )
        ]
    x = np.arange(window.context_length, window.context_length + num_revealed)
    colors = (palette.up, palette.down)
    return [
        candlestick(
            "truth",
            x,
            frame,
            colors,
            fills=body_fills(style),
            decimals=decimals,
            showlegend=True,
            **common,
        )
    ]


def volume_bars(window: Window, style: ChartStyle, forecast: Forecast | None, num_revealed: int) -> list[Trace]:
    """Volume of the context and of revealed actuals; beyond them, the volume of the forecast's medoid path."""
    frame, palette = window.context.frame, style.palette
    x = np.arange(window.context_length + num_revealed, dtype=np.int32)
    volume, rising = frame["volume"].to_numpy(), (frame["close"] >= frame["open"]).to_numpy()
    if window.actual is not None and num_revealed:
        actual = window.actual.frame.iloc[:num_revealed]
        volume = np.r_[volume, actual["volume"].to_numpy()]
        rising = np.r_[rising, (actual["close"] >= actual["open"]).to_numpy()]
    colors = (rgba(palette.up, 0.5), rgba(palette.down, 0.5))
    traces = bars("volume", x, volume, rising, colors, "y2", name=style.labels.volume)
    if forecast is not None and forecast.horizon > num_revealed:
        path = forecast.candles()["volume"].to_numpy()[num_revealed:]
        steps = np.arange(
            window.context_length + num_revealed, window.context_length + forecast.horizon, dtype=np.int32
        )
        color = rgba(palette.forecast, 0.35)
        traces += bars("volume-path", steps, path, path >= 0, (color, color), "y2", name=style.labels.volume)
    return traces


def surprisal_bars(zscores: np.ndarray, style: ChartStyle) -> list[Trace]:
    """A bar per context candle [T] with a known z-score of its surprisal; high ones are highlighted."""
    values = np.asarray(zscores, dtype=np.float64)
    known = np.isfinite(values)
    x, heights = np.flatnonzero(known).astype(np.int32), np.maximum(values[known], 0.0)
    is_typical = heights < OUTLIER_ZSCORE
    colors = (rgba(style.palette.muted, 0.55), style.palette.highlight)
    return bars("surprise", x, heights, is_typical, colors, "y3", name=style.labels.surprisal)


def body_fills(style: ChartStyle) -> tuple[str, str]:
    """Fills of the bodies of rising and falling candles."""
    up, down = style.palette.up, style.palette.down
    # A scheme of one color, up to the last digit, can only distinguish directions by the fill.
    return (TRANSPARENT if style.hollow_candles or up[:-1] == down[:-1] else up, down)


def ohlc_hover_lines(style: ChartStyle, decimals: int) -> str:
    """Hover template of a candle's four prices, in two lines."""
    labels, number_format = style.labels, f":,.{decimals}f"
    return (
        f"{labels.open} %{{open{number_format}}}  {labels.high} %{{high{number_format}}}<br>"
        f"{labels.low} %{{low{number_format}}}  {labels.close} %{{close{number_format}}}"
    )


def window_decimals(window: Window) -> int:
    """Decimals for the window's prices."""
    return price_decimals(window.context.frame["close"].to_numpy())


def future_positions(window: Window, steps: int) -> np.ndarray:
    """int32 [steps + 1]: positions of the last context candle and of the first ``steps`` steps."""
    start = window.context_length - 1
    return np.arange(start, start + steps + 1, dtype=np.int32)


def prepend_last_close(window: Window, values: np.ndarray) -> np.ndarray:
    """float64 [..., n + 1]: the last close of the context, then ``values`` [..., n]."""
    last = float(window.context.frame["close"].iloc[-1])
    return np.concatenate((np.full((*values.shape[:-1], 1), last), values), axis=-1)
