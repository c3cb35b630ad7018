"""What is known: candles of the context, what came, volume, and how surprising each candle was.

Shapes: T context candles at x = 0..T-1, H steps at x = T..T+H-1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.forecast import Forecast
from kronos_dashboard.charts.axis import date_labels, decimals_of
from kronos_dashboard.charts.palettes import rgba
from kronos_dashboard.charts.style import Look
from kronos_dashboard.charts.traces import NOTHING, Trace, Z, bars, candlestick, line
from kronos_dashboard.forecasting.windows import Window

__all__ = [
    "bodies",
    "future_x",
    "history",
    "joined",
    "price_lines",
    "surprise_bars",
    "truth",
    "volume_bars",
    "window_decimals",
]

STANDS_OUT = 3.0
"""Surprise, in standard deviations, from which a bar is painted in the colour of alerts."""


def history(window: Window, look: Look) -> Trace:
    """The context's candles; hovering tells all of a candle."""
    candles, words, decimals = window.context, look.words, window_decimals(window)
    volume = f"<br>{words.volume} %{{customdata[1]:.4~s}}" if candles.has_volume else ""
    cells = (date_labels(candles.local_index, words), np.char.mod("%.5g", candles.frame["volume"].to_numpy()))
    return candlestick(
        "history",
        np.arange(len(candles)),
        candles.frame,
        (look.palette.up, look.palette.down),
        fills=bodies(look),
        decimals=decimals,
        name=words.candles,
        showlegend=False,
        customdata=np.stack([np.asarray(cell, dtype=str) for cell in cells], axis=1),
        hovertemplate=f"<b>%{{customdata[0]}}</b><br>{price_lines(look, decimals)}{volume}<extra></extra>",
    )


def truth(window: Window, look: Look, shown: int) -> list[Trace]:
    """The first ``shown`` candles that came: a line through the closes from the last close on, or candles."""
    if window.truth is None or shown == 0:
        return []
    frame, decimals, palette = window.truth.frame.iloc[:shown], window_decimals(window), look.palette
    common: dict[str, Any] = {"name": look.words.truth, "zorder": Z.TRUTH, "hoverinfo": "skip"}
    if not look.truth_as_candles:
        y = joined(window, frame["close"].to_numpy())
        return [line("truth", future_x(window, shown), y, palette.truth, decimals=decimals, width=2, **common)]
    x = np.arange(window.context_length, window.context_length + shown)
    colours = (palette.up, palette.down)
    return [
        candlestick(
            "truth",
            x,
            frame,
            colours,
            fills=bodies(look),
            decimals=decimals,
            showlegend=True,
            **common,
        )
    ]


def volume_bars(window: Window, look: Look, forecast: Forecast | None, shown: int) -> list[Trace]:
    """Volume of the context and of what was revealed; where it was not, that of the forecast's representative path."""
    frame, palette = window.context.frame, look.palette
    x = np.arange(window.context_length + shown, dtype=np.int32)
    volume, rising = frame["volume"].to_numpy(), (frame["close"] >= frame["open"]).to_numpy()
    if window.truth is not None and shown:
        came = window.truth.frame.iloc[:shown]
        volume = np.r_[volume, came["volume"].to_numpy()]
        rising = np.r_[rising, (came["close"] >= came["open"]).to_numpy()]
    colours = (rgba(palette.up, 0.5), rgba(palette.down, 0.5))
    traces = bars("volume", x, volume, rising, colours, "y2", name=look.words.volume)
    if forecast is not None and forecast.horizon > shown:
        path = forecast.candles()["volume"].to_numpy()[shown:]
        steps = np.arange(window.context_length + shown, window.context_length + forecast.horizon, dtype=np.int32)
        colour = rgba(palette.fan, 0.35)
        traces += bars("volume-path", steps, path, path >= 0, (colour, colour), "y2", name=look.words.volume)
    return traces


def surprise_bars(surprise: np.ndarray, look: Look) -> list[Trace]:
    """A strip of bars [T] under the candles; what stands out is painted so."""
    values = np.asarray(surprise, dtype=np.float64)
    known = np.isfinite(values)
    x, heights = np.flatnonzero(known).astype(np.int32), np.maximum(values[known], 0.0)
    usual = heights < STANDS_OUT
    colours = (rgba(look.palette.faint, 0.55), look.palette.alert)
    return bars("surprise", x, heights, usual, colours, "y3", name=look.words.surprise)


def bodies(look: Look) -> tuple[str, str]:
    """Fills of rising and falling candles."""
    up, down = look.palette.up, look.palette.down
    return (NOTHING if look.hollow or up[:-1] == down[:-1] else up, down)


def price_lines(look: Look, decimals: int) -> str:
    """The hover template of a candle's four prices, on two lines."""
    words, form = look.words, f":,.{decimals}f"
    return (
        f"{words.open} %{{open{form}}}  {words.high} %{{high{form}}}<br>"
        f"{words.low} %{{low{form}}}  {words.close} %{{close{form}}}"
    )


def window_decimals(window: Window) -> int:
    """Decimals of the window's prices."""
    return decimals_of(window.context.frame["close"].to_numpy())


def future_x(window: Window, steps: int) -> np.ndarray:
    """int32 [steps + 1]: the last context candle and the first ``steps`` steps."""
    start = window.context_length - 1
    return np.arange(start, start + steps + 1, dtype=np.int32)


def joined(window: Window, values: np.ndarray) -> np.ndarray:
    """float64 [.., n + 1]: the last close of the context, then ``values`` [.., n]."""
    last = float(window.context.frame["close"].iloc[-1])
    return np.concatenate((np.full((*values.shape[:-1], 1), last), values), axis=-1)
