"""What hovering over a step of the future tells: its time, and every value there is, once.

One invisible line carries it. Its values travel as numbers [H, m], and the template says which is which.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from engine.forecast import Forecast
from kronos_dashboard.charts.axis import date_labels, prices
from kronos_dashboard.charts.layers import window_decimals
from kronos_dashboard.charts.style import Cone, Look
from kronos_dashboard.charts.traces import Trace, Z, line
from kronos_dashboard.forecasting.windows import Window
from kronos_dashboard.markets.candles import PRICES

__all__ = ["steps"]


@dataclass(frozen=True)
class _Told:
    """Lines of a template, and the columns [n] that they name by number."""

    decimals: int
    lines: list[str] = field(default_factory=list)
    columns: list[np.ndarray] = field(default_factory=list)

    def add(self, line: str, *values: np.ndarray) -> None:
        """A line with a ``{}`` for each of ``values``."""
        first = len(self.columns)
        cells = [f"%{{customdata[{first + at}]:,.{self.decimals}f}}" for at in range(len(values))]
        self.lines.append(line.format(*cells))
        self.columns.extend(np.asarray(value, dtype=np.float64) for value in values)


def steps(window: Window, look: Look, forecast: Forecast | None, baseline: Cone | None, shown: int) -> list[Trace]:
    """The invisible lines over all H steps: one where what came is shown, one where it is not."""
    decoded = 0 if forecast is None else forecast.horizon
    edges = sorted({0, shown, decoded, window.horizon})
    traces = []
    for start, stop in pairwise(edges):
        stretch = slice(start, stop)
        known = forecast if start < decoded else None
        traces.append(_carrier(window, look, known, baseline, stretch, revealed=start < shown))
    return traces


def _carrier(
    window: Window, look: Look, forecast: Forecast | None, baseline: Cone | None, stretch: slice, *, revealed: bool
) -> Trace:
    words, decimals = look.words, window_decimals(window)
    told = _Told(decimals)
    last = float(window.context.frame["close"].iloc[-1])
    y = np.full(stretch.stop - stretch.start, last)
    if window.truth is not None and revealed:
        y = window.truth.frame["close"].to_numpy()[stretch]
    if forecast is not None:
        y = forecast.median()[stretch]
        _tell_forecast(told, forecast, look, stretch)
    if baseline is not None:
        for coverage in sorted(baseline.bands):
            low, high = np.asarray(baseline.bands[coverage])[:, stretch]
            told.add(f"{baseline.name} {coverage:.0%}  {{}} – {{}}", low, high)
    if window.truth is not None and revealed:
        frame = window.truth.frame.iloc[stretch]
        told.add(f"<b>{words.truth}</b>  {_four(look)}", *(frame[name].to_numpy() for name in PRICES))
    position = np.arange(window.context_length, window.context_length + window.horizon, dtype=np.int32)[stretch]
    labels = date_labels(window.local_future, words)[stretch]
    numbers = [words.step.format(step=step + 1, horizon=window.horizon) for step in range(stretch.start, stretch.stop)]
    carrier = line(
        f"step-{stretch.start}",
        position,
        y,
        look.palette.fan,
        decimals=decimals,
        width=0,
        showlegend=False,
        zorder=Z.MEDIAN,
        text=[f"<b>{label}</b>  {number}" for label, number in zip(labels, numbers, strict=True)],
        hovertemplate="<br>".join(["%{text}", *told.lines]) + "<extra></extra>",
    )
    if told.columns:
        carrier["customdata"] = prices(np.stack(told.columns, axis=1), decimals)
    carrier["hoverinfo"] = "all"
    return carrier


def _tell_forecast(told: _Told, forecast: Forecast, look: Look, stretch: slice) -> None:
    """Median, bands from the narrowest, and the representative candle."""
    words = look.words
    told.add(f"<b>{words.median}</b>  {{}}", forecast.median()[stretch])
    for coverage in reversed(look.widest_first):
        low, high = forecast.band(coverage)[:, stretch]
        told.add(f"{words.band.format(coverage=coverage)}  {{}} – {{}}", low, high)
    if look.candles:
        frame = forecast.candles().iloc[stretch]
        told.add(f"{words.path}  {_four(look)}", *(frame[name].to_numpy() for name in PRICES))


def _four(look: Look) -> str:
    words = look.words
    return f"{words.open} {{}}  {words.high} {{}}  {words.low} {{}}  {words.close} {{}}"
