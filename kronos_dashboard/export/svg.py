"""The chart of the report, drawn as SVG: no scripts, nothing from elsewhere, the same bytes for the same numbers.

Shapes: T' context candles that are shown at x = 0..T'-1, H steps at x = T'..T'+H-1; x counts bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.forecasting.windows import Window

__all__ = ["COVERAGES", "forecast_svg"]

COVERAGES = (0.95, 0.80, 0.50)
"""Shares of the paths between the edges of the bands, wide to narrow."""

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 960, 420, 8, 76, 10, 30
_MOST_CONTEXT = 160
_TICKS = 6


@dataclass(frozen=True)
class _Plane:
    """From bars and prices to points."""

    bars: int
    low: float
    high: float

    def x(self, bar: float) -> float:
        return _LEFT + (bar + 0.5) * (_WIDTH - _LEFT - _RIGHT) / self.bars

    def y(self, price: float) -> float:
        return _TOP + (self.high - price) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)

    def line(self, bars: np.ndarray, prices: np.ndarray) -> str:
        return " ".join(f"{self.x(bar):.1f},{self.y(price):.1f}" for bar, price in zip(bars, prices, strict=True))


def forecast_svg(window: Window, forecast: Forecast) -> str:
    """An ``svg`` element; its colours come from the classes that ``report`` gives a style."""
    shown = window.context.tail(min(_MOST_CONTEXT, max(40, 2 * window.horizon)))
    count = len(shown)
    plane = _plane(window, forecast, count + window.horizon, shown.frame)
    times = shown.local_index.append(window.local_future)
    label = f"{window.context.symbol}: {count} candles and {forecast.num_paths} sampled paths of {window.horizon} steps"
    bars = np.arange(count - 1, count + window.horizon)
    last = float(shown.frame["close"].iloc[-1])
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">',
        *_price_grid(plane),
        *_time_labels(plane, times),
        *(_band(plane, bars, last, forecast.band(coverage), coverage) for coverage in COVERAGES),
        *_candles(plane, shown.frame, 0, ""),
        *_candles(plane, forecast.candles(), count, "one-"),
        f'<polyline class="median" points="{plane.line(bars, np.r_[last, forecast.median()])}"/>',
    ]
    if window.truth is not None:
        came = np.r_[last, window.truth.frame["close"].to_numpy()]
        parts.append(f'<polyline class="truth" points="{plane.line(bars, came)}"/>')
    edge = plane.x(count - 0.5)
    parts.append(f'<path class="cutoff" d="M{edge:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
    return "\n".join([*parts, "</svg>"])


def _plane(window: Window, forecast: Forecast, bars: int, shown: pd.DataFrame) -> _Plane:
    candles = forecast.candles()
    lows = [shown["low"].min(), forecast.band(COVERAGES[0]).min(), candles["low"].min()]
    highs = [shown["high"].max(), forecast.band(COVERAGES[0]).max(), candles["high"].max()]
    if window.truth is not None:
        lows.append(window.truth.frame["close"].min())
        highs.append(window.truth.frame["close"].max())
    low, high = float(min(lows)), float(max(highs))
    room = 0.03 * (high - low) or 0.01 * abs(high) or 1.0
    return _Plane(bars, low - room, high + room)


def _price_grid(plane: _Plane) -> list[str]:
    rough = (plane.high - plane.low) / _TICKS
    size = 10.0 ** np.floor(np.log10(rough))
    step = float(size * next(factor for factor in (1, 2, 5, 10) if factor * size >= rough))
    parts = []
    for price in np.arange(np.ceil(plane.low / step) * step, plane.high, step):
        y = plane.y(float(price))
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 6}" y="{y + 4:.1f}">{price:,.7g}</text>')
    return parts


def _time_labels(plane: _Plane, times: pd.DatetimeIndex) -> list[str]:
    midnight = bool((times == times.normalize()).all())
    chosen = range(len(times) // (2 * _TICKS), len(times), max(1, len(times) // _TICKS))
    form = "%d %b %Y" if midnight else "%d %b %H:%M"
    return [
        f'<text class="time" x="{plane.x(at):.1f}" y="{_HEIGHT - 10}">{times[at].strftime(form)}</text>'
        for at in chosen
    ]


def _band(plane: _Plane, bars: np.ndarray, last: float, edges: np.ndarray, coverage: float) -> str:
    """A polygon that starts at the last close; ``edges`` [2, H]."""
    lower, upper = (np.r_[last, edge] for edge in edges)
    points = f"{plane.line(bars, upper)} {plane.line(bars[::-1], lower[::-1])}"
    return f'<polygon class="band" points="{points}"><title>{coverage:.0%} of the paths</title></polygon>'


def _candles(plane: _Plane, frame: pd.DataFrame, first: int, prefix: str) -> list[str]:
    """Two paths: the candles that rise and those that fall, each a wick and a body."""
    half = 0.35 * (plane.x(1) - plane.x(0))
    drawn: dict[str, list[str]] = {"up": [], "down": []}
    prices = frame.loc[:, ["open", "high", "low", "close"]].to_numpy(dtype=np.float64)
    for at, (opened, high, low, close) in enumerate(prices, start=first):
        x, top, bottom = plane.x(at), plane.y(max(opened, close)), plane.y(min(opened, close))
        body = f"M{x - half:.1f} {top:.1f}H{x + half:.1f}V{bottom:.1f}H{x - half:.1f}Z"
        wick = f"M{x:.1f} {plane.y(high):.1f}V{top:.1f}M{x:.1f} {bottom:.1f}V{plane.y(low):.1f}"
        drawn["up" if close >= opened else "down"].append(body + wick)
    return [f'<path class="{prefix}{name}" d="{"".join(shapes)}"/>' for name, shapes in drawn.items() if shapes]
