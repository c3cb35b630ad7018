"""The chart of the report as an SVG element without scripts; equal forecasts give equal bytes.

Shapes: T' context candles that are drawn at x = 0..T'-1, H steps at x = T'..T'+H-1; x counts bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations
from html import escape

import numpy as np
import pandas as pd

from engine.forecast import Forecast
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.messages import msg, translate

__all__ = ["COVERAGES", "forecast_svg"]

COVERAGES = (0.95, 0.80, 0.50)
"""Of the bands, from wide to narrow."""

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 960, 420, 8, 76, 10, 30
_MIN_CONTEXT, _MAX_CONTEXT = 40, 160
"""Context candles that are drawn; more would be narrower than 3 pixels."""
_NUM_TICKS = 6
"""On either axis, about."""


@dataclass(frozen=True)
class _Scale:
    """Converts bar numbers and prices to coordinates."""

    bars: int
    low: float
    high: float

    def x(self, bar: float) -> float:
        return _LEFT + (bar + 0.5) * (_WIDTH - _LEFT - _RIGHT) / self.bars

    def y(self, price: float) -> float:
        return _TOP + (self.high - price) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)

    def line(self, bars: np.ndarray, prices: np.ndarray) -> str:
        return " ".join(f"{self.x(bar):.1f},{self.y(price):.1f}" for bar, price in zip(bars, prices, strict=True))


def forecast_svg(window: Window, forecast: Forecast, catalog: NullTranslations) -> str:
    """An ``svg`` element, whose classes have their colors from ``templates/report.css``; labels by ``catalog``."""
    shown = window.context.tail(min(_MAX_CONTEXT, max(_MIN_CONTEXT, 2 * window.horizon)))
    count = len(shown)
    scale = _scale(window, forecast, count + window.horizon, shown.frame)
    times = shown.local_index.append(window.local_future)
    label = msg(
        "{symbol}: {context} candles and {paths} sampled paths of {horizon} steps",
        symbol=window.context.symbol,
        context=count,
        paths=forecast.num_paths,
        horizon=window.horizon,
    )
    band_labels = {coverage: msg("{coverage:.0%} of the paths", coverage=coverage) for coverage in COVERAGES}
    bars = np.arange(count - 1, count + window.horizon)
    last = float(shown.frame["close"].iloc[-1])
    elements = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(translate(label, catalog))}">',
        *_price_grid(scale),
        *_time_labels(scale, times),
        *(
            _band(scale, bars, last, forecast.band(coverage), translate(label, catalog))
            for coverage, label in band_labels.items()
        ),
        *_candles(scale, shown.frame, 0, ""),
        *_candles(scale, forecast.candles(), count, "one-"),
        f'<polyline class="median" points="{scale.line(bars, np.r_[last, forecast.median()])}"/>',
    ]
    if window.actual is not None:
        closes = np.r_[last, window.actual.frame["close"].to_numpy()]
        elements.append(f'<polyline class="truth" points="{scale.line(bars, closes)}"/>')
    edge = scale.x(count - 0.5)
    elements.append(f'<path class="cutoff" d="M{edge:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
    return "\n".join([*elements, "</svg>"])


def _scale(window: Window, forecast: Forecast, bars: int, shown: pd.DataFrame) -> _Scale:
    candles = forecast.candles()
    lows = [shown["low"].min(), forecast.band(COVERAGES[0]).min(), candles["low"].min()]
    highs = [shown["high"].max(), forecast.band(COVERAGES[0]).max(), candles["high"].max()]
    if window.actual is not None:
        lows.append(window.actual.frame["close"].min())
        highs.append(window.actual.frame["close"].max())
    low, high = float(min(lows)), float(max(highs))
    margin = 0.03 * (high - low) or 0.01 * abs(high) or 1.0  # prices may all be equal, or zero
    return _Scale(bars, low - margin, high + margin)


def _price_grid(scale: _Scale) -> list[str]:
    min_step = (scale.high - scale.low) / _NUM_TICKS
    magnitude = 10.0 ** np.floor(np.log10(min_step))
    step = float(magnitude * next(factor for factor in (1, 2, 5, 10) if factor * magnitude >= min_step))
    elements = []
    for price in np.arange(np.ceil(scale.low / step) * step, scale.high, step):
        y = scale.y(float(price))
        elements.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        elements.append(f'<text x="{_WIDTH - _RIGHT + 6}" y="{y + 4:.1f}">{price:,.7g}</text>')
    return elements


def _time_labels(scale: _Scale, times: pd.DatetimeIndex) -> list[str]:
    is_daily = bool((times == times.normalize()).all())
    rows = range(len(times) // (2 * _NUM_TICKS), len(times), max(1, len(times) // _NUM_TICKS))
    time_format = "%Y-%m-%d" if is_daily else "%Y-%m-%d %H:%M"  # the same in every language
    return [
        f'<text class="time" x="{scale.x(row):.1f}" y="{_HEIGHT - 10}">{times[row].strftime(time_format)}</text>'
        for row in rows
    ]


def _band(scale: _Scale, bars: np.ndarray, last: float, edges: np.ndarray, label: str) -> str:
    """A polygon from the last close along the edges [2, H]."""
    lower, upper = (np.r_[last, edge] for edge in edges)
    points = f"{scale.line(bars, upper)} {scale.line(bars[::-1], lower[::-1])}"
    return f'<polygon class="band" points="{points}"><title>{escape(label)}</title></polygon>'


def _candles(scale: _Scale, frame: pd.DataFrame, first: int, prefix: str) -> list[str]:
    """One path element for rising and one for falling candles, each with wicks and bodies."""
    half_width = 0.35 * (scale.x(1) - scale.x(0))
    shapes: dict[str, list[str]] = {"up": [], "down": []}
    prices = frame.loc[:, ["open", "high", "low", "close"]].to_numpy(dtype=np.float64)
    for bar, (open_, high, low, close) in enumerate(prices, start=first):
        x, top, bottom = scale.x(bar), scale.y(max(open_, close)), scale.y(min(open_, close))
        body = f"M{x - half_width:.1f} {top:.1f}H{x + half_width:.1f}V{bottom:.1f}H{x - half_width:.1f}Z"
        wick = f"M{x:.1f} {scale.y(high):.1f}V{top:.1f}M{x:.1f} {bottom:.1f}V{scale.y(low):.1f}"
        shapes["up" if close >= open_ else "down"].append(body + wick)
    return [f'<path class="{prefix}{name}" d="{"".join(data)}"/>' for name, data in shapes.items() if data]
